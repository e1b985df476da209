import createClient from 'openapi-fetch';
import type { paths } from '../../generated/roma-connect.d.ts';
import type { ProxySettings } from '../model/env.ts';
import type { GatewaySettings } from '../model/gateway.ts';
import { GatewayError } from './errors.ts';
import { authHeaderPlaceholder, toServiceUrl } from './gateway-client.ts';
import type { AcquireRequestSlot } from './interface.ts';
import { withRateLimit } from './request-middleware.ts';
import { parseResponse } from './response.ts';
import { openTransport } from './transport.ts';

/** The answer of an endpoint to a read without credentials. */
export interface EndpointAnswer {
  readonly status: number;
  /** The time in its `Date` header, in milliseconds since 1970; `null` if it has none. */
  readonly dateMs: number | null;
  /** The refusal of the read, which a service gives to everybody without credentials; `null` if it was not refused. */
  readonly error: GatewayError | null;
}

/**
 * Sends one read without credentials, over its own connection, so that it says nothing about them. Rejects with a GatewayError if there is no
 * answer, within the settings' time limit.
 */
export async function askEndpoint(
  { service, endpoint, project: project_id, instance: instance_id, timeoutMs }: GatewaySettings,
  { acquire, proxies }: { readonly acquire: AcquireRequestSlot; readonly proxies: ProxySettings | null },
  signal: AbortSignal,
): Promise<EndpointAnswer> {
  const rewriteUrl = (url: string): string => toServiceUrl(url, service);
  const transport = openTransport({ mode: 'reads', connections: 1, timeoutMs, proxies, rewriteUrl });
  const client = createClient<paths>({ ...transport, baseUrl: endpoint });
  const read = () =>
    client.GET('/v2/{project_id}/apic/instances/{instance_id}/envs', {
      params: { path: { project_id, instance_id }, query: { offset: 0, limit: 1 }, header: authHeaderPlaceholder },
      parseAs: 'text',
      signal,
    });
  try {
    const answer = await withRateLimit(acquire, signal, read);
    const { status, headers } = answer.response;
    const dateMs = Date.parse(headers.get('date') ?? '');
    return {
      status,
      dateMs: Number.isNaN(dateMs) ? null : dateMs,
      error: refusalOf(() => parseResponse('listEnvironments', answer, noSecrets)),
    };
  } finally {
    await transport.close();
  }
}

const noSecrets = { secrets: [], nowMs: 0 };

function refusalOf(parse: () => unknown): GatewayError | null {
  try {
    parse();
    return null;
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
}
