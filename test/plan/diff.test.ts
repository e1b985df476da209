import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DesiredPublication, DesiredState } from '../../src/model/desired-state.ts';
import { applyOutcome } from '../../src/model/outcome.ts';
import type { PublicationKey, PublicationState } from '../../src/model/publication.ts';
import type { RecordedPublication, RecordedState } from '../../src/model/recorded-state.ts';
import { diffPublication, diffStates, isOutdated, nextDueAtMs } from '../../src/plan/diff.ts';
import { fc, runs } from '../support/fast-check.ts';
import { change, desiredState, recorded, recordedState, unknownAttemptOf, wanted } from '../support/states.ts';

const unknownAttempt = unknownAttemptOf({ attemptId: 7 });

const rows: readonly [string, Partial<DesiredPublication> | null, Partial<RecordedPublication> | null, boolean, string | null][] = [
  ['online, never recorded', {}, null, false, 'online new'],
  ['online, never recorded, with a revision', { revision: 'a' }, null, false, 'online new'],
  ['online, recorded offline', {}, { state: 'offline' }, false, 'online state'],
  ['online, recorded online', {}, {}, false, null],
  ['online at the recorded revision', { revision: 'a' }, { revision: 'a' }, false, null],
  ['online at another revision', { revision: 'b' }, { revision: 'a' }, false, 'online revision'],
  ['online at a first revision', { revision: 'a' }, {}, false, 'online revision'],
  ['online without a revision, recorded with one', {}, { revision: 'a' }, false, null],
  ['online at a new revision, recorded offline', { revision: 'b' }, { state: 'offline', revision: 'a' }, false, 'online state'],
  ['offline, recorded online', { state: 'offline' }, {}, false, 'offline state'],
  ['offline, recorded offline', { state: 'offline' }, { state: 'offline' }, false, null],
  ['offline, never recorded', { state: 'offline' }, null, false, null],
  ['offline at another revision, recorded offline', { state: 'offline', revision: 'b' }, { state: 'offline' }, false, null],
  ['online, outcome unknown beside online', {}, { unknownAttempt }, false, 'online unknown'],
  ['online, outcome unknown and never recorded', {}, { state: null, unknownAttempt }, false, 'online unknown'],
  ['offline, outcome unknown and never recorded', { state: 'offline' }, { state: null, unknownAttempt }, false, 'offline unknown'],
  ['left the file with prune: false, online', null, {}, false, null],
  ['left the file with prune: false, outcome unknown', null, { unknownAttempt }, false, null],
  ['left the file with prune: true, online', null, {}, true, 'offline prune'],
  ['left the file with prune: true, offline', null, { state: 'offline' }, true, null],
  ['left the file with prune: true, outcome unknown', null, { state: null, unknownAttempt }, true, 'offline unknown'],
  ['left the file with prune: true, never online', null, { state: null }, true, null],
];

for (const [name, inFile, inRecord, prune, expected] of rows) {
  test(`decides: ${name} → ${expected ?? 'nothing'}`, () => {
    const publication = inFile ? wanted('orders', 'test', inFile) : undefined;
    const before = inRecord ? recorded('orders', 'test', inRecord) : undefined;
    const change = diffPublication(publication, before, desiredState(publication ? [publication] : [], { prune }));
    assert.is(change && `${change.action} ${change.reason}`, expected);
    if (change) assert.equal([change.from, change.to, change.held], [before?.state ?? null, change.action, null]);
  });
}

