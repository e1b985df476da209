import { parseDurationMs } from '../model/clock.ts';
import { EdictError } from '../model/errors.ts';
import { type DaemonSettings, defaultFile, defaultStoreUrl, type Settings } from '../model/settings.ts';
import { hasControlCharacters } from '../model/visible.ts';

/** The status server's default address, reachable from this machine only. */
export const defaultListenAddress = '127.0.0.1:9470';

/** The command line options that become settings. */
export interface SettingsOptions {
  readonly allowInclude?: readonly string[];
  readonly allowHost?: readonly string[];
  readonly allowProbeHost?: readonly string[];
  readonly state?: string;
  readonly emulate?: boolean;
  readonly lockTimeout?: string;
  readonly refresh?: boolean;
  readonly api?: readonly string[];
  readonly environment?: readonly string[];
}

/** Returns complete settings from the command line options. Commands that use the store call `locateStore`. */
export function parseSettings(file: string = defaultFile, options: SettingsOptions = {}): Settings {
  const emulate = options.emulate ?? false;
  const lockTimeoutMs = options.lockTimeout === undefined ? 0 : parseDurationOption(options.lockTimeout, '--lock-timeout');
  return {
    file,
    allowedFolders: options.allowInclude ?? [],
    allowedHosts: options.allowHost ?? [],
    allowedProbeHosts: options.allowProbeHost ?? [],
    emulate,
    lockTimeoutMs,
    refresh: options.refresh === undefined ? 'due' : options.refresh ? 'always' : 'never',
    targets: { apis: options.api ?? [], environments: options.environment ?? [] },
    // A value from a file or a secret often ends with a line break.
    storeUrl: options.state?.trim() ?? defaultStoreUrl(file, emulate),
  };
}

/** The longest approval lasts a week, and its attempts must stay in the history that long to be counted. */
const minHistoryRetentionMs = 168 * 3_600_000;

/** Returns `--history-retention` in milliseconds, `null` for `forever`. Throws an EdictError for an invalid duration or one under 168h. */
export function parseHistoryRetention(text: string): number | null {
  if (text === 'forever') return null;
  const ms = parseDurationOption(text, '--history-retention', { maxMs: 100 * yearMs });
  if (ms >= minHistoryRetentionMs) return ms;
  throw new EdictError('OPTION_INVALID', `--history-retention ${text} is too short`, {
    hint: 'expected 168h (a week) at least, such as 2160h (90 days), or forever',
  });
}

/** Returns the address that `--listen` names, `null` for `off`. Throws an EdictError for any other text. */
export function parseListenAddress(text: string): DaemonSettings['listen'] {
  if (text === 'off') return null;
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:\s]+):(\d{1,5})$/.exec(text);
  const [host = '', port = 70_000] = [match?.[1]?.replace(/^\[|\]$/g, ''), Number(match?.[2] ?? 70_000)];
  if (match && port < 65_536) return { host, port };
  throw new EdictError('OPTION_INVALID', `--listen ${text} is not an address`, {
    hint: 'expected HOST:PORT, such as 127.0.0.1:9470, or off',
  });
}

/** Returns a name or a reason without surrounding spaces. Throws an EdictError for an empty text, a long one or one with control characters. */
export function parseTextOption(text: string, option: string): string {
  const trimmed = text.trim();
  if (trimmed !== '' && text.length <= 1000 && !hasControlCharacters(trimmed)) return trimmed;
  throw new EdictError('OPTION_INVALID', `${option} needs a text of up to 1,000 characters, in one line`);
}

/** Bounds of a duration, in milliseconds. */
interface DurationBounds {
  /** Default: 0. */
  readonly minMs?: number;
  /** Default: a year. */
  readonly maxMs?: number;
}

const yearMs = 8760 * 3_600_000;

/** Shorter intervals between reconciliations would keep a processor busy. */
export const resyncBounds: DurationBounds = { minMs: 10 };

/** A longer debounce would make each edit wait for hours. */
export const debounceBounds: DurationBounds = { maxMs: 3_600_000 };

/** Returns a duration such as `200ms`, `10s` or `5m` in milliseconds. Throws an EdictError for any other text, or one out of bounds. */
export function parseDurationOption(text: string, option: string, { minMs = 0, maxMs = yearMs }: DurationBounds = {}): number {
  const ms = parseDurationMs(text);
  if (ms === null) {
    throw new EdictError('OPTION_INVALID', `${option} ${text} is not a duration`, {
      hint: 'expected a number with its unit: 500ms, 10s, 5m, 1h',
    });
  }
  if (ms >= minMs && ms <= maxMs) return ms;
  throw new EdictError('OPTION_INVALID', `${option} ${text} is too ${ms < minMs ? 'short' : 'long'}`, {
    hint: ms < minMs ? `expected ${minMs}ms at least` : `expected ${maxMs / 3_600_000}h at most`,
  });
}
