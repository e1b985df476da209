import type { components } from '../../generated/roma-connect.d.ts';
import { listPageSize } from '../model/gateway.ts';
import type { ListedEnvironment, ListedVersion, ObservedApi, ObservedPublication } from '../model/observation.ts';
import type { ReadResult } from '../model/outcome.ts';
import type { PublicationNames } from '../model/publication.ts';
import { InvalidResponseError, ServiceError } from './errors.ts';
import { authHeaderPlaceholder, type GatewayClient, type RequestContext, type RomaClient } from './gateway-client.ts';
import type { GatewayReader } from './interface.ts';
import { toReadFailure } from './outcome.ts';
import { parseResponse } from './response.ts';
import { sanitize } from './sanitize.ts';

/** The largest accepted total: twenty times the capacity of an instance. */
const maxListed = 100_000;

/** Tries of a list that misses APIs because they moved between pages while it was read. */
const maxListReads = 3;

const maxIdLength = 128;

/** Receives how many entries of a list were read by now, and how many it has. */
export type OnPageRead = (page: { readonly readCount: number; readonly totalCount: number }) => void;

/** Returns the read operations of a gateway. */
export function createGatewayReader(gatewayClient: GatewayClient, onPageRead: OnPageRead = () => {}): GatewayReader {
  /** `absent`: the value if the gateway says that the resource does not exist. */
  async function read<T>(
    signal: AbortSignal,
    absent: T,
    request: (client: RomaClient, one: RequestContext) => Promise<T>,
  ): Promise<ReadResult<T>> {
    try {
      return { kind: 'read', value: await gatewayClient.call(signal, (client, one) => request(client, { ...one, signal })) };
    } catch (error) {
      return toReadFailure(error) ?? { kind: 'read', value: absent };
    }
  }
  const list = <T>(
    signal: AbortSignal,
    pageAt: (client: RomaClient, one: RequestContext, offset: number) => Promise<Page<T>>,
    onPage: OnPageRead = () => {},
  ) => {
    let readCount = 0;
    // A gateway may list more on a page than it was asked for, on each of a hundred thousand pages.
    const checkCount = (count: number): void => {
      readCount += count;
      if (readCount > 2 * maxListed) throw new InvalidResponseError('lists more than any instance holds', { status: 200 });
    };
    const countedPageAt = async (client: RomaClient, one: RequestContext, offset: number): Promise<Page<T>> => {
      checkCount(0);
      const page = await pageAt(client, one, offset);
      checkCount(page.entries.length);
      return page;
    };
    return readAllPages(
      (offset) => read<Page<T>>(signal, { total: 0, entries: [] }, (client, one) => countedPageAt(client, one, offset)),
      onPage,
    );
  };
  return {
    identity: gatewayClient.identity,
    close: () => gatewayClient.close(),
    async listApis(signal) {
      for (let tries = 1; ; tries += 1) {
        const listed = await list(signal, readApisPage, onPageRead);
        if (listed.kind !== 'read') return listed;
        const value = new Map(listed.value.entries.map((api) => [api.apiId, api]));
        if (value.size >= listed.value.total || tries >= maxListReads) return { kind: 'read', value };
      }
    },
    getApi: (apiId, signal) => read<ObservedApi | null>(signal, null, (client, one) => readApi(client, one, apiId)),
    async listEnvironments(signal) {
      const listed = await list(signal, readEnvironmentsPage, onPageRead);
      return listed.kind === 'read' ? { kind: 'read', value: listed.value.entries } : listed;
    },
    listVersions: (of, signal) => read<readonly ListedVersion[]>(signal, [], (client, one) => readVersions(client, one, of)),
    async listApiVersions(apiId, signal) {
      const listed = await list(signal, (client, one, offset) => readVersionsPage(client, one, { apiId, offset }));
      if (listed.kind !== 'read') return listed;
      const byEnvironment = Map.groupBy(listed.value.entries, ({ environmentId }) => environmentId);
      return { kind: 'read', value: new Map([...byEnvironment].map(([id, entries]) => [id, entries.map(({ version }) => version)])) };
    },
  };
}

interface Page<T> {
  /** The number of entries on all pages. */
  readonly total: number;
  readonly entries: readonly T[];
}

/**
 * Reads the first page, then all others concurrently. Offsets follow the length of the first page, which may be shorter than
 * requested. An entry that moves between pages meanwhile may be on two of them or on none.
 */
