import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { edict } from '../support/edict-command.ts';
import { scratchFolder, seedOf } from '../support/edict-process.ts';

/*
 * The whole output of `plan`, `apply` and `status` in the situations that people meet most. The first line alone must tell the truth.
 */
const test = suite('first lines');
let emulator: Emulator;
let folder: string;

test.before.each(async () => {
  const publications = ['orders', 'carts', 'users'].map((name) => ({ api: `api-${name}`, environment: 'env-test' }));
  emulator = await startEmulator({ seed: { ...seedOf('orders', 'carts', 'users', 'stock'), publications } });
  folder = scratchFolder();
  write({ orders: 'online', carts: 'online' });
});
test.after.each(() => emulator.close());

function write(states: Readonly<Record<string, string>>, more = ''): void {
  const apis = Object.entries(states).map(([name, state]) => `  ${name}: { id: api-${name}, environments: { test: ${state} } }\n`);
  const gateway = `gateway: { endpoint: "${emulator.url}", project: project, instance: instance, propagationDelay: 1ms }\n`;
  const environments = 'environments: { test: { id: env-test, protected: true } }\n';
  writeFileSync(join(folder, 'edict.yaml'), `edict: 1\n${gateway}${environments}${more}apis:\n${apis.join('')}`);
}

/** Returns the exit code and stdout, or else stderr, with what differs from run to run replaced. */
async function output(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await edict(args, folder);
  const text = (stdout === '' ? stderr : stdout)
    .replaceAll(emulator.url, 'URL')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, 'TIME')
    .replaceAll(/approve [0-9a-f]{12}/g, 'approve DIGEST')
    .replaceAll(/sha256:[0-9a-f]{64}/g, 'DIGEST');
  return `exit ${code}\n${text}`;
}

const adopted = 'exit 0\nIn sync (1 unmanaged). 2 publications match the file.\n';
const unmanaged = '\nUnmanaged: online at the gateway, not in the file (1)\n  · users  test\n';

test('adopted, then nothing to do, with an unmanaged publication', async () => {
  const adoption = '2 publications adopted from the gateway without a call; they are taken to have their declared revisions.\n';
  assert.is(await output('plan'), `${adopted}\n${adoption}${unmanaged}`);
  assert.is(await output('apply'), `${adopted.trimEnd()} Nothing was sent.\n${adoption}`);
  assert.is(await output('plan'), `${adopted}${unmanaged}`);
  assert.is(await output('plan', '--detailed-exitcode'), `${adopted}${unmanaged}`);
  assert.is(await output('status'), `${adopted}\nAPI     test\norders  ✓ online\ncarts   ✓ online\n${unmanaged}`);
});

test('an unmanaged publication alone', async () => {
  await edict(['apply'], folder);
  for (const command of ['status', 'plan']) {
    const shown = await output(command, '--api', 'users');
    assert.match(shown, /^exit 0\nNo changes in what is selected \(1 unmanaged\)\. 0 publications match the file\./);
    assert.ok(shown.endsWith(unmanaged), shown);
  }
});

test('drift', async () => {
  await edict(['apply'], folder);
  emulator.state.changeManually('api-orders', 'env-test', 'offline');
  assert.is(
    await output('plan', '--refresh', '--detailed-exitcode'),
    `exit 2
1 drifted, 1 unmanaged, 1 unchanged.

Observed at the gateway, no calls are made (1)
  ~ orders  test  taken offline outside edict after it was published at TIME, observed at TIME; \`drift: correct\` would correct it
${unmanaged}`,
  );
});

test('drift says when the gateway published it, not when it was adopted', async () => {
  await sleep(2100);
  await edict(['apply'], folder);
  const { recorded } = JSON.parse((await edict(['explain', 'orders', 'test', '--format', 'json'], folder)).stdout);
  assert.ok(Date.parse(recorded.recordedAt) - Date.parse(recorded.publishedAt) >= 1000, 'it was adopted later than it was published');
  emulator.state.changeManually('api-orders', 'env-test', 'offline');
  assert.match(
    (await edict(['plan', '--refresh'], folder)).stdout,
    `taken offline outside edict after it was published at ${recorded.publishedAt}, `,
  );
  await edict(['apply', '--refresh'], folder);
  const drifted = JSON.parse((await edict(['explain', 'orders', 'test', '--format', 'json'], folder)).stdout).recorded;
  assert.equal([drifted.publishedAt, drifted.drift.since], [recorded.publishedAt, recorded.publishedAt]);
});

