import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { EdictError } from '../model/errors.ts';
import type { Emit } from '../model/events.ts';
import { clientAddress } from './connection-limiter.ts';

/** The tokens of the daemon, as they are now; `null` if there is none. */
export interface AccessTokens {
  /** Allows actions, and reading. */
  readonly act: () => string | null;
  /** Allows reading. Without it everybody may read. */
  readonly read: () => string | null;
}

export interface AccessControlDeps {
  readonly tokens: AccessTokens;
  readonly monotonicMs: () => number;
  /** Receives an event for each wrong token. */
  readonly emit: Emit;
}

/** How many wrong tokens an address may send before it must wait. */
const freeFailures = 5;

/** How long it must wait after the next one, in milliseconds; doubled with each further one up to `maxWaitMs`. */
const firstWaitMs = 1000;
const maxWaitMs = 30_000;

/** After how long without a wrong token an address starts anew, in milliseconds. */
const forgetMs = 10 * 60_000;

/** The most addresses that are remembered; the one whose last wrong token is the oldest is forgotten. */
const maxAddresses = 1000;

interface Failures {
  readonly count: number;
  readonly lastAtMs: number;
  readonly waitUntilMs: number;
}

type Requester = Pick<IncomingMessage, 'headers' | 'socket'>;

/**
 * Decides who may read and who may act. Tokens are compared in constant time. An address that sends wrong ones must wait, and while it waits
 * its tokens are not compared, so that guessing gets slower and is not helped by many connections.
 */
export class AccessControl {
  readonly #deps: AccessControlDeps;
  readonly #failures = new Map<string, Failures>();

  constructor(deps: AccessControlDeps) {
    this.#deps = deps;
  }

  /** Throws an EdictError `TOKEN` or `TOKEN_DELAYED` if reading needs a token and the request does not have it. */
  requireReader(request: Requester): void {
    const { act, read } = this.#deps.tokens;
    const token = read();
    if (token === null) return;
    this.#requireOneOf([token, act()], request, 'EDICT_READ_TOKEN');
  }

  /** Throws an EdictError `TOKEN_NOT_CONFIGURED` if the daemon has no token, `TOKEN` or `TOKEN_DELAYED` if the request does not have it. */
  requireActor(request: Requester): void {
    const token = this.#deps.tokens.act();
    if (token === null) {
      throw new EdictError('TOKEN_NOT_CONFIGURED', 'this daemon has no token, so it is read-only', {
        hint: 'set EDICT_TOKEN in its environment to allow actions',
      });
    }
    this.#requireOneOf([token], request, 'EDICT_TOKEN');
  }

  #requireOneOf(tokens: readonly (string | null)[], { headers: { authorization }, socket }: Requester, variable: string): void {
    const hint = `send the daemon’s ${variable} as Authorization: Bearer …`;
    if (authorization === undefined) throw new EdictError('TOKEN', 'a token is needed', { hint });
    const address = clientAddress(socket.remoteAddress);
    const nowMs = this.#deps.monotonicMs();
    const before = this.#failures.get(address);
    if (before && nowMs < before.waitUntilMs) {
      const seconds = Math.ceil((before.waitUntilMs - nowMs) / 1000);
      throw new TokenDelayedError(`too many wrong tokens from ${address}`, seconds);
    }
    const given = sha256(/^Bearer (.+)$/i.exec(authorization)?.[1] ?? '');
    // Every token is compared, whichever fits.
    const fits = tokens.map((token) => token !== null && timingSafeEqual(given, sha256(token)));
    if (fits.includes(true)) return;
    this.#recordFailure(address, before, nowMs);
    throw new EdictError('TOKEN', 'the token is wrong', { hint });
  }

  #recordFailure(address: string, before: Failures | undefined, nowMs: number): void {
    const count = before && nowMs - before.lastAtMs < forgetMs ? before.count + 1 : 1;
    const waitMs = count < freeFailures ? 0 : Math.min(maxWaitMs, firstWaitMs * 2 ** (count - freeFailures));
    // Deleting it first keeps the map in the order of the last failure.
    this.#failures.delete(address);
    this.#failures.set(address, { count, lastAtMs: nowMs, waitUntilMs: nowMs + waitMs });
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= maxAddresses) break;
      this.#failures.delete(oldest);
    }
    this.#deps.emit({ type: 'token:refused', address, count, waitMs });
  }
}

/** An address sent wrong tokens and must wait `retryAfterSeconds` before its next one is compared. */
export class TokenDelayedError extends EdictError {
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds: number) {
    super('TOKEN_DELAYED', message, { hint: `try again in ${retryAfterSeconds} s` });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
