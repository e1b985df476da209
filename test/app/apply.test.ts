import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyOnce, startStandaloneEmulator } from '../../src/app/apply.ts';
import { createAppContext } from '../../src/app/context.ts';
import { readHistory, readPlan, readStatus } from '../../src/app/reports.ts';
import { openConfiguredStore } from '../../src/app/session.ts';
import { parseSettings } from '../../src/app/settings.ts';
import { startEmulator } from '../../src/emulator/emulator.ts';
import type { AppContext } from '../../src/model/app-context.ts';
import { EdictError, LeaseHeldError, StoreLockedError } from '../../src/model/errors.ts';
import type { Settings } from '../../src/model/settings.ts';
import { compileTargets } from '../../src/plan/target-patterns.ts';
import { filterPlan, isTargeted } from '../../src/plan/targets.ts';
import type { Store } from '../../src/store/interface.ts';
import { fileOf, scratchFolder, seedOf } from '../support/edict-process.ts';
import { fc, runs } from '../support/fast-check.ts';
import { postgresServer } from '../support/postgres.ts';

/** Settings for an emulated gateway in a new folder, and a way to write its file. */
function emulated() {
  const folder = scratchFolder();
  const storeUrl = `sqlite:${join(folder, 'state.db')}`;
  const settings = parseSettings(join(folder, 'edict.yaml'), { state: storeUrl, emulate: true });
  const write = (states: Readonly<Record<string, string>>, limit?: string, endpoint = 'https://roma.example.com'): void =>
    writeFileSync(settings.file, `${fileOf(endpoint, states, limit)}refresh: never\n`);
  return { settings, write };
}

const emulatedContext = (settings: Settings) => createAppContext(settings, {});

test('an apply leads to an empty plan, and is recorded', async () => {
  const { settings, write } = emulated();
  write({ orders: 'online', carts: 'offline' });
  assert.is((await readPlan(emulatedContext(settings))).plan.changes.length, 1);
  const { summary, unsent } = await applyOnce(emulatedContext(settings));
  assert.equal([summary.online, summary.failed, unsent], [1, 0, 0]);
  assert.is((await readPlan(emulatedContext(settings))).plan.changes.length, 0);
  const { recorded, lastAttempts } = (await readStatus(emulatedContext(settings))).input;
  assert.equal([recorded.size, lastAttempts.size], [1, 1]);
  assert.is((await readHistory(emulatedContext(settings), 10)).attempts.length, 1);
});

/** Applies while another process has the store open and does `work` in it. Returns the error. */
async function applyBeside(context: AppContext, work: (store: Store) => Promise<unknown>): Promise<EdictError> {
  const store = await openConfiguredStore(context);
  try {
    await work(store);
    const error = await applyOnce(context).catch((thrown: unknown) => thrown);
    assert.instance(error, EdictError);
    return error as EdictError;
  } finally {
    await store.close();
  }
}

test('an apply beside a process that has the store open fails with the class of that error and a hint of its own', async () => {
  const { settings, write } = emulated();
  write({ orders: 'online' });
  const error = await applyBeside(emulatedContext(settings), async () => {});
  assert.instance(error, StoreLockedError);
  assert.is(error.code, 'STORE_LOCKED');
  assert.match(String(error.hint), 'edict wait');
});

test('an apply beside a process that holds the lease fails with the class of that error and a hint of its own', async () => {
  const server = await postgresServer();
  try {
    const { settings, write } = emulated();
    write({ orders: 'online' });
    const context = emulatedContext({ ...settings, storeUrl: await server.database() });
    const error = await applyBeside(context, async (store) => store.acquire((await readPlan(context)).plan.gateway, Date.now()));
    assert.instance(error, LeaseHeldError);
    assert.is(error.code, 'LEASE_HELD');
    assert.match(String(error.hint), 'edict wait');
  } finally {
    await server.close();
  }
});

const cells = fc.uniqueArray(fc.tuple(fc.constantFrom('shop-a', 'shop-b', 'users'), fc.constantFrom('test', 'stage', 'release')), {
  selector: (pair) => pair.join(' '),
  maxLength: 9,
});
const someStates = fc
  .tuple(cells, fc.infiniteStream(fc.constantFrom('online', 'offline', '{ state: online, revision: r2 }')))
  .map(([pairs, states]) => pairs.map(([api, environment]) => [api, environment, states.next().value as string] as const));
