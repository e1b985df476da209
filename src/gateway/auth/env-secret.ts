import { readFileSync } from 'node:fs';
import { errorMessage } from '../../model/errors.ts';
import type { Env } from '../../model/settings.ts';
import { CredentialsError } from '../errors.ts';

/** The shortest time between two reads of a file, in milliseconds, so that not every request reads the disk. */
const rereadMs = 500;

/** A secret from the environment: the variable NAME, or the file that NAME_FILE names, read again when it changes. */
export interface EnvSecret {
  readonly name: string;
  /** Returns the current text, trimmed. Throws a CredentialsError if the file cannot be read and never could be. */
  read(): string;
}

/**
 * Returns the secret `name` of `env`; `null` if neither the variable nor its `_FILE` is set. If the file is temporarily
 * missing, as while a mounted secret is replaced, the last text stays in force.
 */
export function openEnvSecret(env: Env, name: string, monotonicMs: () => number): EnvSecret | null {
  const text = env[name]?.trim();
  if (text) return { name, read: () => text };
  const path = env[`${name}_FILE`]?.trim();
  if (!path) return null;
  let last: { readonly text: string; readonly atMs: number } | null = null;
  const read = (): string => {
    const nowMs = monotonicMs();
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
