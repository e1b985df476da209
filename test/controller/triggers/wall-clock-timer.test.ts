import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../../src/app/context.ts';
import { WallClockTimer } from '../../../src/controller/triggers/wall-clock-timer.ts';

const test = suite('wall clock timer');

test('fires once when its time has come', async () => {
  let rung = 0;
  new WallClockTimer(systemClock, () => (rung += 1)).schedule(Date.now() + 30);
  assert.is(rung, 0);
  await sleep(100);
  assert.is(rung, 1);
});

test('fires at the newest time only, and not at all once it is cancelled', async () => {
  let rung = 0;
  const alarm = new WallClockTimer(systemClock, () => (rung += 1));
  alarm.schedule(Date.now() + 20);
  alarm.schedule(Date.now() + 40);
  await sleep(100);
  assert.is(rung, 1);
  alarm.schedule(Date.now() + 20);
  alarm.schedule(null);
  await sleep(60);
  assert.is(rung, 1);
});

test('fires immediately for a time in the past', async () => {
  let rung = 0;
  new WallClockTimer(systemClock, () => (rung += 1)).schedule(Date.now() - 1000);
  await sleep(5);
  assert.is(rung, 1);
});

test('checks the clock repeatedly, since the clock of a machine may be set', async () => {
  let nowMs = 0;
  const slept: number[] = [];
  const clock = {
    now: () => nowMs,
    sleep: async (ms: number) => {
      slept.push(ms);
      nowMs += slept.length === 1 ? 50_000_000 : ms;
    },
  };
  await new Promise<void>((resolve) => new WallClockTimer(clock, resolve).schedule(50_030_000));
  assert.equal(slept, [60_000, 30_000]);
});

test.run();
