import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../../src/cli/program.ts';
import { testContext } from '../../support/streams.ts';

test('`edict state` lists its commands, and each command has its options', async () => {
  const helpOf = async (...args: readonly string[]): Promise<string> => {
    const { context, stdout, stderr } = testContext({});
    await runCli(['state', ...args], context);
    return `${stdout()}${stderr()}`;
  };
  const commands = [...(await helpOf()).matchAll(/^ {2}([a-z]+) .*\S/gm)].map(([, name]) => name);
  assert.equal(commands, ['show', 'copy', 'rm', 'help']);
  for (const name of ['show', 'copy', 'rm']) {
    for (const option of ['--state', '--format']) assert.match(await helpOf(name, '--help'), option);
  }
});

test.run();
