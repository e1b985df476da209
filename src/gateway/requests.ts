import { addMarker, fitRemark } from '../model/attempt.ts';
import type { Change } from '../model/change.ts';
import { InvalidResponseError } from './errors.ts';
import { authHeaderPlaceholder, type RequestContext, type RomaClient } from './gateway-client.ts';
import { parseResponse, type ResponseBodies } from './response.ts';
import { sanitize } from './sanitize.ts';

/** The IDs in an action's response; `null` where the response has none, as after `offline`. */
export interface PublishResult {
  readonly versionId: string | null;
  readonly publishId: string | null;
}

/** Publishes an API or takes it offline. Throws a GatewayError, also if a success is about another publication. */
export async function publish(
  client: RomaClient,
  request: RequestContext,
  { change, marker }: { readonly change: Change; readonly marker: string | null },
): Promise<PublishResult> {
  const { path, secrets, ...one } = request;
  const { action, apiId, environmentId } = change;
  const response = await client.POST('/v2/{project_id}/apic/instances/{instance_id}/apis/action', {
    params: { path, header: authHeaderPlaceholder },
    body: { action, api_id: apiId, env_id: environmentId, ...remarkField(change, marker) },
    parseAs: 'text',
    ...one,
  });
  return parsePublishResult(parseResponse('changePublication', response, { secrets, nowMs: Date.now() }), change, { status: 201, secrets });
}

/** Makes a kept version effective. Throws like `publish`. */
export async function switchVersion(
  client: RomaClient,
  request: RequestContext,
  { change, version }: { readonly change: Change; readonly version: string },
): Promise<PublishResult> {
  const { path, secrets, ...one } = request;
  const response = await client.PUT('/v2/{project_id}/apic/instances/{instance_id}/apis/publish/{api_id}', {
    params: { path: { ...path, api_id: change.apiId }, header: authHeaderPlaceholder },
    body: { version_id: version },
    parseAs: 'text',
    ...one,
  });
  const result = parsePublishResult(parseResponse('switchVersion', response, { secrets, nowMs: Date.now() }), change, {
    status: 200,
    secrets,
  });
  if (result.versionId === null || result.versionId === version) return result;
  throw new InvalidResponseError(`answered 200 with version ${result.versionId}, and ${version} was asked for`, { status: 200 });
}

/** Publishes APIs of one environment or takes them offline there. Throws a GatewayError; failures of single APIs are in the response. */
export async function publishBatch(
  client: RomaClient,
  request: RequestContext,
  { changes, marker }: { readonly changes: readonly Change[]; readonly marker: string | null },
): Promise<ResponseBodies['changePublications']> {
  const { path, secrets, ...one } = request;
  const [first] = changes;
  if (!first) throw new TypeError('a batch of nothing');
  const response = await client.POST('/v2/{project_id}/apic/instances/{instance_id}/apis/publish', {
    params: { path, query: { action: first.action }, header: authHeaderPlaceholder },
    body: { apis: changes.map(({ apiId }) => apiId), env_id: first.environmentId, ...remarkField(first, marker) },
    parseAs: 'text',
    ...one,
  });
  return parseResponse('changePublications', response, { secrets, nowMs: Date.now() });
}

/** Returns the IDs in a response. Throws an InvalidResponseError if it is about another publication than `change`. */
export function parsePublishResult(
  body: ResponseBodies['changePublication'],
  { apiId, environmentId }: Change,
  { status, secrets }: { readonly status: number; readonly secrets: readonly string[] },
): PublishResult {
  const sanitizeId = (id: string | undefined): string => sanitize(id ?? '', secrets, 128);
  if (body.api_id === apiId && body.env_id === environmentId) {
    return { versionId: sanitizeId(body.version_id) || null, publishId: sanitizeId(body.publish_id) || null };
  }
  const about = `API ${sanitizeId(body.api_id)} in environment ${sanitizeId(body.env_id)}`;
  throw new InvalidResponseError(`answered ${status} about ${about}, which was not asked`, { status });
}

function remarkField(change: Change, marker: string | null): { readonly remark?: string } {
  if (marker !== null) return { remark: addMarker(change.remark, marker) };
  return change.remark === null ? {} : { remark: fitRemark(change.remark) };
}
