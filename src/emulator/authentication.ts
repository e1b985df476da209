import type { AuthState, Caller } from './callers.ts';
import type { SeedKey } from './seed.ts';
import { isSignatureValid, parseAuthorization, parseSdkDateMs, type ReceivedHttpRequest } from './signature.ts';

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
