import { createHash, timingSafeEqual } from 'node:crypto';
import { EdictError } from '../core/errors.ts';

/**
 * Lets a request act that carries the token. It takes as long for a wrong token as for the right one.
 *
 * @throws EdictError `NO_TOKEN` if the daemon has none, `TOKEN` if the request does not carry it
 */
export function requireToken(authorization: string | undefined, token: string | null): void {
  if (token === null) {
    throw new EdictError('NO_TOKEN', 'this daemon only shows', { hint: 'start it with a token in EDICT_TOKEN to let it be asked to act' });
  }
  const given = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? '';
  if (!timingSafeEqual(sha256(given), sha256(token))) {
    throw new EdictError('TOKEN', 'the token is missing or wrong', { hint: 'send the daemon’s EDICT_TOKEN as Authorization: Bearer …' });
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
