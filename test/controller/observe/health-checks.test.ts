import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../../src/app/context.ts';
import { HealthChecks } from '../../../src/controller/observe/health-checks.ts';
import type { Probe } from '../../../src/gateway/interface.ts';
import type { ProbeTarget } from '../../../src/model/change.ts';
import type { Clock } from '../../../src/model/clock.ts';
import type { EdictEvent } from '../../../src/model/events.ts';
import { until } from '../../support/edict-process.ts';
import { change, wanted } from '../../support/states.ts';

const hasty: Pick<Clock, 'sleep'> = { sleep: () => Promise.resolve() };

function target(api: string, over: Partial<ProbeTarget> = {}): ProbeTarget {
  const { key, apiId, environment, environmentId } = wanted(api, 'test');
  return { key, api, apiId, environment, environmentId, url: `https://x/${api}`, expectedStatus: null, timeoutMs: 5, sinceMs: 1, ...over };
}

/** A plan in which the release of each API waits for its probe, or for nothing more. */
function planOf(...probes: readonly (ProbeTarget | string)[]) {
  const waits = (probe: ProbeTarget) => ({ rule: 'rollout', message: '', untilMs: null, probe }) as const;
  return {
    changes: probes.map((probe) =>
      typeof probe === 'string' ? change(probe, 'release') : change(probe.api, 'release', { deferred: waits(probe) }),
    ),
  };
}

/** Probes with the results of `probe`, and the requests and events. */
function opened(probe: (url: string, times: number) => boolean | Promise<boolean>, maxTries = 3, clock = hasty) {
  const asked: string[] = [];
  const events: EdictEvent[] = [];
  let answers = 0;
  const answer: Probe = async ({ url }) => {
    asked.push(url);
    const isExpected = await probe(url, asked.length);
    return { isExpected, message: isExpected ? 'answered 200' : 'answered 503' };
  };
  const probes = new HealthChecks({
    probe: answer,
    clock,
    emit: (event) => events.push(event),
    random: () => 0,
    maxTries,
    onResult: () => {
      answers += 1;
    },
  });
  return { probes, asked, events, answers: () => answers };
}

test('probes until the response is as expected, with growing delay, and reports it', async () => {
  const { probes, asked, events, answers } = opened((_, times) => times === 3);
  probes.setPlan(planOf(target('a')), { retryNow: false });
  await until('it has a response', () => !probes.isRunning);
  assert.equal([asked.length, answers(), probes.failed], [3, 3, []]);
  assert.equal(
    events.map((event) => event.type === 'probe:answered' && [event.isExpected, event.message, event.afterMs]),
    [
      [false, 'answered 503', 500],
      [false, 'answered 503', 1000],
      [true, 'answered 200', null],
    ],
  );
  assert.equal(
    [...probes.results.values()],
    [{ key: target('a').key, url: 'https://x/a', sinceMs: 1, isExpected: true, message: 'answered 200' }],
  );
});

test('gives up after the maximum number of tries, until a person or a new file asks for more', async () => {
  const { probes, asked } = opened(() => false, 2);
  probes.setPlan(planOf(target('a')), { retryNow: true });
  await until('it has given up', () => !probes.isRunning);
  probes.setPlan(planOf(target('a')), { retryNow: false });
  assert.equal([asked.length, probes.isRunning, probes.failed.length], [2, false, 1]);
  probes.setPlan(planOf(target('a')), { retryNow: true });
  await until('it has given up again', () => !probes.isRunning);
  assert.is(asked.length, 4);
});

test('a success is kept while its API has a change left, and a failure while a change waits for the probe', async () => {
  const { probes } = opened((url) => url.endsWith('a'), 1);
  probes.setPlan(planOf(target('a'), target('b')), { retryNow: false });
  await until('both have a response', () => !probes.isRunning);
  probes.setPlan(planOf('a', 'b'), { retryNow: false });
  assert.equal([...probes.results.keys()], [target('a').key]);
  probes.setPlan(planOf(), { retryNow: false });
  assert.is(probes.results.size, 0);
});

test('a probe that is no longer needed, or whose target changed, is not repeated', async () => {
  const { probes, asked } = opened(() => false, Number.POSITIVE_INFINITY, systemClock);
  probes.setPlan(planOf(target('a'), target('b')), { retryNow: false });
  await until('both are probed', () => asked.length === 2);
  probes.setPlan(planOf(target('a', { url: 'https://x/new' })), { retryNow: false });
  await until('the new one is probed', () => asked.length === 3);
  assert.equal([asked[2], [...probes.results.keys()].includes(target('b').key)], ['https://x/new', false]);
  await probes.stop();
  assert.not.ok(probes.isRunning);
});

test('runs 32 probes at a time, and none for a held change', async () => {
  let open = 0;
  let most = 0;
  const { probes, asked } = opened(async () => {
    open += 1;
    most = Math.max(most, open);
    await new Promise((resolve) => setTimeout(resolve, 5));
    open -= 1;
    return true;
  });
  const targets = Array.from({ length: 42 }, (_, index) => target(`a${index}`));
  const { changes } = planOf(...targets);
  const held = { rule: 'protected', message: '', hint: '' } as const;
  probes.setPlan({ changes: changes.map((one, index) => (index < 2 ? { ...one, held } : one)) }, { retryNow: false });
  await until('all have a response', () => !probes.isRunning);
  assert.equal([asked.length, most], [40, 32]);
});

test('a probe in flight is not restarted for a new file or a person, and one in backoff runs immediately', async () => {
  const answers: ((isExpected: boolean) => void)[] = [];
  const { probes, asked } = opened(() => new Promise((resolve) => answers.push(resolve)), Number.POSITIVE_INFINITY, systemClock);
  for (let plans = 0; plans < 5; plans += 1) probes.setPlan(planOf(target('a'), target(`b${plans}`)), { retryNow: true });
  await until('it is probed', () => answers.length > 1);
  assert.is(asked.filter((url) => url === target('a').url).length, 1);
  answers[0]?.(false);
  await until('it has failed', () => probes.failed.length === 1);
  probes.setPlan(planOf(target('a')), { retryNow: true });
  await until('it is probed again', () => asked.filter((url) => url === target('a').url).length === 2);
  for (const answer of answers) answer(true);
  await probes.stop();
});

test.run();
