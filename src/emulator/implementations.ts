import type { operations } from '../../generated/roma-connect.d.ts';
import type { GivenUser } from './auth.ts';
import { apiNotFound } from './catalog.ts';
import type { ApiPlacement, GatewayState, PublishedApi, VersionInEnvironment } from './gateway-state.ts';
import { type EmulatedError, type EmulatedResponse, errorResponse } from './responses.ts';
import type { OperationSpec } from './specification.ts';

/** An authenticated and validated request. */
export interface OperationCall {
  readonly body: unknown;
  /** The path's parameters. */
  readonly params: Readonly<Record<string, string>>;
  /** The query's parameters, with their defaults filled in. */
  readonly query: Readonly<Record<string, unknown>>;
  /** Injected errors for single APIs of a batch, by ID. */
  readonly apiErrors: ReadonlyMap<string, EmulatedError>;
}

export type Implementation = (call: OperationCall, state: GatewayState) => EmulatedResponse;

/** An operation with its implementation. */
export interface ImplementedOperation extends OperationSpec {
  readonly implementation: Implementation;
}

/** Pairs each operation with its implementation. Throws an Error that names those on either side without a counterpart. */
export function implementOperations(
  operations: readonly OperationSpec[],
  byId: Readonly<Record<string, Implementation>>,
): ImplementedOperation[] {
  const ids = new Set(operations.map(({ id }) => id));
  const unknownIds = Object.keys(byId).filter((id) => !ids.has(id));
  if (unknownIds.length > 0) throw new Error(`the specification has no operation for the implementation of ${unknownIds.join(', ')}`);
  return operations.map((operation) => {
    const implementation = byId[operation.id];
    if (!implementation) throw new Error(`the specification's operation ${operation.id} has no implementation`);
    return { ...operation, implementation };
  });
}

/** The implementations of the operations, by `operationId`. */
export const implementations: Readonly<Record<keyof operations, Implementation>> = {
  changePublication({ body }, state) {
    const { action, api_id: api, env_id: environment, remark = '' } = body as PublicationRequest;
    const done = action === 'online' ? state.publish(api, environment, remark) : state.takeOffline(api, environment);
    return 'status' in done ? errorResponse(done) : { status: 201, body: publicationBody(done, state.behavior.apiNameOnline) };
  },

  changePublications({ body, query: { action }, apiErrors }, state) {
    const { apis = [], env_id: environment, remark = '' } = body as BatchRequest;
    if (!state.catalog.environment(environment)) return errorResponse(environmentNotFound(environment));
    const done = apis.map((api) => {
      const fault = apiErrors.get(api);
      return {
        api,
        result: fault ?? (action === 'online' ? state.publish(api, environment, remark) : state.takeOffline(api, environment)),
      };
    });
    const success = done.flatMap(({ result }) => ('status' in result ? [] : [publicationBody(result, true)]));
    const failure = done.flatMap(({ api, result }) => ('status' in result ? [failureBody(api, result)] : []));
    return { status: 200, body: { success, failure } };
  },

  switchVersion({ body, params: { api_id: api = '' } }, state) {
    const done = state.switchVersion(api, (body as { readonly version_id: string }).version_id);
    return 'status' in done ? errorResponse(done) : { status: 200, body: publicationBody(done, state.behavior.apiNameOnline) };
  },

  listApis({ query }, state) {
    const { id, name, group_id: group, env_id: environment, precise_search: precise = '', offset, limit } = query as unknown as ApiQuery;
    const isPrecise = precise.split(',').includes('name');
    const matchesName = (text: string): boolean => name === undefined || (isPrecise ? text === name : text.includes(name));
    const listed = state.catalog
      .listApis()
      .filter((api) => (id ?? api.id) === api.id && (group ?? api.group.id) === api.group.id && matchesName(api.name))
      .filter(
        (api) =>
          environment === undefined || state.placementOf(api, 'late').placements.some((place) => place.environment.id === environment),
      );
    const apis = pageOf(listed, offset, limit).map((api) => apiBody(state.placementOf(api, 'late')));
    return { status: 200, body: { size: apis.length, total: listed.length, apis } };
  },

  getApi({ params: { api_id: id = '' } }, state) {
    const api = state.catalog.api(id);
    return api ? { status: 200, body: apiBody(state.placementOf(api, 'now')) } : errorResponse(apiNotFound(id));
  },

  listEnvironments({ query }, state) {
    const { name = '', offset, limit } = query as unknown as PageQuery & { readonly name?: string };
    const found = state.catalog.environments().filter((environment) => environment.name.includes(name));
    const envs = pageOf(found, offset, limit).map((environment) => ({ ...environment, remark: '', create_time: '2020-01-01T00:00:00Z' }));
    return { status: 200, body: { size: envs.length, total: found.length, envs } };
  },

  listVersions({ params: { api_id: api = '' }, query }, state) {
    const found = state.versions(api);
    if ('status' in found) return errorResponse(found);
    const { env_id: id, env_name: name, offset, limit } = query as unknown as VersionQuery;
    const matching = found.filter(
      ({ environment }) => (id ?? environment.id) === environment.id && (name ?? environment.name) === environment.name,
    );
    const page = pageOf(matching, offset, limit);
    return {
      status: 200,
      body: { size: page.length, total: matching.length, api_versions: page.map((version) => versionBody(api, version)) },
    };
  },

  createToken({ body }, state) {
    const { user } = (body as TokenRequest).auth.identity.password;
    const login = state.auth.logIn(user);
    if (login === null) {
      return { status: 401, body: { error: { code: 401, title: 'Unauthorized', message: 'The username or password is wrong.' } } };
    }
    const times = { issued_at: login.from.toISOString(), expires_at: login.to.toISOString() };
    return { status: 201, body: { token: times }, headers: { 'X-Subject-Token': login.token } };
  },
};

