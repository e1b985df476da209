import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { unknownBefore } from '../../src/controller/observe/earlier-publications.ts';
import type { PreviousState } from '../../src/model/approval.ts';
import type { Change, Plan } from '../../src/model/change.ts';
import type { DesiredPublication, DesiredState } from '../../src/model/desired-state.ts';
import type { EarlierPublication, Observation, ObservedApi, ObservedPublication } from '../../src/model/observation.ts';
import type { PublicationKey } from '../../src/model/publication.ts';
import type { RecordedState } from '../../src/model/recorded-state.ts';
import { isActionable } from '../../src/plan/diff.ts';
import { applyObservation } from '../../src/plan/drift.ts';
import { computePlan } from '../../src/plan/planner.ts';
import { allTargets } from '../../src/plan/targets.ts';
import { fc, runs } from '../support/fast-check.ts';
import { desiredState, lastObservation, noGuards, recorded, recordedState, unknownAttemptOf, wanted } from '../support/states.ts';

/*
 * First contact compared with what would have happened if the store had not been lost.
 */

const nowMs = 1_000_000_000_000;
const apis = ['a', 'b', 'c'] as const;
const environments = ['test', 'release'] as const;
const places = apis.flatMap((api) => environments.map((environment) => ({ api, environment })));

/** What the file, the store and the gateway have of one publication; `null`: nothing. */
interface Place {
  readonly file: Pick<DesiredPublication, 'state' | 'revision' | 'driftPolicy' | 'version'> | null;
  readonly store: { readonly state: 'online' | 'offline'; readonly revision: string | null; readonly isUnknown: boolean } | null;
  /** The publication at the gateway: the one that the store knows, or a later one that somebody else made. */
  readonly gateway: 'known' | 'other' | null;
  readonly isEdited: boolean;
  /** Whether somebody else had published it, and taken it offline again, before the store was lost. */
  readonly wasPublished: boolean;
  /** Whether the file declared it only after the look at first contact had begun. */
  readonly isAddedLater: boolean;
}

const revision = fc.constantFrom(null, 'r1', 'r2');
const state = fc.constantFrom('online' as const, 'online' as const, 'offline' as const);
const place: fc.Arbitrary<Place> = fc.record({
  file: fc.option(
    fc.record({
      state,
      revision,
      driftPolicy: fc.constantFrom('report' as const, 'correct' as const),
      version: fc.constantFrom(null, null, 'known', 'other'),
    }),
  ),
  store: fc.option(fc.record({ state, revision, isUnknown: fc.nat(9).map((one) => one === 0) })),
  gateway: fc.constantFrom('known' as const, 'known' as const, 'other' as const, null),
  isEdited: fc.boolean(),
  wasPublished: fc.nat(4).map((one) => one === 0),
  isAddedLater: fc.nat(4).map((one) => one === 0),
});

interface World {
  readonly places: readonly Place[];
  readonly prune: boolean;
  readonly republish: 'revision' | 'edited';
  readonly isProtected: boolean;
  /** Whether the gateway refuses to list versions. */
  readonly isRefused: boolean;
}

const worlds: fc.Arbitrary<World> = fc.record({
  places: fc.array(place, { minLength: places.length, maxLength: places.length }),
  prune: fc.boolean(),
  republish: fc.constantFrom('revision' as const, 'edited' as const),
  isProtected: fc.boolean(),
  isRefused: fc.nat(4).map((one) => one === 0),
});

function fileOf({ places: all, prune, republish, isProtected }: World): DesiredState {
  const publications = all.flatMap(({ file }, index) => {
    const { api, environment } = places[index] ?? { api: '', environment: '' };
    return file ? [wanted(api, environment, { ...file, version: file.state === 'online' ? file.version : null })] : [];
  });
  return desiredState(publications, { prune, republish, guards: noGuards, protectedNames: isProtected ? ['release'] : [] });
}

function storeOf({ places: all }: World): RecordedState {
  const publications = all.flatMap(({ store }, index) => {
    const { api, environment } = places[index] ?? { api: '', environment: '' };
    if (!store) return [];
    const { state: recordedState, revision: recordedRevision, isUnknown } = store;
    const known = recordedState === 'online' ? { versionId: 'known', publishId: 'known' } : { versionId: null, publishId: null };
    const unknownAttempt = isUnknown ? unknownAttemptOf() : null;
    return [recorded(api, environment, { state: recordedState, revision: recordedRevision, unknownAttempt, ...known })];
  });
  return recordedState(publications);
}

/** What the gateway lists, with what its versions tell of publications that are offline. */
function gatewayOf({ places: all, isRefused }: World): Observation {
  return new Map(
    apis.map((name): [string, ObservedApi] => {
      const publications = new Map<string, ObservedPublication>();
      const earlier = new Map<string, EarlierPublication>();
      let isEdited = false;
      for (const [index, { store, gateway, isEdited: isEditedHere, wasPublished }] of all.entries()) {
        const { api, environment } = places[index] ?? { api: '', environment: '' };
        if (api !== name) continue;
        isEdited ||= isEditedHere;
        // What the store has, and is not an attempt of unknown outcome, was published: its versions stay at the gateway.
        const isPast = store !== null || wasPublished;
        earlier.set(
          `env-${environment}`,
          isRefused ? { kind: 'unread' } : isPast ? { kind: 'published', publishedAtMs: 50_000 } : { kind: 'never' },
        );
        if (gateway !== null) publications.set(`env-${environment}`, { publishId: gateway, publishedAtMs: 100_000, versionId: gateway });
      }
      const editedAtMs = isEdited ? 200_000 : 1;
      return [`api-${name}`, { apiId: `api-${name}`, name, groupId: 'g', group: 'group', editedAtMs, publications, earlier }];
    }),
  );
}

