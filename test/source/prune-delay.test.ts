import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DesiredState } from '../../src/model/desired-state.ts';
import type { PublicationKey } from '../../src/model/publication.ts';
import { withPruneDelay } from '../../src/source/prune-delay.ts';

const [a, b, c] = ['a', 'b', 'c'] as PublicationKey[] as [PublicationKey, PublicationKey, PublicationKey];

/** A file whose valid contents are given one after the other, with a delay of 100 ms. */
function openSource() {
  const file = { nowMs: 1000, wallClockMs: 0, desired: declaring() };
  const source = withPruneDelay(
    { load: async () => file.desired, watch: async () => ({ close: async () => {} }) },
    { now: () => file.nowMs + file.wallClockMs, monotonicMs: () => file.nowMs },
    100,
  );
  const load = (atMs: number, desired: DesiredState) => {
    Object.assign(file, { nowMs: atMs, desired });
    return source.load(new AbortController().signal);
  };
  const setClock = (byMs: number) => {
    file.wallClockMs += byMs;
  };
  return { load, setClock };
}

function declaring(...keys: readonly PublicationKey[]): DesiredState {
  return { publications: new Map(keys.map((key) => [key, {}])) } as unknown as DesiredState;
}

test('a publication may be taken offline when it was absent for the whole delay, and other edits do not reset that', async () => {
  const { load } = openSource();
  await load(1000, declaring(a, b));
  assert.is((await load(2000, declaring(a))).pruneAtMs?.(b), 2100);
  assert.is((await load(2050, declaring(a, c))).pruneAtMs?.(b), 2100);
  assert.is((await load(2060, declaring(c))).pruneAtMs?.(a), 2160);
});

test('one that comes back and leaves again waits anew', async () => {
  const { load } = openSource();
  await load(1000, declaring(a, b));
  await load(2000, declaring(a));
  await load(2050, declaring(a, b));
  assert.is((await load(2090, declaring(a))).pruneAtMs?.(b), 2190);
});

test('what was never declared since the start is absent since the first load', async () => {
  const { load } = openSource();
  assert.is((await load(1000, declaring(a))).pruneAtMs?.(b), 1100);
  assert.is((await load(1050, declaring(a, c))).pruneAtMs?.(b), 1100);
});

test('setting the wall clock neither shortens nor lengthens the delay', async () => {
  for (const byMs of [-3_600_000, 3_600_000]) {
    const { load, setClock } = openSource();
    await load(1000, declaring(a, b));
    await load(2000, declaring(a));
    setClock(byMs);
    assert.is((await load(2040, declaring(a))).pruneAtMs?.(b), 2100 + byMs);
    assert.is((await load(2100, declaring(a))).pruneAtMs?.(b), Number.NEGATIVE_INFINITY);
  }
});

test('an unchanged file is the same object', async () => {
  const { load } = openSource();
  const desired = declaring(a);
  assert.is(await load(1000, desired), await load(2000, desired));
});

test.run();
