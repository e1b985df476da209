import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmulator } from '../../../src/emulator/emulator.ts';
import { edict } from '../../support/edict-command.ts';
import { fileOf, scratchFolder, seedOf } from '../../support/edict-process.ts';

const offline = 'https://roma.example.com';

test('explains a publication by name or ID without asking the gateway', async () => {
  const emulator = await startEmulator({ seed: seedOf('orders') });
  const folder = scratchFolder();
  const write = (state: string): void => writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, { orders: state }));
  write('{ state: online, revision: r1 }');
  emulator.faults.add({ status: 404, errorCode: 'APIG.3002', errorMsg: 'no such API', times: 1 });
  await edict(['apply'], folder);
  const before = emulator.requests.since(0).length;
  const failed = await edict(['explain', 'orders', 'test'], folder, {});
  assert.equal([failed.code, failed.stderr], [0, '']);
  assert.match(failed.stdout, /^File: online {2}edict\.yaml:6:\d+\n {2}6 \| .*revision: r1/m);
  assert.match(failed.stdout, /rejected +APIG\.3002 no such API\n +request \w+\n/);
  assert.match(failed.stdout, /^Next: going online failed and is retried$/m);
  assert.match(failed.stdout, "to do       check the API's id in the file");
  assert.is(emulator.requests.since(0).length, before);

  await edict(['apply'], folder);
  emulator.state.changeManually('api-orders', 'env-test', 'offline');
  assert.match((await edict(['explain', 'api-orders', 'env-test', 'edict.yaml'], folder)).stdout, 'Next: no change; in sync');
  await emulator.close();
});

test('--refresh only reads from the gateway, and the plan starts from the observed state', async () => {
  const emulator = await startEmulator({ seed: seedOf('orders') });
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, { orders: 'online' }).replace('300ms', '1ms'));
  await edict(['apply'], folder);
  emulator.state.changeManually('api-orders', 'env-test', 'offline');
  const before = emulator.requests.since(0).length;
  const seen = await edict(['explain', 'orders', 'test', '--refresh', '--format', 'json'], folder);
  const { recorded, observed, next } = JSON.parse(seen.stdout) as Record<string, { state: string; kind: string }>;
  assert.equal([recorded?.state, observed?.kind, observed?.state, next?.kind], ['online', 'observed', 'offline', 'drifted']);
  const operations = emulator.requests.since(before).map(({ operation }) => operation);
  assert.equal([...new Set(operations)].sort(), ['listApis', 'listVersions']);
  await emulator.close();

  const away = await edict(['explain', 'orders', 'test', '--refresh'], folder);
  assert.is(away.code, 0);
  assert.match(away.stdout, /^Gateway: cannot be observed.*\n {2}why +CONNECTION_FAILED/m);
});

test('a publication that is only recorded is explained, and an unknown one is an error', async () => {
  const folder = scratchFolder();
  const write = (states: Readonly<Record<string, string>>): void => writeFileSync(join(folder, 'edict.yaml'), fileOf(offline, states));
  write({ orders: 'online', carts: 'online' });
  await edict(['apply', '--emulate'], folder);
  write({ orders: 'online' });
  const left = await edict(['explain', 'carts', 'test', '--emulate'], folder);
  assert.is(left.code, 0);
  assert.match(left.stdout, 'File: not declared');
  assert.match(left.stdout, '`prune` is false');
  const unknown = await edict(['explain', 'ordres', 'test', '--emulate'], folder);
  assert.equal([unknown.code, unknown.stdout], [1, '']);
  assert.match(unknown.stderr, 'neither the file nor the record has API ordres in environment test\n  nearest to "ordres": orders, ');
});

test('an unresolved ID is not shown', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf(offline, { orders: 'online' }).replace('id: api-orders, ', ''));
  assert.match((await edict(['explain', 'orders', 'test'], folder)).stdout, 'API not resolved yet, environment env-test');
});

test('an invalid file does not hide what the store knows, and the errors come first', async () => {
  const folder = scratchFolder();
  const valid = fileOf('https://roma.example.com', { orders: 'online' });
  writeFileSync(join(folder, 'edict.yaml'), valid);
  await edict(['apply', '--emulate'], folder);
  writeFileSync(join(folder, 'edict.yaml'), valid.replace('online', 'onlin'));
  const { code, stdout, stderr } = await edict(['explain', 'orders', 'test', '--emulate'], folder);
  assert.is(code, 3);
  assert.match(stderr, '"onlin" is not allowed');
  assert.match(
    stdout,
    /^orders in test\nAPI api-orders, environment env-test\nEmulated gateway in place of https:\/\/roma\.example\.com, instance instance\n\nFile: invalid; the last valid file declares it\n\nRecord: online\n/,
  );
  assert.match(
    stdout,
    /Attempts: newest first\n {2}1 .* online {2}new {2}succeeded\n\nNext: no change until the file is fixed\n {2}why +edict\.yaml has 1 error\n$/,
  );
  const json = await edict(['explain', 'orders', 'test', '--emulate', '--format', 'json'], folder);
  const { desired, recorded, errors } = JSON.parse(json.stdout) as Record<string, { state: string } | null>;
  assert.equal([json.code, desired, recorded?.state], [3, null, 'online']);
  assert.match(JSON.stringify(errors), 'is not allowed');
  const unknown = await edict(['explain', 'order', 'test', '--emulate'], folder);
  assert.is(unknown.code, 3);
  assert.match(unknown.stderr, '"onlin" is not allowed');
  assert.match(unknown.stderr, 'the record has no API order in environment test, and edict.yaml has 1 error\n  nearest to "order": orders');
});

test.run();