const patterns = fc.record({
  apis: fc.subarray(['shop-*', 'users', 'api-shop-b']),
  environments: fc.subarray(['{test,stage}', 'env-release']),
});

/** Returns a file that declares these publications, with `prune: true`. */
function fileWith(publications: readonly (readonly [api: string, environment: string, state: string])[], batch: string): string {
  const of = (name: string): string[] =>
    publications.filter(([api]) => api === name).map(([, environment, state]) => `${environment}: ${state}`);
  const apis = ['shop-a', 'shop-b', 'users'].map(
    (name) => `  ${name}: { id: api-${name}, environments: { ${of(name).join(', ') || 'test: offline'} } }\n`,
  );
  const environments = 'environments: { test: env-test, stage: env-stage, release: { id: env-release, protected: true } }';
  const gateway = `gateway: { endpoint: "https://roma.example.com", project: p, instance: i, limit: { calls: 1000, per: 100ms }${batch} }`;
  return `edict: 1\nrefresh: never\n${gateway}\n${environments}\nprune: true\napis:\n${apis.join('')}`;
}

test('an apply with targets makes exactly the matching changes of the plan, and leaves the rest', async () => {
  await fc.assert(
    fc.asyncProperty(someStates, someStates, patterns, fc.constantFrom('', ', batch: 3'), async (first, second, given, batch) => {
      const { settings } = emulated();
      writeFileSync(settings.file, fileWith(first, batch));
      await applyOnce(emulatedContext(settings));
      writeFileSync(settings.file, fileWith(second, batch));
      const before = (await readStatus(emulatedContext(settings))).input.recorded;
      const whole = await readPlan(emulatedContext(settings));

      const targets = compileTargets(given);
      const expected = filterPlan(whole.plan, whole.desired, targets);
      const sent: string[] = [];
      const narrowed = emulatedContext({ ...settings, targets: given });
      narrowed.events.subscribe((event) => {
        if (event.type === 'attempt:started') sent.push(`${event.change.key} ${event.change.action}`);
      });
      const { plan, summary } = await applyOnce(narrowed);
      assert.equal(plan, expected);
      assert.equal(
        sent.toSorted(),
        expected.changes
          .filter(({ held }) => !held)
          .map(({ key, action }) => `${key} ${action}`)
          .toSorted(),
      );
      assert.equal(
        [summary.online + summary.offline, summary.failed, summary.held, summary.unchanged],
        [sent.length, 0, expected.changes.length - sent.length, expected.unchanged],
      );
      const after = (await readStatus(emulatedContext(settings))).input.recorded;
      for (const [key, publication] of [...before, ...after]) {
        if (!isTargeted(targets, publication)) assert.equal(after.get(key), before.get(key));
      }
      const left = (await readPlan(emulatedContext(settings))).plan.changes;
      assert.equal(
        left.filter(({ held }) => !held).map(({ key }) => key),
        whole.plan.changes.filter((change) => !change.held && !isTargeted(targets, change)).map(({ key }) => key),
      );
    }),
    { numRuns: runs(25) },
  );
});

test('an invalid target is rejected before any call, and the store is free again', async () => {
  const { settings, write } = emulated();
  write({ orders: 'online' });
  const wrong = emulatedContext({ ...settings, targets: { apis: ['oders'], environments: [] } });
  const events: string[] = [];
  wrong.events.subscribe(({ type }) => events.push(type));
  for (const refused of [applyOnce, readPlan, readStatus]) {
    const error = await refused(wrong).then(
      () => null,
      (thrown: unknown) => thrown as EdictError,
    );
    assert.is(error?.code, 'TARGET_NOT_FOUND');
  }
  assert.equal(events, []);
  assert.equal((await readHistory(wrong, 10)).attempts, []);
  assert.is((await applyOnce(emulatedContext(settings))).summary.online, 1);
});

