import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LatestValue } from '../../src/server/latest-value.ts';

const test = suite('latest value');

/** A wait for the next value does not keep a process alive, as its server does. */
let keptAlive: NodeJS.Timeout;
test.before(() => {
  keptAlive = setInterval(() => undefined, 1000);
});
test.after(() => clearInterval(keptAlive));

function open(make: (revision: number) => Promise<string>) {
  let revision = 1;
  const made: number[] = [];
  const latest = new LatestValue({
    revision: () => revision,
    make: () => {
      made.push(revision);
      return make(revision);
    },
  });
  const change = (): void => {
    revision += 1;
  };
  return { latest, made, change };
}

const afterMs = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('requests of one revision share one value, also while it is made', async () => {
  const { latest, made } = open(async (revision) => {
    await afterMs(5);
    return `value ${revision}`;
  });
  const values = await Promise.all([latest.get(), latest.get(), latest.get()]);
  assert.equal([...values, await latest.get()], ['value 1', 'value 1', 'value 1', 'value 1']);
  assert.equal(made, [1]);
});

test('a request never gets a value from before it, and revisions that nobody saw are not made', async () => {
  const { latest, made, change } = open(async (revision) => {
    await afterMs(5);
    return `value ${revision}`;
  });
  const first = latest.get();
  await afterMs(1);
  change();
  const second = latest.get();
  change();
  change();
  const third = latest.get();
  assert.equal(await Promise.all([first, second, third]), ['value 1', 'value 4', 'value 4']);
  assert.equal(made, [1, 4]);
});

test('many revisions in a row cost a bounded share of the time', async () => {
  const { latest, made, change } = open(async () => {
    await afterMs(10);
    return '';
  });
  const end = performance.now() + 500;
  while (performance.now() < end) {
    change();
    await latest.get();
  }
  // Without the idle time it would be about 50.
  assert.ok(made.length < 10, `${made.length}`);
});

test('a value that could not be made is tried again', async () => {
  let isBroken = true;
  const { latest } = open(async () => {
    if (isBroken) throw new Error('broken');
    return 'value';
  });
  for (const ask of [latest.get(), latest.get()]) {
    try {
      await ask;
      assert.unreachable();
    } catch (error) {
      assert.is((error as Error).message, 'broken');
    }
  }
  isBroken = false;
  assert.is(await latest.get(), 'value');
});

test.run();
