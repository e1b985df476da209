import createClient from 'openapi-fetch';
import type { paths } from '../../generated/roma-connect.d.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Change } from '../core/plan.ts';
import type { Gateway, GatewayReader } from '../core/ports.ts';
import type { GatewayIdentity, GatewaySettings } from '../core/publication.ts';
import { type CreatedAnswers, createdBody } from './answer.ts';
import { classify } from './classify.ts';
import type { Credentials, tokenHeader } from './credentials.ts';
import { GatewayError, InvalidAnswerError, RefusedError } from './gateway-error.ts';
import { outcomeOf } from './outcome-of.ts';
import { readable } from './readable.ts';
import { openTransport, type Transport, type TransportMode } from './transport.ts';

type Published = CreatedAnswers['changePublication'];

export interface GatewayOptions {
  /**
   * Resolves when one more request may leave, to what is called once it has been answered or has failed. Asked before every
   * request to the gateway, so also before the second one of an attempt, after a renewed token. Default: at once.
   */
  readonly admit?: (signal: AbortSignal) => Promise<() => void>;
}

/** Opens the gateway for a dry run: it has no way to send a change, and its transport lets nothing leave but GET. */
export function openGatewayReader(settings: GatewaySettings): GatewayReader {
  const transport = transportFor(settings, 'reads');
  return Object.freeze({ identity: identityOf(settings), close: transport.close });
}

/** Opens the gateway. No call is made before the first `send`. */
export function openGateway(settings: GatewaySettings, credentials: Credentials, { admit }: GatewayOptions = {}): Gateway {
  const transport = transportFor(settings, 'everything');
  const post = poster(settings, transport);

  async function call(change: Change, header: Record<string, string>, signal: AbortSignal): Promise<Published> {
    const answered = await admit?.(signal);
    try {
      const body = await post(change, header, signal);
      credentials.accepted(header);
      return body;
    } catch (error) {
      if (error instanceof RefusedError && error.errorCode !== null && !refusesToken(error)) credentials.accepted(header);
      throw error;
    } finally {
      answered?.();
    }
  }

  async function attempt(change: Change, signal: AbortSignal): Promise<Published> {
    const header = await credentials.header(signal);
    try {
      return await call(change, header, signal);
    } catch (error) {
      if (!refusesToken(error) || !credentials.refused(header)) throw error;
    }
    const renewed = await credentials.header(signal);
    return call(change, renewed, signal);
  }

  async function send(change: Change, signal: AbortSignal): Promise<Outcome> {
    try {
      const { version_id: versionId, publish_id: publishId } = await attempt(change, signal);
      return { kind: 'succeeded', versionId: versionId || null, publishId: publishId || null };
    } catch (error) {
      return outcomeOf(error, change.action);
    }
  }

  return Object.freeze({ identity: identityOf(settings), close: transport.close, send });
}

function refusesToken(error: unknown): boolean {
  return error instanceof GatewayError && classify(error.code, error.status, 'online').verdict === 'renew';
}

type Post = (change: Change, header: Record<string, string>, signal: AbortSignal) => Promise<Published>;

/** Returns the one call there is: resolves to a 201 that is about this change, rejects with a GatewayError. */
function poster({ endpoint, project, instance }: GatewaySettings, transport: Transport): Post {
  const client = createClient<paths>({ ...transport, baseUrl: endpoint });
  const path = { project_id: project, instance_id: instance };
  return async (change, header, signal) => {
    const { action, apiId, environmentId, remark } = change;
    const answer = await client.POST('/v2/{project_id}/apic/instances/{instance_id}/apis/action', {
      params: { path, header: header as Record<typeof tokenHeader, string> },
      body: { action, api_id: apiId, env_id: environmentId, ...(remark === null ? {} : { remark }) },
      parseAs: 'text',
      signal,
    });
    return aboutChange(change, createdBody('changePublication', answer, Object.values(header), Date.now()), Object.values(header));
  };
}

/** Returns `body` if it is about `change`, its IDs fit to be kept. */
function aboutChange({ apiId, environmentId }: Change, body: Published, secrets: readonly string[]): Published {
  const clean = (id: string | undefined): string => readable(id ?? '', secrets, 128);
  if (body.api_id === apiId && body.env_id === environmentId) {
    return { ...body, version_id: clean(body.version_id), publish_id: clean(body.publish_id) };
  }
  throw new InvalidAnswerError(`answered 201 about API ${clean(body.api_id)} in environment ${clean(body.env_id)}, which was not asked`, {
    status: 201,
  });
}

function transportFor({ limit, timeoutMs }: GatewaySettings, mode: TransportMode): Transport {
  return openTransport({ mode, connections: limit.concurrency, timeoutMs });
}

function identityOf({ endpoint, project, instance }: GatewaySettings): GatewayIdentity {
  return { endpoint, project, instance };
}
