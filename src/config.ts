import { parseDurationMs } from './core/duration.ts';
import { EdictError } from './core/errors.ts';
import type { TargetPatterns } from './core/targets.ts';

/** What every command can be told, with its defaults filled in. */
export interface Settings {
  /** The path of the edict file. */
  readonly file: string;
  /** The store's address. */
  readonly storeUrl: string;
  /** Whether the gateway is the emulator in this process. */
  readonly emulate: boolean;
  /** How long to wait for another edict to give the store free, in milliseconds. */
  readonly lockTimeoutMs: number;
  /** Whether the gateway is asked what is really published before anything is planned. */
  readonly refresh: boolean;
  /** What the command is about; the daemon is always about the whole file. */
  readonly targets: TargetPatterns;
}

/** The daemon's own settings; times in milliseconds. */
export interface DaemonSettings {
  readonly debounceMs: number;
  readonly resyncMs: number;
  /** How long attempts are kept; `null`: for ever. */
  readonly historyRetentionMs: number | null;
  /** Where it can be asked how it is; `null`: nowhere. */
  readonly listen: { readonly host: string; readonly port: number } | null;
  /** Whether a person has named that address: otherwise the daemon goes on without where it cannot be had. */
  readonly listenIsExplicit: boolean;
}

/** Where a daemon can be asked unless told otherwise: by this machine alone. */
export const defaultListenAddress = '127.0.0.1:9470';

export const defaultFile = 'edict.yaml';

/** Returns the store that is used unless another one is named: the record of an emulated gateway never mixes with a real one's. */
export function defaultStoreUrl(emulate: boolean): string {
  return emulate ? 'sqlite:.edict/emulated.db' : 'sqlite:.edict/state.db';
}

/** Returns complete settings from what the command line and the environment say. */
export function parseSettings(
  file: string | undefined,
  options: {
    readonly state?: string;
    readonly emulate?: boolean;
    readonly wait?: string;
    readonly refresh?: boolean;
    readonly api?: readonly string[];
    readonly environment?: readonly string[];
  },
): Settings {
  const emulate = options.emulate ?? false;
  const lockTimeoutMs = options.wait === undefined ? 0 : parseDurationOption(options.wait, '--wait');
  return {
    file: file ?? defaultFile,
    emulate,
    lockTimeoutMs,
    refresh: options.refresh ?? false,
    targets: { apis: options.api ?? [], environments: options.environment ?? [] },
    // What comes out of a file or a secret often ends with a line break.
    storeUrl: options.state?.trim() ?? defaultStoreUrl(emulate),
  };
}

/** Agreements are in force no longer than this, and count what they have made. */
const minHistoryRetentionMs = 168 * 3_600_000;

/** Returns the milliseconds of `--keep-history`, `null` without it. Throws an EdictError for what is no duration, or too short a one. */
export function parseHistoryRetention(text: string | undefined): number | null {
  if (text === undefined) return null;
  const ms = parseDurationOption(text, '--keep-history');
  if (ms >= minHistoryRetentionMs) return ms;
  throw new EdictError('OPTION', `--keep-history ${text} is too short`, {
    hint: 'expected 168h (a week) at least, such as 2160h (90 days)',
  });
}

/** Returns the address that `--listen` names, `null` for `off`. Throws an EdictError for any other text. */
export function parseListenAddress(text: string): DaemonSettings['listen'] {
  if (text === 'off') return null;
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:\s]+):(\d{1,5})$/.exec(text);
  const [host = '', port = 70_000] = [match?.[1]?.replace(/^\[|\]$/g, ''), Number(match?.[2] ?? 70_000)];
  if (match && port < 65_536) return { host, port };
  throw new EdictError('OPTION', `--listen ${text} is not an address`, { hint: 'expected HOST:PORT, such as 127.0.0.1:9470, or off' });
}

/** Returns the milliseconds of a command-line duration such as `200ms`, `10s` or `5m`. Throws an EdictError for any other text. */
export function parseDurationOption(text: string, option: string): number {
  const ms = parseDurationMs(text);
  if (ms !== null) return ms;
  throw new EdictError('OPTION', `${option} ${text} is not a duration`, { hint: 'expected a number with its unit: 500ms, 10s, 5m, 1h' });
}
