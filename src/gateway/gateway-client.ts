import createClient, { type Client } from 'openapi-fetch';
import type { paths } from '../../generated/roma-connect.d.ts';
import type { AcquireRequestSlot } from '../model/ports.ts';
import type { GatewayIdentity, GatewaySettings } from '../model/publication.ts';
import type { Credentials, tokenHeader } from './auth/credentials.ts';
import { findErrorRule } from './error-rules.ts';
import { GatewayError, ServiceError } from './errors.ts';
import { withRateLimit } from './request-middleware.ts';
import { openTransport, type Transport, type TransportMode, type TransportOptions } from './transport.ts';

/** openapi-fetch for one request, with what it needs besides its own parameters. */
export interface RequestContext {
  readonly path: { readonly project_id: string; readonly instance_id: string };
  readonly fetch: Transport['fetch'];
  /** Ends a request under way; left out for a change, which is let finish. */
  readonly signal?: AbortSignal;
  readonly secrets: readonly string[];
}

export type RomaClient = Client<paths>;

/** Makes requests: inside the limit, with a proof, and once more with a new proof where the first was refused. */
export class GatewayClient {
  readonly identity: GatewayIdentity;
  readonly #credentials: Credentials;
  readonly #acquire: AcquireRequestSlot | undefined;
  readonly #transport: Transport;
  readonly #client: RomaClient;

  constructor(
    { endpoint, project, instance, limit, timeoutMs }: GatewaySettings,
    credentials: Credentials,
    admit: AcquireRequestSlot | undefined,
    mode: TransportMode,
    { proxies = null, canSend }: Pick<TransportOptions, 'proxies' | 'canSend'> = {},
  ) {
    this.identity = { endpoint, project, instance };
    this.#credentials = credentials;
    this.#acquire = admit;
    this.#transport = openTransport({ mode, connections: limit.concurrency, timeoutMs, proxies, ...(canSend && { canSend }) });
    this.#client = createClient<paths>({ ...this.#transport, baseUrl: endpoint });
  }

  /** Resolves to what `request` makes of the answer. Rejects with a GatewayError. */
  async call<T>(signal: AbortSignal, request: (client: RomaClient, one: RequestContext) => Promise<T>): Promise<T> {
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
    request: (client: RomaClient, one: RequestContext) => Promise<T>,
  ): Promise<{ readonly value: T } | { readonly error: unknown; readonly isWorthAnother: boolean }> {
    const proof = await this.#credentials.authenticate(signal);
    const { project: project_id, instance: instance_id } = this.identity;
    const one: RequestContext = { path: { project_id, instance_id }, fetch: this.#transport.fetchWithAuth(proof), secrets: proof.secrets };
    try {
      const value = await withRateLimit(this.#acquire, signal, () => request(this.#client, one));
      this.#credentials.report(proof, 'taken');
      return { value };
    } catch (error) {
      return { error, isWorthAnother: this.#credentials.report(proof, authResultOf(error)) };
    }
  }
}

/** Only an answer in the gateway's own words says anything of the credentials. */
function authResultOf(error: unknown): 'taken' | 'refused' | 'untold' {
  if (error instanceof GatewayError && findErrorRule(error.code, error.status, 'read').errorClass === 'renew credentials') return 'refused';
  return error instanceof ServiceError && error.errorCode !== null ? 'taken' : 'untold';
}

/** The proof adds to a request what the specification asks for here, once it is whole. */
export const authHeaderPlaceholder = {} as Record<typeof tokenHeader, string>;
