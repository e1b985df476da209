import type { components } from '../../generated/roma-connect.d.ts';
import type { ObservedApi, ObservedPublication } from '../core/observe.ts';
import type { GatewayReader, ListedEnvironment, Read } from '../core/ports.ts';
import type { PublicationNames } from '../core/publication.ts';
import type { ListedVersion } from '../core/resolve.ts';
import { answeredBody } from './answer.ts';
import { type Caller, type OneRequest, proven, type RomaClient } from './caller.ts';
import { InvalidAnswerError, RefusedError } from './gateway-error.ts';
import { readFailureOf } from './outcome-of.ts';
import { readable } from './readable.ts';

/** The most entries that the service puts into one answer. */
const pageSize = 500;

/** Twenty times as many as an instance holds. */
const most = 100_000;

/** How often a list is read in which APIs have moved between pages, so that some stand on none. */
const mostTries = 3;

const idLength = 128;

/** Returns everything that can be asked of a gateway without changing it. */
export function readsOf(caller: Caller): GatewayReader {
  /** `absent`: what it comes to where the gateway says that there is nothing of the kind. */
  async function read<T>(signal: AbortSignal, absent: T, request: (client: RomaClient, one: OneRequest) => Promise<T>): Promise<Read<T>> {
    try {
      return { kind: 'read', value: await caller.call(signal, (client, one) => request(client, { ...one, signal })) };
    } catch (error) {
      return readFailureOf(error) ?? { kind: 'read', value: absent };
    }
  }
  const list = <T>(signal: AbortSignal, pageAt: (client: RomaClient, one: OneRequest, offset: number) => Promise<Page<T>>) =>
    allPages((offset) => read<Page<T>>(signal, { total: 0, entries: [] }, (client, one) => pageAt(client, one, offset)));
  return {
    identity: caller.identity,
    close: () => caller.close(),
    async apis(signal) {
      for (let tries = 1; ; tries += 1) {
        const listed = await list(signal, apisPage);
        if (listed.kind !== 'read') return listed;
        const value = new Map(listed.value.entries.map((api) => [api.apiId, api]));
        if (value.size >= listed.value.total || tries >= mostTries) return { kind: 'read', value };
      }
    },
    api: (apiId, signal) => read<ObservedApi | null>(signal, null, (client, one) => oneApi(client, one, apiId)),
    async environments(signal) {
      const listed = await list(signal, environmentsPage);
      return listed.kind === 'read' ? { kind: 'read', value: listed.value.entries } : listed;
    },
    versions: (of, signal) => read<readonly ListedVersion[]>(signal, [], (client, one) => versionsOf(client, one, of)),
  };
}

interface Page<T> {
  /** How many there are on all pages. */
  readonly total: number;
  readonly entries: readonly T[];
}

/**
 * Reads the first page, then all others at once: a page is as long as the first one is, which may be shorter than asked for.
 * What moves between pages meanwhile may stand on two of them or on none.
 */
async function allPages<T>(pageAt: (offset: number) => Promise<Read<Page<T>>>): Promise<Read<Page<T>>> {
  const first = await pageAt(0);
  if (first.kind !== 'read') return first;
  const { total, entries: found } = first.value;
  const offsets: number[] = [];
  for (let offset = found.length; offset < total && found.length > 0; offset += found.length) offsets.push(offset);
  const entries = [...found];
  for (const page of await Promise.all(offsets.map(pageAt))) {
    if (page.kind !== 'read') return page;
    for (const entry of page.value.entries) entries.push(entry);
  }
  return { kind: 'read', value: { total, entries } };
}

/** Returns a page. Throws an InvalidAnswerError for a first one that cannot be the first of `total`. */
function pageOf<T>(offset: number, total: number, entries: readonly T[]): Page<T> {
  if (total > most) throw new InvalidAnswerError(`says that there are ${total}, more than any instance holds`, { status: 200 });
  if (offset === 0 && entries.length === 0 && total > 0) throw new InvalidAnswerError(`listed none of ${total}`, { status: 200 });
  return { total, entries };
}

