import { newId } from './random.ts';
import type { EmulatedError } from './responses.ts';
import type { Seed, SeedKey, SeedUser } from './seed.ts';
import { isSignatureValid, parseAuthorization, parseSdkDateMs, type ReceivedHttpRequest } from './signature.ts';

/** Who calls: somebody who may or may not publish, or nobody that the service knows. */
export type Caller = { readonly permitted: boolean } | EmulatedError;

/** How an access key stands. */
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

/** Who may call: tokens, given and issued; users, who can have tokens issued; access keys. */
export class AuthState {
  readonly #now: () => Date;
  readonly #tokenLifeMs: number;
  readonly #seededTokens = new Map<string, boolean>();
  /** When issued tokens end, in milliseconds since 1970. One that has ended is kept: it is refused also where any token is taken. */
  readonly #issuedTokens = new Map<string, number>();
  readonly #users = new Map<string, SeedUser>();
  readonly #keys = new Map<string, SeedKey>();
  readonly #keyStates = new Map<string, AccessKeyState>();
  #acceptsAnyToken = false;

  constructor(now: () => Date, tokenLifeMs: number) {
    this.#now = now;
    this.#tokenLifeMs = tokenLifeMs;
  }

  /** Adds what `seed` has and is not there; changes nothing that is. */
  add({ tokens = [], users = [], keys = [], anyToken = false }: Pick<Seed, 'tokens' | 'users' | 'keys' | 'anyToken'>): void {
    for (const { value, permitted = true } of tokens) setIfAbsent(this.#seededTokens, value, permitted);
    for (const user of users) setIfAbsent(this.#users, userKey(user.domain, user.name), user);
    for (const key of keys) {
      setIfAbsent(this.#keys, key.access, key);
      setIfAbsent(this.#keyStates, key.access, { access: key.access, failures: 0, lockedUntilMs: null });
    }
    this.#acceptsAnyToken ||= anyToken;
  }

  /** Returns a new token with its beginning and its end if the login is right, else `null`. */
  logIn(user: string, password: string, domain: string): { readonly token: string; readonly from: Date; readonly to: Date } | null {
    if (this.#users.get(userKey(domain, user))?.password !== password) return null;
    const token = `token-${newId()}`;
    const from = this.#now();
    const to = new Date(from.getTime() + this.#tokenLifeMs);
    this.#issuedTokens.set(token, to.getTime());
    return { token, from, to };
  }

  /** Ends every issued token now, as a changed password does. */
  revokeTokens(): void {
    for (const token of this.#issuedTokens.keys()) this.#issuedTokens.set(token, Number.NEGATIVE_INFINITY);
  }

  /** Returns who has this token. */
  authenticateToken(token: string): Caller {
    const endsAtMs = this.#issuedTokens.get(token);
    if (endsAtMs !== undefined) return this.#now().getTime() < endsAtMs ? { permitted: true } : invalidTokenError;
    const permitted = this.#seededTokens.get(token) ?? (this.#acceptsAnyToken && token !== '' ? true : undefined);
    return permitted === undefined ? invalidTokenError : { permitted };
  }

  /** Returns who signed with the key `access`, where `isProven` says whether its secret and token fit; counts failures and locks. */
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

  /** Returns how every key stands. */
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

function setIfAbsent<T>(to: Map<string, T>, key: string, value: T): void {
  if (!to.has(key)) to.set(key, value);
}

/** "Clock skew over 15 minutes is refused": the service's guide to signing. */
const maxClockSkewMs = 15 * 60_000;

/** Returns who sent a request: by its token if it has one, else by its signature. */
export function authenticate(request: ReceivedHttpRequest, callers: AuthState): Caller {
  const { 'x-auth-token': token, authorization } = request.headers;
  if (token !== undefined || !String(authorization).startsWith('SDK-HMAC-SHA256')) return callers.authenticateToken(String(token ?? ''));
  const read = parseAuthorization(String(authorization));
  // A signature that cannot be read is nobody's: it counts against no key.
  if (read === null) return callers.authenticateKey('', () => false);
  return callers.authenticateKey(
    read.access,
    (key, nowMs) =>
      Math.abs(nowMs - parseSdkDateMs(String(request.headers['x-sdk-date']))) <= maxClockSkewMs &&
      hasSecurityToken(request, read.signedHeaders, key) &&
      isSignatureValid(request, read, key.secret),
  );
}

/** A temporary key is nothing without its token, which must be signed too; a permanent key has none. */
function hasSecurityToken({ headers }: ReceivedHttpRequest, signed: readonly string[], { securityToken }: SeedKey): boolean {
  const given = headers['x-security-token'];
  return given === securityToken && (securityToken === undefined || signed.includes('x-security-token'));
}
