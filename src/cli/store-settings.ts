import type { SettingsOptions } from '../app/settings.ts';
import type { StoreLocationOptions } from '../app/store/store-location.ts';
import { defaultStoreUrl, type Settings } from '../model/settings.ts';
import { type CliContext, colorizersFor } from './context.ts';
import { writeLine } from './output/terminal.ts';

/** Returns the settings of a command that uses the store, and says on stderr if that is the store of an emulated gateway. Throws as `locateStore` does. */
export async function storeSettings(context: CliContext, options: SettingsOptions, location: StoreLocationOptions): Promise<Settings> {
  const { locateStore } = await import('../app/store/store-location.ts');
  const { settings, notice } = await locateStore(options, context.env, location);
  if (notice !== null) writeLine(context.stderr, `${colorizersFor(context).err('yellow', 'edict:')} ${notice}`);
  return settings;
}

/**
 * Returns what the first store of the real gateway changes beside that of an emulated one, which commands without `--emulate` used until then;
 * `null` if there is a real one, or no emulated one. The store of the real gateway is the one that a kill switch is for.
 */
export async function findOtherEmulatedStore({ emulate, file, storeUrl }: Settings, { state }: SettingsOptions): Promise<string | null> {
  const { storeExists } = await import('../app/store/store-location.ts');
  const emulatedUrl = defaultStoreUrl(file, true);
  if (emulate || state !== undefined || (await storeExists(storeUrl)) || !(await storeExists(emulatedUrl))) return null;
  return 'this is the real gateway; its store is new, and commands use it from now on: add --emulate for the emulated gateway';
}

/** Returns the settings of a command that only reads, or writes only to a store that exists. */
export function readSettings(context: CliContext, file: string | undefined, options: SettingsOptions): Promise<Settings> {
  return storeSettings(context, options, { paths: file === undefined ? [] : [file], isWriting: false, findsEmulated: 'always' });
}

/** Returns the settings of a command that may create the store. */
export function writeSettings(context: CliContext, paths: readonly string[], options: SettingsOptions): Promise<Settings> {
  return storeSettings(context, options, { paths, isWriting: true, findsEmulated: 'never' });
}
