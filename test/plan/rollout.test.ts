import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProbeResult } from '../../src/model/change.ts';
import type { DesiredState, Rollout, RolloutStep } from '../../src/model/desired-state.ts';
import { applyOutcome } from '../../src/model/outcome.ts';
import type { PublicationState } from '../../src/model/publication.ts';
import type { RecordedPublication, RecordedState } from '../../src/model/recorded-state.ts';
import { diffStates, isActionable } from '../../src/plan/diff.ts';
import { computePlan } from '../../src/plan/planner.ts';
import { applyRollout, expandProbeUrl } from '../../src/plan/rollout.ts';
import { allTargets } from '../../src/plan/targets.ts';
import { fc, runs } from '../support/fast-check.ts';
import { desiredState, recorded, recordedState, rolloutOf, unknownAttemptOf, wanted } from '../support/states.ts';

const probe = { url: 'https://{environment}.example.com/{api}', expectedStatus: null, timeoutMs: 5000 };
const past = { declared: new Map<never, never>(), otherGateways: [], moved: null, approvals: [], suspension: null };
const unknownAttempt = unknownAttemptOf({ attemptId: 1, endedAtMs: 1 });

/** Returns the deferral of each change in a plan, by environment; an empty text for none. */
function waits(desired: DesiredState, record: RecordedState, nowMs = 1_000_000, probes: readonly ProbeResult[] = []) {
  const answers = new Map(probes.map((answer) => [answer.key, answer]));
  const { changes } = applyRollout(diffStates(desired, record), { desired, recorded: record, probes: answers, nowMs });
  return Object.fromEntries(changes.map(({ environment, deferred }) => [environment, deferred?.message ?? '']));
}

const inAll = (over: Parameters<typeof wanted>[2] = {}) => ['test', 'staging', 'release'].map((name) => wanted('orders', name, over));
const short = rolloutOf('test', 'staging', 'release');

test('a change is deferred until every earlier environment is in sync', () => {
  const desired = desiredState(inAll(), { rollout: short });
  assert.equal(waits(desired, recordedState([])), { test: '', staging: 'waits for test', release: 'waits for test' });
  const tested = recordedState([recorded('orders', 'test')]);
  assert.equal(waits(desired, tested), { staging: '', release: 'waits for staging' });
});

test('without a rollout nothing is deferred, nor is an environment outside it, or another API', () => {
  assert.equal(waits(desiredState(inAll()), recordedState([])), { test: '', staging: '', release: '' });
  const part = desiredState(inAll(), { rollout: rolloutOf('test', 'release') });
  assert.equal(waits(part, recordedState([])), { test: '', staging: '', release: 'waits for test' });
  const other = desiredState([wanted('orders', 'test'), wanted('carts', 'release')], { rollout: short });
  assert.equal(waits(other, recordedState([])), { test: '', release: '' });
});

test('an environment in which the API is not declared is skipped', () => {
  const desired = desiredState([wanted('orders', 'test'), wanted('orders', 'release')], { rollout: short });
  assert.equal(waits(desired, recordedState([recorded('orders', 'test')])), { release: '' });
});

test('changes to offline follow the same order, even if they left the file', () => {
  const up = recordedState(['test', 'staging', 'release'].map((name) => recorded('orders', name, { wasDeclared: true })));
  const inTurn = { test: '', staging: 'waits for test', release: 'waits for test' };
  assert.equal(waits(desiredState(inAll({ state: 'offline' }), { rollout: short }), up), inTurn);
  const declared = ['test', 'staging', 'release'].map((name) => wanted('carts', name, { state: 'offline' }));
  assert.equal(waits(desiredState(declared, { prune: true, rollout: short }), up), inTurn);
});

test('an earlier environment that is held, unknown or changed by somebody else is not done', () => {
  const held = desiredState([wanted('orders', 'test', { state: 'offline' }), wanted('orders', 'release', { state: 'offline' })], {
    rollout: rolloutOf('test', 'release'),
    protectedNames: ['test'],
  });
  const up = recordedState([recorded('orders', 'test'), recorded('orders', 'release')]);
  assert.is(waits(held, up)['release'], 'waits for test, where it is held');
  const desired = desiredState(inAll(), { rollout: rolloutOf('test', 'release') });
  const withUnknown = recordedState([recorded('orders', 'test', { unknownAttempt })]);
  assert.is(waits(desired, withUnknown)['release'], 'waits for test');
  const drift = { from: 'online', fromSinceMs: 1, detectedAtMs: 2, backoffUntilMs: null } as const;
  const drifted = recordedState([recorded('orders', 'test', { state: 'offline', drift })]);
  assert.is(waits(desired, drifted)['release'], 'waits for test, which was changed outside edict');
});

test('an unknown attempt is deferred too, since a retry of it is a new call', () => {
  const desired = desiredState(inAll({ revision: '2' }), { rollout: rolloutOf('test', 'release') });
  const record = recordedState([recorded('orders', 'test', { revision: '1' }), recorded('orders', 'release', { unknownAttempt })]);
  assert.equal(waits(desired, record), { test: '', staging: '', release: 'waits for test' });
});