/** The file, and the expected change for each record of `columns`. Capitals are `online`, small letters `offline`. */
const grid: readonly (readonly [file: string, prune: boolean, answers: string])[] = [
  ['online', false, 'N N S . . U'],
  ['online at a', false, 'N N S R . U'],
  ['online at b', false, 'N N S R R U'],
  ['offline', false, '. . . s s u'],
  ['offline at a', false, '. . . s s u'],
  ['offline at b', false, '. . . s s u'],
  ['nothing', false, '. . . . . .'],
  ['nothing', true, '. . . r r u'],
];
const columns: readonly (readonly (Partial<RecordedPublication> | null)[])[] = [
  [null],
  [{ state: null }],
  [{ state: 'offline' }, { state: 'offline', revision: 'a' }],
  [{ state: 'online', revision: null }],
  [{ state: 'online', revision: 'a' }],
  (['online', 'offline', null] as const).flatMap((state) =>
    (['online', 'offline'] as const).flatMap((action) =>
      [null, 'a', 'b'].map((revision) => ({
        state,
        revision,
        unknownAttempt: unknownAttemptOf({ attemptId: 7, action, revision, marker: 'm' }),
      })),
    ),
  ),
];
const letters = {
  new: 'N',
  state: 'S',
  revision: 'R',
  version: 'V',
  edited: 'E',
  unknown: 'U',
  drift: 'D',
  prune: 'R',
} as const;

for (const [file, prune, answers] of grid) {
  test(`every record with ${file}, prune: ${prune}`, () => {
    const [state, revision = null] = file.split(' at ') as [PublicationState | 'nothing', string?];
    const publication = state === 'nothing' ? undefined : wanted('orders', 'test', { state, revision, remark: 'note' });
    for (const [index, answer] of answers.split(' ').entries()) {
      for (const inRecord of columns[index] ?? []) {
        const before = inRecord ? recorded('orders', 'test', inRecord) : undefined;
        // `prune` does not affect a publication that is still in the file.
        for (const rule of publication ? [false, true] : [prune]) {
          const change = diffPublication(publication, before, desiredState(publication ? [publication] : [], { prune: rule }));
          const letter = change === null ? '.' : change.action === 'online' ? letters[change.reason] : letters[change.reason].toLowerCase();
          assert.is(letter, answer, JSON.stringify(inRecord));
          if (change === null) continue;
          assert.equal(
            [change.from, change.to, change.revision, change.remark, change.source, change.held],
            [before?.state ?? null, change.action, revision, publication?.remark ?? null, publication?.source ?? null, null],
          );
        }
      }
    }
  });
}

const drifts = {
  none: null,
  'from nothing': { from: null, fromSinceMs: null, detectedAtMs: 5, backoffUntilMs: null },
  'from online': { from: 'online', fromSinceMs: null, detectedAtMs: 5, backoffUntilMs: null },
  'from offline': { from: 'offline', fromSinceMs: null, detectedAtMs: 5, backoffUntilMs: null },
  inBackoff: { from: 'online', fromSinceMs: null, detectedAtMs: 5, backoffUntilMs: 9 },
  'at first contact': { from: 'unknown', fromSinceMs: null, detectedAtMs: 5, backoffUntilMs: null },
} as const;

/** The file, the record, and the expected change without drift, then with each of the others. Letters as in the grid above. */
const driftGrid: readonly (readonly [file: string, record: string, answers: string])[] = [
  ['online report', 'online', '. . . . . .'],
  ['online correct', 'online', '. . . . . .'],
  ['online report', 'offline', 'S . . . . S'],
  ['online correct', 'offline', 'S D D D . S'],
  ['online report at b', 'online', 'R R R R R R'],
  ['online report at b', 'offline', 'S S S S S S'],
  ['online correct at b', 'offline', 'S S S S S S'],
  ['offline report', 'online', 's . . . . s'],
  ['offline correct', 'online', 's d d d . s'],
  ['offline report at b', 'online', 's . . . . s'],
  ['offline report', 'offline', '. . . . . .'],
  ['offline correct', 'offline', '. . . . . .'],
  ['pinned report', 'online', 'V . . . . .'],
  ['pinned correct', 'online', 'V D D D . D'],
  ['pinned report at b', 'online', 'V . . . . .'],
  ['pinned report', 'offline', 'S . . . . S'],
  ['pinned correct', 'offline', 'S D D D . S'],
  ['nothing', 'online', 'r . r . r .'],
  ['nothing', 'offline', '. . . . . .'],
];

