import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openProgress } from '../../../src/cli/output/apply-result.ts';
import { noColor } from '../../../src/cli/output/terminal.ts';
import type { Change } from '../../../src/model/change.ts';
import { diffStates } from '../../../src/plan/diff.ts';
import { desiredState, wanted } from '../../support/states.ts';
import { textStream } from '../../support/streams.ts';

const failure = { code: 'X', status: 500, message: '', hint: null, requestId: null, retryAfterMs: null };

test('the progress line shows what is done, failed and left, and is erased', () => {
  const { stream, text } = textStream();
  const progress = openProgress(stream, noColor);
  const plan = diffStates(desiredState(['a', 'b', 'c', 'd'].map((api) => wanted(api, 'test'))), new Map());
  const attemptFinished = (index: number) =>
    ({
      type: 'attempt:finished',
      reconcileId: 'p',
      attemptId: 1,
      change: plan.changes[index] as Change,
      isRecorded: true,
      durationMs: 1,
    }) as const;
  progress.emit({ type: 'plan:computed', reconcileId: 'p', cause: 'startup', recorded: new Map(), plan });
  progress.emit({ ...attemptFinished(0), outcome: { kind: 'succeeded', versionId: null, publishId: null } });
  assert.match(text(), /\[=====\s+\] 1 of 4 done, 3 left, .* to go$/);
  for (const rest of [1, 2]) progress.emit({ ...attemptFinished(rest), outcome: { kind: 'succeeded', versionId: null, publishId: null } });
  progress.emit({ ...attemptFinished(3), outcome: { kind: 'rejected', failure } });
  assert.match(text(), '3 of 4 done, 1 failed, 1 left');
  progress.clear();
  assert.ok(text().endsWith('\r\u001B[2K'));
});

test('a line that does not fit the terminal is cut, since a line that wraps cannot be erased', () => {
  const { stream, text } = textStream();
  const progress = openProgress(Object.assign(stream, { columns: 20 }), noColor);
  progress.emit({ type: 'gateway:page_read', readCount: 500, totalCount: 5000 });
  assert.is(text(), '\r\u001B[2KReading the gatewa…');
});

test('waiting for the store is shown on a line of its own', () => {
  const { stream, text } = textStream();
  const progress = openProgress(stream, noColor);
  progress.emit({ type: 'store:waiting', message: 'it is locked' });
  assert.ok(text().endsWith('Waiting for the store: it is locked\n'));
});

test('nothing is drawn without changes', () => {
  const { stream, text } = textStream();
  const progress = openProgress(stream, noColor);
  progress.emit({
    type: 'plan:computed',
    reconcileId: 'p',
    cause: 'startup',
    recorded: new Map(),
    plan: diffStates(desiredState([]), new Map()),
  });
  progress.clear();
  assert.is(text(), '');
});

test.run();
