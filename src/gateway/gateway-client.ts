import createClient, { type Client } from 'openapi-fetch';
import type { paths } from '../../generated/roma-connect.d.ts';
import type { GatewayIdentity, GatewayService, GatewaySettings } from '../model/gateway.ts';
import type { AuthResult, Credentials, tokenHeader } from './auth/credentials.ts';
import { findErrorRule } from './error-rules.ts';
import { GatewayError, ServiceError } from './errors.ts';
import type { AcquireRequestSlot } from './interface.ts';
import { withRateLimit } from './request-middleware.ts';
import { openTransport, type Transport, type TransportOptions } from './transport.ts';

/** The options of one openapi-fetch request besides its own parameters. */
export interface RequestContext {
  readonly path: { readonly project_id: string; readonly instance_id: string };
  readonly fetch: Transport['fetch'];
  /** Aborts a request in flight; omitted for a change, which may always finish. */
  readonly signal?: AbortSignal;
  readonly secrets: readonly string[];
}

export type RomaClient = Client<paths>;

export interface GatewayClientOptions extends Pick<TransportOptions, 'mode' | 'proxies' | 'canSend'> {
  readonly credentials: Credentials;
  /** `undefined`: no rate limit. */
  readonly acquire: AcquireRequestSlot | undefined;
}

/** The segment of each service in the path of an operation; the specification has that of ROMA Connect. */
const pathSegments: Readonly<Record<GatewayService, string>> = { roma: 'apic', apig: 'apigw' };

/** Returns the URL of an operation at `service`; that of ROMA Connect is given. */
export function toServiceUrl(url: string, service: GatewayService): string {
  return url.replace(`/${pathSegments.roma}/instances/`, `/${pathSegments[service]}/instances/`);
}

/** Makes requests with rate limit and authentication. Retries once with new credentials if the first ones were rejected. */
export class GatewayClient {
  readonly identity: GatewayIdentity;
  readonly #credentials: Credentials;
  readonly #acquire: AcquireRequestSlot | undefined;
  readonly #transport: Transport;
  readonly #client: RomaClient;

  constructor(
    { service, endpoint, project, instance, limit, timeoutMs }: GatewaySettings,
    { credentials, acquire, mode, proxies = null, canSend }: GatewayClientOptions,
  ) {
    this.identity = { endpoint, project, instance };
    this.#credentials = credentials;
    this.#acquire = acquire;
    this.#transport = openTransport({
      ...{ mode, connections: limit.concurrency, timeoutMs, proxies, ...(canSend && { canSend }) },
      rewriteUrl: (url) => toServiceUrl(url, service),
    });
    this.#client = createClient<paths>({ ...this.#transport, baseUrl: endpoint });
  }

  /** Resolves to the result of `request`, which is sent only if `canSend` allows it. Rejects with a GatewayError. */
  async call<T>(
    signal: AbortSignal,
    request: (client: RomaClient, one: RequestContext) => Promise<T>,
    canSend?: () => boolean,
  ): Promise<T> {
    const first = await this.#try(signal, request, canSend);
    if ('value' in first) return first.value;
    if (!first.isWorthAnother) throw first.error;
    const second = await this.#try(signal, request, canSend);
    if ('value' in second) return second.value;
    throw second.error;
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  async #try<T>(
    signal: AbortSignal,
    request: (client: RomaClient, one: RequestContext) => Promise<T>,
    canSend: (() => boolean) | undefined,
  ): Promise<{ readonly value: T } | { readonly error: unknown; readonly isWorthAnother: boolean }> {
    const auth = await this.#credentials.authenticate(signal);
    const { project: project_id, instance: instance_id } = this.identity;
    const fetch = this.#transport.fetchWithAuth(auth, canSend);
    const one: RequestContext = { path: { project_id, instance_id }, fetch, secrets: auth.secrets };
    try {
      const value = await withRateLimit(this.#acquire, signal, () => request(this.#client, one));
      this.#credentials.report(auth, 'accepted');
      return { value };
    } catch (error) {
      return { error, isWorthAnother: this.#credentials.report(auth, authResultOf(error)) };
    }
  }
}

/** The message with which the service refuses every request of a key after more than five failures in a row; its code is that of a wrong signature. */
const lockMessage = /reach(?:ed)? the limit|\block(?:ed)?\b/i;

/** Only a response with the gateway's own error code is evidence about the credentials. */
function authResultOf(error: unknown): AuthResult {
  if (!(error instanceof GatewayError)) return 'unknown';
  const { errorClass, codes } = findErrorRule(error.code, error.status, 'read');
  if (errorClass === 'reauthenticate') {
    if (lockMessage.test(error.message)) return 'locked';
    return codes.length === 0 ? 'doubtful' : 'rejected';
  }
  return error instanceof ServiceError && error.errorCode !== null && error.status !== 401 ? 'accepted' : 'unknown';
}

/** Satisfies the generated type: the `RequestAuth` adds this header when the request is complete. */
export const authHeaderPlaceholder = {} as Record<typeof tokenHeader, string>;
