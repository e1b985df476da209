import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Plan } from '../../src/model/change.ts';
import type { DesiredState } from '../../src/model/desired-state.ts';
import { applyOutcome } from '../../src/model/outcome.ts';
import type { PublicationNames, PublicationState } from '../../src/model/publication.ts';
import type { RecordedPublication, RecordedState } from '../../src/model/recorded-state.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { planDigest } from '../../src/plan/digest.ts';
import { allTargets, filterPlan, isTargeted, type Targets } from '../../src/plan/targets.ts';
import { fc, runs } from '../support/fast-check.ts';
import { desiredState, recorded, recordedState, unknownAttemptOf, wanted } from '../support/states.ts';

/** Targets whose patterns are literal names or IDs. */
function exactly(apis: readonly string[], environments: readonly string[] = []): Targets {
  const has = (list: readonly string[], ...names: string[]): boolean => list.length === 0 || names.some((name) => list.includes(name));
  return {
    patterns: { apis, environments },
    matchesApi: ({ api, apiId }) => has(apis, api, apiId),
    matchesEnvironment: ({ environment, environmentId }) => has(environments, environment, environmentId),
  };
}

const named = ({ changes }: Plan): string[] => changes.map(({ api, environment, action }) => `${api} ${environment} ${action}`);

const desired = desiredState(
  [wanted('orders', 'test'), wanted('orders', 'release'), wanted('carts', 'test', { state: 'offline' }), wanted('users', 'test')],
  { prune: true },
);
const before = recordedState([
  ...[recorded('carts', 'test'), recorded('users', 'test')],
  ...['test', 'release'].map((environment) => recorded('gone', environment, { wasDeclared: true })),
]);
const whole = diffStates(desired, before);

test('without targets the plan is the same', () => {
  assert.is(filterPlan(whole, desired, allTargets), whole);
  assert.equal([whole.targets, whole.excluded], [{ apis: [], environments: [] }, 0]);
});

for (const [apis, environments, changes, unchanged] of [
  [['orders'], [], ['orders release online', 'orders test online'], 0],
  [['api-orders'], ['test'], ['orders test online'], 0],
  [['orders', 'carts'], ['env-test'], ['carts test offline', 'orders test online'], 0],
  [[], ['release'], ['gone release offline', 'orders release online'], 0],
  [['gone'], ['test'], ['gone test offline'], 0],
  [['users'], [], [], 1],
  [['users'], ['release'], [], 0],
] as const) {
  test(`of ${apis.join(', ') || 'all APIs'} in ${environments.join(', ') || 'all environments'}: ${changes.join(', ') || 'nothing'}`, () => {
    const targets = exactly(apis, environments);
    const made = filterPlan(whole, desired, targets);
    assert.equal(named(made), changes);
    assert.equal([made.unchanged, made.excluded, made.targets], [unchanged, whole.changes.length - changes.length, targets.patterns]);
  });
}

test('an API renamed since it was recorded is targeted by its name in the file, and by its ID', () => {
  const renamed = desiredState([wanted('orders', 'test', { api: 'bestellungen' })], { prune: true });
  const drift = { from: 'online', fromSinceMs: null, detectedAtMs: 1, backoffUntilMs: null } as const;
  const drifted = diffStates(renamed, recordedState([recorded('orders', 'test', { state: 'offline', drift })]));
  const seen = (api: string): number => filterPlan(drifted, renamed, exactly([api])).drifted.length;
  assert.equal(['bestellungen', 'api-orders', 'orders'].map(seen), [1, 1, 0]);
});

test('notices are filtered too, and not counted as unchanged', () => {
  const drift = { from: 'online', fromSinceMs: null, detectedAtMs: 1, backoffUntilMs: null } as const;
  const stale = { publishedAtMs: 1, editedAtMs: 9_000_000 };
  const both = desiredState([wanted('a', 'test'), wanted('a', 'release'), wanted('b', 'test'), wanted('b', 'release')]);
  const seen = diffStates(
    both,
    recordedState(['a', 'b'].flatMap((api) => [recorded(api, 'test', { state: 'offline', drift }), recorded(api, 'release', stale)])),
  );
  assert.equal([seen.drifted.length, seen.outdated.length, seen.unchanged], [2, 2, 2]);
  const made = filterPlan(seen, both, exactly(['b']));
  assert.equal(
    [...made.drifted, ...made.outdated].map(({ api, environment }) => `${api} ${environment}`),
    ['b test', 'b release'],
  );
  assert.is(made.unchanged, 1);
});

test('the digest is that of the remaining changes', () => {
  const small = desiredState([wanted('orders', 'test')]);
  assert.is(planDigest(filterPlan(whole, desired, exactly(['orders'], ['test']))), planDigest(diffStates(small, new Map())));
  assert.is.not(planDigest(filterPlan(whole, desired, exactly(['orders']))), planDigest(whole));
});