test('a plan with targets shows only the targeted drift', async () => {
  const { settings, write } = emulated();
  const publications = ['orders', 'carts'].map((api) => ({ api: `api-${api}`, environment: 'env-test' }));
  const emulator = await startEmulator({ seed: { ...seedOf('orders', 'carts', 'users'), publications } });
  write({ orders: 'online', carts: 'online', users: 'online' }, undefined, emulator.url);
  const real = { ...settings, emulate: false, refresh: 'always' as const };
  const shown = async (apis: string[]) => {
    const { plan, notices } = await readPlan(
      createAppContext({ ...real, targets: { apis, environments: [] } }, { HW_AUTH_TOKEN: 'token' }),
    );
    return [notices.map(({ api, kind }) => `${api} ${kind}`).toSorted(), plan.changes.map(({ api }) => api), plan.unchanged, plan.excluded];
  };
  try {
    assert.equal(await shown([]), [['carts adopted', 'orders adopted'], ['users'], 2, 0]);
    assert.equal(await shown(['o*']), [['orders adopted'], [], 1, 1]);
  } finally {
    await emulator.close();
  }
});

test('the history of a target is found by current and former names and IDs, newest first', async () => {
  const { settings, write } = emulated();
  write({ 'shop-a': 'online', 'shop-b': 'online', users: 'online' });
  await applyOnce(emulatedContext(settings));
  writeFileSync(settings.file, fileOf('https://roma.example.com', { 'shop-a': 'offline' }).replace('shop-a:', 'store-a:'));
  await applyOnce(emulatedContext(settings));
  const found = async (apis: string[], environments: string[] = [], limit = 10): Promise<string[]> =>
    (await readHistory(emulatedContext({ ...settings, targets: { apis, environments } }), limit)).attempts.map(
      ({ api, action }) => `${api} ${action}`,
    );
  assert.equal(await found(['store-a']), ['store-a offline', 'shop-a online']);
  assert.equal(await found(['api-shop-a']), ['store-a offline', 'shop-a online']);
  assert.equal(await found(['shop-a']), ['shop-a online']);
  assert.equal(await found(['sto*']), ['store-a offline', 'shop-a online']);
  assert.equal((await found(['shop-*', 'users'])).toSorted(), ['shop-b online', 'users online']);
  assert.equal(await found(['st*', 'shop-b'], ['{test,stage}'], 1), ['store-a offline']);
  assert.equal(await found(['*'], ['release']), []);
  assert.equal(await found(['nothing-*']), []);
});

test('an emulated gateway that restarts is in the recorded state', async () => {
  const { settings, write } = emulated();
  write({ orders: 'online' });
  await applyOnce(emulatedContext(settings));
  write({ orders: 'offline' });
  const { summary } = await applyOnce(emulatedContext(settings));
  assert.equal([summary.offline, summary.failed], [1, 0]);
});

test('an aborted apply sends nothing more and reports the unsent changes', async () => {
  const { settings, write } = emulated();
  write(Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`a${index}`, 'online'])), '{ calls: 1, per: 1m }');
  const stop = new AbortController();
  const context = createAppContext(settings, {}, { signal: stop.signal });
  context.events.subscribe((event) => {
    if (event.type === 'attempt:finished') stop.abort();
  });
  const { summary, unsent } = await applyOnce(context);
  assert.equal([summary.online, unsent], [1, 19]);
});

test('a real gateway without credentials is rejected before anything is sent', async () => {
  const { settings, write } = emulated();
  write({ orders: 'online' });
  const real = { ...settings, emulate: false };
  let thrown: unknown;
  await applyOnce(emulatedContext(real)).catch((error: unknown) => {
    thrown = error;
  });
  assert.instance(thrown, EdictError);
  assert.is((thrown as EdictError).code, 'CREDENTIALS_MISSING');
  assert.is((await readHistory(emulatedContext(real), 10)).attempts.length, 0);
});

test('an invalid seed of the emulator is named', async () => {
  let message = '';
  await startStandaloneEmulator('nowhere.yaml', { host: '127.0.0.1', port: 0 }).catch((error: EdictError) => {
    message = error.message;
  });
  assert.match(message, 'nowhere.yaml');
});

test.run();