interface PublicationRequest {
  readonly action: 'online' | 'offline';
  readonly api_id: string;
  readonly env_id: string;
  readonly remark?: string;
}

interface BatchRequest {
  readonly apis?: readonly string[];
  readonly env_id: string;
  readonly remark?: string;
}

interface PageQuery {
  readonly offset: number;
  readonly limit: number;
}

interface ApiQuery extends PageQuery {
  readonly id?: string;
  readonly name?: string;
  readonly group_id?: string;
  readonly env_id?: string;
  readonly precise_search?: string;
}

interface VersionQuery extends PageQuery {
  readonly env_id?: string;
  readonly env_name?: string;
}

interface TokenRequest {
  readonly auth: {
    readonly identity: { readonly password: { readonly user: GivenUser } };
  };
}

/** A negative `offset` counts as 0. */
function pageOf<T>(list: readonly T[], offset: number, limit: number): readonly T[] {
  const start = Math.max(0, offset);
  return list.slice(start, start + limit);
}

/** `offline` has the zero time and no version, as observed at API Gateway; it always names the API. */
function publicationBody({ api, environmentId, effective }: PublishedApi, namesApi: boolean) {
  if (!effective) return { api_id: api.id, env_id: environmentId, api_name: api.name, publish_time: '0001-01-01T00:00:00Z' };
  const { publishId, publishTime, versionId, remark } = effective;
  return {
    api_id: api.id,
    ...(namesApi && { api_name: api.name }),
    env_id: environmentId,
    publish_id: publishId,
    publish_time: publishTime,
    version_id: versionId,
    remark,
  };
}

/** As in the example of ROMA Connect's definition: without `api_name`, and with a text of its own for a missing API. */
function failureBody(id: string, { errorCode, errorMsg }: EmulatedError) {
  return { api_id: id, error_code: errorCode, error_msg: errorCode === 'APIG.3002' ? `Api ${id} not found` : errorMsg };
}

function environmentNotFound(id: string): EmulatedError {
  return { status: 404, errorCode: 'APIG.3003', errorMsg: `The environment does not exist;id:${id}` };
}

/**
 * Joins the values of several publications with `|`, in the same order in each field. The fields are absent for an API that was never
 * published, and empty for one that is published nowhere now. Both forms were observed at the service.
 */
function apiBody({ api, placements, wasPublished }: ApiPlacement) {
  const joined = (texts: readonly string[]): string => texts.join('|');
  const published = {
    run_env_id: joined(placements.map(({ environment }) => environment.id)),
    run_env_name: joined(placements.map(({ environment }) => environment.name)),
    publish_id: joined(placements.map(({ record }) => record.publishId)),
    publish_time: joined(placements.map(({ record }) => truncateToSeconds(record.publishTime))),
  };
  return {
    id: api.id,
    name: api.name,
    group_id: api.group.id,
    group_name: api.group.name,
    status: 1,
    ...(wasPublished && published),
    register_time: truncateToSeconds(api.registeredAt.toISOString()),
    update_time: truncateToSeconds(api.editedAt.toISOString()),
  };
}

/** Lists have whole seconds; the response to an action has nanoseconds. */
function truncateToSeconds(time: string): string {
  return `${time.slice(0, 19)}Z`;
}

/** Returns the time of a publication as `yyyyMMddHHmmss` in UTC+8. */
function versionNumberOf(publishTime: string): string {
  const inChina = new Date(Date.parse(publishTime) + 8 * 3_600_000);
  return inChina.toISOString().slice(0, 19).replace(/\D/g, '');
}

function versionBody(api: string, { environment, version, isEffective }: VersionInEnvironment) {
  const { versionId, publishTime, remark } = version;
  return {
    version_id: versionId,
    version_no: versionNumberOf(publishTime),
    api_id: api,
    env_id: environment.id,
    env_name: environment.name,
    remark,
    publish_time: truncateToSeconds(publishTime),
    status: isEffective ? 1 : 2,
  };
}
