import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { edict } from '../support/edict-command.ts';
import { scratchFolder, seedOf, startEdict, terminate, until } from '../support/edict-process.ts';

/*
 * The record holds what was seen at the gateway, whatever file was there meanwhile: a file that is half written or held must not make drift be
 * forgotten or give its revision to anything, and what was just seen is believed.
 */
const test = suite('observed state');
let emulator: Emulator;
let folder: string;
let file: string;
const names = ['a', 'b', 'c'];
test.before.each(async () => {
  const publications = names.flatMap((name) => ['env-test', 'env-release'].map((environment) => ({ api: `api-${name}`, environment })));
  emulator = await startEmulator({ seed: { ...seedOf(...names, 'd'), publications } });
  folder = scratchFolder();
  file = join(folder, 'edict.yaml');
});
test.after.each(() => emulator.close());
const calls = () => emulator.requests.all().filter(({ operation }) => /^(?:change|switch)/.test(operation ?? '')).length;
const api = (name: string, more = '') => `  ${name}: { id: api-${name}, ${more}environments: { test: online, release: online } }\n`;
const write = (apis: string, more = '', delay = '300ms') =>
  writeFileSync(
    file,
    `edict: 1\ngateway: { endpoint: "${emulator.url}", project: project, instance: instance, propagationDelay: ${delay} }\nenvironments: { test: env-test, release: { id: env-release, protected: true } }\n${more}apis:\n${apis}`,
  );
const all = names.map((name) => api(name)).join('');

