import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { heldDigest } from '../../src/core/guards.ts';
import { type Plan, plan } from '../../src/core/plan.ts';
import { NotifyBook, type Told } from '../../src/telemetry/notify-book.ts';
import { messageFor, wholeMessage } from '../../src/telemetry/notify-document.ts';
import { type Matter, signalsOf } from '../../src/telemetry/notify-signals.ts';
import { assertConforms } from '../support/json-schemas.ts';
import { entryOf, everyNotice, failureMatter, namesOf } from '../support/notices.ts';
import { change, desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const sender = { file: 'edict.yaml', emulated: false, gateway: null };
const noticesOf = (...told: readonly Told[]) => {
  const message = messageFor(told, 'id', 0, sender);
  assertConforms('notification', { ...message, undelivered: 0 });
  return message.notices;
};
const one = (kind: Told['kind'], ...matters: readonly Matter[]): Told => ({ kind, entries: matters.map(entryOf), isReminder: false });

test('every kind is what the schema says', () => {
  const message = messageFor(everyNotice, 'id', 0, { ...sender, gateway: { endpoint: 'https://x', project: 'p', instance: 'i' } });
  assertConforms('notification', { ...message, undelivered: 2 });
  assert.equal(
    message.notices.map(({ kind }) => kind),
    ['failed', 'held', 'invalid', 'drifted', 'recovered', 'applied'],
  );
});

test('ten are named and all are counted', () => {
  const moves = Array.from({ length: 25 }, (_, index): Matter => {
    return { kind: 'applied', move: { ...namesOf(`a${index}`), action: index % 5 === 0 ? 'offline' : 'online' } };
  });
  const [notice] = noticesOf(one('applied', ...moves));
  assert.ok(notice?.kind === 'applied');
  assert.equal([notice.count, notice.online, notice.offline, notice.publications.length], [25, 20, 5, 10]);
  assert.is(notice.summary, '25 changes made: 20 online, 5 offline');
});

test('failures are summed up by what is wrong for all, then by code', () => {
  const many = Array.from({ length: 12 }, (_, index) => failureMatter({ publication: namesOf(`a${index}`), code: index < 9 ? 'X' : 'Y' }));
  const outage = failureMatter({ what: 'calls', publication: null, code: null, message: 'the gateway does not answer' });
  const [notice] = noticesOf(one('failed', ...many, outage));
  assert.is(notice?.summary, 'the gateway does not answer; 12 publications fail (9 X, 3 Y)');
  assert.is(noticesOf(one('failed', failureMatter({ code: 'X' })))[0]?.summary, '1 publication fails (1 X)');
  const codes = ['A', 'B', 'C', 'D'].map((code) => failureMatter({ code }));
  assert.is(noticesOf(one('failed', ...codes))[0]?.summary, '4 publications fail (1 A, 1 B, 1 C, …)');
});

test('what a plan holds and what nobody can tell are one notice', () => {
  const reason = { rule: 'protected', message: 'm', hint: 'h' } as const;
  const lost = { rule: 'unresolved', message: 'n', hint: 'h' } as const;
  const move = { ...namesOf('a'), action: 'offline' } as const;
  const ofPlan: Matter = {
    kind: 'held',
    count: 3,
    held: { digest: 'sha256:1', command: 'edict approve', reasons: [reason], publications: [move] },
  };
  const ofAttempt: Matter = { kind: 'held', count: 1, held: { digest: null, command: null, reasons: [lost], publications: [move] } };
  const [notice] = noticesOf(one('held', ofAttempt, ofPlan));
  assert.ok(notice?.kind === 'held');
  assert.equal([notice.count, notice.digest, notice.command], [4, 'sha256:1', 'edict approve']);
  assert.equal(
    notice.reasons.map(({ rule }) => rule),
    ['unresolved', 'protected'],
  );
  assert.is(notice.summary, '4 changes are held until a person agrees');
});

test('a file that is held as a whole, and one that was invalid, say so', () => {
  const reasons = [{ rule: 'empty', message: 'm', hint: 'h' } as const];
  const whole: Matter = { kind: 'held', count: 0, held: { digest: 'sha256:1', command: null, reasons, publications: [] } };
  assert.is(noticesOf(one('held', whole))[0]?.summary, 'the whole file is held until a person agrees');
  const [over] = noticesOf(one('recovered', { kind: 'invalid', count: 2, summary: 'edict.yaml has 2 mistakes', mistakes: [] }));
  assert.ok(over?.kind === 'recovered');
  assert.equal(
    [over.summary, over.failures[0]?.what, over.failures[0]?.message],
    ['1 failure is over', 'file', 'edict.yaml has 2 mistakes'],
  );
});

test('the example in the README is what a pass is told as', () => {
  const moment = { nowMs: 0, atMs: 0 };
  const book = new NotifyBook(30_000);
  const desired = desiredState([wanted('orders', 'release', { state: 'offline' }), wanted('invoices', 'test')], {
    protectedNames: ['release'],
  });
  const made = plan(desired, recordedState([recorded('orders', 'release')]));
  const attempt = { passId: 'p', attemptId: 1, change: change('invoices', 'test'), tookMs: 40 } as const;
  const release = (held: Plan): string => `edict approve ${heldDigest(held)} --by YOU --why REASON`;
  const summary = { online: 1, offline: 0, unchanged: 0, held: 1, waiting: 0, failed: 0, tookMs: 50 };
  for (const event of [
    { type: 'plan:made', passId: 'p', cause: 'file', recorded: new Map(), plan: made },
    { type: 'attempt:settled', ...attempt, outcome: { kind: 'succeeded', versionId: 'v', publishId: null } },
    { type: 'pass:finished', passId: 'p', summary },
  ] as const) {
    book.hear(signalsOf(event, release), moment);
  }
  const of = { file: 'edict.yaml', emulated: false, gateway: desired.gateway };
  const message = wholeMessage(messageFor(book.take(0), '0b0b1f0e-5f3c-4a56-9f43-2d4b7f0f6a51', Date.UTC(2026, 10, 23, 12), of), 0);
  assertConforms('notification', message);
  const text = JSON.stringify(message, null, 2).replaceAll(/(sha256:[0-9a-f]{4})[0-9a-f]{60}/g, '$1…');
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  assert.ok(readme.includes(`\`\`\`json\n${text}\n\`\`\`\n`), text);
});

test.run();