interface Contact {
  readonly isLost: boolean;
  /** Whether the file that is newest once the first look has ended was looked up as well. */
  readonly isNextLookMade?: boolean;
}

/** Returns the plan after an observation, and the publications that were adopted. */
function planOf(
  world: World,
  { isLost, isNextLookMade = true }: Contact,
): { readonly plan: Plan; readonly adopted: ReadonlySet<PublicationKey> } {
  const desired = fileOf(world);
  const withoutAdded = fileOf({ ...world, places: world.places.map((one) => (one.isAddedLater ? { ...one, file: null } : one)) });
  const before = isLost ? new Map() : storeOf(world);
  const adopted = new Set<PublicationKey>();
  const lookedUp = new Set<PublicationKey>();
  let after: RecordedState = before;
  // While first contact looks at the gateway, a newer file may add something.
  for (const looked of isLost ? [withoutAdded, ...(isNextLookMade ? [desired] : [])] : [desired]) {
    const observation = new Map(gatewayOf(world));
    // Only first contact asks for versions, of what is new in the file that it knows.
    const unknown = unknownBefore({ observation, desired: looked, recorded: after, lookedUp: isLost ? lookedUp : null });
    for (const [apiId, { earlier = new Map(), ...api }] of observation) {
      const asked = unknown.filter((one) => one.apiId === apiId);
      observation.set(apiId, {
        ...api,
        earlier: new Map(asked.map(({ environmentId: id }) => [id, earlier.get(id) ?? { kind: 'never' }])),
      });
      for (const { key, environmentId } of asked) if (earlier.get(environmentId)?.kind === 'never') lookedUp.add(key);
    }
    const result = applyObservation({ desired: looked, recorded: after, observation, isFirst: isLost }, nowMs);
    after = result.recorded;
    for (const { key, kind } of result.notices) if (kind === 'adopted') adopted.add(key);
  }
  const declared = new Map(isLost ? [] : [...before.keys()].map((key): [PublicationKey, string] => [key, '']));
  const previous: PreviousState = { declared, otherGateways: [], moved: null, approvals: [], suspension: null };
  const unmanaged = places
    .map(({ api, environment }) => wanted(api, environment))
    .filter(
      ({ key, apiId, environmentId }) => !desired.publications.has(key) && gatewayOf(world).get(apiId)?.publications.has(environmentId),
    );
  const observation = lastObservation(apis.length, { observedAtMs: nowMs, unmanaged, lookedUp: isLost ? lookedUp : null });
  return { plan: computePlan({ desired, recorded: after, previous, targets: allTargets, nowMs, observation }), adopted };
}

const callOf = ({ action, key }: Pick<Change, 'action' | 'key'>): string => `${action} ${key}`;

test('the calls after first contact are among those that the lost store would have led to', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const kept = planOf(world, { isLost: false }).plan;
      const allowed = new Set(kept.changes.filter(isActionable).map(callOf));
      for (const isNextLookMade of [false, true]) {
        const { plan } = planOf(world, { isLost: true, isNextLookMade });
        const more = plan.changes.filter(isActionable).map(callOf);
        assert.equal(
          more.filter((call) => !allowed.has(call)),
          [],
        );
      }
    }),
    { numRuns: runs(20_000) },
  );
});

test('a call that is not made after first contact is listed as adopted, held, drifted or unmanaged', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const kept = planOf(world, { isLost: false }).plan;
      const { plan, adopted } = planOf(world, { isLost: true });
      const made = new Set(plan.changes.filter(isActionable).map(callOf));
      const listed = new Set([...plan.changes, ...plan.drifted, ...plan.unmanaged].map(({ key }) => key));
      const online = gatewayOf(world);
      const unlisted = kept.changes.filter((change) => {
        const isOnline = online.get(change.apiId)?.publications.has(change.environmentId) ?? false;
        const isDone = change.action === 'offline' && !isOnline;
        return !made.has(callOf(change)) && !adopted.has(change.key) && !listed.has(change.key) && !isDone;
      });
      assert.equal(unlisted.map(callOf), []);
    }),
    { numRuns: runs(20_000) },
  );
});

test('first contact publishes nothing that is online, and takes nothing offline that nobody approved', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const plans = [false, true].map((isNextLookMade) => planOf(world, { isLost: true, isNextLookMade }).plan);
      const online = gatewayOf(world);
      for (const { action, reason, apiId, environmentId, version } of plans.flatMap(({ changes }) => changes.filter(isActionable))) {
        const isOnline = online.get(apiId)?.publications.has(environmentId) ?? false;
        assert.ok(
          action === 'online' && (!isOnline || version !== null || reason === 'edited'),
          `${action} ${apiId} ${environmentId} ${reason}`,
        );
      }
    }),
    { numRuns: runs(20_000) },
  );
});

test.run();
