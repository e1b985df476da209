import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { edict } from '../support/edict-command.ts';
import { type Finished, fileOf, killStarted, type Running, scratchFolder, seedOf, startEdict, until } from '../support/edict-process.ts';
import { eventually } from '../support/eventually.ts';
import { recordEmptyGatewayIn } from '../support/observed-gateway.ts';
import { storeContent } from '../support/store-content.ts';

/*
 * `edict explain` for every state of a publication. Where no daemon runs, each call is checked
 * to have sent nothing and to have left the store unchanged.
 */

const test = suite('explain');
const apis = ['orders', 'carts', 'stock', 'bills', 'mails'];
const allOnline = Object.fromEntries(apis.map((api) => [api, 'online']));
let emulator: Emulator;
let folder: string;
let daemon: Running | null = null;

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf(...apis) });
  folder = scratchFolder();
  await recordEmptyGatewayIn(folder, emulator.url);
});

test.after.each(async () => {
  await killStarted();
  daemon = null;
  await emulator.close();
});

/** Writes the file: all APIs are online in `test` except as `states` says; `edit` changes its text. */
function write(states: Readonly<Record<string, string>>, edit = (text: string): string => text): void {
  writeFileSync(join(folder, 'edict.yaml'), edit(`${fileOf(emulator.url, { ...allOnline, ...states })}refresh: never\n`));
}

const withGuards = (text: string): string => text.replace(/guards:.*\n/, '');
const withProtection = (text: string): string => text.replace('test: env-test', 'test: { id: env-test, protected: true }');

async function done(...args: readonly string[]): Promise<Finished> {
  const finished = await edict(args, folder);
  assert.is(finished.code, 0, finished.stderr);
  return finished;
}

/** Starts the daemon and resolves when it has made its first plan. */
async function startDaemon(): Promise<Running> {
  const started = startEdict(['run', '--log-format', 'json', '--log-level', 'debug'], folder);
  daemon = started;
  await until('the daemon has planned', () => started.events('plan:computed').length > 0);
  return started;
}

interface ExplainOutput {
  readonly text: string;
  readonly next: {
    readonly kind: string;
    readonly when: string | null;
    readonly command: string | null;
    readonly held: { rule: string } | null;
  };
  readonly recorded: { readonly state: string | null; readonly unknownAttempt: unknown } | null;
  readonly attempts: readonly { readonly outcome: string | null; readonly code: string | null }[];
}

/** Explain must not change these while nothing else runs: the number of requests, and the store. */
function untouched(): unknown {
  if (daemon) return null;
  return [emulator.requests.all().length, storeContent(join(folder, '.edict', 'state.db'))];
}

/** Explains one publication as text and as JSON, without credentials. */
async function explain(api = 'orders', environment = 'test'): Promise<ExplainOutput> {
  const before = untouched();
  const text = await edict(['explain', api, environment], folder, {});
  const json = await edict(['explain', api, environment, '--format', 'json'], folder, {});
  assert.equal([text.code, text.stderr, json.code, json.stderr], [0, '', 0, '']);
  assert.equal(untouched(), before);
  return { ...(JSON.parse(json.stdout) as Omit<ExplainOutput, 'text'>), text: text.stdout };
}

test('from new over in sync to failed, by a fault of the emulator', async () => {
  write({});
  const line = readFileSync(join(folder, 'edict.yaml'), 'utf8').split('\n')[5] ?? '';
  const fresh = await explain();
  assert.equal([fresh.next.kind, fresh.recorded, fresh.attempts], ['pending', null, []]);
  assert.match(fresh.text, `File: online  edict.yaml:6:45\n  6 | ${line}\n`);
  assert.match(fresh.text, 'Next: goes online as a new version\n');
  assert.is(fresh.next.command, 'edict apply --api orders --environment test');

  emulator.faults.add({ status: 404, errorCode: 'APIG.3002', errorMsg: 'no such API', times: 1, apiId: 'api-orders' });
  assert.is((await edict(['apply'], folder)).code, 5);
  const failed = await explain('api-orders', 'env-test');
  assert.equal([failed.next.kind, failed.attempts[0]?.outcome, failed.attempts[0]?.code], ['failed', 'rejected', 'APIG.3002']);
  assert.match(failed.text, /rejected +APIG\.3002 no such API\n/);

  assert.is((await edict((fresh.next.command ?? '').split(' ').slice(1), folder)).code, 0);
  const synced = await explain();
  assert.equal([synced.next.kind, synced.next.when, synced.next.command], ['unchanged', null, null]);
  assert.equal(
    synced.attempts.map(({ outcome }) => outcome),
    ['succeeded', 'rejected'],
  );
  assert.match(synced.text, 'Next: no change; in sync\n');
});

test('while a daemon has the store open: shows which changes it retries, and which it does not', async () => {
  emulator.faults.add({ status: 409, errorCode: 'APIC.7701', errorMsg: 'busy', share: 1, apiId: 'api-orders' });
  emulator.faults.add({ status: 404, errorCode: 'APIG.3002', errorMsg: 'no such API', share: 1, apiId: 'api-carts' });
  write({});
  const { events, child } = await startDaemon();
  await until('both failed', () => new Set(events('attempt:finished').map(({ api, outcome }) => `${api} ${outcome}`)).size >= 5);
  const again = await explain('orders');
  assert.is(again.next.kind, 'failed');
  assert.match(again.text, 'Next: going online failed and is retried\n');
  assert.match(again.next.when ?? '', /^automatically, at most 5 min after the last attempt/);
  assert.match(again.text, new RegExp(`daemon +Running .*pid ${child.pid},`));
  const never = await explain('carts');
  assert.match(never.text, 'Next: going online failed and is not retried automatically\n');
  assert.match(never.next.when ?? '', `kill -HUP ${child.pid}`);
});