test('a switch to a kept version is a rollback, and is never deferred', () => {
  const desired = desiredState([wanted('orders', 'test', { revision: '2' }), wanted('orders', 'release', { version: 'kept' })], {
    rollout: rolloutOf('test', 'release'),
  });
  const record = recordedState([recorded('orders', 'test'), recorded('orders', 'release', { versionId: 'bad' })]);
  assert.equal(waits(desired, record), { test: '', release: '' });
});

test('a soak counts from the previous change, and ends at a whole second', () => {
  const desired = desiredState(inAll(), { rollout: rolloutOf({ environment: 'test', soakMs: 10_000 }, 'release') });
  const record = recordedState([recorded('orders', 'test', { recordedAtMs: 5_300 }), recorded('orders', 'staging')]);
  const ofRelease = (nowMs: number) =>
    applyRollout(diffStates(desired, record), { desired, recorded: record, probes: new Map(), nowMs }).changes[0]?.deferred;
  assert.equal(ofRelease(15_999), { rule: 'rollout', message: 'soaks in test', untilMs: 16_000 });
  assert.is(ofRelease(16_000), null);
});

test('a gate passed on the way to an environment in between is not checked again', () => {
  const rollout = rolloutOf({ environment: 'test', soakMs: 10_000, probe }, 'staging', 'release');
  const desired = desiredState(inAll(), { rollout });
  const at = (name: string, recordedAtMs: number): RecordedPublication => recorded('orders', name, { recordedAtMs });
  assert.equal(waits(desired, recordedState([at('test', 1_000), at('staging', 1_500)]), 2_000), { release: '' });
  assert.equal(waits(desired, recordedState([at('test', 1_500), at('staging', 1_000)]), 2_000), { release: 'soaks in test' });
});

test('an environment that should be in the other state is not gated by its soak or probe', () => {
  const rollout = rolloutOf({ environment: 'test', soakMs: 10_000, probe }, 'release');
  const record = recordedState([
    recorded('orders', 'test', { state: 'offline', recordedAtMs: 1_000 }),
    recorded('carts', 'test', { state: 'online', recordedAtMs: 1_000 }),
    recorded('carts', 'release'),
  ]);
  const desired = desiredState(
    [
      wanted('orders', 'test', { state: 'offline' }),
      wanted('orders', 'release'),
      wanted('carts', 'test'),
      wanted('carts', 'release', { state: 'offline' }),
    ],
    { rollout },
  );
  assert.equal(
    applyRollout(diffStates(desired, record), { desired, recorded: record, probes: new Map(), nowMs: 2_000 }).changes.map(
      (change) => change.deferred,
    ),
    [null, null],
  );
});

test('a change to offline soaks, and is not probed', () => {
  const rollout = rolloutOf({ environment: 'test', soakMs: 10_000, probe }, 'release');
  const desired = desiredState([wanted('orders', 'test', { state: 'offline' }), wanted('orders', 'release', { state: 'offline' })], {
    rollout,
  });
  const record = recordedState([recorded('orders', 'test', { state: 'offline', recordedAtMs: 1_000 }), recorded('orders', 'release')]);
  assert.equal(waits(desired, record, 2_000), { release: 'soaks in test' });
  assert.equal(waits(desired, record, 11_000), { release: '' });
});

test('a probe defers until its response is as expected, at this URL and in this state', () => {
  const rollout = rolloutOf({ environment: 'test', probe }, 'release');
  const desired = desiredState([wanted('orders', 'test'), wanted('orders', 'release')], { rollout });
  const record = recordedState([recorded('orders', 'test', { recordedAtMs: 7 })]);
  const { key } = wanted('orders', 'test');
  const url = 'https://test.example.com/orders';
  const answer = { key, url, sinceMs: 7, isExpected: true, message: 'answered 200' };
  const first = { release: `test is probed first: ${url}` };
  assert.equal(waits(desired, record), first);
  assert.equal(waits(desired, record, 0, [answer]), { release: '' });
  assert.equal(waits(desired, record, 0, [{ ...answer, sinceMs: 6 }]), first);
  assert.equal(waits(desired, record, 0, [{ ...answer, url: 'https://elsewhere' }]), first);
  const failed = [{ ...answer, isExpected: false, message: 'answered 503' }];
  assert.equal(waits(desired, record, 0, failed), { release: `waits for a probe of test, ${url}: answered 503` });
  const [change] = applyRollout(diffStates(desired, record), { desired, recorded: record, probes: new Map(), nowMs: 0 }).changes;
  const { api, apiId, environment, environmentId } = wanted('orders', 'test');
  assert.equal(change?.deferred?.probe, {
    key,
    api,
    apiId,
    environment,
    environmentId,
    url,
    expectedStatus: null,
    timeoutMs: 5000,
    sinceMs: 7,
  });
});