async function apisPage(client: RomaClient, { path, secrets, ...one }: OneRequest, offset: number): Promise<Page<ObservedApi>> {
  const answer = await client.GET('/v2/{project_id}/apic/instances/{instance_id}/apis', {
    params: { path, query: { offset, limit: pageSize }, header: proven },
    parseAs: 'text',
    ...one,
  });
  const { total, apis } = answeredBody('listApis', answer, secrets, Date.now());
  return pageOf(
    offset,
    total,
    apis.map((api) => observed(api, secrets)),
  );
}

async function oneApi(client: RomaClient, { path, secrets, ...one }: OneRequest, apiId: string): Promise<ObservedApi | null> {
  const answer = await client.GET('/v2/{project_id}/apic/instances/{instance_id}/apis/{api_id}', {
    params: { path: { ...path, api_id: apiId }, header: proven },
    parseAs: 'text',
    ...one,
  });
  try {
    return observed(answeredBody('getApi', answer, secrets, Date.now()), secrets);
  } catch (error) {
    if (error instanceof RefusedError && error.errorCode === 'APIG.3002') return null;
    throw error;
  }
}

async function environmentsPage(
  client: RomaClient,
  { path, secrets, ...one }: OneRequest,
  offset: number,
): Promise<Page<ListedEnvironment>> {
  const answer = await client.GET('/v2/{project_id}/apic/instances/{instance_id}/envs', {
    params: { path, query: { offset, limit: pageSize }, header: proven },
    parseAs: 'text',
    ...one,
  });
  const { total, envs } = answeredBody('listEnvironments', answer, secrets, Date.now());
  return pageOf(
    offset,
    total,
    envs.map(({ id, name }) => ({ id: readable(id, secrets, idLength), name: readable(name, secrets, idLength) })),
  );
}

/** Ten versions are kept in an environment, so one page of the largest size holds all of an API. */
async function versionsOf(
  client: RomaClient,
  { path, secrets, ...one }: OneRequest,
  of: Pick<PublicationNames, 'apiId' | 'environmentId'>,
): Promise<ListedVersion[]> {
  const answer = await client.GET('/v2/{project_id}/apic/instances/{instance_id}/apis/publish/{api_id}', {
    params: { path: { ...path, api_id: of.apiId }, query: { env_id: of.environmentId, limit: pageSize }, header: proven },
    parseAs: 'text',
    ...one,
  });
  const { total, api_versions: versions } = answeredBody('listVersions', answer, secrets, Date.now());
  if (total > versions.length) {
    throw new InvalidAnswerError(`listed ${versions.length} of ${total} versions, more than the gateway keeps`, { status: 200 });
  }
  return versions
    .filter(({ env_id: environment }) => environment === of.environmentId)
    .map(({ version_id: versionId, version_no: number = '', remark = '', publish_time: publishedAt, status }) => ({
      versionId: readable(versionId, secrets, idLength),
      number: readable(number, secrets, idLength),
      remark,
      publishedAtMs: timeOf(publishedAt),
      isEffective: status === 1,
    }));
}

/** What joins the entries of several environments in one field of an API. */
const joint = '|';

function observed(api: components['schemas']['Api'], secrets: readonly string[]): ObservedApi {
  const clean = (text: string): string => readable(text, secrets, idLength);
  const environmentIds = (api.run_env_id ?? '').split(joint);
  const publishIds = aligned(api.publish_id, environmentIds.length);
  const times = aligned(api.publish_time, environmentIds.length);
  const publications = new Map<string, ObservedPublication>();
  for (const [index, environmentId] of environmentIds.map(clean).entries()) {
    if (environmentId === '') continue;
    publications.set(environmentId, { publishId: clean(publishIds[index] ?? '') || null, publishedAtMs: timeOf(times[index]) });
  }
  const [groupId, group] = [clean(api.group_id ?? ''), clean(api.group_name ?? '')];
  return { apiId: clean(api.id), name: clean(api.name), groupId, group, editedAtMs: timeOf(api.update_time), publications };
}

/** Returns the entries of a joined field; none if they are not as many as there are environments, since nobody knows whose they are. */
function aligned(joined: string | null | undefined, count: number): readonly string[] {
  const entries = joined?.split(joint) ?? [];
  return entries.length === count ? entries : [];
}

/** Returns the milliseconds since 1970 that a text of the service means; `null` for none and for its zero time, `0001-01-01T00:00:00Z`. */
function timeOf(text: string | null | undefined): number | null {
  const ms = Date.parse(text ?? '');
  return ms > 0 ? ms : null;
}
