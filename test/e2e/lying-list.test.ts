import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSettings } from '../../src/app/settings.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import { type AnsweringServer, answeringServer, json, type SeenRequest } from '../gateway/answering-server.ts';
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts';
import { scratchFolder, seedOf, until } from '../support/edict-process.ts';

/*
 * A list that still names every API but has lost their publications, as during a fail-over of the gateway, and a gateway where somebody
 * really changed very much. Corrections of drift must neither follow such a list at once nor make hundreds of versions.
 */
const test = suite('a list that lies');
let emulator: Emulator;
let proxy: AnsweringServer;
let daemon: TestDaemon | null;
const events: EdictEvent[] = [];
/** Whether the lists show no publication; those of versions either agree, or may not be read. */
let lie: 'none' | 'no versions' | 'versions refused';

/** Forwards a request to the emulator, and returns its answer or a lie. */
async function forward({ method, path, headers, body }: SeenRequest): Promise<{ readonly status: number; readonly content: object }> {
  const isVersions = path.includes('/apis/publish/');
  if (lie === 'versions refused' && isVersions) return { status: 403, content: { error_code: 'APIG.1005', error_msg: 'no permissions' } };
  const token = { 'x-auth-token': String(headers['x-auth-token']), 'content-type': 'application/json' };
  const answer = await fetch(`${emulator.url}${path}`, { method, headers: token, ...(method !== 'GET' && { body }) });
  const content = (await answer.json()) as { readonly apis?: readonly object[]; readonly api_versions?: unknown };
  if (lie !== 'none' && content.apis)
    for (const api of content.apis) Object.assign(api, { run_env_id: '', publish_id: '', publish_time: '' });
  if (lie !== 'none' && content.api_versions) Object.assign(content, { api_versions: [], total: 0, size: 0 });
  return { status: answer.status, content };
}

async function open(states: Readonly<Record<string, 'online' | 'offline'>>, online: readonly string[]): Promise<void> {
  const publications = online.map((name) => ({ api: `api-${name}`, environment: 'env-test' }));
  emulator = await startEmulator({ seed: { ...seedOf(...Object.keys(states)), publications } });
  proxy = await answeringServer((response, request) => {
    forward(request).then(
      ({ status, content }) => json(response, status, content),
      () => response.destroy(),
    );
  });
  const folder = scratchFolder();
  const settings = parseSettings(join(folder, 'edict.yaml'), { state: `sqlite:${join(folder, 'state.db')}` });
  const apis = Object.entries(states).map(([name, state]) => `  ${name}: { id: api-${name}, environments: { test: ${state} } }\n`);
  const gateway = `endpoint: "${proxy.url}", project: project, instance: instance, limit: { calls: 1000, per: 1s }, propagationDelay: 1ms`;
  writeFileSync(
    settings.file,
    `edict: 1\ngateway: { ${gateway} }\nenvironments: { test: env-test }\nrefresh: 100ms\ndrift: correct\napis:\n${apis.join('')}`,
  );
  daemon = await startTestDaemon(settings, { env: { HW_AUTH_TOKEN: 'any' }, resyncMs: 50, onEvent: (event) => events.push(event) });
  await observed();
}

test.before.each(() => {
  lie = 'none';
  events.splice(0);
});
test.after.each(async () => {
  daemon?.stop();
  await daemon?.done;
  await proxy.close();
  await emulator.close();
});

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `a${index}`);
const all = (count: number, state: 'online' | 'offline') => Object.fromEntries(names(count).map((name) => [name, state]));
const calls = (): number => emulator.requests.all().filter(({ operation }) => operation === 'changePublication').length;
const countOf = (type: EdictEvent['type']): number => events.filter((event) => event.type === type).length;

/** Waits until observations that begin from now on, accepted or not, and the plans after them have ended. */
async function observed(count = 1): Promise<void> {
  const ended = (): number => countOf('gateway:observed') + countOf('gateway:observe_failed');
  const before = ended();
  await until('the gateway is observed', () => ended() >= before + count + 1);
  const plans = countOf('reconcile:finished');
  await until('a plan follows', () => countOf('reconcile:finished') > plans);
}

function heldRules(): (string | undefined)[] {
  const plan = events.findLast((event) => event.type === 'plan:computed')?.plan;
  return [...new Set(plan?.changes.map(({ held }) => held?.rule))];
}

for (const kind of ['no versions', 'versions refused'] as const) {
  test(`one list without publications makes no call (${kind})`, async () => {
    await open(all(60, 'online'), names(60));
    lie = kind;
    await until('a list is doubted', () => countOf('gateway:observe_failed') > 0);
    lie = 'none';
    await observed(3);
    assert.is(calls(), 0);
    const reason = events.find((event) => event.type === 'gateway:observe_failed')?.reason;
    assert.match(reason ?? '', 'the list shows 0 publications and showed 60 the last time; it is accepted if the next one shows no more');
  });

  test(`lists without publications, one after the other, make one version of each at most (${kind})`, async () => {
    await open(all(60, 'online'), names(60));
    lie = kind;
    await until('the second list is believed', () => calls() >= 60);
    await observed(8);
    assert.is(calls(), 60);
    const reason = events.findLast((event) => event.type === 'gateway:observe_failed')?.reason;
    assert.match(reason ?? '', 'the list does not show 60 of the publications whose drift edict has corrected within the last hour');
  });
}

test('more corrections to online than guards.maxRepublish allows are held', async () => {
  await open(all(101, 'online'), names(101));
  for (const name of names(101)) emulator.state.changeManually(`api-${name}`, 'env-test', 'offline');
  await until('the second list is believed', () => heldRules().includes('maxRepublish'));
  await observed(2);
  assert.equal([heldRules(), calls()], [['maxRepublish'], 0]);
});

test('more corrections to offline than guards.maxOffline allows are held', async () => {
  await open(all(11, 'offline'), []);
  for (const name of names(11)) emulator.state.changeManually(`api-${name}`, 'env-test', 'online');
  await until('the change is observed', () => heldRules().includes('maxOffline'));
  await observed(2);
  assert.equal([heldRules(), calls()], [['maxOffline'], 0]);
});

test.run();