for (const [file, state, answers] of driftGrid) {
  test(`every drift of a record ${state} with ${file}`, () => {
    const [said = '', driftPolicy = 'report', , revision = null] = file.split(' ') as [string, 'report' | 'correct', string?, string?];
    const over =
      said === 'pinned' ? { version: 'other', driftPolicy, revision } : { state: said as PublicationState, driftPolicy, revision };
    const publication = said === 'nothing' ? undefined : wanted('orders', 'test', over);
    for (const [index, drifted] of Object.values(drifts).entries()) {
      const before = recorded('orders', 'test', { state: state as PublicationState, revision: 'a', drift: drifted });
      const desired = desiredState(publication ? [publication] : [], { prune: true });
      const change = diffPublication(publication, before, desired);
      const letter = change === null ? '.' : change.action === 'online' ? letters[change.reason] : letters[change.reason].toLowerCase();
      assert.is(letter, answers.split(' ')[index], Object.keys(drifts)[index]);
      const { drifted: left, unchanged, changes } = diffStates(desired, recordedState([before]));
      const isLeft = drifted !== null && publication !== undefined && change === null && (said === 'pinned' || said !== state);
      assert.equal(left, isLeft ? [before] : []);
      assert.is(unchanged + changes.length + left.length, said === 'nothing' ? changes.length : 1);
    }
  });
}

test('what was, or may have been, online before first contact is held, unless a new revision asks for it', () => {
  const drift = drifts['at first contact'];
  const holdOf = (state: PublicationState | null, over: Partial<DesiredPublication>) => {
    const before = recorded('orders', 'test', { state, revision: 'a', publishedAtMs: state && 1_000_000_000_000, drift });
    const change = diffPublication(wanted('orders', 'test', over), before, desiredState([]));
    return change && [change.action, change.reason, change.held?.rule ?? null, change.held?.message ?? null];
  };
  const before = 'it was online before (last published 2001-09-09T01:46:40Z): somebody took it offline, or the record was lost';
  const unread = 'nobody knows whether it was online before: edict may not list the versions of its API';
  for (const driftPolicy of ['report', 'correct'] as const) {
    assert.equal(holdOf('offline', { driftPolicy, revision: 'a' }), ['online', 'state', 'first-contact', before]);
    assert.equal(holdOf('offline', { driftPolicy, version: 'v' }), ['online', 'state', 'first-contact', before]);
    assert.equal(holdOf('offline', { driftPolicy, revision: 'b' }), ['online', 'state', null, null]);
    assert.equal(holdOf('offline', { driftPolicy, state: 'offline' }), null);
    for (const revision of ['a', 'b']) assert.equal(holdOf(null, { driftPolicy, revision }), ['online', 'new', 'first-contact', unread]);
    assert.equal(holdOf(null, { driftPolicy, state: 'offline' }), null);
  }
});

test('the drift of an API that the gateway does not have any more is not corrected', () => {
  const drift = drifts['from online'];
  const desired = desiredState(['gone', 'there'].map((api) => wanted(api, 'test', { driftPolicy: 'correct' })));
  const before = recordedState(['gone', 'there'].map((api) => recorded(api, 'test', { state: 'offline', drift })));
  const plan = diffStates(desired, before, { missingApiIds: ['api-gone'] });
  assert.equal([plan.changes.map(({ api }) => api), plan.drifted.map(({ api }) => api)], [['there'], ['gone']]);
  assert.equal(plan.missingApiIds, ['api-gone']);
});

test('only what an applied file has declared is pruned', () => {
  const names = ['before', 'last', 'never'];
  const before = recordedState(names.map((name) => recorded(name, 'test', { wasDeclared: name === 'before' })));
  const plan = diffStates(desiredState([], { prune: true }), before, { wasDeclared: (key) => key === 'api-last env-test' });
  assert.equal([plan.changes.map(({ api }) => api), plan.unmanaged.map(({ api }) => api)], [['before', 'last'], ['never']]);
});