test('a held correction stays held when half a file was saved meanwhile', async () => {
  write(all, 'drift: correct\n');
  await edict(['apply'], folder);
  // The edit must not look like a part of the publication, whose time has whole seconds.
  await sleep(3500);
  await fetch(`${emulator.url}/_emulator/apis/api-b`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: '{"edited":true}',
  });
  emulator.state.changeManually('api-b', 'env-release', 'offline');
  const before = await edict(['apply', '--refresh'], folder);
  await sleep(400);
  write(api('a'), 'drift: correct\n');
  assert.is((await edict(['apply', '--refresh'], folder)).code, 4, 'the half file is held');
  write(all, 'drift: correct\n');
  const after = await edict(['apply'], folder);
  assert.equal([before.code, after.code, calls()], [4, 4, 0], after.stdout);
});
test('reported drift stays drift when half a file was saved meanwhile', async () => {
  write(all);
  await edict(['apply'], folder);
  await sleep(400);
  emulator.state.changeManually('api-b', 'env-release', 'offline');
  assert.match((await edict(['apply', '--refresh'], folder)).stdout, /^1 drifted/);
  await sleep(400);
  write(api('a'));
  assert.is((await edict(['apply', '--refresh'], folder)).code, 4);
  write(all);
  await edict(['apply'], folder);
  assert.is(calls(), 0);
});
test('at first contact a file is held whose APIs neither the list nor a single read shows', async () => {
  write(all);
  for (const name of names)
    await fetch(`${emulator.url}/_emulator/apis/api-${name}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: '{"hidden":"list"}',
    });
  emulator.faults.add({ status: 403, errorCode: 'APIG.1005', errorMsg: 'No permissions', share: 1, operation: 'getApi' });
  const applied = await edict(['apply'], folder);
  assert.equal([applied.code, calls()], [4, 0], applied.stdout);
});
test('what was just seen online is not published again', async () => {
  write(all, 'drift: correct\n', '1m');
  await edict(['apply'], folder);
  await edict(['suspend'], folder);
  emulator.state.changeManually('api-a', 'env-release', 'offline');
  await edict(['apply', '--refresh'], folder);
  emulator.state.changeManually('api-a', 'env-release', 'online');
  await edict(['resume'], folder);
  await edict(['apply', '--refresh'], folder);
  assert.is(calls(), 0);
});
test('what was just seen offline is drift, also right after it was adopted', async () => {
  write(all, '', '1m');
  await edict(['apply'], folder);
  emulator.state.changeManually('api-a', 'env-release', 'offline');
  const { code, stdout } = await edict(['plan', '--refresh', '--detailed-exitcode'], folder);
  assert.not.match(stdout, /^In sync/);
  assert.is(code, 2);
});
test('wait does not call drift in sync', async () => {
  write(all, 'refresh: 1s\n');
  const daemon = startEdict(['run', '--log-format', 'json'], folder);
  await until('started', () => daemon.events('plan:computed').length > 0, [daemon]);
  await sleep(500);
  emulator.state.changeManually('api-a', 'env-release', 'offline');
  await until('drift', () => daemon.events('publication:drift').length > 0, [daemon]);
  await sleep(300);
  const waited = await edict(['wait', '--timeout', '5s'], folder);
  await terminate(daemon);
  assert.not.match(waited.stdout, /^In sync/);
});
test('a held file does not give its revision to what is adopted', async () => {
  write(all);
  await edict(['apply'], folder);
  emulator.state.changeManually('api-d', 'env-release', 'online');
  emulator.state.changeManually('api-d', 'env-test', 'online');
  write(api('d', 'revision: r9, '));
  assert.is((await edict(['apply', '--refresh'], folder)).code, 4);
  await sleep(400);
  write(all + api('d', 'revision: r1, '));
  await edict(['apply', '--refresh'], folder);
  assert.is(calls(), 0);
});
test('a plan of some APIs does not say that all are in sync', async () => {
  write(all);
  await edict(['apply'], folder);
  await sleep(400);
  emulator.state.changeManually('api-b', 'env-release', 'offline');
  await edict(['apply', '--refresh'], folder);
  assert.not.match((await edict(['plan', '--api', 'a'], folder)).stdout, /^In sync\./);
});
test('after a recorded state was deleted the gateway counts as not checked since', async () => {
  write(all);
  await edict(['apply'], folder);
  await edict(['state', 'rm', 'a', 'test'], folder);
  emulator.faults.add({ status: 403, errorCode: 'APIG.1005', errorMsg: 'No permissions', share: 1, operation: '*' });
  assert.not.match((await edict(['plan'], folder)).stdout, '1970');
});

/** The IDs of the effective versions in the test environment, by API. */
const effectiveIds = () =>
  new Map(
    emulator.state
      .publications()
      .flatMap(({ api, environment, effective }) => (environment === 'env-test' && effective ? [[api, effective.versionId]] : [])),
  );
const pinned = (name: string, version: string) =>
  `  ${name}: { id: api-${name}, environments: { test: { state: online, version: "${version}" } } }\n`;
const refusedVersions = { status: 403, errorCode: 'APIG.1005', errorMsg: 'No permissions', share: 1, operation: 'listVersions' } as const;

test('a pinned version that may not be seen is neither drift nor in sync, and is not switched before a person approves', async () => {
  const ids = effectiveIds();
  write(pinned('a', ids.get('api-a') ?? '') + pinned('b', 'v-other'), 'drift: correct\n');
  emulator.faults.add(refusedVersions);
  for (const args of [['plan', '--detailed-exitcode'], ['apply'], ['apply', '--refresh']]) {
    const { code, stdout, stderr } = await edict(args, folder);
    assert.equal([code, calls()], [4, 0], `${args}: ${stdout}${stderr}`);
    assert.match(stdout, /^2 held, 4 unmanaged, 0 unchanged/, args.join(' '));
    assert.match(stdout, 'its effective version could not be read: APIG.1005 No permissions');
    assert.not.match(stdout, 'drift');
  }
  assert.match((await edict(['status'], folder)).stdout, /^2 held, /);
  emulator.faults.clear();
  write(pinned('a', ids.get('api-a') ?? '') + pinned('b', 'v-other'));
  const seen = await edict(['apply', '--refresh'], folder);
  assert.match(seen.stdout, /^1 drifted, 4 unmanaged, 1 unchanged/, 'what is seen at last is judged like at first contact');
  assert.is(calls(), 0);
});
test('a pinned version that somebody may have switched is not in sync while it may not be seen', async () => {
  const ids = effectiveIds();
  write(pinned('a', ids.get('api-a') ?? ''), 'drift: correct\n');
  assert.match((await edict(['apply'], folder)).stdout, /^In sync/);
  emulator.state.changeManually('api-a', 'env-test', 'offline');
  emulator.state.changeManually('api-a', 'env-test', 'online');
  emulator.faults.add(refusedVersions);
  const refused = await edict(['apply', '--refresh'], folder);
  assert.equal([refused.code, calls()], [4, 0], refused.stdout);
  assert.match(refused.stdout, 'its effective version could not be read: APIG.1005 No permissions');
  emulator.faults.clear();
  await edict(['apply', '--refresh'], folder);
  assert.is(calls(), 1, 'it is another version, and the drift is corrected once it is seen');
});
test('what a person approves without seeing its version is switched once', async () => {
  write(pinned('a', effectiveIds().get('api-a') ?? ''));
  emulator.faults.add(refusedVersions);
  const [, digest = ''] = /edict approve ([0-9a-f]{12})/.exec((await edict(['apply'], folder)).stdout) ?? [];
  assert.is((await edict(['approve', digest, '--by', 'ada', '--reason', 'r'], folder)).code, 0);
  assert.equal([(await edict(['apply'], folder)).code, calls()], [0, 1]);
  assert.equal([(await edict(['apply', '--refresh'], folder)).code, calls()], [0, 1]);
});
test('the versions of many pinned publications are read at first contact, and none is switched', async () => {
  await emulator.close();
  const many = Array.from({ length: 45 }, (_, index) => `p${index}`);
  emulator = await startEmulator({
    seed: { ...seedOf(...many), publications: many.map((name) => ({ api: `api-${name}`, environment: 'env-test' })) },
  });
  const ids = effectiveIds();
  write(many.map((name) => pinned(name, ids.get(`api-${name}`) ?? '')).join(''));
  const applied = await edict(['apply'], folder);
  assert.equal([applied.code, calls()], [0, 0], applied.stdout);
  assert.match(applied.stdout, /^In sync\. 45 publications match the file/);
});
test('of many APIs that are gone none counts as unchanged', async () => {
  await emulator.close();
  const many = Array.from({ length: 45 }, (_, index) => `p${index}`);
  const others = Array.from({ length: 400 }, (_, index) => `o${index}`);
  emulator = await startEmulator({
    seed: { ...seedOf(...many, ...others), publications: many.map((name) => ({ api: `api-${name}`, environment: 'env-test' })) },
  });
  write(many.map((name) => `  ${name}: { id: api-${name}, environments: { test: online } }\n`).join(''), 'drift: correct\n');
  await edict(['apply'], folder);
  for (const name of many) await fetch(`${emulator.url}/_emulator/apis/api-${name}`, { method: 'DELETE' });
  const planned = await edict(['plan', '--refresh'], folder);
  assert.match(planned.stdout, /^45 drifted, 0 unchanged\./);
  assert.match(planned.stdout, 'the gateway no longer lists API api-p0');
  assert.is((await edict(['apply', '--refresh'], folder)).code, 0);
  assert.match((await edict(['status'], folder)).stdout, /^45 drifted, 0 unchanged\.(.|\n)*the gateway no longer lists its API/);
  assert.is(calls(), 0);
});
test('an attempt whose outcome nobody can see is unknown in every command, and the counts add up', async () => {
  write(all, '', '1ms');
  assert.is((await edict(['apply'], folder)).code, 0);
  write(`${all}  d: { id: api-d, environments: { test: online } }\n`, '', '1ms');
  emulator.faults.add({ kind: 'cut', applied: true, share: 1, operation: 'changePublication' });
  emulator.faults.add(refusedVersions);
  const first = await edict(['apply', '--format', 'json'], folder);
  const counts = JSON.parse(first.stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, number>;
  const { online, offline, unchanged, settling, held, deferred, failed, unknown, drifted, unsent } = counts;
  assert.equal(
    { online, offline, unchanged, settling, held, deferred, failed, unknown, drifted, unsent },
    {
      ...{ online: 0, offline: 0, unchanged: 6, settling: 0, held: 0, deferred: 0, failed: 0, unknown: 1, drifted: 0, unsent: 0 },
    },
  );
  assert.is(first.code, 5);
  for (const [args, code] of [
    [['apply'], 5],
    [['plan', '--detailed-exitcode'], 2],
    [['status'], 0],
  ] as const) {
    const shown = await edict(args, folder);
    assert.is(shown.code, code, args.join(' '));
    assert.match(shown.stdout, /^1 unknown, 6 unchanged\./, args.join(' '));
    assert.not.match(shown.stdout + shown.stderr, /held|Goes online/, args.join(' '));
  }
  assert.match((await edict(['apply'], folder)).stderr, 'reconciliation finished with failures: 1 unknown, 6 unchanged');
});
test('status --refresh shows what is at the gateway now, calls nothing and writes nothing', async () => {
  write(all);
  await edict(['apply'], folder);
  await sleep(400);
  emulator.state.changeManually('api-b', 'env-release', 'offline');
  emulator.requests.clear();
  assert.match((await edict(['status'], folder)).stdout, /^In sync/);
  assert.equal(emulator.requests.all(), [], 'without it, nothing is asked');
  const shown = await edict(['status', '--refresh'], folder);
  assert.equal([shown.code, calls()], [0, 0]);
  assert.match(shown.stdout, /^1 drifted, 5 unchanged\.\n/);
  assert.match(shown.stdout, /b +release +online +offline/);
  assert.match((await edict(['explain', 'b', 'release', '--refresh'], folder)).stdout, 'taken offline outside edict');
  assert.match((await edict(['status'], folder)).stdout, /^In sync/, 'the record is as before');
  emulator.faults.add({ status: 403, errorCode: 'APIG.1005', errorMsg: 'No permissions', share: 1, operation: 'listApis' });
  const refused = await edict(['status', '--refresh'], folder);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, 'the gateway cannot be observed: APIG.1005 No permissions');
});
test.run();
