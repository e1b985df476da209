import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Env } from '../../model/env.ts';
import { EdictError } from '../../model/errors.ts';
import { defaultFile, defaultStoreUrl, type Settings } from '../../model/settings.ts';
import { quoteForShell } from '../../render/command-line.ts';
import { TimeLimit } from '../../source/time-limit.ts';
import { parseSettings, type SettingsOptions } from '../settings.ts';
import { assertTrustedStore } from './store-trust.ts';

/*
 * Where the store is without `--state`: beside the edict file, wherever the command is run. A file whose folder is not certain to stay the
 * same has no default store: a new folder would have a store without any recorded state.
 */

export interface StoreLocationOptions {
  /** The files and folders of the command. */
  readonly paths: readonly string[];
  /** Whether the command writes to the store, and may create it. */
  readonly isWriting: boolean;
  /** When a store of an emulated gateway is used without `--emulate`, if there is no other. */
  readonly findsEmulated: 'always' | 'without-credentials' | 'never';
}

export interface LocatedSettings {
  readonly settings: Settings;
  /** That the store of an emulated gateway is used without `--emulate`; `null` if it is not. */
  readonly notice: string | null;
}

/**
 * Returns the settings of a command that uses the store. Throws an EdictError `STATE_REQUIRED` if there is no default store and `--state`
 * is missing, `STORE_UNTRUSTED` if others may have written the store.
 */
export async function locateStore(options: SettingsOptions, env: Env, location: StoreLocationOptions): Promise<LocatedSettings> {
  const located = await findStore(options, env, location);
  await assertTrustedStore(located.settings.storeUrl, { isDefault: options.state === undefined, env });
  return located;
}

async function findStore(
  options: SettingsOptions,
  env: Env,
  { paths, isWriting, findsEmulated }: StoreLocationOptions,
): Promise<LocatedSettings> {
  const [file = defaultFile, ...more] = paths;
  const settings = parseSettings(file, options);
  if (options.state !== undefined) return { settings, notice: null };
  const reason = more.length > 0 ? 'several files are given' : await whyNoDefaultStore(file, isWriting);
  if (reason !== null) throw stateRequiredError(reason, settings.emulate);
  const isSearched = findsEmulated === 'always' || (findsEmulated === 'without-credentials' && !hasCredentials(env));
  const emulatedUrl = defaultStoreUrl(file, true);
  if (settings.emulate || !isSearched || (await storeExists(settings.storeUrl)) || !(await storeExists(emulatedUrl))) {
    return { settings, notice: null };
  }
  const notice = `using the store of the emulated gateway, ${toPath(emulatedUrl)}: there is no other one beside ${file}`;
  return { settings: { ...settings, emulate: true, storeUrl: emulatedUrl }, notice };
}

async function whyNoDefaultStore(file: string, isWriting: boolean): Promise<string | null> {
  const folder = dirname(file);
  const limit = new TimeLimit();
  const [real, stats] = [await limit.run(() => orNull(realpath(file))), await limit.run(() => orNull(stat(file)))];
  if (stats?.isDirectory()) return `${file} is a folder`;
  if (real !== null && real !== resolve(file)) return `${file} is reached through a symbolic link`;
  if (!isWriting) return null;
  if (stats !== null && !stats.isFile()) return `${file} is not a regular file`;
  // An existing store needs its own folder alone.
  const isWritable = await limit.run(async () => (await isWritableFolder(`${folder}/.edict`)) || (await isWritableFolder(folder)));
  return isWritable === false ? `the folder ${folder} does not exist or is not writable` : null;
}

async function isWritableFolder(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}

function stateRequiredError(reason: string, emulate: boolean): EdictError {
  const url = `sqlite:${resolve(toPath(defaultStoreUrl(defaultFile, emulate)))}`;
  return new EdictError('STATE_REQUIRED', `there is no default place for the store: ${reason}`, {
    hint: `name the store, such as --state ${quoteForShell(url)}`,
  });
}

/** Returns whether `env` has a variable that is part of credentials. */
export function hasCredentials(env: Env): boolean {
  const names = [
    ...['HW_AUTH_TOKEN', 'HW_ACCESS_KEY', 'HUAWEICLOUD_SDK_AK', 'HW_USER_PASSWORD'],
    ...['HC_CONTAINER_CREDENTIALS_FULL_URI', 'HW_ECS_METADATA'],
  ];
  return names.some((name) => env[name] || env[`${name}_FILE`]);
}

/** Returns whether there is a file at the SQLite URL `url`. */
export async function storeExists(url: string): Promise<boolean> {
  return (await orNull(stat(toPath(url)))) !== null;
}

function toPath(url: string): string {
  return url.replace(/^sqlite:(?:\/\/)?/, '');
}

function orNull<T>(result: Promise<T>): Promise<T | null> {
  return result.catch(() => null);
}
