import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError } from '../../src/model/errors.ts';
import { watchSourceFiles } from '../../src/source/source-directory.ts';

/** Returns the events while consecutive reads find these snapshots; `null`: a read fails. */
async function eventsFor(first: readonly string[], ...snapshots: readonly (readonly string[] | null)[]): Promise<readonly string[]> {
  const stopping = new AbortController();
  const [lines, left]: [string[], (readonly string[] | null)[]] = [[], [...snapshots]];
  await watchSourceFiles(first, {
    list: async () => {
      lines.push('look');
      const there = left.shift();
      if (!there) throw new EdictError('FILE_NOT_FOUND', 'away');
      return there;
    },
    clock: { sleep: async () => (left.length === 0 ? stopping.abort() : undefined) },
    signal: stopping.signal,
    onAdded: async (file) => void lines.push(`+${file}`),
    onRemoved: async (file) => void lines.push(`-${file}`),
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

test('unexpected errors of listing the files are thrown', async () => {
  const bug = new TypeError('a bug');
  const list = async (): Promise<never> => {
    throw bug;
  };
  const following = watchSourceFiles([], {
    list,
    clock: { sleep: async () => undefined },
    signal: new AbortController().signal,
    onAdded: async () => undefined,
    onRemoved: async () => undefined,
  });
  assert.is(await following.catch((error: unknown) => error), bug);
});

test.run();
