import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DesiredPublication } from '../../src/model/desired-state.ts';
import type { DriftNotice } from '../../src/model/observation.ts';
import type { RecordedPublication } from '../../src/model/recorded-state.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { listNotices } from '../../src/render/notices.ts';
import { desiredState, recorded, recordedState, unknownAttemptOf, wanted } from '../support/states.ts';

const detectedAtMs = Date.UTC(2026, 10, 20, 9, 30);
const seenAt = '2026-11-20T09:30:00Z';

function note(kind: DriftNotice['kind'], over: Partial<DriftNotice> = {}): DriftNotice {
  const { key, api, apiId, environment, environmentId } = wanted('orders', 'test');
  const names = { key, api, apiId, environment, environmentId };
  return {
    ...names,
    kind,
    previousState: null,
    previousSinceMs: null,
    currentState: 'online',
    untilMs: null,
    replacementId: null,
    ...over,
  };
}

function drifted(over: Partial<RecordedPublication>, backoffUntilMs: number | null = null): RecordedPublication {
  return recorded('orders', 'test', { drift: { from: null, fromSinceMs: null, detectedAtMs, backoffUntilMs }, ...over });
}

/** Returns the notices on `orders` in `test`, as the kind and the message of each. */
function said(
  file: Partial<DesiredPublication>,
  before: RecordedPublication | null,
  notes: readonly DriftNotice[] = [],
  missingApiIds: readonly string[] = [],
): string[] {
  const made = diffStates(desiredState([wanted('orders', 'test', file)]), recordedState(before ? [before] : []), { missingApiIds });
  return listNotices(made, notes).map(({ kind, message }) => `${kind}: ${message}`);
}

const online = recorded('orders', 'test');

test('without notices there is no text', () => {
  assert.equal(said({}, online), []);
  assert.equal(said({}, null), []);
});

for (const [kind, over, expected] of [
  ['adopted', {}, 'already online at the gateway, adopted without a call'],
  ['externalChange', { previousState: 'online' }, 'published or switched outside edict'],
  ['externalChange', { previousState: 'online', currentState: 'offline' }, 'taken offline outside edict'],
  ['apiDeleted', { currentState: 'offline', previousState: 'online' }, 'the gateway no longer lists API api-orders'],
  ['apiDeleted', { currentState: 'offline', previousState: null }, 'API api-orders does not exist at the gateway'],
  [
    'apiDeleted',
    { currentState: 'offline', previousState: 'online', replacementId: 'api-7' },
    'API orders was deleted and created again: its ID was api-orders and is now api-7 at the gateway; if that one is meant, write `id: api-7` in the file',
  ],
  [
    'apiDeleted',
    { currentState: 'offline', previousState: null, replacementId: 'api-7' },
    'API api-orders does not exist at the gateway, where API orders has the ID api-7: if that one is meant, write `id: api-7` in the file',
  ],
] as const) {
  test(`describes ${kind}, now ${'currentState' in over ? over.currentState : 'online'}${'replacementId' in over ? ', with a replacement' : ''}${'previousState' in over ? `, was ${over.previousState}` : ''}`, () => {
    const state = 'currentState' in over ? over.currentState : 'online';
    assert.equal(said({ state }, recorded('orders', 'test', { state }), [note(kind, over)]), [`${kind}: ${expected}`]);
  });
}

test('a drift is reported once, from the record, with or without a notice', () => {
  for (const notes of [[], [note('drift')], [note('externalChange')], [note('flapping', { untilMs: detectedAtMs })]]) {
    const [only, ...more] = said({ state: 'offline' }, drifted({}), notes);
    assert.equal(more, []);
    assert.match(only ?? '', /^drift: published outside edict/);
    assert.match(only ?? '', `observed at ${seenAt}`);
    assert.match(only ?? '', 'drift: correct');
  }
  assert.match(said({}, drifted({ state: 'offline' }))[0] ?? '', /^drift: taken offline outside edict/);
});

test('the notice of a flapping drift has the end of its backoff', () => {
  const [only] = said({ driftPolicy: 'correct' }, drifted({ state: 'offline' }, detectedAtMs + 60_000));
  assert.match(
    only ?? '',
    /^flapping: taken offline outside edict.*again after several corrections.*not corrected until 2026-11-20T09:31:00Z$/,
  );
});

test('the version that callers of an edited API reach is given by times', () => {
  const stale = recorded('orders', 'test', { publishedAtMs: detectedAtMs, editedAtMs: detectedAtMs + 3_600_000 });
  const expected = `outdated: edited at 2026-11-20T10:30:00Z, published at ${seenAt}: callers reach the older draft`;
  assert.equal(said({}, stale), [expected]);
  assert.equal(said({}, stale, [note('externalChange')]), [expected], 'one line says it');
});

test('a drift that the plan corrects is reported by the plan alone', () => {
  for (const [file, before, kind] of [
    [{ revision: 'b' }, recorded('orders', 'test', { revision: 'a' }), 'adopted'],
    [{ revision: 'b' }, recorded('orders', 'test', { revision: 'a' }), 'externalChange'],
    [{ driftPolicy: 'correct' }, drifted({ state: 'offline' }), 'drift'],
    [{ state: 'offline' }, online, 'externalChange'],
  ] as const) {
    assert.equal(said(file, before, [note(kind)]), []);
  }
  const unresolved = recorded('orders', 'test', { unknownAttempt: unknownAttemptOf() });
  assert.equal(said({}, unresolved, [note('apiDeleted')], ['api-orders']), []);
});

test('an API that the gateway does not have is one notice, and no change, whatever the file asks for', () => {
  const wasKnown = 'the gateway no longer lists API api-orders';
  const neverKnown = 'API api-orders does not exist at the gateway';
  for (const [file, before, expected] of [
    [{}, null, neverKnown],
    [{ revision: 'b' }, null, neverKnown],
    [{ version: 'v' }, null, neverKnown],
    [{ revision: 'b' }, recorded('orders', 'test', { revision: 'a' }), wasKnown],
    [{}, recorded('orders', 'test', { state: 'offline' }), wasKnown],
  ] as const) {
    const previousState = before?.state ?? null;
    assert.equal(said(file, before, [], ['api-orders']).length, 1);
    assert.equal(said(file, before, [note('apiDeleted', { previousState, currentState: 'offline' })], ['api-orders']), [
      `apiDeleted: ${expected}`,
    ]);
    assert.equal(
      diffStates(desiredState([wanted('orders', 'test', file)]), recordedState(before ? [before] : []), { missingApiIds: ['api-orders'] })
        .changes,
      [],
    );
  }
  assert.equal(said({}, null, [], ['api-orders']), [`drift: ${neverKnown}`]);
});

test('everything is listed, events first and then unmanaged publications', () => {
  const { api, apiId, environment, environmentId } = wanted('orders', 'test');
  const carts = wanted('carts', 'test', { state: 'offline' });
  const before = [online, recorded('carts', 'test', { drift: { from: null, fromSinceMs: null, detectedAtMs, backoffUntilMs: null } })];
  const made = diffStates(desiredState([wanted('orders', 'test'), carts]), recordedState(before));
  const [first, second] = listNotices(made, [note('adopted')]);
  assert.equal({ ...first, message: '' }, { api, apiId, environment, environmentId, kind: 'adopted', message: '' });
  assert.equal([second?.api, second?.kind], ['carts', 'drift']);
});

test.run();
