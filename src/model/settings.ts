/** When a command observes the gateway before planning: `due`: when the file's `refresh` asks for it. */
export type RefreshMode = 'always' | 'due' | 'never';

/** The options that every command has, with defaults applied. */
export interface Settings {
  /** The path of the edict file. */
  readonly file: string;
  /** Folders besides that of the file from which it may include files. */
  readonly allowedFolders: readonly string[];
  /** Hosts to which credentials may be sent, besides those of `isAllowedHost` and EDICT_ALLOWED_HOSTS. */
  readonly allowedHosts: readonly string[];
  /** Hosts that may be probed although they are this machine or in a private network. */
  readonly allowedProbeHosts: readonly string[];
  /** The store's URL. */
  readonly storeUrl: string;
  /** Whether the gateway is the emulator in this process. */
  readonly emulate: boolean;
  /** How long to wait for another edict process to release the store, in milliseconds. */
  readonly lockTimeoutMs: number;
  readonly refresh: RefreshMode;
  /** The publications that the command is limited to. The daemon always handles the whole file. */
  readonly targets: TargetPatterns;
}

/** The daemon's own settings; times in milliseconds. */
export interface DaemonSettings {
  readonly debounceMs: number;
  readonly resyncMs: number;
  /** How long attempts are kept; `null`: forever. */
  readonly historyRetentionMs: number | null;
  /** The address of the status server; `null`: no server. */
  readonly listen: { readonly host: string; readonly port: number } | null;
  /** Whether the user gave that address. If not, the daemon continues without a server when the address is not available. */
  readonly listenIsExplicit: boolean;
}

export const defaultFile = 'edict.yaml';

/**
 * Returns the default store, beside the edict file. An emulated gateway has its own, so that its recorded state never mixes with a real
 * one's.
 */
export function defaultStoreUrl(file: string, emulate: boolean): string {
  const folder = file.slice(0, file.lastIndexOf('/') + 1).replace(/^\/+/, '/');
  return `sqlite:${folder}.edict/${emulate ? 'emulated' : 'state'}.db`;
}

/** The target patterns as the user gave them. An empty list matches everything. */
export interface TargetPatterns {
  readonly apis: readonly string[];
  readonly environments: readonly string[];
}

/** Log levels, from least to most verbose. */
export const logLevels = ['silent', 'error', 'warn', 'info', 'debug'] as const;

export type LogLevel = (typeof logLevels)[number];

/** Formats of a log line. */
export const logFormats = ['pretty', 'json'] as const;

export type LogFormat = (typeof logFormats)[number];

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
}
