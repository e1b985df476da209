import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DesiredPublication, DesiredState } from '../../src/model/desired-state.ts';
import { type ControllerFixture, type ControllerFixtureOptions, openController } from '../support/controller-fixture.ts';
import { until } from '../support/edict-process.ts';
import { fc, runs } from '../support/fast-check.ts';
import { desiredState, rolloutOf, wanted } from '../support/states.ts';

const way = ['test', 'staging', 'release'] as const;

/** Opens a controller whose gateway has `staging` too. */
async function threeStages(options: ControllerFixtureOptions): Promise<ControllerFixture> {
  const fixture = await openController(options);
  fixture.emulator.state.add({
    project: 'project',
    instance: 'instance',
    apis: [],
    environments: [{ id: 'env-staging', name: 'staging' }],
  });
  return fixture;
}

function inOrder(fixture: ControllerFixture, publications: readonly DesiredPublication[]): DesiredState {
  const { gateway } = fixture.desire({});
  return desiredState(publications, { gateway, rollout: rolloutOf(...way) });
}

const everywhere = (api: string, over: Partial<DesiredPublication> = {}) => way.map((environment) => wanted(api, environment, over));

/** Returns the calls for changes as `api environment`, in the order in which they came. */
function calls({ emulator }: ControllerFixture): string[] {
  const changes = emulator.requests.all().filter(({ operation }) => operation === 'changePublication');
  return changes.map(({ api = '', environment = '' }) => `${api.replace('api-', '')} ${environment.replace('env-', '')}`);
}

test('each API goes through the whole rollout in one reconciliation, which counts all changes', async () => {
  await using fixture = await threeStages({ apis: ['a', 'b'], maxTries: 1 });
  await fixture.controller.reconcile(inOrder(fixture, [...everywhere('a'), ...everywhere('b')]), 'startup');
  await fixture.controller.idle();
  for (const api of ['a', 'b']) {
    const own = calls(fixture).filter((call) => call.startsWith(`${api} `));
    assert.equal(
      own,
      way.map((environment) => `${api} ${environment}`),
    );
  }
  const finished = fixture.events.flatMap((event) => (event.type === 'reconcile:finished' ? [event.summary] : []));
  assert.equal(
    finished.map(({ online, deferred, failed }) => [online, deferred, failed]),
    [[6, 0, 0]],
  );
  const reconcileIds = new Set(fixture.events.flatMap((event) => ('reconcileId' in event ? [event.reconcileId] : [])));
  assert.is(reconcileIds.size, 1);
});

test('a failure stops the rollout of its API only, and the failed change is not retried by it', async () => {
  await using fixture = await threeStages({ apis: ['a', 'b'], maxTries: 1 });
  const fault = { status: 403, errorCode: 'APIG.1005', errorMsg: 'no', times: 9, apiId: 'api-a', environmentId: 'env-staging' };
  fixture.emulator.faults.add(fault);
  await fixture.controller.reconcile(inOrder(fixture, [...everywhere('a'), ...everywhere('b')]), 'startup');
  await fixture.controller.idle();
  assert.equal(calls(fixture).toSorted(), ['a staging', 'a test', 'b release', 'b staging', 'b test']);
  const [last] = fixture.events.filter((event) => event.type === 'reconcile:finished').slice(-1);
  assert.equal([last?.summary.failed, last?.summary.deferred], [1, 1]);
});

test('an attempt with an unknown outcome is resolved even before its rollout step, and nothing new is sent', async () => {
  await using fixture = await threeStages({ apis: ['a'], maxTries: 1 });
  const first = inOrder(fixture, everywhere('a', { revision: '1' }));
  fixture.emulator.faults.add({ kind: 'cut', times: 1, applied: true, apiId: 'api-a', environmentId: 'env-release' });
  await fixture.controller.reconcile(first, 'startup');
  await fixture.controller.idle();
  const stopped = { status: 403, errorCode: 'APIG.1005', errorMsg: 'no', times: 9, apiId: 'api-a', environmentId: 'env-test' };
  fixture.emulator.faults.add(stopped);
  const second = inOrder(fixture, everywhere('a', { revision: '2' }));
  await fixture.controller.reconcile(second, 'file');
  await fixture.controller.idle();
  assert.equal(calls(fixture), ['a test', 'a staging', 'a release', 'a test']);
  const release = (await fixture.store.readRecordedState(second.gateway)).get(wanted('a', 'release').key);
  assert.equal([release?.state, release?.revision, release?.unknownAttempt], ['online', '1', null]);
});

test('an attempt that stays unknown is not read again and again while its step is deferred', async () => {
  await using fixture = await threeStages({ apis: ['a', 'b'], maxTries: 1, settings: { isMarkerEnabled: false, unknownOutcome: 'retry' } });
  fixture.emulator.faults.add({ kind: 'cut', times: 1, applied: true, apiId: 'api-a', environmentId: 'env-release' });
  await fixture.controller.reconcile(inOrder(fixture, everywhere('a', { revision: '1' })), 'startup');
  await fixture.controller.idle();
  fixture.emulator.requests.clear();
  fixture.emulator.faults.add({ status: 403, errorCode: 'APIG.1005', errorMsg: 'no', times: 1, apiId: 'api-a', environmentId: 'env-test' });
  await fixture.controller.reconcile(inOrder(fixture, [...everywhere('a', { revision: '2' }), ...everywhere('b')]), 'file');
  await fixture.controller.idle();
  const reads = fixture.emulator.requests.all().filter(({ operation }) => operation !== 'changePublication');
  assert.is(reads.length, 1);
  await fixture.controller.reconcile(inOrder(fixture, everywhere('a', { revision: '2' })), 'signal');
  await fixture.controller.idle();
  assert.equal(calls(fixture).slice(-3), ['a test', 'a staging', 'a release']);
});

