import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DesiredPublication, DesiredState } from '../../src/model/desired-state.ts';
import type { DriftNotice, Observation, ObservedApi, ObservedPublication } from '../../src/model/observation.ts';
import { applyOutcome } from '../../src/model/outcome.ts';
import type { PublicationKey, PublicationState } from '../../src/model/publication.ts';
import type { RecordedPublication, RecordedState } from '../../src/model/recorded-state.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { applyObservation } from '../../src/plan/drift.ts';
import { fc, runs } from '../support/fast-check.ts';
import { desiredState, recorded, recordedState, unknownAttemptOf, wanted } from '../support/states.ts';

const nowMs = 1_000_000_000_000;
const hourMs = 3_600_000;
const drift = { from: 'online', fromSinceMs: null, detectedAtMs: 5, backoffUntilMs: null } as const;
const unknownAttempt = unknownAttemptOf({ attemptId: 7, marker: 'm' });
const at = { publishId: 'p', publishedAtMs: 100 } as const;

/** Returns API `api-orders` as it is listed; `published` is where, by the environment's name. */
function listed(published: Readonly<Record<string, ObservedPublication>>, editedAtMs: number | null = 50): Observation {
  const publications = new Map(Object.entries(published).map(([environment, publication]) => [`env-${environment}`, publication]));
  const api: ObservedApi = { apiId: 'api-orders', name: 'orders', groupId: 'g', group: 'group', editedAtMs, publications };
  return new Map([[api.apiId, api]]);
}

interface Case {
  readonly file?: Partial<DesiredPublication> | null;
  readonly record?: Partial<RecordedPublication> | null;
  readonly seen?: ObservedPublication | null;
  readonly atMs?: number;
  /** Whether the gateway was never observed before. */
  readonly isFirst?: boolean;
}

/** Observes `orders` in `test` once. By default the file declares it online, nothing is recorded and nothing is published. */
function observeOnce({ file = {}, record = null, seen = null, atMs = nowMs, isFirst = false }: Case) {
  const desired = desiredState(file ? [wanted('orders', 'test', file)] : []);
  const before = recordedState(record ? [recorded('orders', 'test', record)] : []);
  const {
    recorded: after,
    updates,
    notices,
  } = applyObservation({ isFirst, desired, recorded: before, observation: listed(seen ? { test: seen } : {}) }, atMs);
  const [next] = after.values();
  return { next, updates, note: notices[0] ?? null, notices, desired, after, before };
}

const known = { publishId: 'p', publishedAtMs: 100, editedAtMs: 50 } as const;

const rows: readonly (readonly [
  title: string,
  Case,
  state: PublicationState | null,
  note: DriftNotice['kind'] | null,
  drifted: boolean,
])[] = [
  ['wanted online, not recorded, not published: nothing', {}, null, null, false],
  ['wanted online, not recorded, published: adopted', { seen: at }, 'online', 'adopted', false],
  ['wanted online, recorded offline, published: adopted', { record: { state: 'offline' }, seen: at }, 'online', 'adopted', false],
  ['wanted online, recorded online, not published: drift', { record: known }, 'offline', 'drift', true],
  ['wanted online, recorded online, published: as it was', { record: known, seen: at }, 'online', null, false],
  [
    'wanted online, recorded online, published again: external change',
    { record: known, seen: { ...at, publishId: 'q' } },
    'online',
    'externalChange',
    false,
  ],
  ['wanted online, recorded online under no ID, published: as it was', { record: {}, seen: at }, 'online', null, false],
  ['wanted offline, not recorded, not published: nothing', { file: { state: 'offline' } }, null, null, false],
  ['wanted offline, not recorded, published: drift', { file: { state: 'offline' }, seen: at }, 'online', 'drift', true],
  [
    'wanted offline, recorded offline, published: drift',
    { file: { state: 'offline' }, record: { state: 'offline' }, seen: at },
    'online',
    'drift',
    true,
  ],
  [
    'wanted offline, still recorded online, published: pending, no drift',
    { file: { state: 'offline' }, record: known, seen: at },
    'online',
    null,
    false,
  ],
  [
    'wanted offline, still recorded online, published again: pending, no drift',
    { file: { state: 'offline' }, record: known, seen: { ...at, publishId: 'q' } },
    'online',
    'externalChange',
    false,
  ],
  [
    'wanted offline, still recorded online, not published: external change',
    { file: { state: 'offline' }, record: known },
    'offline',
    'externalChange',
    false,
  ],
  ['not in the file, recorded online, not published: external change', { file: null, record: known }, 'offline', 'externalChange', false],
  ['not in the file, recorded online, published: as it was', { file: null, record: known, seen: at }, 'online', null, false],
  [
    'not in the file, recorded offline, published: unmanaged',
    { file: null, record: { state: 'offline' }, seen: at },
    'offline',
    null,
    false,
  ],
  [
    'outcome unknown and published: left to its resolution',
    { record: { state: 'offline', unknownAttempt }, seen: at },
    'offline',
    null,
    false,
  ],
  ['outcome unknown and not published: left to its resolution', { record: { ...known, unknownAttempt } }, 'online', null, false],
];

