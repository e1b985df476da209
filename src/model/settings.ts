import type { TargetPatterns } from './targets.ts';

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

export const defaultFile = 'edict.yaml';

/** Returns the store that is used unless another one is named: the record of an emulated gateway never mixes with a real one's. */
export function defaultStoreUrl(emulate: boolean): string {
  return emulate ? 'sqlite:.edict/emulated.db' : 'sqlite:.edict/state.db';
}