test('an apply with limited tries does not wait for a soak, and the daemon continues when the soak is over', async () => {
  for (const [maxTries, made] of [
    [1, ['a test']],
    [Number.POSITIVE_INFINITY, ['a test', 'a staging', 'a release']],
  ] as const) {
    await using fixture = await threeStages({ apis: ['a'], maxTries });
    const rollout = rolloutOf({ environment: 'test', soakMs: 300 }, 'staging', 'release');
    await fixture.controller.reconcile({ ...inOrder(fixture, everywhere('a')), rollout }, 'startup');
    await fixture.controller.idle();
    if (maxTries > 1) await until('all changes are made', () => calls(fixture).length === 3);
    assert.equal(calls(fixture), made);
  }
});

interface Made {
  readonly state: string;
  readonly revision: string;
}

/** Returns the calls made before the previous environment was in sync; the remark of a call names its file. */
function earlyCalls({ emulator }: ControllerFixture, files: readonly DesiredState[]): string[] {
  const effective = new Map<string, Made>();
  const found: string[] = [];
  for (const { operation, api = '', environment = '', action = '', remark = '', applied } of emulator.requests.all()) {
    if (operation !== 'changePublication') continue;
    const [, revision = '', at = ''] = /^r(\d) file (\d+)/.exec(remark) ?? [];
    const before = way.slice(
      0,
      way.findIndex((name) => `env-${name}` === environment),
    );
    for (const name of before) {
      const asked = [...(files[Number(at)]?.publications.values() ?? [])].find((one) => one.apiId === api && one.environment === name);
      const is = effective.get(`${api} ${name}`) ?? { state: 'offline', revision: '' };
      const isDone = !asked || (asked.state === is.state && (asked.state === 'offline' || asked.revision === is.revision));
      if (!isDone) found.push(`${action} ${api} ${environment} of file ${at} before ${name}, which is ${JSON.stringify(is)}`);
    }
    if (applied) effective.set(`${api} ${environment.replace('env-', '')}`, { state: action, revision });
  }
  return found;
}

const apis = ['a', 'b', 'c'] as const;
const aFile = fc.record({
  states: fc.array(fc.constantFrom('online', 'online', 'online', 'offline', null), { minLength: 9, maxLength: 9 }),
  revision: fc.constantFrom('1', '2', '3'),
  /** Whether the next file arrives while this one is being applied. */
  isHasty: fc.boolean(),
});
const aFault = fc.record({
  api: fc.constantFrom(...apis),
  environment: fc.constantFrom(...way),
  kind: fc.constantFrom('refused', 'cut', 'cut:applied'),
  times: fc.integer({ min: 1, max: 2 }),
});

test('there is never a call for an environment before the previous one is in sync', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aFile, { minLength: 1, maxLength: 4 }), fc.array(aFault, { maxLength: 5 }), async (written, faults) => {
      await using fixture = await threeStages({ apis: [...apis], maxTries: 1, settings: { unknownOutcome: 'retry', timeoutMs: 500 } });
      for (const { api, environment, kind, times } of faults) {
        const where = { times, apiId: `api-${api}`, environmentId: `env-${environment}` };
        if (kind === 'refused') fixture.emulator.faults.add({ ...where, status: 403, errorCode: 'APIG.1005', errorMsg: 'no' });
        else fixture.emulator.faults.add({ ...where, kind: 'cut', applied: kind === 'cut:applied' });
      }
      const files = written.map(({ states, revision }, at) =>
        inOrder(
          fixture,
          apis.flatMap((api, row) =>
            way.flatMap((environment, column) => {
              const state = states[row * way.length + column];
              return state ? [wanted(api, environment, { state, revision, remark: `r${revision} file ${at}` })] : [];
            }),
          ),
        ),
      );
      for (const [at, file] of files.entries()) {
        await fixture.controller.reconcile(file, 'file');
        if (!written[at]?.isHasty) await fixture.controller.idle();
      }
      // The largest number of rejections of one publication by all faults together.
      for (let times = 0; times < 10; times += 1) {
        await fixture.controller.idle();
        await fixture.controller.reconcile(files.at(-1) as DesiredState, 'signal');
      }
      await fixture.controller.idle();
      assert.equal(earlyCalls(fixture, files), []);
      const [last] = fixture.events.filter((event) => event.type === 'reconcile:finished').slice(-1);
      assert.equal([last?.summary.failed, last?.summary.deferred, last?.summary.held], [0, 0, 0]);
    }),
    { numRuns: runs(60) },
  );
});

test.run();
