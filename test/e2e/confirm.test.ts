import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder, seedOf, until } from '../support/edict-process.ts';
import { closeTerminals, type OnTerminal, startOnTerminal } from '../support/terminal.ts';

/*
 * `apply` on a terminal shows the plan and asks. The emulator counts the calls.
 */

let emulator: Emulator;
let folder: string;

const write = (states: Readonly<Record<string, string>>): void =>
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, states).replace('refresh: never', 'refresh: 5m'));
const calls = () => emulator.requests.all().filter(({ operation }) => operation === 'changePublication');
const question = 'Apply this plan?';

/** Resolves when `text` is on the screen, after the question that was asked last was answered. */
const shows = (terminal: OnTerminal, text: string): Promise<void> =>
  until(`the screen shows ${text}`, () => terminal.screen().slice(answeredAt).includes(text));

let answeredAt = 0;
const answer = (terminal: OnTerminal, keys: string): void => {
  answeredAt = terminal.screen().length;
  terminal.type(keys);
};

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf('a', 'b') });
  folder = scratchFolder();
  answeredAt = 0;
  write({ a: 'online' });
});
test.after.each(async () => {
  closeTerminals();
  await emulator.close();
});

for (const [name, keys, code] of [
  ['no', 'n\r', 1],
  ['Enter alone', '\r', 1],
  ['Ctrl-D', '\u0004', 1],
  ['Ctrl-C', '\u0003', 130],
] as const) {
  test(`${name} makes no call, and apply exits with ${code}`, async () => {
    const terminal = startOnTerminal(['apply'], folder);
    await shows(terminal, question);
    assert.match(terminal.screen(), /Goes online \(1\)[\s\S]*a {2}test {2}new[\s\S]*1 going online, 0 unchanged/);
    answer(terminal, keys);
    assert.is(await terminal.finished, code, terminal.screen());
    assert.match(terminal.screen(), /nothing was sent/i);
    assert.is(calls().length, 0);
    assert.is((await edict(['status', '--format', 'json'], folder)).stdout.includes('"recorded": null'), true);
  });
}

test('yes applies, with a line for each change above the progress bar', async () => {
  write({ a: 'online', b: 'online' });
  const terminal = startOnTerminal(['apply'], folder);
  await shows(terminal, question);
  assert.is(calls().length, 0);
  answer(terminal, 'y\r');
  assert.is(await terminal.finished, 0, terminal.screen());
  assert.is(calls().length, 2);
  assert.match(terminal.screen(), /\+ online {3}a in test \(new, \d+ ms\)\r\n/);
  assert.match(terminal.screen(), /\+ online {3}b in test \(new, \d+ ms\)\r\n/);
  assert.match(terminal.screen(), /Applied in .*: 2 online, 0 offline, 0 unchanged\.\r\n$/);
});

test('a plan that the file has changed since it was shown is shown and asked again, without a call', async () => {
  const terminal = startOnTerminal(['apply'], folder);
  await shows(terminal, question);
  write({ b: 'online' });
  answer(terminal, 'y\r');
  await shows(terminal, 'The plan has changed since it was shown. Nothing was sent.');
  await shows(terminal, '1 going online');
  await shows(terminal, question);
  assert.is(calls().length, 0);
  answer(terminal, 'y\r');
  assert.is(await terminal.finished, 0, terminal.screen());
  assert.equal(
    calls().map(({ api }) => api),
    ['api-b'],
  );
});

test('a change that a person has made at the gateway since the plan was shown is not made again', async () => {
  write({ a: 'online', b: 'online' });
  const terminal = startOnTerminal(['apply'], folder);
  await shows(terminal, question);
  emulator.state.add({ ...seedOf(), publications: [{ api: 'api-a', environment: 'env-test' }] });
  answer(terminal, 'y\r');
  await shows(terminal, 'The plan has changed since it was shown. Nothing was sent.');
  await shows(terminal, '1 going online');
  await shows(terminal, question);
  assert.is(calls().length, 0);
  answer(terminal, 'n\r');
  assert.is(await terminal.finished, 1, terminal.screen());
  assert.is(calls().length, 0);
});

test('the reads for the question count towards the limit of the calls', async () => {
  const [per, limit] = [1500, 3];
  const file = fileOf(emulator.url, { a: 'online', b: 'online' }, `{ calls: ${limit}, per: ${per}ms }`);
  writeFileSync(join(folder, 'edict.yaml'), file.replace('refresh: never', 'refresh: 5m'));
  const terminal = startOnTerminal(['apply'], folder);
  await shows(terminal, question);
  answer(terminal, 'y\r');
  assert.is(await terminal.finished, 0, terminal.screen());
  const times = emulator.requests.all().map(({ atMs }) => atMs);
  assert.is(calls().length, 2);
  for (const [index, atMs] of times.entries()) {
    const inWindow = times.slice(index).filter((other) => other < atMs + per).length;
    assert.ok(inWindow <= limit, `${inWindow} requests within ${per} ms: ${times.join(' ')}`);
  }
});

test('nobody is asked without credentials', async () => {
  const terminal = startOnTerminal(['apply'], folder, {});
  assert.is(await terminal.finished, 1);
  assert.match(terminal.screen(), 'set the credentials');
  assert.not.match(terminal.screen(), question);
});

test.run();
