import { systemClock } from '../../src/app/context.ts';
import { type Credentials, type RequestAuth, tokenAuth } from '../../src/gateway/auth/credentials.ts';
import { StaticCredentials } from '../../src/gateway/auth/static-credentials.ts';
import { HttpRequest } from '../../src/gateway/http-exchange.ts';

/** Returns credentials with a fixed token. */
export function givenToken(token: string): Credentials {
  return new StaticCredentials(() => ({ auth: tokenAuth(token), fingerprint: token }), 'HW_AUTH_TOKEN', systemClock);
}

/** Returns the headers that credentials add to a request. */
export function headersOf(proof: RequestAuth): Readonly<Record<string, string>> {
  return proof.headersFor(new HttpRequest('https://roma.example.com/', { headers: new Headers() }));
}
