import type { operations } from '../../generated/roma-connect.d.ts';
import { type Answer, refusal } from './answers.ts';
import type { Operation } from './specification.ts';
import type { PlacedVersion, Published, World } from './world.ts';

/** A request whose caller and form have been checked. */
export interface Call {
  readonly body: unknown;
  /** The path's parameters. */
  readonly params: Readonly<Record<string, string>>;
  /** The query's parameters, with their defaults filled in. */
  readonly query: Readonly<Record<string, unknown>>;
}

export type Implementation = (call: Call, world: World) => Answer;

/** An operation together with what it does. */
export interface WithImplementation extends Operation {
  readonly implementation: Implementation;
}

/** Returns every operation with its implementation. Throws an Error that names those which have no counterpart, on either side. */
export function implemented(operations: readonly Operation[], byId: Readonly<Record<string, Implementation>>): WithImplementation[] {
  const ids = new Set(operations.map(({ id }) => id));
  const strays = Object.keys(byId).filter((id) => !ids.has(id));
  if (strays.length > 0) throw new Error(`the specification has no operation for the implementation of ${strays.join(', ')}`);
  return operations.map((operation) => {
    const implementation = byId[operation.id];
    if (!implementation) throw new Error(`the specification's operation ${operation.id} has no implementation`);
    return { ...operation, implementation };
  });
}

/** What the operations of the specification do, by `operationId`. */
export const implementations: Readonly<Record<keyof operations, Implementation>> = {
  changePublication({ body }, world) {
    const { action, api_id: api, env_id: environment, remark = '' } = body as PublicationRequest;
    const done = action === 'online' ? world.publish(api, environment, remark) : world.takeOffline(api, environment);
    return 'status' in done ? refusal(done) : { status: 201, body: publicationAnswer(done, environment) };
  },

  listVersions({ params: { api_id: api = '' }, query }, world) {
    const found = world.versions(api);
    if ('status' in found) return refusal(found);
    const { env_id: id, env_name: name, offset, limit } = query as unknown as VersionQuery;
    const wanted = found.filter(
      ({ environment }) => (id ?? environment.id) === environment.id && (name ?? environment.name) === environment.name,
    );
    const page = wanted.slice(offset, offset + limit);
    return {
      status: 200,
      body: { size: page.length, total: wanted.length, api_versions: page.map((version) => versionAnswer(api, version)) },
    };
  },

  createToken({ body }, world) {
    const { user } = (body as TokenRequest).auth.identity.password;
    const login = world.callers.logIn(user.name, user.password, user.domain.name);
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

interface VersionQuery {
  readonly offset: number;
  readonly limit: number;
  readonly env_id?: string;
  readonly env_name?: string;
}

interface TokenRequest {
  readonly auth: {
    readonly identity: { readonly password: { readonly user: { name: string; password: string; domain: { name: string } } } };
  };
}

/** `online` leaves out `api_name`, as the page's own example does; `offline` has the zero time and no version (seen at API Gateway). */
function publicationAnswer({ api, version }: Published, environment: string) {
  if (!version) return { api_id: api.id, env_id: environment, api_name: api.name, publish_time: '0001-01-01T00:00:00Z' };
  const { publishId, publishTime, versionId, remark } = version;
  return { api_id: api.id, env_id: environment, publish_id: publishId, publish_time: publishTime, version_id: versionId, remark };
}

/** Lists have whole seconds where an action's own answer has nanoseconds. */
function versionAnswer(api: string, { environment, version, isEffective }: PlacedVersion) {
  const { versionId, publishTime, remark } = version;
  return {
    version_id: versionId,
    version_no: publishTime.slice(0, 19).replace(/\D/g, ''),
    api_id: api,
    env_id: environment.id,
    env_name: environment.name,
    remark,
    publish_time: `${publishTime.slice(0, 19)}Z`,
    status: isEffective ? 1 : 2,
  };
}
