import { setImmediate } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError } from '../../src/model/errors.ts';
import { limitFiles, maxFollowedFiles, watchSourceFiles } from '../../src/source/source-directory.ts';

/** Returns the events while consecutive reads find these snapshots; `null`: a read fails. */
async function eventsFor(first: readonly string[], ...snapshots: readonly (readonly string[] | null)[]): Promise<readonly string[]> {
  const stopping = new AbortController();
  const [lines, left]: [string[], (readonly string[] | null)[]] = [[], [...snapshots]];
  await watchSourceFiles(limitFiles(first), {
    list: async () => {
      lines.push('look');
      const there = left.shift();
      if (!there) throw new EdictError('FILE_NOT_FOUND', 'away');
      return there;
    },
    clock: { sleep: async () => (left.length === 0 ? stopping.abort() : undefined) },
    signal: stopping.signal,
    onAdded: async (file) => void lines.push(`+${file}`),
    onFailed: (file, { message }) => void lines.push(`${file} ${message}`),
    onRemoved: async (file) => void lines.push(`-${file}`),
    onSkipped: (count) => void lines.push(`${count} skipped`),
  });
  return lines.filter((line) => line !== 'look' || lines.length === snapshots.length);
}

test('a new file is reported once, and a deleted one after the second poll', async () => {
  assert.equal(await eventsFor(['a'], ['a', 'b'], ['a', 'b'], ['b'], ['b'], ['b']), ['+b', '-a']);
});

test('a file that returns between two polls is not reported, and one that returns later is new', async () => {
  assert.equal(await eventsFor(['a', 'b'], ['b'], ['a', 'b'], ['b'], ['b'], ['a', 'b']), ['-a', '+a']);
});

test('while the files cannot be listed, none is reported as added or removed', async () => {
  assert.equal(await eventsFor(['a'], null, null, null), ['look', 'look', 'look']);
  assert.equal(await eventsFor(['a', 'b'], ['b'], null, ['b']), ['-a']);
});

test('more files than the limit are skipped, which is reported as their number grows, and those that are followed stay', async () => {
  const full = Array.from({ length: maxFollowedFiles }, (_, index) => `m${index}`);
  assert.equal(limitFiles([...full, 'z']), { files: full, skippedCount: 1 });
  const more = ['a', 'b', ...full];
  assert.equal(await eventsFor(full, more, more, ['a', ...full], more, full.slice(1), full.slice(1), ['a', ...full.slice(1)]), [
    ...['2 skipped', '2 skipped', '-m0', '+a'],
  ]);
});

test('files are opened side by side, and other work goes on between them', async () => {
  const stopping = new AbortController();
  const opened: string[] = [];
  const hung = Promise.withResolvers<void>();
  let turns = 0;
  const following = watchSourceFiles(limitFiles([]), {
    list: async () => ['hangs', ...Array.from({ length: 100 }, (_, index) => `${index}`)],
    clock: { sleep: async () => undefined },
    signal: stopping.signal,
    onAdded: (file) => (file === 'hangs' ? hung.promise : Promise.resolve(void opened.push(file))),
    onFailed: () => undefined,
    onRemoved: async () => undefined,
    onSkipped: () => undefined,
  });
  for (; opened.length < 100; turns += 1) await setImmediate();
  assert.ok(turns >= 10, `${turns} turns of the loop`);
  stopping.abort();
  hung.resolve();
  await following;
});

test('unexpected errors of listing the files are thrown', async () => {
  const bug = new TypeError('a bug');
  const list = async (): Promise<never> => {
    throw bug;
  };
  const following = watchSourceFiles(limitFiles([]), {
    list,
    clock: { sleep: async () => undefined },
    signal: new AbortController().signal,
    onAdded: async () => undefined,
    onFailed: () => undefined,
    onRemoved: async () => undefined,
    onSkipped: () => undefined,
  });
  assert.is(await following.catch((error: unknown) => error), bug);
});

test.run();