test('an API may have a probe URL of its own, or none', () => {
  const steps = rolloutOf({ environment: 'test', probe }, 'release').steps;
  const record = recordedState([recorded('orders', 'test')]);
  const ofOrders = (own: string | null) =>
    waits(
      desiredState([wanted('orders', 'test'), wanted('orders', 'release')], {
        rollout: { steps, probeUrls: new Map([['api-orders', own]]) },
      }),
      record,
    );
  assert.equal(ofOrders('https://own/{environment}'), { release: 'test is probed first: https://own/test' });
  assert.equal(ofOrders(null), { release: '' });
});

test('a name cannot change the structure of a probe URL', () => {
  const names = { api: 'a/../b?c#d@e', environment: 'ü' };
  assert.is(expandProbeUrl('https://x/{api}', { api: '\ud800', environment: 'e' }), 'https://x/%EF%BF%BD');
  assert.is(expandProbeUrl('https://{environment}.x/{api}/{api}', names), 'https://%C3%BC.x/a%2F..%2Fb%3Fc%23d%40e/a%2F..%2Fb%3Fc%23d%40e');
});

test('the rollout considers the whole plan, whatever is targeted, and keeps earlier deferrals', () => {
  const desired = desiredState(inAll(), { rollout: short });
  const onlyRelease = {
    patterns: { apis: [], environments: ['release'] },
    matchesApi: () => true,
    matchesEnvironment: ({ environment }: { environment: string }) => environment === 'release',
  };
  const [change, ...others] = computePlan({ desired, recorded: recordedState([]), previous: past, targets: onlyRelease, nowMs: 0 }).changes;
  assert.equal([change?.environment, change?.deferred?.message, others.length], ['release', 'waits for test', 0]);
  const made = diffStates(desired, recordedState([]));
  const frozen = { rule: 'freeze', message: 'frozen', untilMs: null } as const;
  const waiting = { ...made, changes: made.changes.map((one) => ({ ...one, deferred: frozen })) };
  assert.ok(
    applyRollout(waiting, { desired, recorded: recordedState([]), probes: new Map(), nowMs: 0 }).changes.every(
      (one) => one.deferred === frozen,
    ),
  );
});

const names = ['test', 'staging', 'release', 'free'] as const;
const states = fc.constantFrom<PublicationState>('online', 'offline');
const record = (environment: string) =>
  fc
    .option(fc.record({ state: states, revision: fc.constantFrom('1', '2'), recordedAtMs: fc.nat(20_000), isDoubtful: fc.nat(9) }), {
      nil: null,
    })
    .map((made) =>
      made === null ? [] : [recorded('orders', environment, { ...made, unknownAttempt: made.isDoubtful === 0 ? unknownAttempt : null })],
    );
const scenarios = fc.record({
  wanted: fc.tuple(
    ...names.map((name) =>
      fc
        .option(fc.record({ state: states, revision: fc.constantFrom('1', '2') }), { nil: null })
        .map((over) => (over ? [wanted('orders', name, over)] : [])),
    ),
  ),
  before: fc.tuple(...names.map(record)),
  prune: fc.boolean(),
  protectedNames: fc.subarray(['test', 'staging', 'release']),
  soaks: fc.array(fc.constantFrom(0, 3_000), { minLength: 3, maxLength: 3 }),
});

test('an allowed change has nothing left before it; and one by one, every change that is not held is made', () => {
  fc.assert(
    fc.property(scenarios, fc.infiniteStream(fc.nat()), (scenario, picks) => {
      const rollout: Rollout = {
        steps: ['test', 'staging', 'release'].map(
          (name, at): RolloutStep => ({ environment: name, environmentId: `env-${name}`, soakMs: scenario.soaks[at] ?? 0, probe: null }),
        ),
        probeUrls: new Map(),
      };
      const desired = desiredState(scenario.wanted.flat(), { ...scenario, rollout });
      let now = recordedState(scenario.before.flat());
      let nowMs = 10_000;
      for (let turns = 0; turns < 40; turns += 1) {
        const { changes } = computePlan({ desired, recorded: now, previous: past, targets: allTargets, nowMs });
        const made = changes.filter(isActionable);
        const rank = (environment: string): number => names.indexOf(environment as (typeof names)[number]);
        for (const { environment } of made) {
          if (environment === 'free') continue;
          assert.not.ok(changes.some((other) => other.environment !== 'free' && rank(other.environment) < rank(environment)));
        }
        const change = made[(picks.next().value ?? 0) % Math.max(1, made.length)];
        if (!change) {
          const untilMs = changes.flatMap(({ deferred }) => deferred?.untilMs ?? []);
          if (untilMs.length === 0) {
            const first = changes.find(({ environment }) => environment !== 'free');
            return first === undefined || first.held !== null || changes.some(({ held }) => held !== null);
          }
          nowMs = Math.min(...untilMs);
          continue;
        }
        const outcome = { kind: 'succeeded', versionId: null, publishId: null } as const;
        const next = applyOutcome(now.get(change.key), { change, outcome, id: 1, marker: null, startedAtMs: 1, finishedAtMs: nowMs });
        now = new Map([...now, ...(next ? [[change.key, next] as const] : [])]);
      }
      return false;
    }),
    { numRuns: runs(2_000) },
  );
});

test.run();