for (const [title, given, state, note, drifted] of rows) {
  test(title, () => {
    const { next, ...seen } = observeOnce(given);
    assert.equal([next?.state ?? null, seen.note?.kind ?? null, next?.drift != null], [state, note, drifted]);
    if (!note && seen.updates.length > 0) assert.is(next?.recordedAtMs, 1, 'nothing has changed, so it keeps its time');
    if (note) assert.is(next?.recordedAtMs, nowMs);
  });
}

test('an edit that may be a publication is not one: two environments would republish each other forever', () => {
  const at1000 = { test: { publishId: 'p', publishedAtMs: 10_000 } };
  const observe = (editedAtMs: number) =>
    applyObservation(
      {
        isFirst: false,
        desired: desiredState([wanted('orders', 'test')]),
        recorded: recordedState([recorded('orders', 'test', known)]),
        observation: listed(at1000, editedAtMs),
      },
      nowMs,
    );
  for (const [editedAtMs, expected] of [
    [9_999, 9_999],
    [10_000, known.editedAtMs],
    [12_000, known.editedAtMs],
    [12_001, 12_001],
  ] as const) {
    assert.is([...observe(editedAtMs).recorded.values()][0]?.editedAtMs, expected, String(editedAtMs));
  }
});

test('a notice has the previous state, its time, and the current state', () => {
  const { note } = observeOnce({ record: { ...known, recordedAtMs: 77 } });
  const { key, api, apiId, environment, environmentId } = wanted('orders', 'test');
  const names = { key, api, apiId, environment, environmentId };
  assert.equal(note, {
    ...names,
    kind: 'drift',
    previousState: 'online',
    previousSinceMs: 77,
    currentState: 'offline',
    untilMs: null,
    replacementId: null,
  });
  assert.equal(observeOnce({ seen: at }).note, {
    ...names,
    kind: 'adopted',
    previousState: null,
    previousSinceMs: null,
    currentState: 'online',
    untilMs: null,
    replacementId: null,
  });
});

test('the record tells what was online at first contact from what somebody published later, also after further observations', () => {
  const file = { state: 'offline' } as const;
  const fromOf = (one: Case) => observeOnce(one).next?.drift?.from;
  assert.is(fromOf({ file, seen: at, isFirst: true }), 'unknown');
  assert.is(fromOf({ file, seen: at }), null);
  assert.is(fromOf({ file, seen: at, record: { state: 'offline' }, isFirst: true }), 'offline');
  const { next } = observeOnce({ file, seen: at, isFirst: true });
  assert.is(fromOf({ file, seen: { publishId: 'q', publishedAtMs: 900 }, record: next ?? {} }), 'unknown');
  assert.is(observeOnce({ file: {}, seen: at, isFirst: true }).next?.drift, null);
});

