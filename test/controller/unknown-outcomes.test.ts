import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { UnknownOutcomes } from '../../src/controller/unknown-outcomes.ts';
import { unknownAttemptOf } from '../support/states.ts';

const startMs = 500_000;
const settlingMs = 3500;

/** Attempts start at `startMs` on the wall clock and may be sent for 1000 ms; a request takes 3000 ms at most, its effect 500 ms to be listed. */
function fixture() {
  const clock = { ms: 7, wallClockMs: startMs, monotonicMs: () => clock.ms, now: () => clock.wallClockMs };
  const unknownOutcomes = new UnknownOutcomes({ timeoutMs: 3000, propagationDelayMs: 500 }, clock);
  const pass = (ms: number): void => {
    clock.ms += ms;
    clock.wallClockMs += ms;
  };
  const waitMs = (attemptId: number, endedAtMs: number | null, sendByMs?: number): number =>
    unknownOutcomes.remainingMs(attemptOf(attemptId, endedAtMs, sendByMs));
  /** Like `waitMs`, for a gateway that has answered since the attempt ended. */
  const waitMsAfterAnswer: typeof waitMs = (attemptId, endedAtMs, sendByMs) => {
    unknownOutcomes.answered(attemptOf(attemptId, endedAtMs, sendByMs));
    return waitMs(attemptId, endedAtMs, sendByMs);
  };
  return { clock, pass, unknownOutcomes, waitMs, waitMsAfterAnswer };
}

function attemptOf(attemptId: number, endedAtMs: number | null, sendByMs = startMs + 1000) {
  return unknownAttemptOf({ attemptId, startedAtMs: startMs, sendByMs, endedAtMs });
}

test('absence proves nothing until a request that was sent at the last moment has arrived and is listed', () => {
  const { pass, unknownOutcomes, waitMs, waitMsAfterAnswer } = fixture();
  assert.is(waitMsAfterAnswer(7, null), 1000 + settlingMs);
  pass(200);
  assert.equal([waitMs(7, null), waitMs(8, startMs + 200)], [800 + settlingMs, 800 + settlingMs], 'its process may still send it');
  assert.is(waitMs(9, startMs + 200, startMs + 200), settlingMs, 'its own process has finished it');
  pass(5000);
  assert.is(waitMs(7, null), 0);
  unknownOutcomes.forget(7);
  assert.is(waitMs(7, null), settlingMs, 'it is forgotten, and was in flight until now');
});

test('an attempt that was found after the last moment to send it may have been sent until it was found', () => {
  const { pass, waitMs, waitMsAfterAnswer } = fixture();
  pass(60_000);
  // A gateway that answers now may have processed it as late as now.
  assert.equal([waitMsAfterAnswer(1, startMs + 60_000), waitMsAfterAnswer(2, startMs + 59_000)], [settlingMs, settlingMs]);
  pass(500);
  assert.equal([waitMs(1, startMs + 60_000), waitMs(2, startMs + 59_000)], [settlingMs - 500, settlingMs - 500]);
});

test('an attempt that was found long ago is believed without an answer, so that a process that lives shortly finds out', () => {
  const { pass, waitMs } = fixture();
  pass(5 * settlingMs);
  assert.equal([waitMs(1, startMs, startMs), waitMs(2, startMs + 1, startMs)], [0, settlingMs]);
});

test('a clock that is set back does not prolong the wait, one that is set in the meantime changes nothing', () => {
  const { clock, pass, waitMs, waitMsAfterAnswer } = fixture();
  clock.wallClockMs -= 3_600_000;
  assert.is(waitMsAfterAnswer(7, null), 1000 + settlingMs);
  clock.wallClockMs += 7_200_000;
  assert.is(waitMs(7, null), 1000 + settlingMs);
  pass(1000 + settlingMs);
  assert.is(waitMs(7, null), 0);
});

test('an attempt that ended with a clock set back meanwhile proves nothing at once', () => {
  const { clock, waitMs } = fixture();
  clock.wallClockMs -= 3_600_000;
  assert.is(waitMs(7, clock.wallClockMs, clock.wallClockMs), settlingMs);
});

test('absence proves nothing until the gateway has answered, since it may process late what it has received long ago', () => {
  const { pass, unknownOutcomes, waitMs } = fixture();
  const attempt = attemptOf(7, startMs + 1000);
  unknownOutcomes.track(attempt);
  pass(60_000);
  assert.is(waitMs(7, startMs + 1000), settlingMs, 'it has not answered yet');
  pass(60_000);
  assert.is(waitMs(7, startMs + 1000), settlingMs, 'still not');
  unknownOutcomes.answered(attempt);
  pass(settlingMs - 1);
  assert.is(waitMs(7, startMs + 1000), 1);
  unknownOutcomes.answered(attempt);
  pass(1);
  assert.is(waitMs(7, startMs + 1000), 0, 'a later answer does not prolong the wait');
});

test.run();
