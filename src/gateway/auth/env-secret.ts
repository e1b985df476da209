import { readFileSync } from 'node:fs';
import type { Env } from '../../model/env.ts';
import { errorMessage } from '../../model/errors.ts';
import { CredentialsError } from '../errors.ts';

/** A file is looked at again after this time: a request costs no read of the disk. */
const rereadMs = 500;

/** A secret from the environment: the variable NAME, or the file that NAME_FILE names, read again when it changes. */
export interface EnvSecret {
  readonly name: string;
  /** Returns the text there is now, without spaces around it. Throws a CredentialsError if a file cannot be read and never could. */
  read(): string;
}

/**
 * Returns the setting `name` of `environment`, `null` if neither the variable nor its `_FILE` is set. A file that is away for
 * a moment, as while a mounted secret is exchanged, leaves the last text in force.
 */
export function openEnvSecret(environment: Env, name: string, monotonic: () => number): EnvSecret | null {
  const text = environment[name]?.trim();
  if (text) return { name, read: () => text };
  const path = environment[`${name}_FILE`]?.trim();
  if (!path) return null;
  let last: { readonly text: string; readonly atMs: number } | null = null;
  const read = (): string => {
    const nowMs = monotonic();
    if (last !== null && nowMs < last.atMs + rereadMs) return last.text;
    try {
      last = { text: readFileSync(path, 'utf8').trim() || (last?.text ?? ''), atMs: nowMs };
    } catch (error) {
      if (last === null) {
        throw new CredentialsError(`${name}_FILE cannot be read: ${errorMessage(error)}`, { code: 'CREDENTIALS_UNREADABLE', cause: error });
      }
      last = { ...last, atMs: nowMs };
    }
    return last.text;
  };
  return { name: `${name}_FILE`, read };
}
