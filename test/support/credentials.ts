import { GivenCredentials } from '../../src/gateway/auth-given.ts';
import { type Credentials, type Proof, tokenProof } from '../../src/gateway/credentials.ts';
import { OutgoingRequest } from '../../src/gateway/exchange.ts';

/** Returns credentials that are one token. */
export function givenToken(token: string): Credentials {
  return new GivenCredentials(() => ({ proof: tokenProof(token), fingerprint: token }), 'HW_AUTH_TOKEN');
}

/** Returns the headers that a proof adds to some request. */
export function headersOf(proof: Proof): Readonly<Record<string, string>> {
  return proof.sign(new OutgoingRequest('https://roma.example.com/', { headers: new Headers() }));
}