test('an adopted publication is recorded as edict would have recorded it', () => {
  const { next, updates } = observeOnce({ file: { revision: 'a' }, seen: at });
  const expected = recorded('orders', 'test', { ...known, revision: 'a', versionId: null, recordedAtMs: nowMs });
  assert.equal(next, expected);
  assert.equal(updates, [expected]);
});

test('an API that the list leaves out is not judged', () => {
  const desired = desiredState([wanted('orders', 'test'), wanted('carts', 'test', { state: 'offline' })]);
  const before = recordedState([recorded('orders', 'test'), recorded('invoices', 'test')]);
  assert.equal(applyObservation({ isFirst: false, desired, recorded: before, observation: new Map() }, nowMs), {
    recorded: before,
    updates: [],
    notices: [],
  });
});

test('an API published elsewhere is not published here', () => {
  const desired = desiredState([wanted('orders', 'test')]);
  const { recorded: after } = applyObservation(
    { isFirst: false, desired, recorded: recordedState([recorded('orders', 'test')]), observation: listed({ release: at }) },
    nowMs,
  );
  assert.is([...after.values()][0]?.state, 'offline');
});

test('a republication keeps the revision and clears the version', () => {
  const { next } = observeOnce({
    file: { revision: 'a' },
    record: { ...known, revision: 'a' },
    seen: { publishId: 'q', publishedAtMs: 200 },
  });
  assert.equal([next?.revision, next?.versionId, next?.publishId, next?.publishedAtMs], ['a', null, 'q', 200]);
});

test('a publication taken offline by somebody else keeps the revision, so that it returns with it', () => {
  assert.is(observeOnce({ file: { revision: 'a' }, record: { ...known, revision: 'a' } }).next?.revision, 'a');
});

test('a revision that edict knows to be older is not taken for the one in the file', () => {
  const { next, after, desired } = observeOnce({ file: { revision: 'b' }, record: { state: 'offline', revision: 'a' }, seen: at });
  assert.is(next?.revision, 'a');
  assert.equal(
    diffStates(desired, after).changes.map(({ reason }) => reason),
    ['revision'],
  );
});

test('a missing field keeps its previous value', () => {
  const { next, updates } = observeOnce({ record: known, seen: { publishId: null, publishedAtMs: null } });
  assert.equal([next?.publishId, next?.publishedAtMs], ['p', 100]);
  assert.is(updates.length, 0);
  const later = applyObservation(
    {
      isFirst: false,
      desired: desiredState([wanted('orders', 'test')]),
      recorded: recordedState([recorded('orders', 'test', known)]),
      observation: listed({ test: at }, null),
    },
    nowMs,
  );
  assert.is(later.updates.length, 0);
});

test('times and the ID of the publication are updated without a notice', () => {
  const { next, note, updates } = observeOnce({ record: {}, seen: at });
  assert.equal([next?.publishId, next?.publishedAtMs, next?.editedAtMs, next?.versionId, note], ['p', 100, 50, 'version', null]);
  assert.is(updates.length, 1);
});

test('a new name in the file becomes the recorded one', () => {
  const before = recorded('orders', 'test', { ...known, api: 'old name', environment: 'old place' });
  const { updates } = applyObservation(
    {
      isFirst: false,
      desired: desiredState([wanted('orders', 'test')]),
      recorded: recordedState([before]),
      observation: listed({ test: at }),
    },
    nowMs,
  );
  assert.equal([updates[0]?.api, updates[0]?.environment], ['orders', 'test']);
});

test('an identical observation writes nothing, whatever the order of the record', () => {
  const before = recorded('orders', 'test', { ...known, drift });
  const { detectedAtMs, backoffUntilMs, from } = drift;
  const otherOrder = Object.fromEntries(Object.entries({ ...before, drift: { backoffUntilMs, detectedAtMs, from } }).reverse());
  const desired = desiredState([wanted('orders', 'test', { state: 'offline' })]);
  const { updates } = applyObservation(
    { isFirst: false, desired, recorded: recordedState([otherOrder as unknown as RecordedPublication]), observation: listed({ test: at }) },
    nowMs,
  );
  assert.equal(updates, []);
});