test('an attempt with an unknown outcome takes precedence over a drift and an edit', () => {
  const before = recorded('orders', 'test', { drift: drifts.inBackoff, unknownAttempt, publishedAtMs: 1, editedAtMs: 9_000 });
  for (const over of [{}, { state: 'offline', driftPolicy: 'correct' }, { driftPolicy: 'report' }] as const) {
    assert.is(diffPublication(wanted('orders', 'test', over), before, desiredState([], { republish: 'edited' }))?.reason, 'unknown');
  }
});

for (const [title, over, expected] of [
  ['edited a while after it was published', { publishedAtMs: 10_000, editedAtMs: 12_001 }, true],
  ['edited and published in one step', { publishedAtMs: 10_000, editedAtMs: 12_000 }, false],
  ['edited before it was published', { publishedAtMs: 10_000, editedAtMs: 9_000 }, false],
  ['the time of its publication is unknown', { publishedAtMs: null, editedAtMs: 99_000 }, false],
  ['the time of its last edit is unknown', { publishedAtMs: 10_000, editedAtMs: null }, false],
  ['offline', { state: 'offline', publishedAtMs: 10_000, editedAtMs: 99_000 }, false],
] as const satisfies readonly (readonly [string, Partial<RecordedPublication>, boolean])[]) {
  test(`${title}: ${expected ? 'callers do not reach the newest draft' : 'not outdated'}`, () => {
    const before = recorded('orders', 'test', over);
    assert.is(isOutdated(before), expected);
    const answersTo = (republish: DesiredState['republish'], more: Partial<DesiredPublication> = {}) => {
      const made = diffStates(
        desiredState([wanted('orders', 'test', { state: before.state ?? 'online', ...more })], { republish }),
        recordedState([before]),
      );
      return [made.changes.map(({ action, reason }) => `${action} ${reason}`), made.outdated.length];
    };
    assert.equal(answersTo('revision'), [[], expected ? 1 : 0]);
    assert.equal(answersTo('edited'), [expected ? ['online edited'] : [], 0]);
    if (before.state === 'online') assert.equal(answersTo('edited', { version: 'version' }), [[], 0], 'a pin is intended');
  });
}

test('an edited API that left the file, or should be offline, is not published again', () => {
  const before = recorded('orders', 'test', { publishedAtMs: 10_000, editedAtMs: 99_000 });
  assert.is(diffPublication(undefined, before, desiredState([], { republish: 'edited' })), null);
  const change = diffPublication(wanted('orders', 'test', { state: 'offline' }), before, desiredState([], { republish: 'edited' }));
  assert.is(change?.action, 'offline');
});

test('a correction that takes a protected publication offline is held, unlike a drift that the plan leaves', () => {
  const before = recorded('orders', 'test', { drift: drifts['from offline'] });
  const publication = wanted('orders', 'test', { state: 'offline', driftPolicy: 'correct' });
  const made = diffStates(desiredState([publication], { protectedNames: ['test'] }), recordedState([before]));
  assert.equal([made.changes[0]?.held?.rule, made.changes[0]?.reason, made.drifted], ['protected', 'drift', []]);
});

test('what the file declares offline and was online at first contact is held, whatever the drift policy', () => {
  const before = recorded('orders', 'test', { drift: drifts['at first contact'] });
  for (const driftPolicy of ['report', 'correct'] as const) {
    const { changes, drifted } = diffStates(
      desiredState([wanted('orders', 'test', { state: 'offline', driftPolicy })]),
      recordedState([before]),
    );
    assert.equal([changes[0]?.held?.rule, changes[0]?.reason, changes[0]?.from, drifted], ['first-contact', 'state', 'online', []]);
  }
});

