import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PublicationKey } from '../../src/model/publication.ts';
import type { RecordedPublication } from '../../src/model/recorded-state.ts';
import type { Store, StoreReader } from '../../src/store/interface.ts';
import { openReadonly, openStore } from '../../src/store/open.ts';
import { RecordCache } from '../../src/store/record-cache.ts';
import { fc, runs } from '../support/fast-check.ts';
import { change, gatewaySettings, lastObservation, newAttempt, recorded, savedObservation } from '../support/states.ts';
import { storeEngines } from '../support/store-engines.ts';

const test = suite('record cache');
const gateway = gatewaySettings();

/** Rows in memory, and what was read of them. */
function storedRows(count: number) {
  const rows = new Map<PublicationKey, RecordedPublication>();
  for (let index = 0; index < count; index += 1) put(recorded(`a${index}`, 'test'));
  const reads: ('all' | number)[] = [];
  let beforeAnswer = async (): Promise<void> => undefined;
  const answer = async (found: RecordedPublication[]): Promise<RecordedPublication[]> => {
    await beforeAnswer();
    return found;
  };
  const cache = new RecordCache({
    readAll: () => {
      reads.push('all');
      return answer([...rows.values()]);
    },
    readSome: (keys) => {
      reads.push(keys.length);
      return answer(keys.flatMap((key) => rows.get(key) ?? []));
    },
  });
  function put(row: RecordedPublication): void {
    rows.set(row.key, row);
  }
  const write = (row: RecordedPublication): void => {
    put(row);
    cache.noteWritten([row.key]);
  };
  return { rows, reads, cache, write, set: (before: () => Promise<void>) => (beforeAnswer = before) };
}

test('reads all rows once, and afterwards only those that were written', async () => {
  const { cache, reads, write } = storedRows(100);
  await cache.read();
  await cache.read();
  write(recorded('a7', 'test', { revision: 'r2' }));
  assert.is((await cache.read()).get(recorded('a7', 'test').key)?.revision, 'r2');
  await cache.read();
  assert.equal(reads, ['all', 1]);
});

test('reads all rows again if many of them were written', async () => {
  const { cache, reads, write } = storedRows(16);
  await cache.read();
  for (const name of ['a1', 'a2', 'a3']) write(recorded(name, 'test'));
  await cache.read();
  assert.equal(reads, ['all', 'all']);
});

test('a state that was returned never changes', async () => {
  const { cache, write } = storedRows(100);
  const before = await cache.read();
  write(recorded('new', 'test'));
  write(recorded('a7', 'test', { revision: 'r2' }));
  const after = await cache.read();
  assert.equal([before.size, before.get(recorded('a7', 'test').key)?.revision], [100, null]);
  assert.equal([after.size, after.get(recorded('a7', 'test').key)?.revision], [101, 'r2']);
});

test('a row that is written while rows are read is read again, also by a reader that asked before', async () => {
  const { cache, write, set } = storedRows(100);
  const key = recorded('a7', 'test').key;
  set(async () => write(recorded('a7', 'test', { revision: 'r2' })));
  await Promise.all([cache.read(), cache.read()]);
  set(async () => undefined);
  assert.is((await cache.read()).get(key)?.revision, 'r2');
  assert.is(cache.find(key)?.recorded?.revision, 'r2');
});

test('one publication is found in memory unless it was written since the last read', async () => {
  const { cache, write, set } = storedRows(100);
  const key = recorded('a7', 'test').key;
  assert.is(cache.find(key), null);
  let during: unknown;
  set(async () => {
    during = cache.find(key);
  });
  await cache.read();
  assert.is(during, null, 'not while rows are read');
  assert.is(cache.find(key)?.recorded?.api, 'a7');
  assert.equal(cache.find(recorded('unknown', 'test').key), { recorded: undefined });
  write(recorded('a7', 'test'));
  assert.is(cache.find(key), null);
});

test('after a failed read, and after `clear`, also one during a read, all rows are read again', async () => {
  const { cache, reads, write, set } = storedRows(100);
  await cache.read();
  write(recorded('a7', 'test', { revision: 'r2' }));
  set(() => Promise.reject(new Error('no answer')));
  await assertRejects(cache.read(), /no answer/);
  set(async () => cache.clear());
  assert.is((await cache.read()).get(recorded('a7', 'test').key)?.revision, 'r2');
  set(async () => undefined);
  await cache.read();
  assert.equal(reads, ['all', 1, 'all', 'all']);
});