test('a drift ends when the file matches it, so that a later edit of the file is applied', () => {
  for (const [state, seen] of [
    ['online', at],
    ['offline', null],
  ] as const) {
    const record = { ...(state === 'online' ? known : { editedAtMs: 50 }), state, drift };
    const { next } = observeOnce({ file: { state }, record, seen });
    assert.is(next?.drift, null);
    const other = desiredState([wanted('orders', 'test', { state: state === 'online' ? 'offline' : 'online' })]);
    assert.is(diffStates(other, recordedState(next ? [next] : [])).changes[0]?.reason, 'state');
  }
});

test('a drift that continues is the same one', () => {
  const offline = { state: 'offline', editedAtMs: 50, drift } as const;
  const { next, updates, note } = observeOnce({ record: offline });
  assert.equal([next?.drift, updates.length, note], [drift, 0, null]);
});

test('a publication that edict never made is not taken offline when it leaves the file', () => {
  const first = observeOnce({ file: { state: 'offline' }, seen: at });
  const gone = desiredState([], { prune: true });
  const pruned = (after: RecordedState) => diffStates(gone, after, { wasDeclared: () => true }).changes;
  assert.equal(pruned(first.after), []);
  const republished = applyObservation(
    { isFirst: false, desired: gone, recorded: first.after, observation: listed({ test: { publishId: 'q', publishedAtMs: 300 } }) },
    nowMs + hourMs,
  );
  assert.equal(pruned(republished.recorded), []);
  const matched = applyObservation(
    { isFirst: false, desired: desiredState([wanted('orders', 'test')]), recorded: first.after, observation: listed({ test: at }) },
    nowMs,
  );
  assert.is(pruned(matched.recorded)[0]?.reason, 'prune', 'the file asked for it in between');
});

for (const [correctionCount, backoffMs] of [
  [0, null],
  [2, null],
  [3, 60_000],
  [4, 120_000],
  [8, 1_920_000],
  [9, hourMs],
  [500, hourMs],
] as const) {
  test(`after ${correctionCount} corrections the same drift is not corrected for ${backoffMs} ms`, () => {
    const record = { ...known, correctionCount: correctionCount, lastCorrectedAtMs: nowMs - 1000 };
    const { next, note } = observeOnce({ record });
    const untilMs = backoffMs === null ? null : nowMs - 1000 + backoffMs;
    assert.equal([next?.drift?.backoffUntilMs, note?.kind, note?.untilMs], [untilMs, untilMs ? 'flapping' : 'drift', untilMs]);
  });
}

test('the backoff of a flapping drift ends', () => {
  const lastCorrectedAtMs = nowMs - 61_000;
  const inBackoff = { from: 'online', fromSinceMs: null, detectedAtMs: nowMs - 50_000, backoffUntilMs: nowMs - 1000 } as const;
  const record = { state: 'offline', editedAtMs: 50, correctionCount: 3, lastCorrectedAtMs: lastCorrectedAtMs, drift: inBackoff } as const;
  const { next, after, note } = observeOnce({ record });
  assert.equal([next?.drift, next?.correctionCount, note], [{ ...inBackoff, backoffUntilMs: null }, 3, null]);
  const desired = desiredState([wanted('orders', 'test', { driftPolicy: 'correct' })]);
  assert.is(diffStates(desired, after).changes[0]?.reason, 'drift');
});

test('a drift after a quiet time is a new one, and its corrections start at zero', () => {
  const { next, note } = observeOnce({ record: { ...known, correctionCount: 9, lastCorrectedAtMs: nowMs - hourMs } });
  assert.equal([next?.correctionCount, next?.lastCorrectedAtMs, next?.drift?.backoffUntilMs, note?.kind], [0, null, null, 'drift']);
});

