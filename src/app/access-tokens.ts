import { type EnvSecret, openEnvSecret } from '../gateway/auth/env-secret.ts';
import type { CredentialVariable, Env } from '../model/env.ts';
import { EdictError, errorMessage } from '../model/errors.ts';
import type { AccessTokens } from '../server/access-control.ts';

/** Shorter tokens can be guessed. */
const minLength = 16;

/**
 * Resolves to the tokens of the HTTP API: `EDICT_TOKEN` allows actions, `EDICT_READ_TOKEN` reading. Each can be in a file, named by the variable
 * with `_FILE`, which is read again when it changes. Rejects with an EdictError if one cannot be read or is no token; the error does not contain it.
 */
export async function openAccessTokens(env: Env, monotonicMs: () => number): Promise<AccessTokens> {
  return { act: await openToken(env, 'EDICT_TOKEN', monotonicMs), read: await openToken(env, 'EDICT_READ_TOKEN', monotonicMs) };
}

async function openToken(env: Env, name: CredentialVariable, monotonicMs: () => number): Promise<() => string | null> {
  const secret = openEnvSecret(env, name, monotonicMs);
  if (secret === null) return () => null;
  await secret.refresh();
  return validTokenOf(secret);
}

/** Returns a reader of the newest text that is a token: while a file is written anew, the last one stays in force. */
function validTokenOf(secret: EnvSecret): () => string {
  let token = readFirst(secret);
  const problem = problemWith(token);
  if (problem !== null) {
    throw new EdictError('TOKEN_INVALID', `${secret.name} ${problem}`, { hint: 'create one with `openssl rand -hex 32`' });
  }
  return () => {
    const text = secret.read();
    if (problemWith(text) === null) token = text;
    return token;
  };
}

function readFirst(secret: EnvSecret): string {
  try {
    return secret.read();
  } catch (cause) {
    throw new EdictError('TOKEN_INVALID', errorMessage(cause), { hint: 'check the path and its permissions', cause });
  }
}

/** Returns why a text is no token; `null` if it is one. */
function problemWith(text: string): string | null {
  if (text.length < minLength) return `has fewer than ${minLength} characters`;
  return /^[\x21-\x7e]+$/.test(text) ? null : 'has a space or a character that no HTTP header can hold';
}