test('a record that is older than `refresh` is looked at again, and if that fails the first line says so', async () => {
  write({ orders: 'online', carts: 'online' }, 'refresh: 2s\n');
  await edict(['apply'], folder);
  emulator.state.changeManually('api-orders', 'env-test', 'offline');
  await sleep(2100);
  assert.match(await output('plan'), /^exit 0\n1 drifted, 1 unmanaged, 1 unchanged\.\n/);
  assert.match(await output('apply'), /^exit 0\n1 drifted, 1 unmanaged, 1 unchanged\. Nothing was sent\.\n/);
  await sleep(2100);
  emulator.faults.add({ status: 403, errorCode: 'APIG.1005', errorMsg: 'No permissions', share: 1, operation: 'listApis' });
  for (const command of ['plan', 'apply', 'status'])
    assert.match(await output(command), /^exit 0\n1 drifted, 1 unmanaged, 1 unchanged; gateway not checked since TIME\./, command);
  assert.match((await edict(['apply'], folder)).stderr, 'APIG.1005 No permissions');
  emulator.faults.clear();
  assert.match((await edict(['plan'], folder, {})).stdout, /^1 drifted, .*; gateway not checked since /, 'without credentials');
});

test('changes, and a publication that leaves the file', async () => {
  await edict(['apply'], folder);
  write({ orders: 'online', stock: 'online' }, 'guards: { maxRemoved: 100% }\n');
  assert.is(
    await output('plan'),
    `exit 0
1 going online, 2 unmanaged, 1 unchanged.
Gateway URL, instance instance

Goes online (1)
  + stock  test  new: edict has not published it yet  edict.yaml:7

Unmanaged: online at the gateway, not in the file (2); 1 publication becomes unmanaged, and stays online
  · carts  test
  · users  test

1 going online, 2 unmanaged, 1 unchanged.
1 call, about 0 s at 10 calls/s.
Digest DIGEST
`,
  );
});

test('what is declared offline and was unmanaged is not in sync', async () => {
  await edict(['apply'], folder);
  write({ orders: 'online', carts: 'online', users: 'offline' });
  assert.match(await output('plan', '--detailed-exitcode'), /^exit 2\n1 drifted, 2 unchanged\.\n/);
  assert.match(await output('apply'), /^exit 0\n1 drifted, 2 unchanged\. Nothing was sent\.\n/);
});

test('held', async () => {
  await edict(['apply'], folder);
  write({ orders: 'offline', carts: 'online' });
  assert.is(
    await output('plan', '--detailed-exitcode'),
    `exit 4
1 held, 1 unmanaged, 1 unchanged.
Gateway URL, instance instance

Held for approval (1)
  ! orders  test  offline: environment test is protected: nothing goes offline there  edict.yaml:5

Unmanaged: online at the gateway, not in the file (1)
  · users  test

1 held, 1 unmanaged, 1 unchanged.
0 calls, about 0 s at 10 calls/s.
Before you approve: check that it is intended.
To approve: edict approve DIGEST --by NAME --reason TEXT
Digest DIGEST
`,
  );
});

test('a gateway that was never checked', async () => {
  const looksFirst = 'online only if it is not online there already; the gateway is checked first';
  assert.is(
    await output('status'),
    `exit 0
The gateway was not checked yet: 2 unknown, 0 unchanged.

API     test
orders  ? unknown
carts   ? unknown

API     environment  desired  recorded  since  next
orders  test         online   -         -      ${looksFirst}
carts   test         online   -         -      ${looksFirst}

The next plan, apply or run checks the gateway first, and adopts without a call what is online there (--refresh checks now).
`,
  );
  const { publications, summary } = JSON.parse((await edict(['status', '--format', 'json'], folder)).stdout);
  assert.equal([publications[0].status, publications[0].message, summary.unknown, summary.online], ['unknown', looksFirst, 2, 0]);
  const explained = await output('explain', 'orders', 'test');
  assert.match(explained, /\nNext: goes online as a new version only if it is not online there already\n/);
  assert.match(explained, /\n {2}why +the gateway was not checked yet\n/);
  assert.match(explained, /\n {2}to do +check the gateway now, without a change: `edict explain orders test --refresh`\n/);
  assert.match(await output('explain', 'orders', 'test', '--refresh'), /\nNext: no change; in sync\n/);
  assert.match(await output('status', '--refresh'), /^exit 0\nIn sync \(1 unmanaged\)\./);
});