test('setting the clock back makes no backoff longer than twice the maximum', () => {
  for (const aheadMs of [1, 60_000, hourMs - 1, hourMs, 365 * 24 * hourMs]) {
    const { next } = observeOnce({ record: { ...known, correctionCount: 500, lastCorrectedAtMs: nowMs + aheadMs } });
    assert.ok((next?.drift?.backoffUntilMs ?? nowMs) <= nowMs + hourMs, `${aheadMs}`);
  }
});

test('a version that the file pins and somebody else has replaced is a drift', () => {
  const pinned = { version: 'version' } as const;
  const other = { ...at, publishId: 'q' };
  for (const [seen, kind, version] of [
    [{ ...other, versionId: 'other' }, 'drift', 'other'],
    [{ ...at, versionId: 'other' }, 'drift', 'other'],
    [{ ...other, versionId: 'version' }, 'externalChange', 'version'],
    [{ ...at, versionId: 'version' }, null, 'version'],
    [at, null, 'version'],
  ] as const) {
    const { next, note, after, desired } = observeOnce({ file: pinned, record: known, seen });
    assert.equal([note?.kind ?? null, next?.versionId, next?.drift !== null], [kind, version, kind === 'drift'], JSON.stringify(seen));
    assert.equal(diffStates(desired, after).changes, []);
    const correcting = desiredState([wanted('orders', 'test', { ...pinned, driftPolicy: 'correct' })]);
    assert.is(diffStates(correcting, after).changes[0]?.reason, kind === 'drift' ? 'drift' : undefined);
  }
});

test('a pinned publication that somebody has changed is no drift while nobody can see its version, and is not switched', () => {
  const { next, note, after, desired } = observeOnce({ file: { version: 'version' }, record: known, seen: { ...at, publishId: 'q' } });
  assert.equal([note?.kind, next?.versionId, next?.drift], ['externalChange', null, null]);
  const unread = { key: recorded('orders', 'test').key, version: 'version', reason: 'APIG.1005 no', remedy: 'ask' };
  for (const driftPolicy of ['report', 'correct'] as const) {
    const declared = desiredState([wanted('orders', 'test', { version: 'version', driftPolicy })]);
    const [change] = diffStates(declared, after, { unreadVersions: [unread] }).changes;
    assert.equal([change?.reason, change?.held?.rule], ['version', 'unobserved']);
  }
  const [asked] = diffStates(desired, after, { unreadVersions: [{ ...unread, version: 'v1' }] }).changes;
  assert.is(asked?.held, null, 'the file asks for another version than when it could not be seen');
  const settling = diffStates(desired, recordedState([recorded('orders', 'test', { ...known, versionId: 'version' })]), {
    unreadVersions: [unread],
  });
  assert.equal([settling.unchanged, settling.settling.length], [0, 1], 'the record may be out of date');
});

test('a version that the file has only now pinned is not a drift', () => {
  const { after, note, desired } = observeOnce({ file: { version: 'v9' }, record: known, seen: { ...at, publishId: 'q' } });
  assert.is(note?.kind, 'externalChange');
  assert.is(diffStates(desired, after).changes[0]?.reason, 'version');
});

test('an API adopted at its pinned version keeps the revision for the time without the pin', () => {
  const file = { version: 'v1', revision: 'a' };
  const { next, after, desired } = observeOnce({ file, seen: { ...at, versionId: 'v1' } });
  assert.equal([next?.versionId, next?.revision], ['v1', null]);
  assert.equal(diffStates(desired, after).changes, []);
});

/** A gateway that makes every change, and counts. */
class ModelGateway {
  readonly up = new Map<PublicationKey, { publishId: string; version: string; publishedAtMs: number }>();
  online = 0;
  offline = 0;
  needless = 0;
  #count = 0;

  publish(key: PublicationKey, atMs: number): { publishId: string; version: string } {
    this.#count += 1;
    const made = { publishId: `p${this.#count}`, version: `v${this.#count}`, publishedAtMs: atMs };
    this.up.set(key, made);
    return made;
  }

