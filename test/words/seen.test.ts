import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Note } from '../../src/core/observe.ts';
import { plan } from '../../src/core/plan.ts';
import type { DesiredPublication, RecordedPublication } from '../../src/core/publication.ts';
import { seenOf } from '../../src/words/seen.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const seenAtMs = Date.UTC(2026, 10, 20, 9, 30);
const seenAt = '2026-11-20T09:30:00Z';

function note(kind: Note['kind'], over: Partial<Note> = {}): Note {
  const { key, api, apiId, environment, environmentId } = wanted('orders', 'test');
  const names = { key, api, apiId, environment, environmentId };
  return { ...names, kind, was: null, wasSinceMs: null, now: 'online', untilMs: null, heirId: null, ...over };
}

function drifted(over: Partial<RecordedPublication>, truceUntilMs: number | null = null): RecordedPublication {
  return recorded('orders', 'test', { drift: { from: null, fromSinceMs: null, seenAtMs, truceUntilMs }, ...over });
}

/** Returns what is said of `orders` in `test`, as the kind and the message of each. */
function said(file: Partial<DesiredPublication>, before: RecordedPublication | null, notes: readonly Note[] = []): string[] {
  const made = plan(desiredState([wanted('orders', 'test', file)]), recordedState(before ? [before] : []));
  return seenOf(made, notes).map(({ kind, message }) => `${kind}: ${message}`);
}

const online = recorded('orders', 'test');

test('nothing was seen, nothing is said', () => {
  assert.equal(said({}, online), []);
  assert.equal(said({}, null), []);
});

for (const [kind, over, expected] of [
  ['adopted', {}, 'already online at the gateway, adopted without a call'],
  ['outside', { was: 'online' }, 'published or switched outside edict since edict last did'],
  ['outside', { was: 'online', now: 'offline' }, 'taken offline outside edict'],
  ['gone', { now: 'offline' }, 'API api-orders is no longer at the gateway'],
  [
    'gone',
    { now: 'offline', heirId: 'api-7' },
    'API api-orders is no longer at the gateway; another one has its name now: if that is meant, write `id: api-7`',
  ],
] as const) {
  test(`says what was seen: ${kind}, now ${'now' in over ? over.now : 'online'}${'heirId' in over ? ', with an heir' : ''}`, () => {
    const state = 'now' in over ? over.now : 'online';
    assert.equal(said({ state }, recorded('orders', 'test', { state }), [note(kind, over)]), [`${kind}: ${expected}`]);
  });
}

test('a drift is said once, from the record, with or without a note of it', () => {
  for (const notes of [[], [note('drift')], [note('outside')], [note('fight', { untilMs: seenAtMs })]]) {
    const [only, ...more] = said({ state: 'offline' }, drifted({}), notes);
    assert.equal(more, []);
    assert.match(only ?? '', /^drift: published outside edict/);
    assert.match(only ?? '', `seen at ${seenAt}`);
    assert.match(only ?? '', 'drift: correct');
  }
  assert.match(said({}, drifted({ state: 'offline' }))[0] ?? '', /^drift: taken offline outside edict/);
});

test('a fight says until when it is left alone', () => {
  const [only] = said({ drift: 'correct' }, drifted({ state: 'offline' }, seenAtMs + 60_000));
  assert.match(only ?? '', /^fight: taken offline outside edict.*again and again.*left alone until 2026-11-20T09:31:00Z$/);
});

test('what callers reach of an edited API is said in times', () => {
  const stale = recorded('orders', 'test', { publishedAtMs: seenAtMs, editedAtMs: seenAtMs + 3_600_000 });
  const expected = `stale: edited at 2026-11-20T10:30:00Z, published at ${seenAt}: callers reach the older draft`;
  assert.equal(said({}, stale), [expected]);
  assert.equal(said({}, stale, [note('outside')]), [expected], 'one line says it');
});

test('what the plan changes is told by the plan alone', () => {
  for (const [file, before, kind] of [
    [{ revision: 'b' }, recorded('orders', 'test', { revision: 'a' }), 'adopted'],
    [{ revision: 'b' }, recorded('orders', 'test', { revision: 'a' }), 'outside'],
    [{ drift: 'correct' }, drifted({ state: 'offline' }), 'drift'],
    [{ state: 'offline' }, online, 'outside'],
  ] as const) {
    assert.equal(said(file, before, [note(kind)]), []);
  }
  assert.is(said({ revision: 'b' }, online, [note('gone')]).length, 1, 'its call will fail');
});

test('it is named in full, first what has happened, then what is left as it is', () => {
  const { api, apiId, environment, environmentId } = wanted('orders', 'test');
  const carts = wanted('carts', 'test', { state: 'offline' });
  const before = [online, recorded('carts', 'test', { drift: { from: null, fromSinceMs: null, seenAtMs, truceUntilMs: null } })];
  const made = plan(desiredState([wanted('orders', 'test'), carts]), recordedState(before));
  const [first, second] = seenOf(made, [note('adopted')]);
  assert.equal({ ...first, message: '' }, { api, apiId, environment, environmentId, kind: 'adopted', message: '' });
  assert.equal([second?.api, second?.kind], ['carts', 'drift']);
});

test.run();
