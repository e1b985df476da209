import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Controller } from '../../src/controller/controller.ts';
import type { ReconcileRunner } from '../../src/controller/reconcile-runner.ts';
import type { StaleSourceResult } from '../../src/controller/stale-source-check.ts';
import type { DesiredState } from '../../src/model/desired-state.ts';
import {
  EdictError,
  InvalidFileError,
  LeaseHeldError,
  NamesUnresolvedError,
  StoreError,
  StoreUnavailableError,
} from '../../src/model/errors.ts';
import type { EdictEvent, TriggerCause } from '../../src/model/events.ts';
import { until } from '../support/edict-process.ts';
import { desiredState, wanted } from '../support/states.ts';

const state = (...apis: readonly string[]): DesiredState => desiredState(apis.map((api) => wanted(api, 'test')));
const invalid = new InvalidFileError('f', [
  { rule: 'invalid-value', file: 'f', line: 1, column: 1, length: 1, message: 'wrong', hint: null, excerpt: { text: '', column: 1 } },
]);

/** A controller whose file is a variable. Its runner records the reconciliations that it is asked for. */
async function started(first: DesiredState | EdictError, times: { debounceMs?: number; resyncMs?: number; faster?: number } = {}) {
  const file = {
    content: first,
    acquisitionError: null as EdictError | null,
    loads: 0,
    hangs: false,
    acquisitions: 0,
    hint: () => {},
    isWatched: true,
    isWaiting: false,
  };
  const reconciliations: { desired: DesiredState; cause: TriggerCause }[] = [];
  const events: EdictEvent[] = [];
  const waits: number[] = [];
  const runner = {
    reconcile: async (desired: DesiredState, cause: TriggerCause) => {
      reconciliations.push({ desired, cause });
      return true;
    },
  };
  const controller = new Controller({
    source: {
      load: async () => {
        file.loads += 1;
        if (file.hangs) await new Promise(() => {});
        if (file.content instanceof EdictError) throw file.content;
        return file.content;
      },
      watch: async (hint) => {
        file.hint = hint;
        return {
          close: async () => {
            file.isWatched = false;
          },
        };
      },
    },
    clock: {
      now: Date.now,
      monotonicMs: () => performance.now() * (times.faster ?? 1),
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          waits.push(ms);
          const timer = setTimeout(resolve, ms / (times.faster ?? 1));
          signal.addEventListener('abort', () => {
            clearTimeout(timer);
            resolve();
          });
        }),
    },
    emit: (event) => events.push(event),
    debounceMs: times.debounceMs ?? 5,
    resyncMs: times.resyncMs ?? 60_000,
    maxTries: Number.POSITIVE_INFINITY,
    runnerFor: async () => {
      file.acquisitions += 1;
      if (file.acquisitionError) throw file.acquisitionError;
      return runner as unknown as ReconcileRunner;
    },
    checkStaleSource: async () => 'free',
    isWaiting: () => file.isWaiting,
  });
  const ended = controller.run();
  await until('the file is read', () => file.loads > 0);
  const stop = async (): Promise<void> => {
    controller.stop();
    await ended;
  };
  const types = (): string[] => events.map(({ type }) => type);
  return { controller, file, reconciliations, types, waits, stop };
}

test('name resolution is retried soon when the gateway cannot be read', async () => {
  const { file, reconciliations, types, waits, stop } = await started(
    new NamesUnresolvedError({ reason: 'no connection', remedy: 'wait' }, { isRefused: false }),
    { faster: 1000 },
  );
  await until('it has retried a few times', () => file.loads > 2);
  assert.equal([types(), reconciliations.length], [['file:unreadable'], 0]);
  const again = waits.slice(waits.findIndex((ms) => ms < 60_000));
  assert.ok(
    again.every((ms) => ms === 60_000 || ms <= 10_000),
    `${again}`,
  );
  file.content = state('a');
  await until('the first reconciliation has started', () => reconciliations.length === 1);
  await until('it backs off again', () => (waits.at(-1) ?? 0) > 10_000);
  await stop();
});

test('an instance that needs the lease to resolve names stands by while another instance holds it', async () => {
  const held = new LeaseHeldError('another edict process holds the lease of the gateway');
  const { file, reconciliations, types, waits, stop } = await started(held, { faster: 100 });
  await until('it has retried a few times', () => file.loads > 2);
  assert.equal(types(), ['lease:standby']);
  assert.ok(
    waits.every((ms) => ms === 60_000 || ms <= 500),
    `${waits}`,
  );
  file.content = state('a');
  await until('the first reconciliation has started', () => reconciliations.length === 1);
  assert.equal(types(), ['lease:standby', 'file:loaded', 'lease:acquired']);
  await stop();
});

