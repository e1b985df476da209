import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { looksLikeSavedPlan, readPlanDocument, writePlanDocument } from '../../src/app/plan-document.ts';
import { EdictError } from '../../src/model/errors.ts';
import type { SavedPlan } from '../../src/plan/saved-plan.ts';
import { fc, runs } from '../support/fast-check.ts';
import { attemptAt, lastAttempts, savedFrom } from '../support/saved-plans.ts';
import { desiredState, published, recordedState, unknownAttemptOf, wanted } from '../support/states.ts';

const unknownAttempt = unknownAttemptOf({ attemptId: 7, revision: 'r', marker: 'm', endedAtMs: 5 });
const saved: SavedPlan = savedFrom(
  desiredState(
    [
      wanted('a', 'test', { remark: 'two\nlines, "quoted"', revision: '2' }),
      wanted('b', 'release', { state: 'offline' }),
      wanted('c', 'test', { version: 'v3' }),
    ],
    { protectedNames: ['release'] },
  ),
  recordedState([
    published('a', 'test', { editedAtMs: 5 }),
    published('b', 'release'),
    published('c', 'test', { versionId: 'v2', unknownAttempt }),
  ]),
  lastAttempts(attemptAt('c', 'test', { id: 7 })),
);
const written = writePlanDocument(saved);

/** Returns why a text is rejected. */
function refusal(json: string): EdictError {
  try {
    readPlanDocument(json, 'release.plan');
  } catch (error) {
    if (error instanceof EdictError) return error;
    throw error;
  }
  throw new assert.Assertion({ message: 'it was believed', details: json, generated: true, operator: 'throws', expects: '', actual: '' });
}

test('a saved plan is read as it was written, and has a line for each change', () => {
  assert.equal(readPlanDocument(written, 'p'), saved);
  assert.is(written.trimEnd().split('\n').length, saved.changes.size + 2);
  assert.ok(written.startsWith('{"edictPlan":1,'));
});

test('another layout or order of keys is the same plan', () => {
  const { changes, ...head } = JSON.parse(written) as { changes: object[] };
  assert.equal(readPlanDocument(JSON.stringify({ changes, ...head }, null, 4), 'p'), saved);
});

test('a plan without changes can be saved', () => {
  const nothing = savedFrom(desiredState([]), recordedState([]));
  assert.equal(readPlanDocument(writePlanDocument(nothing), 'p'), nothing);
});

const edit = (change: (document: Record<string, unknown> & { changes: Record<string, unknown>[] }) => void): string => {
  const document = JSON.parse(written) as Parameters<typeof change>[0];
  change(document);
  return JSON.stringify(document);
};