test('drifted and outdated publications are sorted by name', () => {
  const publications = ['c', 'a', 'b'].flatMap((api) => [wanted(api, 'test'), wanted(api, 'release', { state: 'offline' })]);
  const stale = ['b', 'c', 'a'].map((api) => recorded(api, 'test', { publishedAtMs: 1, editedAtMs: 99_000 }));
  const drifted = ['b', 'a', 'c'].map((api) => recorded(api, 'release', { drift: drifts['from nothing'] }));
  const made = diffStates(desiredState(publications), recordedState([...drifted, ...stale]));
  for (const list of [made.drifted, made.outdated])
    assert.equal(
      list.map(({ api }) => api),
      ['a', 'b', 'c'],
    );
  assert.equal([made.changes, made.unchanged], [[], 3]);
});

const names = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const states = fc.constantFrom<PublicationState>('online', 'offline');
const revisions = fc.constantFrom(null, '1', '2');
const pairs = fc.uniqueArray(fc.tuple(names, fc.constantFrom('test', 'release')), { selector: (pair) => pair.join(' '), maxLength: 10 });

const desiredStates = fc
  .tuple(
    pairs,
    fc.infiniteStream(fc.record({ state: states, revision: revisions, remark: fc.constantFrom(null, 'note') })),
    fc.boolean(),
    fc.subarray(['test', 'release']),
  )
  .map(([chosen, settings, prune, protectedNames]) =>
    desiredState(
      chosen.map(([api, environment]) => wanted(api, environment, settings.next().value)),
      { prune, protectedNames },
    ),
  );
const recordedStates = fc
  .tuple(
    pairs,
    fc.infiniteStream(
      fc.record({
        state: fc.constantFrom<PublicationState | null>('online', 'offline', null),
        revision: revisions,
        isUnresolved: fc.boolean(),
      }),
    ),
  )
  .map(([chosen, settings]) =>
    recordedState(
      chosen.map(([api, environment]) => {
        const { state, revision, isUnresolved } = settings.next().value as {
          state: PublicationState | null;
          revision: string | null;
          isUnresolved: boolean;
        };
        const before = { state, revision, unknownAttempt: isUnresolved || state === null ? unknownAttempt : null, wasDeclared: true };
        return recorded(api, environment, before);
      }),
    ),
  );

/** Applies every change that is not held, as if each call had succeeded. */
function applied(desired: DesiredState, before: RecordedState): RecordedState {
  const after = new Map(before);
  for (const change of diffStates(desired, before).changes) {
    if (change.held) continue;
    const outcome = { kind: 'succeeded', versionId: 'new', publishId: 'new' } as const;
    const next = applyOutcome(before.get(change.key), { change, outcome, id: 1, marker: null, startedAtMs: 1, finishedAtMs: 2 });
    if (next) after.set(change.key, next);
  }
  return after;
}

test('applying the plan reaches the desired state, and the next plan has only held changes', () => {
  fc.assert(
    fc.property(desiredStates, recordedStates, (desired, before) => {
      const held = new Set(diffStates(desired, before).changes.flatMap((change) => (change.held ? [change.key] : [])));
      const after = applied(desired, before);
      assert.equal(new Set(diffStates(desired, after).changes.map((change) => change.key)), held);
      for (const [key, { state, revision }] of desired.publications) {
        if (held.has(key)) continue;
        const now = after.get(key);
        if (state === 'offline') assert.is.not(now?.state ?? 'offline', 'online');
        else assert.ok(now?.state === 'online' && (revision === null || now.revision === revision));
      }
      for (const [key, was] of after) {
        if (desired.publications.has(key) || held.has(key)) continue;
        if (!desired.prune) assert.equal(was, before.get(key));
        else assert.is.not(was.state, 'online');
      }
    }),
    { numRuns: runs(500) },
  );
});

test('no needless change is made', () => {
  fc.assert(
    fc.property(desiredStates, recordedStates, (desired, before) => {
      for (const { key, action, revision } of diffStates(desired, before).changes) {
        const was = before.get(key);
        if (was?.unknownAttempt) continue;
        if (action === 'offline') assert.is(was?.state, 'online');
        else assert.ok(was?.state !== 'online' || (revision !== null && was.revision !== revision));
      }
    }),
    { numRuns: runs(500) },
  );
});

