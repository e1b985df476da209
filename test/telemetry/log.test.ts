import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder, startEdict, until } from '../support/edict-process.ts';

/** Applies one valid and, with `broken`, one invalid publication and returns the lines of its log. */
async function logOf(...args: string[]): Promise<Record<string, unknown>[]> {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', { orders: 'online' }));
  const { stderr } = await edict(['apply', '--emulate', '--log-format', 'json', ...args], folder);
  return stderr
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('the commands in a hint name the file and the store of the daemon', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'shop.yaml'), 'edict: 2\n');
  const daemon = startEdict(['run', 'shop.yaml', '--emulate', '--log-format', 'json', '--state', 'sqlite:shop.db'], folder);
  await until('it has reported the error', () => daemon.events('file:invalid').length > 0);
  daemon.child.kill('SIGTERM');
  await daemon.finished;
  const { errors } = daemon.events('file:invalid')[0] as { readonly errors: readonly { readonly hint: string }[] };
  assert.is(errors[0]?.hint, '`edict validate shop.yaml` shows the cause');
});

test('every event is a line with its name, a time and its fields', async () => {
  const lines = await logOf('--log-level', 'debug');
  assert.equal(
    lines.map((line) => line['event']),
    ['file:loaded', 'reconcile:started', 'plan:computed', 'attempt:started', 'attempt:finished', 'reconcile:finished'],
  );
  for (const line of lines) assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT.*Z$/);
  const attemptFinished = lines[4] ?? {};
  assert.equal(
    [
      attemptFinished['api'],
      attemptFinished['apiId'],
      attemptFinished['environment'],
      attemptFinished['action'],
      attemptFinished['reason'],
      attemptFinished['outcome'],
    ],
    ['orders', 'api-orders', 'test', 'online', 'new', 'succeeded'],
  );
  assert.is(new Set(lines.slice(1).map((line) => line['reconcileId'])).size, 1);
});

test('the level filters lower ones', async () => {
  assert.equal(
    (await logOf('--log-level', 'info')).map((line) => line['event']),
    ['file:loaded', 'plan:computed', 'attempt:finished', 'reconcile:finished'],
  );
  assert.equal(await logOf('--log-level', 'silent'), []);
});

test('the environment variables set level and format', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', { orders: 'online' }));
  const { stderr } = await startEdict(['apply', '--emulate'], folder, { EDICT_LOG_LEVEL: 'silent' }).finished;
  assert.is(stderr, '');
});

test.run();
