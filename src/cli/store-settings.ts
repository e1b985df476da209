import type { SettingsOptions } from '../app/settings.ts';
import type { StoreLocationOptions } from '../app/store/store-location.ts';
import type { Settings } from '../model/settings.ts';
import { type CliContext, colorizersFor } from './context.ts';
import { writeLine } from './output/terminal.ts';

/** Returns the settings of a command that uses the store, and says on stderr if that is the store of an emulated gateway. Throws as `locateStore` does. */
export async function storeSettings(context: CliContext, options: SettingsOptions, location: StoreLocationOptions): Promise<Settings> {
  const { locateStore } = await import('../app/store/store-location.ts');
  const { settings, notice } = await locateStore(options, context.env, location);
  if (notice !== null) writeLine(context.stderr, `${colorizersFor(context).err('yellow', 'edict:')} ${notice}`);
  return settings;
}

/** Returns the settings of a command that only reads, or writes only to a store that exists. */
export function readSettings(context: CliContext, file: string | undefined, options: SettingsOptions): Promise<Settings> {
  return storeSettings(context, options, { paths: file === undefined ? [] : [file], isWriting: false, findsEmulated: 'always' });
}

/** Returns the settings of a command that may create the store. */
export function writeSettings(context: CliContext, paths: readonly string[], options: SettingsOptions): Promise<Settings> {
  return storeSettings(context, options, { paths, isWriting: true, findsEmulated: 'never' });
}