const refused: readonly (readonly [string, string, RegExp])[] = [
  ['nothing', '', /release\.plan is incomplete or damaged/],
  ['half of it', written.slice(0, written.length / 2), /is incomplete or damaged/],
  ['all but the last line', written.slice(0, written.lastIndexOf(']')), /is incomplete or damaged/],
  ['something else', 'HW_AUTH_TOKEN=secret', /is not JSON$/],
  ['other JSON', '{"token": "secret"}', /is not a saved plan/],
  ['a list', '[1]', /is not a saved plan/],
  ['null', 'null', /is not a saved plan/],
  ['a newer format', edit((document) => Object.assign(document, { edictPlan: 2 })), /has format 2, and this edict reads format 1/],
  ['a long format', edit((document) => Object.assign(document, { edictPlan: '1'.repeat(1000) })), /has format "1{59}…, and/],
  [
    'a format that is nested a hundred thousand times',
    `{"edictPlan":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    /has a list or an object as its format/,
  ],
  ['a format as text', edit((document) => Object.assign(document, { edictPlan: '1' })), /has format "1"/],
  ['an unknown key', edit((document) => Object.assign(document, { note: 1 })), /it has an unknown key "note"/],
  [
    'an unknown key in a change',
    edit(({ changes }) => Object.assign(changes[1] ?? {}, { force: true })),
    /changes\[1\] has an unknown key "force"/,
  ],
  ['a key less', edit(({ changes }) => delete changes[0]?.['remark']), /changes\[0\] has no "remark"/],
  [
    'an action that there is not',
    edit(({ changes }) => Object.assign(changes[0] ?? {}, { action: 'delete' })),
    /changes\[0\]\.action is "delete"; must be equal to one of the allowed values: online, offline/,
  ],
  [
    'another action',
    edit(({ changes }) => Object.assign(changes[0] ?? {}, { action: 'offline' })),
    /was changed after it was saved: its checksum is/,
  ],
  ['a change less', edit(({ changes }) => changes.pop()), /was changed after it was saved/],
  ['a hold less', edit(({ changes }) => Object.assign(changes[1] ?? {}, { held: null })), /was changed after it was saved/],
  ['a change twice', edit(({ changes }) => changes.push({ ...changes[0] })), /it has two changes of one publication/],
  [
    'another digest',
    edit((document) => Object.assign(document, { digest: `sha256:${'0'.repeat(64)}` })),
    /was changed after it was saved: its digest is sha256:0/,
  ],
  [
    'a digest that is none',
    edit((document) => Object.assign(document, { digest: '\u001b[2J' })),
    /digest is "\\u001b\[2J"; must match pattern/,
  ],
  [
    'a reason that there is not',
    edit(({ changes }) => Object.assign(changes[0] ?? {}, { reason: 'force' })),
    /changes\[0\]\.reason is "force"/,
  ],
  [
    'a number for a text',
    edit(({ changes }) => Object.assign(changes[0] ?? {}, { remark: 5 })),
    /changes\[0\]\.remark is 5; must be string,null/,
  ],
  [
    'null for a text',
    edit(({ changes }) => Object.assign(changes[0] ?? {}, { apiId: null })),
    /changes\[0\]\.apiId is null; must be string/,
  ],
  ['a text for a flag', edit((document) => Object.assign(document, { refreshed: 'true' })), /refreshed is "true"; must be boolean/],
  ['an object for a list', edit((document) => Object.assign(document, { changes: { length: 0 } })), /changes must be array/],
  ['a list for an object', edit((document) => Object.assign(document, { gateway: [] })), /gateway must be object/],
  ['half a number', edit((document) => Object.assign(document, { createdAtMs: 0.5 })), /createdAtMs is 0.5; must be integer/],
  ['a number below zero', edit((document) => Object.assign(document, { createdAtMs: -1 })), /createdAtMs is -1; must be >= 0/],
  [
    'a number that no number can hold',
    edit(({ changes }) => Object.assign(changes[0] ?? {}, { attempt: 2 ** 60 })),
    /changes\[0\]\.attempt is 1152921504606847000; must be <=/,
  ],
  [
    'a key that objects have anyway',
    written.replace('{"edictPlan":1', '{"edictPlan":1,"__proto__":{}'),
    /it has an unknown key "__proto__"/,
  ],
  ['a key of Object.prototype for a missing one', written.replace('"remark":', '"toString":'), /changes\[0\] has /],
  [
    'something wrong deep inside',
    edit(({ changes }) => Object.assign(changes[2] ?? {}, { recorded: { ...(changes[2]?.['recorded'] as object), unknownAttempt: {} } })),
    /changes\[2\]\.recorded\.unknownAttempt has no "attemptId"/,
  ],
  ['a long key', edit((document) => Object.assign(document, { ['x'.repeat(99)]: 1 })), /unknown key "x{59}…$/],
];
for (const [name, json, expected] of refused) {
  test(`rejects ${name}`, () => {
    const error = refusal(json);
    assert.is(error.code, 'SAVED_PLAN_INVALID');
    assert.is(error.exitCode, 1);
    assert.match(error.message, expected);
    assert.not.match(error.message + error.hint, 'secret');
    assert.ok(error.hint);
  });
}

test('a changed character is rejected unless it means the same', () => {
  fc.assert(
    fc.property(fc.nat(written.length - 1), fc.constantFrom('0', 'a', '"', ' ', '{', '', '9', ','), (at, letter) => {
      const json = written.slice(0, at) + letter + written.slice(at + 1);
      let read: SavedPlan | null = null;
      try {
        read = readPlanDocument(json, 'p');
      } catch (error) {
        assert.instance(error, EdictError);
      }
      if (read) assert.equal(read, saved);
    }),
    { numRuns: runs(2000) },
  );
});

test('a file is replaced only if it starts like a saved plan, or is empty', () => {
  for (const start of ['', '\n', '{"edictPlan":1,', '{ "edictPlan" : 2']) assert.ok(looksLikeSavedPlan(start), start);
  for (const start of ['edict: 1\nrefresh: never\n', '{"a":1}', '[', '# {"edictPlan"']) assert.not.ok(looksLikeSavedPlan(start), start);
});

test.run();