async function assertRejects(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  assert.match(String(await promise.then(() => 'resolved', String)), pattern);
}

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'];
const name = fc.constantFrom(...names);
const step = fc.oneof(
  fc.record({ kind: fc.constant('attempt' as const), name, isFinished: fc.boolean(), state: fc.constantFrom('online', 'offline', null) }),
  fc.record({ kind: fc.constant('observe' as const), names: fc.subarray(names), revision: fc.constantFrom('r1', 'r2') }),
  fc.record({ kind: fc.constant('declare' as const), names: fc.subarray(names), revision: fc.constantFrom(null, 'r3') }),
  fc.record({ kind: fc.constant('delete' as const), name }),
  fc.record({ kind: fc.constant('prune' as const) }),
  fc.record({ kind: fc.constant('reacquire' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function run(store: Store, one: Step, atMs: number): Promise<void> {
  switch (one.kind) {
    case 'attempt': {
      const started = change(one.name, 'test');
      const { attemptId } = await store.beginAttempt(gateway, started, newAttempt({ startedAtMs: atMs }));
      if (!one.isFinished) return;
      const next = one.state === null ? undefined : recorded(one.name, 'test', { state: one.state as 'online', changedAtMs: atMs });
      const outcome = { kind: 'succeeded', versionId: 'v', publishId: null, publishedAtMs: null } as never;
      return store.finishAttempt(gateway, { key: started.key, attemptId, outcome, next, atMs });
    }
    case 'observe':
      return store.saveObservation(
        gateway,
        savedObservation(
          one.names.map((api) => recorded(api, 'test', { revision: one.revision })),
          lastObservation(1),
        ),
      );
    case 'declare': {
      const keys = one.names.map((api) => recorded(api, 'test').key);
      const adoptedRevisions = new Map(keys.slice(1).map((key) => [key, one.revision]));
      return store.saveDeclared(gateway, {
        sourceFiles: new Map(keys.map((key) => [key, 'edict.yaml'])),
        adoptedRevisions,
        digest: 'd',
        approvalId: null,
      });
    }
    case 'delete':
      return store.deleteRecord(gateway, recorded(one.name, 'test').key, atMs);
    case 'prune':
      await store.pruneRecordedState(gateway, atMs);
      return;
    case 'reacquire':
      await store.release(gateway, atMs);
      await store.acquire(gateway, atMs);
  }
}

/** Returns everything that depends on the written rows, in one order. */
async function stateOf(reader: StoreReader): Promise<unknown> {
  const rows = [...(await reader.readRecordedState(gateway))].sort(([a], [b]) => (a < b ? -1 : 1));
  return { rows, declared: [...(await reader.previousState(gateway, 0)).declared].sort(([a], [b]) => (a < b ? -1 : 1)) };
}

for (const { name, make } of storeEngines(test)) {
  test(`${name}: what is pruned leaves the lease holder's memory`, async () => {
    const store = await openStore({ url: await make(), isEmulated: false });
    await store.acquire(gateway, 1);
    await run(store, { kind: 'attempt', name: 'a', isFinished: true, state: 'offline' }, 2);
    assert.is((await store.readRecordedState(gateway)).size, 1);
    await run(store, { kind: 'prune' }, 3);
    assert.is((await store.readRecordedState(gateway)).size, 0);
    await store.close();
  });

  test(`${name}: whatever is written, the lease holder's memory is as the store`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), fc.array(fc.boolean()), async (steps, reads) => {
        const url = await make();
        const store = await openStore({ url, isEmulated: false });
        await store.acquire(gateway, 1);
        const reader = await openReadonly({ url });
        try {
          for (const [index, one] of steps.entries()) {
            await run(store, one, index + 2);
            if (reads[index] === false) continue;
            assert.equal(await stateOf(store), await stateOf(reader), JSON.stringify(one));
            for (const api of names) {
              const key = recorded(api, 'test').key;
              assert.equal(await store.readPublication(gateway, key), (await reader.readRecordedState(gateway)).get(key));
            }
          }
        } finally {
          await reader.close();
          await store.close();
        }
      }),
      { numRuns: runs(name === 'sqlite' ? 200 : 60) },
    );
  });
}

test.run();