test('nothing goes offline in a protected environment, and nothing else is held', () => {
  fc.assert(
    fc.property(desiredStates, recordedStates, (desired, before) => {
      for (const { environmentId, action, held } of diffStates(desired, before).changes) {
        const isProtected = desired.environments.get(environmentId)?.isProtected ?? false;
        assert.is(held !== null, isProtected && action === 'offline');
      }
    }),
  );
});

test('the order of the inputs does not matter, and they are not changed', () => {
  fc.assert(
    fc.property(desiredStates, recordedStates, (desired, before) => {
      const reversed = <K, V>(map: ReadonlyMap<K, V>): ReadonlyMap<K, V> => new Map([...map].reverse());
      const copies = structuredClone({ desired, before });
      const made = diffStates(desired, before);
      assert.equal(diffStates({ ...desired, publications: reversed(desired.publications) }, reversed(before)), made);
      assert.equal({ desired, before }, copies);
    }),
  );
});

test('every publication of the file is either changed or unchanged', () => {
  fc.assert(
    fc.property(desiredStates, recordedStates, (desired, before) => {
      const made = diffStates(desired, before);
      const inFile = made.changes.filter((change) => desired.publications.has(change.key as PublicationKey)).length;
      assert.is(inFile + made.unchanged, desired.publications.size);
    }),
  );
});

test('changes are sorted by the names of API and environment', () => {
  const publications = [wanted('b', 'test'), wanted('a', 'test'), wanted('B', 'test'), wanted('a', 'release'), wanted('ä', 'test')];
  const order = diffStates(desiredState(publications), new Map()).changes.map(({ api, environment }) => `${api} ${environment}`);
  assert.equal(order, ['B test', 'a release', 'a test', 'b test', 'ä test']);
});

test('the first due time is the earliest deferral that ends by the clock and is not held', () => {
  const held = { rule: 'protected', message: '', hint: '' } as const;
  const waits = (untilMs: number | null) => ({ rule: 'freeze', message: 'frozen', untilMs }) as const;
  const changes = [
    change('a', 'test', { deferred: waits(30) }),
    change('b', 'test', { deferred: waits(20) }),
    change('c', 'test', { deferred: waits(10), held }),
    change('d', 'test', { deferred: waits(null) }),
  ];
  assert.is(nextDueAtMs({ changes }), 20);
  assert.is(nextDueAtMs({ changes: [] }), null);
});

for (const [name, over, isHeld] of [
  ['edited since', { publishedAtMs: 10_000, editedAtMs: 20_000 }, true],
  ['not edited since', { publishedAtMs: 20_000, editedAtMs: 10_000 }, false],
  ['published at an unknown time', { publishedAtMs: null, editedAtMs: 10_000 }, true],
  ['edited at an unknown time', { publishedAtMs: 20_000, editedAtMs: null }, true],
] as const) {
  test(`a correction in a protected environment of an API ${name} is ${isHeld ? 'held' : 'made'}`, () => {
    const drift = { from: 'online', fromSinceMs: 1, detectedAtMs: 2, backoffUntilMs: null } as const;
    const declared = wanted('orders', 'test', { driftPolicy: 'correct' });
    const before = recordedState([recorded('orders', 'test', { state: 'offline', versionId: null, drift, ...over })]);
    const changes = (protectedNames: readonly string[]) =>
      diffStates(desiredState([declared], { protectedNames: [...protectedNames] }), before).changes;
    assert.equal(
      changes(['test']).map(({ reason, held }) => [reason, held?.rule ?? null]),
      [['drift', isHeld ? 'protected' : null]],
    );
    assert.is(changes([])[0]?.held, null);
  });
}

test('a draft is not published in a protected environment because it was edited', () => {
  const edited = recordedState([recorded('orders', 'test', { publishedAtMs: 10_000, editedAtMs: 20_000 })]);
  const [change] = diffStates(desiredState([wanted('orders', 'test')], { protectedNames: ['test'], republish: 'edited' }), edited).changes;
  assert.equal([change?.reason, change?.held?.rule], ['edited', 'protected']);
});

test.run();
