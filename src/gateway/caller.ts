import createClient, { type Client } from 'openapi-fetch';
import type { paths } from '../../generated/roma-connect.d.ts';
import type { Admit } from '../core/ports.ts';
import type { GatewayIdentity, GatewaySettings } from '../core/publication.ts';
import { admitted } from './admitted.ts';
import { classify } from './classify.ts';
import type { Credentials, tokenHeader } from './credentials.ts';
import { GatewayError, RefusedError } from './gateway-error.ts';
import { openTransport, type Transport, type TransportMode, type TransportOptions } from './transport.ts';

/** openapi-fetch for one request, with what it needs besides its own parameters. */
export interface OneRequest {
  readonly path: { readonly project_id: string; readonly instance_id: string };
  readonly fetch: Transport['fetch'];
  /** Ends a request under way; left out for a change, which is let finish. */
  readonly signal?: AbortSignal;
  readonly secrets: readonly string[];
}

export type RomaClient = Client<paths>;

/** Makes requests: inside the limit, with a proof, and once more with a new proof where the first was refused. */
export class Caller {
  readonly identity: GatewayIdentity;
  readonly #credentials: Credentials;
  readonly #admit: Admit | undefined;
  readonly #transport: Transport;
  readonly #client: RomaClient;

  constructor(
    { endpoint, project, instance, limit, timeoutMs }: GatewaySettings,
    credentials: Credentials,
    admit: Admit | undefined,
    mode: TransportMode,
    { proxies = null, mayLeave }: Pick<TransportOptions, 'proxies' | 'mayLeave'> = {},
  ) {
    this.identity = { endpoint, project, instance };
    this.#credentials = credentials;
    this.#admit = admit;
    this.#transport = openTransport({ mode, connections: limit.concurrency, timeoutMs, proxies, ...(mayLeave && { mayLeave }) });
    this.#client = createClient<paths>({ ...this.#transport, baseUrl: endpoint });
  }

  /** Resolves to what `request` makes of the answer. Rejects with a GatewayError. */
  async call<T>(signal: AbortSignal, request: (client: RomaClient, one: OneRequest) => Promise<T>): Promise<T> {
    const first = await this.#try(signal, request);
    if ('value' in first) return first.value;
    if (!first.isWorthAnother) throw first.error;
    const second = await this.#try(signal, request);
    if ('value' in second) return second.value;
    throw second.error;
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  async #try<T>(
    signal: AbortSignal,
    request: (client: RomaClient, one: OneRequest) => Promise<T>,
  ): Promise<{ readonly value: T } | { readonly error: unknown; readonly isWorthAnother: boolean }> {
    const proof = await this.#credentials.proof(signal);
    const { project: project_id, instance: instance_id } = this.identity;
    const one: OneRequest = { path: { project_id, instance_id }, fetch: this.#transport.fetchWith(proof), secrets: proof.secrets };
    try {
      const value = await admitted(this.#admit, signal, () => request(this.#client, one));
      this.#credentials.tried(proof, 'taken');
      return { value };
    } catch (error) {
      return { error, isWorthAnother: this.#credentials.tried(proof, resultOf(error)) };
    }
  }
}

/** Only an answer in the gateway's own words says anything of the credentials. */
function resultOf(error: unknown): 'taken' | 'refused' | 'untold' {
  if (error instanceof GatewayError && classify(error.code, error.status, 'read').verdict === 'renew credentials') return 'refused';
  return error instanceof RefusedError && error.errorCode !== null ? 'taken' : 'untold';
}

/** The proof adds to a request what the specification asks for here, once it is whole. */
export const proven = {} as Record<typeof tokenHeader, string>;
