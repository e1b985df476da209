import { newId } from './random.ts';
import type { EmulatedError } from './responses.ts';
import type { Seed, SeedKey, SeedUser } from './seed.ts';
import { isSignatureValid, parseAuthorization, parseSdkDateMs, type ReceivedHttpRequest } from './signature.ts';

/** An authenticated caller, who may or may not publish, or the error for an unknown one. */
export type Caller = { readonly permitted: boolean } | EmulatedError;

/** The failure count and lock of an access key. */
export interface AccessKeyState {
  readonly access: string;
  /** Failures since the last success, or since the key was last locked. */
  readonly failures: number;
  /** Milliseconds since 1970; `null` if it was never locked. */
  readonly lockedUntilMs: number | null;
}

/** "More than five failures in a row lock the key for five minutes": the service's common errors of authentication. */
const maxFailures = 5;
const lockoutMs = 5 * 60_000;

const invalidTokenError: EmulatedError = { status: 401, errorCode: 'APIG.1002', errorMsg: 'Incorrect token or token resolution failed' };
const invalidSignatureError: EmulatedError = signatureError('verify aksk signature fail');
const lockedKeyError: EmulatedError = signatureError('AK access failed to reach the limit,forbidden.');

/** Who logs in: an ID, or a name in a domain. */
export interface GivenUser {
  readonly id?: string;
  readonly name?: string;
  readonly domain?: { readonly name: string };
  readonly password: string;
}

/** The credentials of the emulator: seeded and issued tokens, users who can log in, and access keys. */
export class AuthState {
  readonly #now: () => Date;
  readonly #tokenLifetimeMs: number;
  readonly #seededTokens = new Map<string, boolean>();
  /** Expiry of issued tokens, in milliseconds since 1970. Expired tokens are kept so that they are rejected even if any token is accepted. */
  readonly #issuedTokens = new Map<string, number>();
  readonly #users = new Map<string, SeedUser>();
  readonly #keys = new Map<string, SeedKey>();
  readonly #keyStates = new Map<string, AccessKeyState>();
  #acceptsAnyToken = false;

  constructor(now: () => Date, tokenLifetimeMs: number) {
    this.#now = now;
    this.#tokenLifetimeMs = tokenLifetimeMs;
  }

  /** Adds the credentials of a seed. Existing ones are not changed. */
  add({ tokens = [], users = [], keys = [], anyToken = false }: Pick<Seed, 'tokens' | 'users' | 'keys' | 'anyToken'>): void {
    for (const { value, permitted = true } of tokens) setIfAbsent(this.#seededTokens, value, permitted);
    for (const user of users) setIfAbsent(this.#users, userKey(user.domain, user.name), user);
    for (const key of keys) {
      setIfAbsent(this.#keys, key.access, key);
      setIfAbsent(this.#keyStates, key.access, { access: key.access, failures: 0, lockedUntilMs: null });
    }
    this.#acceptsAnyToken ||= anyToken;
  }

  /** Returns a new token with the times of its issue and expiry; `null` if the login is wrong. */
  logIn({ id, name = '', domain, password }: GivenUser): { readonly token: string; readonly from: Date; readonly to: Date } | null {
    const user =
      id === undefined ? this.#users.get(userKey(domain?.name ?? '', name)) : [...this.#users.values()].find((known) => known.id === id);
    if (user?.password !== password) return null;
    const token = `token-${newId()}`;
    const from = this.#now();
    const to = new Date(from.getTime() + this.#tokenLifetimeMs);
    this.#issuedTokens.set(token, to.getTime());
    return { token, from, to };
  }

  /** Expires all issued tokens, as a password change does. */
  revokeTokens(): void {
    for (const token of this.#issuedTokens.keys()) this.#issuedTokens.set(token, Number.NEGATIVE_INFINITY);
  }

  /** Returns the caller with this token. */
  authenticateToken(token: string): Caller {
    const endsAtMs = this.#issuedTokens.get(token);
    if (endsAtMs !== undefined) return this.#now().getTime() < endsAtMs ? { permitted: true } : invalidTokenError;
    const permitted = this.#seededTokens.get(token) ?? (this.#acceptsAnyToken && token !== '' ? true : undefined);
    return permitted === undefined ? invalidTokenError : { permitted };
  }

  /** Returns the caller with the access key `access`. `isProven` checks the signature and security token. Counts failures and locks the key. */
  authenticateKey(access: string, isProven: (key: SeedKey, nowMs: number) => boolean): Caller {
    const key = this.#keys.get(access);
    const state = this.#keyStates.get(access);
    if (!key || !state) return invalidSignatureError;
    const nowMs = this.#now().getTime();
    if (nowMs < (state.lockedUntilMs ?? 0)) return lockedKeyError;
    if (isProven(key, nowMs)) {
      this.#keyStates.set(access, { ...state, failures: 0 });
      return { permitted: key.permitted ?? true };
    }
    const failures = state.failures + 1;
    const isLocked = failures > maxFailures;
    this.#keyStates.set(access, isLocked ? { access, failures: 0, lockedUntilMs: nowMs + lockoutMs } : { ...state, failures });
    return invalidSignatureError;
  }

  /** Returns the state of all keys. */
  keys(): readonly AccessKeyState[] {
    return [...this.#keyStates.values()];
  }
}

function signatureError(why: string): EmulatedError {
  return { status: 401, errorCode: 'APIGW.0301', errorMsg: `Incorrect IAM authentication information: ${why}` };
}

function userKey(domain: string, name: string): string {
  return `${domain}\0${name}`;
}

function setIfAbsent<T>(map: Map<string, T>, key: string, value: T): void {
  if (!map.has(key)) map.set(key, value);
}

/** "Clock skew over 15 minutes is refused": the service's guide to signing. */
const maxClockSkewMs = 15 * 60_000;

/** Authenticates a request by its token, or by its signature if it has no token. */
export function authenticate(request: ReceivedHttpRequest, auth: AuthState): Caller {
  const { 'x-auth-token': token, authorization } = request.headers;
  if (token !== undefined || !String(authorization).startsWith('SDK-HMAC-SHA256')) return auth.authenticateToken(String(token ?? ''));
  const header = parseAuthorization(String(authorization));
  // A malformed signature names no key, so it counts against none.
  if (header === null) return auth.authenticateKey('', () => false);
  return auth.authenticateKey(
    header.access,
    (key, nowMs) =>
      Math.abs(nowMs - parseSdkDateMs(String(request.headers['x-sdk-date']))) <= maxClockSkewMs &&
      hasSecurityToken(request, header.signedHeaders, key) &&
      isSignatureValid(request, header, key.secret),
  );
}

/** A temporary key requires its security token among the signed headers; a permanent key must not have one. */
function hasSecurityToken({ headers }: ReceivedHttpRequest, signedHeaders: readonly string[], { securityToken }: SeedKey): boolean {
  const given = headers['x-security-token'];
  return given === securityToken && (securityToken === undefined || signedHeaders.includes('x-security-token'));
}