test('a gateway that was never checked, while it is suspended', async () => {
  await edict(['suspend', '--reason', 'first rollout'], folder);
  const status = await output('status');
  assert.match(status, '2 unknown, 0 unchanged');
  assert.match(status, /\norders +\? unknown\n/);
});

test('what is new is not promised to go online before it was looked at, also at a gateway that is known', async () => {
  write({ orders: 'online', carts: 'online' }, 'refresh: 1s\n');
  await edict(['apply'], folder);
  write({ orders: 'online', carts: 'online', stock: 'online' }, 'refresh: 1s\n');
  await sleep(1100);
  const status = await output('status');
  assert.match(status, /^exit 0\n1 unknown, 1 unmanaged, 2 unchanged; gateway not checked since TIME\.\n/);
  const explained = await output('explain', 'stock', 'test');
  assert.match(explained, /\nNext: goes online as a new version only if it is not online there already\n/);
  assert.match(explained, /\n {2}why +the gateway was last checked at TIME\n/);
  const matching = await output('explain', 'orders', 'test');
  assert.match(matching, /\nNext: no change as far as is recorded; the gateway was last checked at TIME\n/);
  assert.match(matching, /\n {2}to do +check the gateway now, without a change: `edict explain orders test --refresh`\n/);
  assert.match(matching, /\nGateway: last checked at TIME \(just now\); the daemon checks it every 1 s \(--refresh checks it now\)\n/);
});

test('a gateway that cannot be reached', async () => {
  await emulator.close();
  assert.match(
    await output('plan'),
    /^exit 1\nedict: no recorded state at \S+; looking at the gateway\nedict: the gateway cannot be observed: CONNECTION_FAILED /,
  );
});

test('an invalid file', async () => {
  write({ orders: 'onlin' });
  assert.match(await output('plan'), /^exit 3\nedict\.yaml:5:\d+ {2}"onlin" is not allowed/);
});

test('without a plan the comment on a pull request says why', async () => {
  const markdown = (text: string): string => `<!-- edict plan edict.yaml -->\n### edict: no plan: ${text}\n`;
  write({ orders: 'onlin' });
  assert.is(
    await output('plan', '--format', 'markdown'),
    `exit 3\n${markdown(
      `edict.yaml has 1 error.

No changes are made until the file is fixed.

**Errors** (1 error)

| where | what |
|---|---|
| \`edict.yaml:5:51\` | "onlin" is not allowed for &#96;apis.orders.environments.test&#96;; expected online or offline; did you mean &#96;online&#96;? |`,
    )}`,
  );
  write({ orders: 'online' });
  await emulator.close();
  assert.match(
    await output('plan', '--format', 'markdown'),
    /^exit 1\n<!-- edict plan edict\.yaml -->\n### edict: no plan: the gateway cannot be observed: CONNECTION/,
  );
});

test('the status of an invalid file does not say that anything matches it', async () => {
  write({ orders: 'online', carts: 'online' });
  await edict(['apply'], folder);
  write({ orders: 'onlin' });
  const { publications } = JSON.parse((await edict(['status', '--format', 'json'], folder)).stdout);
  const shown = publications.map(({ api, status, message, desired }: Record<string, unknown>) => [api, status, message, desired]);
  const unknown = 'the desired state is unknown until the file is fixed';
  assert.equal(shown, [
    ['carts', 'unknown', unknown, null],
    ['orders', 'unknown', unknown, null],
    ['users', 'unmanaged', 'not in the file, left as it is', null],
  ]);
  assert.match(await output('status'), /\n\nAPI {5}test\ncarts {3}\? online\norders {2}\? online\n\nUnmanaged/);
});

test.run();
