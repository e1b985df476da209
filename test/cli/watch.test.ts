import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { watch } from '../../src/cli/watch.ts';
import { EdictError } from '../../src/model/errors.ts';
import { edict, fileOf, scratchFolder, startEdict, until } from '../support/edict-process.ts';
import { testContext } from '../support/streams.ts';

/** Returns the output of `watch` on a screen of `rows` lines while `read` returned `texts`, one each second. */
async function onScreen(texts: readonly (string | Error)[], rows: number): Promise<string> {
  const { context, stdout } = testContext();
  Object.assign(context.stdout, { isTTY: true, rows });
  let reads = 0;
  const read = async (): Promise<string> => {
    const text = texts[reads] ?? '';
    reads += 1;
    if (reads === texts.length) setImmediate(() => process.emit('SIGTERM'));
    if (text instanceof Error) throw text;
    return text;
  };
  await watch(read, context, 'text');
  return stdout();
}

test('on a terminal the result is drawn in place, cut to the screen, and the screen is restored', async () => {
  const text = await onScreen(['1\n2\n3\n4\n5\n'], 4);
  assert.is(text, '\u001B[?1049h\u001B[?25l\u001B[H1\u001B[K\n2\u001B[K\n… 3 more lines\u001B[K\n\u001B[J\u001B[?25h\u001B[?1049l');
});

test('an EdictError is shown in place of a result until it is fixed', async () => {
  const text = await onScreen(['fine\n', new EdictError('X', 'the store is gone', { hint: 'bring it back' }), 'fine\n'], 10);
  assert.equal(text.match(/fine|the store is gone|bring it back/g), ['fine', 'the store is gone', 'bring it back', 'fine']);
});

test('a bug ends the watch and restores the screen', async () => {
  const { context, stdout } = testContext();
  Object.assign(context.stdout, { isTTY: true, rows: 4 });
  const watching = watch(() => Promise.reject(new TypeError('bug')), context, 'text');
  await watching.then(
    () => assert.unreachable(),
    (error: unknown) => assert.instance(error, TypeError),
  );
  assert.ok(stdout().endsWith('\u001B[?1049l'));
});

test('status --watch writes each change once, also for an invalid file, until it is stopped', async () => {
  const folder = scratchFolder();
  const write = (states: Readonly<Record<string, string>>): void =>
    writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', states));
  write({ orders: 'online' });
  const running = startEdict(['status', '--emulate', '--watch'], folder);
  const json = startEdict(['status', '--emulate', '--watch', '--format', 'json'], folder);
  try {
    const isLast = (text: string): boolean => json.output.stdout.trimEnd().split('\n').at(-1)?.includes(text) ?? false;
    await until('the plan is shown', () => running.output.stdout.includes('▲ going online') && isLast('"status":"pending"'));
    await edict(['apply', '--emulate'], folder);
    await until('the apply is shown', () => running.output.stdout.includes('✓ online') && isLast('"status":"unchanged"'));
    writeFileSync(join(folder, 'edict.yaml'), 'edict: 2\n');
    await until('the error is shown above the recorded state', () =>
      /edict.yaml:1:8[\s\S]*desired state is unknown[\s\S]*orders {2}\? online/.test(running.output.stdout),
    );
    await until('programs can read it too', () => isLast('"valid":false'));
    write({ orders: 'online' });
    await until('everything is in sync', () => running.output.stdout.match(/In sync\./g)?.length === 2 && isLast('"lastChecked"'));
  } finally {
    running.child.kill('SIGTERM');
    json.child.kill('SIGTERM');
  }
  assert.is((await running.finished).code, 0);
  const documents = (await json.finished).stdout.trimEnd().split('\n');
  assert.ok(documents.every((document, index) => document !== documents[index - 1]));
  const kinds = documents.map((line) => {
    const { publications, valid = true } = JSON.parse(line) as { readonly publications: readonly object[]; readonly valid?: boolean };
    assert.is(publications.length, 1);
    return valid ? 'valid' : 'invalid';
  });
  assert.equal(
    kinds.filter((kind, index) => kind !== kinds[index - 1]),
    ['valid', 'invalid', 'valid'],
    'an apply may be shown while it is in progress, too',
  );
});

test.run();
