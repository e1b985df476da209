import type { ListedEnvironment, ObservedApi } from '../../src/model/observation.ts';
import { type AnsweringServer, answeringServer, json } from '../gateway/answering-server.ts';

/** The lists of a gateway, valid or not. */
export interface Listed {
  readonly apis: readonly ObservedApi[];
  readonly environments: readonly ListedEnvironment[];
}

/** Starts a server that lists the current value of `listed`, page by page, as specified; it responds to all else with 500. */
export function listingServer(listed: () => Listed): Promise<AnsweringServer> {
  return answeringServer((response, { method, path }) => {
    const { pathname, searchParams } = new URL(path, 'http://host');
    const [offset, limit] = [Number(searchParams.get('offset')), Number(searchParams.get('limit') ?? 20)];
    const { apis, environments } = listed();
    const name = pathname.split('/').at(-1);
    if (method !== 'GET' || (name !== 'apis' && name !== 'envs')) return json(response, 500, { error_code: 'APIG.9999', error_msg: 'no' });
    const all: readonly unknown[] = name === 'apis' ? apis.map(apiAnswer) : environments;
    const page = all.slice(offset, offset + limit);
    json(response, 200, { size: page.length, total: all.length, [name]: page });
  });
}

function apiAnswer({ apiId, name, groupId, group, editedAtMs, publications }: ObservedApi) {
  const joined = [...publications.values()];
  return {
    id: apiId,
    name,
    group_id: groupId,
    group_name: group,
    run_env_id: [...publications.keys()].join('|'),
    publish_id: joined.map(({ publishId }) => publishId ?? '').join('|'),
    publish_time: joined.map(({ publishedAtMs }) => timeOf(publishedAtMs)).join('|'),
    ...(editedAtMs !== null && { update_time: timeOf(editedAtMs) }),
  };
}

function timeOf(ms: number | null): string {
  return ms === null ? '0001-01-01T00:00:00Z' : new Date(ms).toISOString();
}
