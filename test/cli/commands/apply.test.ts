import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PassThrough } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../../src/cli/program.ts';
import { startEmulator } from '../../../src/emulator/emulator.ts';
import { edict } from '../../support/edict-command.ts';
import { fileOf, scratchFolder, seedOf, startEdict, until } from '../../support/edict-process.ts';
import { testContext } from '../../support/streams.ts';

test('without a terminal the log is pretty lines on stderr', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', { orders: 'online' }));
  const { stderr, stdout } = await startEdict(['apply', '--emulate'], folder).finished;
  assert.match(stderr, 'file loaded: 1 publication on an emulated gateway in place of https://roma.example.com, instance instance');
  assert.match(stderr, /INFO: \+ online {2}orders in test \(new, \d+ ms, version [0-9a-f]{32}\)/);
  assert.match(stdout, /^Applied in /);
});

test('with targets it makes the matching changes and counts the excluded ones', async () => {
  const folder = scratchFolder();
  const states = { 'shop-a': 'online', 'shop-b': 'online', users: 'online' };
  const file = fileOf('https://roma.example.com', states);
  writeFileSync(join(folder, 'edict.yaml'), `${file}prune: true\n`);
  const shop = await edict(['apply', '--emulate', '--api', 'shop-*', '--environment', 'test'], folder);
  assert.equal([shop.code, shop.stdout.includes('2 online, 0 offline, 0 unchanged.')], [0, true]);
  assert.match(shop.stdout, 'Only --api shop-*, --environment test: 1 change left out.');

  // The publication that left the file stays online: it is not targeted.
  writeFileSync(join(folder, 'edict.yaml'), `${fileOf('https://roma.example.com', { users: 'online' })}prune: true\n`);
  const shown = await edict(['apply', '--dry-run', '--emulate', '--api', 'users'], folder);
  assert.match(shown.stdout, '1 going online, 0 unchanged.\nOnly --api users: 2 changes left out.');
  const users = await edict(['apply', '--emulate', '--api', 'users', '--format', 'json'], folder);
  const summary = JSON.parse(users.stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, number>;
  assert.equal([summary['online'], summary['offline'], summary['failed'], summary['excluded']], [1, 0, 0, 2]);
  const again = await edict(['apply', '--emulate', '--api', 'users'], folder);
  assert.equal(
    again.stdout,
    'No changes in what is selected. 1 publication matches the file. Nothing was sent. Only --api users: 2 changes left out.\n',
  );
  const gone = await edict(['apply', '--emulate', '--api', 'shop-b'], folder);
  assert.match(gone.stdout, '0 online, 1 offline, 0 unchanged.');
});

test('an apply that SIGTERM interrupts counts the unsent changes and exits with 1', async () => {
  const folder = scratchFolder();
  const states = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`a${index}`, 'online']));
  writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', states, '{ calls: 1, per: 500ms }'));
  const running = startEdict(['apply', '--emulate'], folder);
  await until('the first call is made', () => running.output.stderr.includes('+ online'));
  running.child.kill('SIGTERM');
  const { code, stdout } = await running.finished;
  assert.is(code, 1);
  assert.match(stdout, /not sent/);
});

/** Runs `edict ARGS` in `folder` with a terminal on stdin and stderr, on which `n` is typed. */
async function onTerminal(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { context, stdout, stderr } = testContext({ HW_AUTH_TOKEN: 'token', NO_COLOR: '1', ...env });
  Object.assign(context.stdin, { isTTY: true });
  // Like the stderr of a process, it stays open after the prompt.
  Object.assign(context.stderr, { isTTY: true, end: () => context.stderr });
  let isFinished = false;
  const finished = runCli(args, { ...context, writeLog: (bytes) => bytes.length }).finally(() => {
    isFinished = true;
  });
  await until('it asks or ends', () => isFinished || stderr().includes('(y/N)'));
  (context.stdin as unknown as PassThrough).write('n\r');
  return { code: await finished, stdout: stdout(), stderr: stderr() };
}

test('a person on a terminal is asked, unless an option, the environment or a saved plan says what to do', async () => {
  const folder = scratchFolder();
  const file = join(folder, 'edict.yaml');
  const emulator = await startEmulator({ seed: seedOf('orders') });
  writeFileSync(file, fileOf(emulator.url, { orders: 'online' }).replace('refresh: never', 'refresh: 5m'));
  const calls = () => emulator.requests.all().filter(({ operation }) => operation === 'changePublication').length;
  try {
    const asked = await onTerminal(['apply', file]);
    assert.equal([asked.code, asked.stdout, calls()], [1, '', 0], asked.stderr);
    assert.match(asked.stderr, /1 going online[\s\S]*Apply this plan\?[\s\S]*Nothing was sent\.\n$/);
    const stored = ['--state', `sqlite:${join(folder, 'other.db')}`];
    const saved = join(folder, 'saved.plan');
    assert.is((await onTerminal(['plan', file, '--out', saved])).code, 0);
    const ways: readonly (readonly [readonly string[], Readonly<Record<string, string>>?])[] = [
      [['apply', file, '--yes', ...stored]],
      [['apply', file, '-y', ...stored]],
      [['run', file, '--once', ...stored]],
      [['apply', file, ...stored], { CI: 'true' }],
      [['apply', file, '--format', 'json', ...stored]],
      [['apply', file, '--plan', saved, ...stored]],
      [['apply', file, '--emulate', '--state', `sqlite:${join(folder, 'emulated.db')}`]],
      // The publication is online by now, so that there is nothing to ask.
      [['apply', file, ...stored]],
    ];
    for (const [args, env] of ways) {
      const done = await onTerminal(args, env);
      assert.not.match(done.stderr, 'Apply this plan?', args.join(' '));
      if (!args.includes('--plan')) assert.is(done.code, 0, `${args.join(' ')}: ${done.stderr}`);
    }
    assert.is(calls(), 1);
  } finally {
    await emulator.close();
  }
});

test.run();