  /** Applies every change that is not held, and returns the next record. */
  apply(desired: DesiredState, before: RecordedState, atMs: number): RecordedState {
    const after = new Map(before);
    for (const change of diffStates(desired, before).changes) {
      if (change.held) continue;
      const { key, action } = change;
      const isUp = this.up.has(key);
      this[action] += 1;
      if (action === 'offline' ? !isUp : isUp && change.reason !== 'revision') this.needless += 1;
      const made = action === 'online' ? this.publish(key, atMs) : null;
      if (!made) this.up.delete(key);
      const outcome = { kind: 'succeeded', versionId: made?.version ?? null, publishId: made?.publishId ?? null } as const;
      const next = applyOutcome(before.get(key), { change, outcome, id: 1, marker: null, startedAtMs: 1, finishedAtMs: atMs });
      if (next) after.set(key, next);
    }
    return after;
  }

  list(): Observation {
    const apis = new Map<string, ObservedApi>(
      apiNames.map((name) => [
        `api-${name}`,
        { apiId: `api-${name}`, name, groupId: '', group: '', editedAtMs: null, publications: new Map() },
      ]),
    );
    for (const [key, { publishId, publishedAtMs }] of this.up) {
      const [apiId = '', environmentId = ''] = key.split(' ');
      const publications = apis.get(apiId)?.publications as Map<string, ObservedPublication> | undefined;
      publications?.set(environmentId, { publishId, publishedAtMs });
    }
    return apis;
  }
}

const apiNames = ['a', 'b', 'c', 'd'];
const places = apiNames.flatMap((api) => ['test', 'release'].map((environment) => [api, environment] as const));
const keyOf = (index: number): PublicationKey => wanted(...(places[index] as (typeof places)[number])).key;

const files = fc
  .record({
    entries: fc.array(
      fc.option(
        fc.record({
          state: fc.constantFrom<PublicationState>('online', 'offline'),
          revision: fc.constantFrom(null, '1', '2'),
          driftPolicy: fc.constantFrom<'correct' | 'report'>('correct', 'report'),
        }),
      ),
      { minLength: places.length, maxLength: places.length },
    ),
    prune: fc.boolean(),
  })
  .map(({ entries, prune }) =>
    desiredState(
      entries.flatMap((entry, index) => {
        const [api, environment] = places[index] as (typeof places)[number];
        return entry ? [wanted(api, environment, entry)] : [];
      }),
      { prune },
    ),
  );

type Step =
  | { readonly kind: 'file'; readonly desired: DesiredState }
  | { readonly kind: 'hand'; readonly place: number; readonly action: PublicationState }
  | { readonly kind: 'reconcile'; readonly observes: boolean; readonly afterMs: number };

const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    files.map((desired) => ({ kind: 'file', desired })),
    fc.record({
      kind: fc.constant('hand' as const),
      place: fc.nat(places.length - 1),
      action: fc.constantFrom<PublicationState>('online', 'offline'),
    }),
    fc.record({ kind: fc.constant('reconcile' as const), observes: fc.boolean(), afterMs: fc.constantFrom(0, 1, 60_000, hourMs) }),
  ),
  { maxLength: 20 },
);

test('whatever files and other people do, there is no needless call, and the observed state is correct', () => {
  fc.assert(
    fc.property(files, steps, (first, story) => {
      const gateway = new ModelGateway();
      let desired = first;
      let record: RecordedState = new Map();
      let atMs = nowMs;
      for (const step of [...story, { kind: 'reconcile', observes: true, afterMs: 2 * hourMs } as const]) {
        if (step.kind === 'file') desired = step.desired;
        else if (step.kind === 'hand') {
          if (step.action === 'online') gateway.publish(keyOf(step.place), atMs);
          else gateway.up.delete(keyOf(step.place));
        } else {
          atMs += step.afterMs;
          const before = gateway.needless;
          if (step.observes) {
            const { recorded: after, updates } = applyObservation(
              { isFirst: false, desired, recorded: record, observation: gateway.list() },
              atMs,
            );
            for (const update of updates) assert.is(after.get(update.key), update);
            const again = applyObservation({ isFirst: false, desired, recorded: after, observation: gateway.list() }, atMs);
            assert.equal([again.updates, again.notices], [[], []]);
            for (const [key, { state }] of after) {
              if (desired.publications.has(key) || state === 'online') assert.is(state === 'online', gateway.up.has(key), key);
            }
            record = after;
          }
          record = gateway.apply(desired, record, atMs);
          if (step.observes) assert.is(gateway.needless, before, 'a call was made although the gateway was in the desired state already');
        }
      }
      for (const [key, { state, driftPolicy: policy }] of desired.publications) {
        const isSo = gateway.up.has(key) === (state === 'online');
        if (!isSo) assert.ok(policy === 'report' && record.get(key)?.drift, `${key} is neither in sync nor known to have drifted`);
      }
    }),
    { numRuns: runs(1000) },
  );
});

