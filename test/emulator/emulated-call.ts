import type { Emulator } from '../../src/emulator/emulator.ts';
import type { Seed } from '../../src/emulator/seed.ts';

/** One API, one environment, one token and one user. */
export const smallSeed: Seed = {
  project: 'p',
  instance: 'i',
  apis: [{ id: 'a', name: 'orders' }],
  environments: [{ id: 'e', name: 'RELEASE' }],
  tokens: [{ value: 'good' }],
  users: [{ name: 'ada', password: 'secret', domain: 'acme' }],
};

/** Sends JSON to a path of the emulator; `headers` are added to a valid token. */
export function sendTo(
  { url }: Emulator,
  path: string,
  { method = 'POST', body, headers }: { method?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(url + path, {
    method,
    headers: { 'x-auth-token': 'good', ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

/** Publishes API `a` in environment `e`, unless `more` says otherwise. */
export function publishAt(emulator: Emulator, more: object = {}, headers: Record<string, string> = {}): Promise<Response> {
  return sendTo(emulator, '/v2/p/apic/instances/i/apis/action', { body: { action: 'online', api_id: 'a', env_id: 'e', ...more }, headers });
}
