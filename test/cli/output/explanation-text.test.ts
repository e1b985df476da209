import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Explanation } from '../../../src/app/explanation.ts';
import { parseSettings } from '../../../src/app/settings.ts';
import { explanationText } from '../../../src/cli/output/explanation-text.ts';
import { computeNextStep } from '../../../src/cli/output/next-step.ts';
import { noColor } from '../../../src/cli/output/terminal.ts';
import { attempt, explanation } from '../../support/explanations.ts';
import { recorded, unknownAttemptOf } from '../../support/states.ts';

const nowMs = Date.UTC(2026, 10, 20, 9, 30);
const minuteMs = 60_000;

function text(of: Explanation): string {
  return explanationText(of, computeNextStep(of, parseSettings(undefined, {})), { paint: noColor, nowMs });
}

test('the sections are in order, with the next step last', () => {
  const file = { revision: 'r2', remark: 'see CHG-1042', source: { file: 'edict.yaml', line: 7, column: 7 } };
  const record = { revision: 'r1', recordedAtMs: nowMs - 5 * minuteMs };
  const tried = { id: 3, reason: 'revision', revision: 'r2', outcome: 'rejected', code: 'APIG.3002', message: 'no such API' } as const;
  const given = { ...tried, startedAtMs: nowMs - minuteMs, marker: 'cafe', requestId: 'req-1' };
  assert.is(
    text(explanation({ file, record, report: given, hint: 'check the id' })),
    `orders in test
API api-orders, environment env-test

File: online  edict.yaml:7:7
  7 |       test: online
    |       ^^^^
  revision    r2
  remark      see CHG-1042

Record: online
  since       2026-11-20T09:25:00Z (5 min ago)
  revision    r1
  version     version

Gateway: not checked yet (--refresh checks it now)

Attempts: newest first
  3  2026-11-20T09:29:00Z (1 min ago)  online  revision r2  rejected  APIG.3002 no such API
     request req-1

Next: going online failed and is retried
  why         new revision r2: publish again; the last attempt failed: APIG.3002 no such API
  when        at the next apply: no edict process works on this gateway
  to do       check the id
  command     edict apply --api orders --environment test
`,
  );
});

test('only the newest failure shows its request ID, and an attempt in flight has an unknown outcome', () => {
  const failed = [3, 2, 1].map((id) => ({
    attempt: attempt({ id, outcome: id === 3 ? null : 'retryable', code: 'X', message: 'no', requestId: `req-${id}` }),
    hint: 'mend it',
  }));
  const said = text({ ...explanation({ file: {} }), attempts: failed });
  assert.equal(said.match(/request req-\d/g), ['request req-3']);
  assert.match(said, /^ {2}3 .*unknown +X no$/m);
  assert.match(said, /^ {2}1 .*retryable +X no$/m);
});

test('the recorded drift, corrections and unknown attempt are shown', () => {
  const drift = { from: 'online', fromSinceMs: nowMs - 9 * minuteMs, detectedAtMs: nowMs - minuteMs, backoffUntilMs: null } as const;
  const unknownAttempt = unknownAttemptOf({ attemptId: 9, endedAtMs: nowMs });
  const said = text(
    explanation({ file: {}, record: { state: 'offline', drift, correctionCount: 2, lastCorrectedAtMs: nowMs, unknownAttempt } }),
  );
  assert.match(
    said,
    'drift       taken offline outside edict after it was published at 2026-11-20T09:21:00Z, detected at 2026-11-20T09:29:00Z (1 min ago)',
  );
  assert.match(said, 'corrected   2 times, last at 2026-11-20T09:30:00Z (just now)');
  assert.match(said, 'unknown     outcome of attempt 9 (online), which ended at 2026-11-20T09:30:00Z (just now)');
});

test('the observed state is shown, or why the gateway cannot be observed', () => {
  const version = { versionId: 'v7', versionNumber: 'seven', remark: '', publishedAtMs: nowMs, isEffective: true };
  const seen = { kind: 'observed', recorded: recorded('orders', 'test', { editedAtMs: nowMs }), versions: [version] } as const;
  const said = text(explanation({ file: {}, record: {}, seen }));
  assert.match(
    said,
    'Gateway: online, observed just now\n  version     v7, seven\n  published   2026-11-20T09:30:00Z (just now)\n  edited ',
  );
  assert.match(said, 'kept        1 version\n');
  assert.match(text(explanation({ file: {}, record: {}, seen: { ...seen, versions: [] } })), 'Gateway: offline, observed just now');
  assert.match(text(explanation({ file: {}, seen: { ...seen, versions: null } })), 'Gateway: online, observed just now');
  const blind = { kind: 'unavailable', reason: 'no connection', hint: 'check the network' } as const;
  assert.match(text(explanation({ file: {}, seen: blind })), /cannot be observed.*\n {2}why +no connection\n {2}hint +check the network\n/);
});

test('a publication that is not declared, unresolved or without its line is shown as such', () => {
  const left = text(explanation({ record: {} }));
  assert.match(left, '\nFile: not declared\n');
  assert.match(left, '\nAttempts: none\n');
  const made = text({ ...explanation({ file: {}, line: null }), isPlaceholder: { api: true, environment: false } });
  assert.match(made, 'API not resolved yet, environment env-test');
  assert.match(made, 'edict.yaml:1:1\n\nRecord');
});

for (const [key, line, column] of [
  ['release', '  x: { release: online, test: online }', 8],
  ['"re lease"', '  "re lease": online', 3],
  ["'rel'", "  'rel': online", 3],
] as const) {
  test(`the key is underlined: ${key}`, () => {
    const said = text(explanation({ file: { source: { file: 'e', line: 1, column } }, line }));
    assert.match(said, `    | ${' '.repeat(column - 1)}${'^'.repeat(key.length)}\n`);
  });
}

test('a running daemon is shown last', () => {
  const condition = { updatedAtMs: nowMs, pid: 7, calls: 10, perMs: 1000, paused: null };
  assert.match(text(explanation({ file: {}, condition })), /daemon +Running at 10 calls\/s \(pid 7, .*\)\n$/);
});

test.run();