async function readAllPages<T>(
  readPage: (offset: number) => Promise<ReadResult<Page<T>>>,
  onPageRead: OnPageRead,
): Promise<ReadResult<Page<T>>> {
  let readCount = 0;
  const pageAt = async (offset: number): Promise<ReadResult<Page<T>>> => {
    const page = await readPage(offset);
    if (page.kind === 'read') {
      readCount += page.value.entries.length;
      onPageRead({ readCount, totalCount: page.value.total });
    }
    return page;
  };
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

/** Returns a page. Throws an InvalidResponseError if `total` is too large or the first page is empty although `total` is not 0. */
function checkPage<T>(offset: number, total: number, entries: readonly T[]): Page<T> {
  if (total > maxListed) throw new InvalidResponseError(`says that there are ${total}, more than any instance holds`, { status: 200 });
  if (offset === 0 && entries.length === 0 && total > 0) throw new InvalidResponseError(`listed none of ${total}`, { status: 200 });
  return { total, entries };
}

async function readApisPage(client: RomaClient, { path, secrets, ...one }: RequestContext, offset: number): Promise<Page<ObservedApi>> {
  const response = await client.GET('/v2/{project_id}/apic/instances/{instance_id}/apis', {
    params: { path, query: { offset, limit: listPageSize }, header: authHeaderPlaceholder },
    parseAs: 'text',
    ...one,
  });
  const { total, apis } = parseResponse('listApis', response, { secrets, nowMs: Date.now() });
  return checkPage(
    offset,
    total,
    apis.map((api) => toObservedApi(api, secrets)),
  );
}

async function readApi(client: RomaClient, { path, secrets, ...one }: RequestContext, apiId: string): Promise<ObservedApi | null> {
  const response = await client.GET('/v2/{project_id}/apic/instances/{instance_id}/apis/{api_id}', {
    params: { path: { ...path, api_id: apiId }, header: authHeaderPlaceholder },
    parseAs: 'text',
    ...one,
  });
  try {
    return toObservedApi(parseResponse('getApi', response, { secrets, nowMs: Date.now() }), secrets);
  } catch (error) {
    if (error instanceof ServiceError && error.errorCode === 'APIG.3002') return null;
    throw error;
  }
}

async function readEnvironmentsPage(
  client: RomaClient,
  { path, secrets, ...one }: RequestContext,
  offset: number,
): Promise<Page<ListedEnvironment>> {
  const response = await client.GET('/v2/{project_id}/apic/instances/{instance_id}/envs', {
    params: { path, query: { offset, limit: listPageSize }, header: authHeaderPlaceholder },
    parseAs: 'text',
    ...one,
  });
  const { total, envs } = parseResponse('listEnvironments', response, { secrets, nowMs: Date.now() });
  return checkPage(
    offset,
    total,
    envs.map(({ id, name }) => ({ id: sanitize(id, secrets, maxIdLength), name: sanitize(name, secrets, maxIdLength) })),
  );
}

/** The gateway keeps ten versions in an environment, so one page of the largest size holds all of them. */
async function readVersions(
  client: RomaClient,
  context: RequestContext,
  { apiId, environmentId }: Pick<PublicationNames, 'apiId' | 'environmentId'>,
): Promise<ListedVersion[]> {
  const { total, entries } = await readVersionsPage(client, context, { apiId, environmentId, offset: 0 });
  if (total > entries.length) {
    throw new InvalidResponseError(`listed ${entries.length} of ${total} versions, more than the gateway keeps`, { status: 200 });
  }
  return entries.filter((entry) => entry.environmentId === environmentId).map(({ version }) => version);
}

/** `environmentId`: the environment that the list is limited to; omitted: none. */
async function readVersionsPage(
  client: RomaClient,
  { path, secrets, ...one }: RequestContext,
  { apiId, environmentId, offset }: { readonly apiId: string; readonly environmentId?: string; readonly offset: number },
): Promise<Page<{ readonly environmentId: string; readonly version: ListedVersion }>> {
  const response = await client.GET('/v2/{project_id}/apic/instances/{instance_id}/apis/publish/{api_id}', {
    params: {
      path: { ...path, api_id: apiId },
      query: { ...(environmentId !== undefined && { env_id: environmentId }), ...(offset > 0 && { offset }), limit: listPageSize },
      header: authHeaderPlaceholder,
    },
    parseAs: 'text',
    ...one,
  });
  const { total, api_versions: versions } = parseResponse('listVersions', response, { secrets, nowMs: Date.now() });
  return checkPage(
    offset,
    total,
    versions.map(({ env_id: id, version_id: versionId, version_no: number = '', remark = '', publish_time: publishedAt, status }) => ({
      environmentId: sanitize(id, secrets, maxIdLength),
      version: {
        versionId: sanitize(versionId, secrets, maxIdLength),
        versionNumber: sanitize(number, secrets, maxIdLength),
        remark: sanitize(remark, secrets),
        publishedAtMs: parseTime(publishedAt),
        isEffective: status === 1,
      },
    })),
  );
}

/** Separates the environments' entries in one field of an API. */
const separator = '|';

function toObservedApi(api: components['schemas']['Api'], secrets: readonly string[]): ObservedApi {
  const sanitizeField = (text: string): string => sanitize(text, secrets, maxIdLength);
  const environmentIds = (api.run_env_id ?? '').split(separator);
  const publishIds = splitAligned(api.publish_id, environmentIds.length);
  const times = splitAligned(api.publish_time, environmentIds.length);
  const publications = new Map<string, ObservedPublication>();
  for (const [index, environmentId] of environmentIds.map(sanitizeField).entries()) {
    if (environmentId === '') continue;
    publications.set(environmentId, { publishId: sanitizeField(publishIds[index] ?? '') || null, publishedAtMs: parseTime(times[index]) });
  }
  const [groupId, group] = [sanitizeField(api.group_id ?? ''), sanitizeField(api.group_name ?? '')];
  return {
    apiId: sanitizeField(api.id),
    name: sanitizeField(api.name),
    groupId,
    group,
    editedAtMs: parseTime(api.update_time),
    publications,
  };
}

/** Returns the entries of a joined field; none if their number differs from that of the environments, because they cannot be assigned then. */
function splitAligned(joined: string | null | undefined, count: number): readonly string[] {
  const entries = joined?.split(separator) ?? [];
  return entries.length === count ? entries : [];
}

/** Parses a time of the service to milliseconds since 1970; `null` for no time and for its zero time, `0001-01-01T00:00:00Z`. */
function parseTime(text: string | null | undefined): number | null {
  const ms = Date.parse(text ?? '');
  return ms > 0 ? ms : null;
}