test('with drift: report the changes of others cause no call', () => {
  fc.assert(
    fc.property(
      files,
      fc.array(fc.tuple(fc.nat(places.length - 1), fc.constantFrom<PublicationState>('online', 'offline')), { maxLength: 12 }),
      (drawn, hands) => {
        const publications = [...drawn.publications.values()].map((publication) => ({ ...publication, driftPolicy: 'report' as const }));
        const desired = desiredState(publications, { prune: drawn.prune });
        const gateway = new ModelGateway();
        let record: RecordedState = gateway.apply(desired, new Map(), nowMs);
        const [online, offline] = [gateway.online, gateway.offline];
        for (const [index, [place, action]] of hands.entries()) {
          if (action === 'online') gateway.publish(keyOf(place), nowMs);
          else gateway.up.delete(keyOf(place));
          record = applyObservation({ isFirst: false, desired, recorded: record, observation: gateway.list() }, nowMs + index).recorded;
          record = gateway.apply(desired, record, nowMs + index);
        }
        assert.equal([gateway.online, gateway.offline], [online, offline]);
      },
    ),
    { numRuns: runs(500) },
  );
});

test('a publication that no file ever declared stays online, whatever is observed and removed', () => {
  fc.assert(
    fc.property(fc.array(files, { minLength: 1, maxLength: 6 }), (versions) => {
      const gateway = new ModelGateway();
      for (const index of places.keys()) gateway.publish(keyOf(index), nowMs);
      const asked = new Set<PublicationKey>();
      let record: RecordedState = new Map();
      for (const [index, desired] of versions.entries()) {
        for (const [key, { state, driftPolicy: policy }] of desired.publications)
          if (state === 'online' || policy === 'correct') asked.add(key);
        record = applyObservation({ isFirst: false, desired, recorded: record, observation: gateway.list() }, nowMs + index).recorded;
        record = gateway.apply(desired, record, nowMs + index);
      }
      for (const index of places.keys()) if (!asked.has(keyOf(index))) assert.ok(gateway.up.has(keyOf(index)), keyOf(index));
    }),
    { numRuns: runs(500) },
  );
});

test('two tools that flap a publication create few versions', () => {
  const desired = desiredState([wanted('a', 'test', { driftPolicy: 'correct' })]);
  const gateway = new ModelGateway();
  let record: RecordedState = new Map();
  const dayMs = 24 * hourMs;
  for (let atMs = nowMs; atMs < nowMs + dayMs; atMs += 10_000) {
    record = applyObservation({ isFirst: false, desired, recorded: record, observation: gateway.list() }, atMs).recorded;
    record = gateway.apply(desired, record, atMs);
    gateway.up.clear();
  }
  assert.ok(gateway.online > 10 && gateway.online < 40, `${gateway.online} versions in a day`);
});

test('the inputs are not changed', () => {
  fc.assert(
    fc.property(files, files, (desired, other) => {
      const gateway = new ModelGateway();
      const before = gateway.apply(other, new Map(), nowMs);
      gateway.up.delete(keyOf(0));
      const copy = structuredClone({ desired, before });
      applyObservation({ isFirst: false, desired, recorded: before, observation: gateway.list() }, nowMs);
      assert.equal({ desired, before }, copy);
    }),
  );
});

test.run();
