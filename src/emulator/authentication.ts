import type { Caller, Callers } from './callers.ts';
import type { SeedKey } from './seed.ts';
import { type ArrivedRequest, isSignedWith, readAuthorization, sdkDateMs } from './signature.ts';

/** "Clock skew over 15 minutes is refused": the service's guide to signing. */
const skewMs = 15 * 60_000;

/** Returns who sent a request: by its token if it has one, else by its signature. */
export function callerOf(request: ArrivedRequest, callers: Callers): Caller {
  const { 'x-auth-token': token, authorization } = request.headers;
  if (token !== undefined || !String(authorization).startsWith('SDK-HMAC-SHA256')) return callers.byToken(String(token ?? ''));
  const read = readAuthorization(String(authorization));
  // A signature that cannot be read is nobody's: it counts against no key.
  if (read === null) return callers.byKey('', () => false);
  return callers.byKey(
    read.access,
    (key, nowMs) =>
      Math.abs(nowMs - sdkDateMs(String(request.headers['x-sdk-date']))) <= skewMs &&
      hasToken(request, read.signedHeaders, key) &&
      isSignedWith(request, read, key.secret),
  );
}

/** A temporary key is nothing without its token, which must be signed too; a permanent key has none. */
function hasToken({ headers }: ArrivedRequest, signed: readonly string[], { securityToken }: SeedKey): boolean {
  const given = headers['x-security-token'];
  return given === securityToken && (securityToken === undefined || signed.includes('x-security-token'));
}