test('held: the rule, and a command that approves it and can be pasted as it is', async () => {
  write({});
  await done('apply');
  write({ orders: 'offline' }, withProtection);
  const kept = await explain();
  assert.equal([kept.next.kind, kept.next.held?.rule], ['held', 'protected']);
  assert.match(kept.text, 'Next: held: going offline needs an approval (rule `protected`)\n');

  write({ orders: 'offline', carts: 'offline', stock: 'offline' }, withGuards);
  const { next, text } = await explain();
  assert.equal([next.kind, next.held?.rule], ['held', 'maxOffline']);
  assert.match(text, '3 of 5 would go offline at once, and guards.maxOffline allows 1');
  assert.match(text, `command     ${next.command}\n`);
  const command = (next.command ?? '').replace('NAME', 'ada').replace('TEXT', 'CHG-7').split(' ').slice(1);
  await done(...command);
  assert.is((await explain()).next.kind, 'pending');
  await done('apply');
  assert.equal([(await explain()).next.kind, (await explain()).recorded?.state], ['unchanged', 'offline']);
});

test('while the whole file is held, the next step of a declared publication and of a missing one says so', async () => {
  write({});
  await done('apply');
  writeFileSync(join(folder, 'edict.yaml'), withGuards(fileOf(emulator.url, { orders: 'online' })));
  const there = await explain('orders');
  assert.match(there.text, 'Next: no change; in sync; the whole file is held\n');
  assert.match(there.next.command ?? '', /^edict approve [0-9a-f]{12} /);
  const lost = await explain('carts');
  assert.match(lost.text, 'File: not declared\n');
  assert.match(lost.text, 'the file no longer declares 4 of the 5 publications');
});

test('drifted and outdated, after an observation', async () => {
  write({});
  await done('apply');
  await sleep(400); // Changes by edict within `gateway.propagationDelay`, 300 ms here, are not judged.
  emulator.state.changeManually('api-orders', 'env-test', 'offline');
  emulator.state.catalog.updateApi('api-carts', { editedAt: new Date(Date.now() + 60_000).toISOString() });
  assert.is((await explain()).next.kind, 'unchanged', 'nothing was observed');
  await done('apply', '--refresh');
  const drifted = await explain('orders');
  assert.equal([drifted.next.kind, drifted.recorded?.state], ['drifted', 'offline']);
  assert.match(drifted.text, /drift +taken offline outside edict after it was published at /);
  assert.match(drifted.text, 'Next: no change; the drift is only reported\n');
  const stale = await explain('carts');
  assert.is(stale.next.kind, 'outdated');
  assert.match(stale.text, 'Next: no change; an older draft is online\n');
  write({ orders: '{ state: online, drift: correct }' });
  assert.is((await explain('orders')).next.kind, 'pending');
});

test('unknown outcome: in flight while the daemon runs, unknown once it was killed', async () => {
  emulator.faults.add({ kind: 'hang', times: 1, apiId: 'api-orders' });
  write({});
  const { child, finished } = await startDaemon();
  await until('the call hangs', () => emulator.requests.all().some(({ fault }) => fault === 'hang'));
  const going = await explain();
  assert.equal([going.next.kind, going.attempts[0]?.outcome], ['unknown', null]);
  assert.match(going.text, /^Next: attempt \d+ \(online\) is in flight$/m);
  child.kill('SIGKILL');
  await finished;
  daemon = null;
  const unknown = await explain();
  assert.ok(unknown.recorded?.unknownAttempt);
  assert.match(unknown.text, /^Next: checks first whether attempt \d+ \(online\) took effect; if not, goes online$/m);
  assert.match(unknown.next.when ?? '', `pid ${child.pid}, which last wrote the record, is not running on this host`);
  await sleep(400); // As above: only then does the list show that the call did not take effect.
  await done(...(unknown.next.command ?? '').split(' ').slice(1));
  assert.is((await explain()).next.kind, 'unchanged');
});

test('in a freeze: the reason, and when it ends', async () => {
  write({}, (text) => text.replace('apis:', 'freeze: [{ name: launch, from: "2020-01-01T00:00:00Z", to: "2999-01-01T00:00:00Z" }]\napis:'));
  const { text, next } = await explain();
  assert.is(next.kind, 'deferred');
  assert.match(text, 'Next: goes online later: frozen (launch)\n');
  assert.match(text, 'from 2999-01-01T00:00:00Z on');
});

test('paused requests are reported, with how they resume', async () => {
  emulator.faults.add({ status: 401, errorCode: 'APIG.1002', errorMsg: 'the token is not valid', share: 1, operation: '*' });
  write({});
  const { events } = await startDaemon();
  await until('requests are paused', () => events('requests:paused').length > 0);
  // The daemon writes its status a little after the event.
  await eventually(async () => (await explain()).next.when?.includes('on SIGHUP') ?? false, 60_000, 'the pause is in the store');
  const { next, text } = await explain();
  assert.match(next.when ?? '', 'they resume when the credentials change, or on SIGHUP');
  assert.match(text, /daemon +No calls since /);
});

test('an unknown publication is an error with similar names', async () => {
  write({});
  const { code, stdout, stderr } = await edict(['explain', 'ordres', 'tset'], folder);
  assert.equal([code, stdout], [1, '']);
  assert.match(stderr, 'nearest to "ordres": orders');
  assert.match(stderr, 'nearest to "tset": test');
});

test.run();
