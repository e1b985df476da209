import { EdictError } from '../../model/errors.ts';

/** What is checked, in this order. */
export const checkNames = [
  'file',
  'variables',
  'store',
  'endpoint',
  'clock',
  'credentials',
  'environments',
  'apis',
  'versions',
  'ids',
] as const;
export type CheckName = (typeof checkNames)[number];

/** The result of one check. */
export interface Check {
  readonly name: CheckName;
  /** `skipped`: it needs another check that did not succeed. */
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly result: string;
  /** What to do now; `null` if nothing is to be done. */
  readonly fix: string | null;
}

/** Returns a check that found no problem. */
export function passed(name: CheckName, result: string): Check {
  return { name, status: 'ok', result, fix: null };
}

/** Returns a check that found a problem. */
export function failed(name: CheckName, result: string, fix: string | null): Check {
  return { name, status: 'failed', result, fix };
}

/** Returns a check that failed with `error`. Rethrows an error that is not an EdictError, since it is a bug. */
export function failedWith(name: CheckName, error: unknown): Check {
  if (error instanceof EdictError) return failed(name, error.message, error.hint);
  throw error;
}

/** Returns the checks that cannot be made. `needed`: what they need. */
export function skipped(names: readonly CheckName[], needed: string): readonly Check[] {
  return names.map((name) => ({ name, status: 'skipped', result: `needs ${needed}`, fix: null }));
}

/** Returns the names of all checks after `name`. */
export function checksAfter(name: CheckName): readonly CheckName[] {
  return checkNames.slice(checkNames.indexOf(name) + 1);
}
