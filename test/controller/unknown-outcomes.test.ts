import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { UnknownOutcomes } from '../../src/controller/unknown-outcomes.ts';
import { unknownAttemptOf } from '../support/states.ts';

function open() {
  const clock = { ms: 1000, wallClockMs: 500_000, monotonicMs: () => clock.ms, now: () => clock.wallClockMs };
  const unknownOutcomes = new UnknownOutcomes(500, clock);
  return {
    clock,
    waitMs: (attemptId: number, endedAtMs: number | null = null) => unknownOutcomes.remainingMs({ attemptId, endedAtMs }),
    outcomes: unknownOutcomes,
  };
  const waitMs = (attemptId: number, endedAtMs: number | null, sendByMs = startMs + 1000): number =>
    unknownOutcomes.remainingMs(unknownAttemptOf({ attemptId, startedAtMs: startMs, sendByMs, endedAtMs }));
  return { clock, pass, unknownOutcomes, waitMs };
}

test('an outcome is unknown for the propagation delay from when the attempt was first found', () => {
  const { clock, outcomes, waitMs } = open();
  assert.is(waitMs(7), 500);
  clock.ms += 200;
  assert.equal([waitMs(7), waitMs(8)], [300, 500]);
  clock.ms += 1000;
  assert.is(waitMs(7), 0);
  outcomes.forget(7);
  assert.is(waitMs(7), 500, 'it is forgotten');
});

test('an attempt of an earlier process is as old as the store says, if that is plausible', () => {
  const { clock, waitMs } = open();
  assert.equal(
    [waitMs(1, clock.wallClockMs - 100), waitMs(2, clock.wallClockMs - 9000), waitMs(3, clock.wallClockMs + 9000)],
    [400, 0, 500],
  );
});

test('setting the clock while an outcome is unknown changes nothing', () => {
  const { clock, waitMs } = open();
  const overAtMs = clock.wallClockMs;
  assert.is(waitMs(7, overAtMs), 500);
  clock.wallClockMs += 3_600_000;
  assert.is(waitMs(7, overAtMs), 500);
  clock.wallClockMs -= 7_200_000;
  clock.ms += 500;
  assert.is(waitMs(7, overAtMs), 0);
});

test.run();
