import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../src/cli/program.ts';
import { testContext } from '../support/streams.ts';

async function run(...args: string[]) {
  const { context, stdout, stderr } = testContext({});
  return { code: await runCli(args, context), stdout: stdout(), stderr: stderr() };
}

test('help goes to stdout', async () => {
  const { code, stdout } = await run('--help');
  assert.is(code, 0);
  for (const command of ['validate', 'plan', 'apply', 'run', 'status', 'history', 'import', 'emulate', 'schema'])
    assert.match(stdout, command);
});

const userErrors: readonly [string, readonly string[], RegExp][] = [
  ['an unknown command', ['aply'], /Did you mean apply\?/],
  ['an unknown option', ['plan', '--fromat', 'json'], /Did you mean --format\?/],
  ['an unknown format', ['plan', '--format', 'xml'], /Allowed choices are text, json, markdown/],
  ['a limit that is not a number', ['history', '--limit', 'many'], /expected a whole number/],
  ['a duration without a unit', ['run', '--debounce', '5'], /--debounce 5 is not a duration/],
  ['an unknown kind of store', ['status', 'examples/quickstart/edict.yaml', '--state', 'mysql:x'], /not an address of a store/],
  ['targets for the daemon', ['run', '--api', 'orders'], /unknown option '--api'/],
  [
    'a target that matches nothing',
    ['plan', 'examples/quickstart/edict.yaml', '--api', 'oders', '--api', 'pay*'],
    /"oders" .*\n {2}nearest to "oders": orders,/,
  ],
  ['a saved plan and targets', ['apply', '--plan', 'p', '--api', 'orders'], /'--plan <file>' cannot be used with option '--api <pattern>'/],
  ['a missing saved plan', ['apply', '--plan', 'nowhere.plan'], /the saved plan nowhere\.plan does not exist/],
  ['a saved plan without a name', ['apply', '--plan', ''], /the saved plan {2}does not exist/],
  ['too many arguments', ['plan', 'a', 'b'], /too many arguments/],
];
for (const [name, args, expected] of userErrors) {
  test(`${name} is exit code 1, with a message on stderr and no stack`, async () => {
    const { code, stdout, stderr } = await run(...args);
    assert.is(code, 1);
    assert.is(stdout, '');
    assert.match(stderr, expected);
    assert.not.match(stderr, /\n\s+at /);
  });
}

test('a command in a folder that was removed is an error without a stack, and help and version work', async () => {
  const before = process.cwd();
  const removed = mkdtempSync(join(tmpdir(), 'edict-removed-'));
  process.chdir(removed);
  rmdirSync(removed);
  try {
    for (const command of ['validate', 'plan', 'apply', 'run', 'status', 'history', 'import', 'wait']) {
      const { code, stderr } = await run(command);
      assert.is(code, 1, command);
      assert.match(stderr, /^edict: the working directory does not exist any more\n {2}change to a folder/, command);
    }
    assert.is((await run('--version')).code, 0);
    assert.is((await run('plan', '--help')).code, 0);
  } finally {
    process.chdir(before);
  }
});

test('a password in an invalid store URL is not shown', async () => {
  const { stderr } = await run('status', 'examples/quickstart/edict.yaml', '--state', 'mysql://me:secret@host/db');
  assert.not.match(stderr, 'secret');
});

test('in JSON an error is one document on stdout', async () => {
  const { code, stdout } = await run('plan', 'nowhere.yaml', '--format=json');
  assert.is(code, 3);
  assert.is((JSON.parse(stdout) as { error: { code: string } }).error.code, 'FILE_NOT_FOUND');
});

test.run();