test('an invalid file is not read repeatedly while another instance holds the lease', async () => {
  const { controller, file, types, stop } = await started(state('a'), { faster: 100 });
  await until('it has reconciled', () => file.loads === 1);
  file.acquisitionError = new LeaseHeldError('another edict process holds the lease of the gateway');
  file.content = invalid;
  file.hint();
  const { acquisitions } = file;
  await until('it stands by', () => types().includes('lease:standby'));
  const { loads } = file;
  for (let offers = 1; offers <= 5; offers += 1) {
    controller.onAvailable();
    await until('it has tried to acquire the lease', () => file.acquisitions > acquisitions + offers);
  }
  assert.is(file.loads, loads);
  file.isWaiting = true;
  controller.trigger('resync');
  controller.trigger('suspension');
  controller.trigger('approval');
  await sleep(100);
  assert.is(file.acquisitions, acquisitions + 6, 'whatever happens, another instance holds the lease');
  file.content = state('b');
  file.hint();
  await until('a file that was fixed is read at once', () => file.loads > loads);
  await stop();
});

test('a requested reconciliation runs when the store is back, even though one failed in between', async () => {
  const { controller, file, reconciliations, types, stop } = await started(state('a'), { faster: 100 });
  await until('it has reconciled', () => reconciliations.length === 1);
  for (const cause of ['signal', 'requested'] as const) {
    const before = reconciliations.length;
    const failed = types().length;
    file.acquisitionError = new StoreUnavailableError('away');
    controller.trigger(cause);
    await until('the store has failed', () => types().length > failed);
    file.acquisitionError = null;
    await until('it is back', () => reconciliations.length > before);
    assert.is(reconciliations[before]?.cause, cause);
  }
  await stop();
});

test('name resolution is retried soon after a store failure', async () => {
  const { file, reconciliations, types, waits, stop } = await started(new StoreUnavailableError('away'), { faster: 100 });
  await until('it has retried a few times', () => file.loads > 2);
  assert.equal([...new Set(types())], ['store:error']);
  assert.ok(waits.filter((ms) => ms < 60_000).length > 1);
  file.content = state('a');
  await until('the first reconciliation has started', () => reconciliations.length === 1);
  await stop();
});

test('reconciles at startup, after an edit, and on a signal', async () => {
  const { controller, file, reconciliations, stop } = await started(state('a'));
  await until('the first reconciliation has started', () => reconciliations.length === 1);
  file.content = state('a', 'b');
  file.hint();
  await until('the edit is reconciled', () => reconciliations.length === 2);
  controller.trigger('signal');
  await until('the signal is handled', () => reconciliations.length === 3);
  await stop();
  assert.equal(
    reconciliations.map(({ desired, cause }) => [cause, desired.publications.size]),
    [
      ['startup', 1],
      ['file', 2],
      ['signal', 2],
    ],
  );
  assert.not.ok(file.isWatched);
});

test('a signal or a request during the debounce time is not reported as an edit', async () => {
  for (const cause of ['signal', 'requested'] as const) {
    const { controller, file, reconciliations, stop } = await started(state('a'), { debounceMs: 50 });
    await until('the first reconciliation has started', () => reconciliations.length === 1);
    file.hint();
    await new Promise((resolve) => setTimeout(resolve, 5));
    controller.trigger(cause);
    file.hint();
    await until('it has reconciled', () => reconciliations.length === 2);
    await stop();
    assert.is(reconciliations[1]?.cause, cause);
  }
});

test('a requested reconciliation waits for a file that is still being written', async () => {
  const { controller, file, reconciliations, stop } = await started(state('a'), { debounceMs: 50 });
  await until('the first reconciliation has started', () => reconciliations.length === 1);
  controller.trigger('requested');
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.is(file.loads, 1);
  file.content = state('a', 'b');
  await until('it has reconciled', () => reconciliations.length === 2);
  await stop();
  assert.equal([file.loads, reconciliations[1]?.cause, reconciliations[1]?.desired.publications.size], [2, 'requested', 2]);
});

