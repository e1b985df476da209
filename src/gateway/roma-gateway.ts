import { markedRemark } from '../core/marker.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Change } from '../core/plan.ts';
import type { Admit, Gateway, GatewayReader, Sending } from '../core/ports.ts';
import type { GatewaySettings } from '../core/publication.ts';
import { type Answers, answeredBody } from './answer.ts';
import { Caller, type OneRequest, proven, type RomaClient } from './caller.ts';
import { type Credentials, stopped } from './credentials.ts';
import { InvalidAnswerError } from './gateway-error.ts';
import { outcomeOf } from './outcome-of.ts';
import { readable } from './readable.ts';
import { readsOf } from './reads.ts';

export interface GatewayOptions {
  /** Default: every request may leave at once. */
  readonly admit?: Admit;
}

/** Opens the gateway for a dry run: it has no way to send a change, and its transport lets nothing leave but GET. */
export function openGatewayReader(settings: GatewaySettings, credentials: Credentials, { admit }: GatewayOptions = {}): GatewayReader {
  return Object.freeze(readsOf(new Caller(settings, credentials, admit, 'reads')));
}

/** Opens the gateway. No call is made before the first `send` or `versions`. */
export function openGateway(settings: GatewaySettings, credentials: Credentials, { admit }: GatewayOptions = {}): Gateway {
  const caller = new Caller(settings, credentials, admit, 'everything');
  async function send(change: Change, { marker, isWanted }: Sending, signal: AbortSignal): Promise<Outcome> {
    let isDropped = false;
    try {
      const { version_id: versionId, publish_id: publishId } = await caller.call(signal, (client, one) => {
        isDropped = signal.aborted || !isWanted();
        if (isDropped) throw stopped();
        return post(client, one, change, marker);
      });
      return { kind: 'succeeded', versionId: versionId || null, publishId: publishId || null };
    } catch (error) {
      return isDropped ? { kind: 'dropped' } : outcomeOf(error, change.action);
    }
  }
  const credentialsChanged = (): boolean => credentials.changed();
  const retryCredentials = (): void => credentials.forgive();
  return Object.freeze({ ...readsOf(caller), send, credentialsChanged, retryCredentials });
}

/** Makes the one call there is. Returns the body of a 201 that is about this change. */
async function post(
  client: RomaClient,
  { path, secrets, ...one }: OneRequest,
  change: Change,
  marker: string | null,
): Promise<Answers['changePublication']> {
  const { action, apiId, environmentId } = change;
  const remark = marker === null ? change.remark : markedRemark(change.remark, marker);
  const answer = await client.POST('/v2/{project_id}/apic/instances/{instance_id}/apis/action', {
    params: { path, header: proven },
    body: { action, api_id: apiId, env_id: environmentId, ...(remark === null ? {} : { remark }) },
    parseAs: 'text',
    ...one,
  });
  const body = answeredBody('changePublication', answer, secrets, Date.now());
  const clean = (id: string | undefined): string => readable(id ?? '', secrets, 128);
  if (body.api_id === apiId && body.env_id === environmentId) {
    return { ...body, version_id: clean(body.version_id), publish_id: clean(body.publish_id) };
  }
  throw new InvalidAnswerError(`answered 201 about API ${clean(body.api_id)} in environment ${clean(body.env_id)}, which was not asked`, {
    status: 201,
  });
}