const names = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const places = fc.constantFrom('test', 'release', 'stage');
const pairs = fc.uniqueArray(fc.tuple(names, places), { selector: (pair) => pair.join(' '), maxLength: 12 });
const unresolved = unknownAttemptOf({ attemptId: 7 });
const drift = fc.constantFrom(null, null, { from: 'online', fromSinceMs: null, detectedAtMs: 1, backoffUntilMs: null } as const);
const revision = fc.constantFrom(null, '1', '2');
const state = fc.constantFrom<PublicationState>('online', 'offline');

const desiredStates: fc.Arbitrary<DesiredState> = fc
  .tuple(
    pairs,
    fc.infiniteStream(
      fc.record({
        state,
        revision,
        version: fc.constantFrom(null, null, 'v1'),
        driftPolicy: fc.constantFrom<'correct' | 'report'>('correct', 'report'),
      }),
    ),
    fc.boolean(),
    fc.subarray(['test', 'release', 'stage']),
    fc.constantFrom<'revision' | 'edited'>('revision', 'edited'),
  )
  .map(([chosen, settings, prune, protectedNames, republish]) =>
    desiredState(
      chosen.map(([api, environment]) => wanted(api, environment, settings.next().value)),
      { prune, protectedNames, republish },
    ),
  );
const records: fc.Arbitrary<Partial<RecordedPublication>> = fc.record({
  state: fc.constantFrom<PublicationState | null>('online', 'offline', null),
  versionId: fc.constantFrom('v1', 'v2'),
  revision,
  drift,
  unknownAttempt: fc.constantFrom(null, null, unresolved),
  publishedAtMs: fc.constantFrom(null, 1),
  editedAtMs: fc.constantFrom(null, 9_000_000),
});
const recordedStates: fc.Arbitrary<RecordedState> = fc
  .tuple(pairs, fc.infiniteStream(records))
  .map(([chosen, settings]) => recordedState(chosen.map(([api, environment]) => recorded(api, environment, settings.next().value))));
const someTargets = fc
  .tuple(fc.subarray(['a', 'api-b', 'c', 'api-d']), fc.subarray(['test', 'env-release']))
  .map(([apis, environments]) => exactly(apis, environments));

/** Returns the record after every change of a plan that is not held has been made. */
function applied(made: Plan, was: RecordedState): RecordedState {
  const after = new Map(was);
  for (const change of made.changes) {
    if (change.held) continue;
    const outcome = { kind: 'succeeded', versionId: change.version ?? 'new', publishId: 'new' } as const;
    const next = applyOutcome(was.get(change.key), { change, outcome, id: 1, marker: null, startedAtMs: 1, finishedAtMs: 2 });
    if (next) after.set(change.key, next);
  }
  return after;
}

test('the changes are exactly the matching ones of the plan, and the others stay as they were', () => {
  fc.assert(
    fc.property(desiredStates, recordedStates, someTargets, (wantedState, was, targets) => {
      const all = diffStates(wantedState, was);
      const made = filterPlan(all, wantedState, targets);
      const isMeant = (publication: PublicationNames): boolean => isTargeted(targets, publication);
      assert.equal(made.changes, all.changes.filter(isMeant));
      assert.is(made.changes.length + made.excluded, all.changes.length);
      const after = applied(made, was);
      for (const [key, publication] of [...was, ...after]) if (!isMeant(publication)) assert.equal(after.get(key), was.get(key));
      const rest = diffStates(wantedState, after);
      const untouched = all.changes.filter((change) => !isMeant(change));
      assert.equal(
        rest.changes.filter((change) => !isMeant(change)),
        untouched,
      );
      assert.ok(filterPlan(rest, wantedState, targets).changes.every(({ held }) => held));
    }),
    { numRuns: runs(1000) },
  );
});

test('every targeted publication of the file is changed, drifted or unchanged', () => {
  fc.assert(
    fc.property(desiredStates, recordedStates, someTargets, (wantedState, was, targets) => {
      const made = filterPlan(diffStates(wantedState, was), wantedState, targets);
      const inFile = made.changes.filter(({ key }) => wantedState.publications.has(key)).length;
      const meant = [...wantedState.publications.values()].filter((publication) => isTargeted(targets, publication)).length;
      assert.is(inFile + made.drifted.length + made.unchanged, meant);
    }),
    { numRuns: runs(500) },
  );
});

test('the plan, the file and the targets are not changed', () => {
  const copy = structuredClone(whole);
  filterPlan(whole, desired, exactly(['orders']));
  assert.equal(whole, copy);
});

test.run();