test('many file events in a row cause a single read', async () => {
  const { file, reconciliations, stop } = await started(state('a'), { debounceMs: 50 });
  await until('the first reconciliation has started', () => reconciliations.length === 1);
  for (let hints = 0; hints < 20; hints += 1) {
    file.content = state(...Array.from({ length: hints + 1 }, (_, index) => `a${index}`));
    file.hint();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await until('the edit is reconciled', () => reconciliations.length === 2);
  await stop();
  assert.equal([file.loads, reconciliations[1]?.desired.publications.size], [2, 20]);
});

test('a resync runs periodically without a request', async () => {
  const { reconciliations, stop } = await started(state('a'), { resyncMs: 10 });
  await until('it has reconciled twice more', () => reconciliations.length >= 3);
  await stop();
  assert.equal(
    reconciliations.slice(0, 3).map(({ cause }) => cause),
    ['startup', 'resync', 'resync'],
  );
});

test('an invalid or missing file leaves the last valid one in force, and is reported once', async () => {
  const { controller, file, reconciliations, types, stop } = await started(state('a'));
  await until('the first reconciliation has started', () => reconciliations.length === 1);
  for (const broken of [invalid, new EdictError('FILE_NOT_FOUND', 'gone')]) {
    file.content = broken;
    for (let rounds = 0; rounds < 2; rounds += 1) {
      const before = reconciliations.length;
      controller.trigger('signal');
      await until('it has reconciled', () => reconciliations.length > before);
    }
  }
  await stop();
  assert.equal(types(), ['file:loaded', 'file:invalid', 'file:unreadable']);
  assert.ok(reconciliations.every(({ desired }) => desired.publications.size === 1));
});

test('an invalid file that is restored to its previous content is reported as valid, and is not a new file', async () => {
  const before = state('a');
  const { file, reconciliations, types, stop } = await started(before);
  await until('the first reconciliation has started', () => reconciliations.length === 1);
  for (const content of [invalid, before]) {
    const { length } = types();
    file.content = content;
    file.hint();
    await until('an event is emitted', () => types().length > length);
  }
  await stop();
  assert.equal(types(), ['file:loaded', 'file:invalid', 'file:loaded']);
  assert.not.ok(reconciliations.slice(1).some(({ cause }) => cause === 'file'));
});

test('a file that is invalid at startup is waited for', async () => {
  const { file, reconciliations, types, stop } = await started(invalid);
  await until('the error is reported', () => types().includes('file:invalid'));
  assert.is(reconciliations.length, 0);
  file.content = state('a');
  file.hint();
  await until('the fix is reconciled', () => reconciliations.length === 1);
  await stop();
});

test('a file event without a change of the file does not retry rejected changes', async () => {
  const { file, reconciliations, stop } = await started(state('a'));
  await until('the first reconciliation has started', () => reconciliations.length === 1);
  file.hint();
  await until('it has reconciled', () => reconciliations.length === 2);
  await stop();
  assert.is(reconciliations[1]?.cause, 'resync');
});

test('a lease that may not be taken over yet is not requested until it may be, or until a person asks', async () => {
  const leaseError = new LeaseHeldError('another edict holds it');
  const asked: string[] = [];
  const events: EdictEvent[] = [];
  let takeOver: StaleSourceResult = 'held';
  let isHeld = true;
  const controller: Controller = new Controller({
    source: { load: async () => desired, watch: async () => ({ close: async () => undefined }) },
    clock: {
      now: Date.now,
      monotonicMs: () => performance.now(),
      sleep: (ms, signal) => sleep(ms / 100, undefined, { signal }).catch(() => {}),
    },
    emit: (event) => events.push(event),
    debounceMs: 5,
    resyncMs: 60_000,
    maxTries: Number.POSITIVE_INFINITY,
    runnerFor: async () => {
      asked.push(takeOver);
      if (isHeld) throw leaseError;
      return { reconcile: async () => true } as unknown as ReconcileRunner;
    },
    checkStaleSource: async () => takeOver,
    isWaiting: () => takeOver === 'free',
  });
  const desired = state('orders');
  const reasons = (): string[] => events.flatMap((event) => (event.type === 'lease:standby' ? [event.reason] : []));
  const running = controller.run();
  await until('it stands by', () => reasons().length === 1);
  await sleep(100);
  assert.equal([asked.length, reasons()], [1, ['another edict holds it']]);
  controller.onAvailable();
  controller.trigger('resync');
  await sleep(100);
  assert.equal([asked.length, reasons().length], [1, 1], 'another process that shares the gateway has taken it meanwhile');
  [takeOver, isHeld] = ['behind', false];
  controller.onAvailable();
  await until('the reason for standing by is reported', () => reasons().length === 2);
  controller.onAvailable();
  await sleep(100);
  assert.is(asked.length, 1);
  assert.match(reasons()[1] ?? '', 'older');
  controller.trigger('signal');
  await until('it acquires the lease for a person', () => asked.length === 2);
  assert.ok(events.some(({ type }) => type === 'lease:acquired'));
  controller.stop();
  await running;
});

test('a standby with a failing store reports it, sends nothing, backs off, and continues when the store works again', async () => {
  const events: EdictEvent[] = [];
  const waits: number[] = [];
  let nowMs = 0;
  const reconciliations: TriggerCause[] = [];
  let refusal: EdictError | null = new LeaseHeldError('another edict holds it');
  const controller = new Controller({
    source: { load: async () => desired, watch: async () => ({ close: async () => {} }) },
    clock: {
      now: Date.now,
      monotonicMs: () => nowMs,
      sleep: async (ms, signal) => {
        waits.push(ms);
        await sleep(1, undefined, { signal }).catch(() => {});
        if (!signal.aborted) nowMs += ms;
      },
    },
    emit: (event) => events.push(event),
    debounceMs: 5,
    resyncMs: 60_000,
    maxTries: Number.POSITIVE_INFINITY,
    runnerFor: async () => {
      if (refusal) throw refusal;
      return { reconcile: async (_: DesiredState, cause: TriggerCause) => reconciliations.push(cause) > 0 } as unknown as ReconcileRunner;
    },
    checkStaleSource: async () => 'free',
    isWaiting: () => false,
  });
  const desired = state('orders');
  const running = controller.run();
  await until('it stands by', () => events.some(({ type }) => type === 'lease:standby'));
  refusal = new StoreError('STORE_FAILED', 'the store failed');
  controller.onAvailable();
  await until('it reports the store', () => events.some(({ type }) => type === 'store:error'));
  // Nobody knows who holds the lease while the store fails, so it is offered again and again.
  const offering = setInterval(() => controller.onAvailable(), 1);
  await until('it has retried a few times', () => waits.includes(4000));
  clearInterval(offering);
  const later = waits.slice(waits.indexOf(1000)).filter((ms) => ms < 60_000);
  const failed = events.filter(({ type }) => type === 'store:error');
  assert.ok(failed.length >= 3 && failed.every((event) => 'message' in event && event.message === refusal?.message));
  assert.equal([later.slice(0, 3), reconciliations], [[1000, 2000, 4000], []]);
  refusal = null;
  await until('it continues', () => reconciliations.length > 0);
  assert.is(reconciliations[0], 'startup');
  controller.stop();
  await running;
});

test('a file that hangs delays neither the last valid one nor the end', async () => {
  const { controller, file, reconciliations, stop } = await started(state('a'));
  await until('the first pass is made', () => reconciliations.length === 1);
  file.hangs = true;
  file.hint();
  await until('it is read', () => file.loads === 2);
  controller.trigger('suspension');
  await until('a plan is computed meanwhile', () => reconciliations.length === 2);
  await stop();
});

test('an edit every moment is read all the same, five times the debounce after the first one', async () => {
  const { file, reconciliations, stop } = await started(state('a'), { debounceMs: 50 });
  await until('the first pass is made', () => reconciliations.length === 1);
  let edits = 0;
  const editing = setInterval(() => {
    edits += 1;
    file.content = state(`a${edits}`);
    file.hint();
  }, 10);
  await until('an edit is reconciled while the edits go on', () => reconciliations.length > 1);
  clearInterval(editing);
  await stop();
});

test('an unexpected error of a later reconciliation is emitted, and the reconciliation is run again', async () => {
  const { controller, file, reconciliations, types, stop } = await started(state('a'), { faster: 100 });
  await until('the first pass is made', () => reconciliations.length === 1);
  file.acquisitionError = new TypeError('a bug') as unknown as EdictError;
  controller.trigger('approval');
  await until('it has failed twice', () => types().filter((type) => type === 'reconcile:failed').length >= 2);
  file.acquisitionError = null;
  await until('it is run again', () => reconciliations.length > 1);
  assert.is(reconciliations[1]?.cause, 'approval');
  await stop();
});

test.run();
