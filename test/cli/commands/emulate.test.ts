import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseFaultInjection } from '../../../src/cli/commands/emulate.ts';
import { runCli } from '../../../src/cli/program.ts';
import { parseFault } from '../../../src/emulator/faults.ts';
import { defaultSeed } from '../../../src/emulator/seed.ts';
import { edict } from '../../support/edict-command.ts';
import { scratchFolder, seedOf, startEdict, until } from '../../support/edict-process.ts';
import { testContext } from '../../support/streams.ts';

test('serves the seed until it is stopped', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'seed.json'), JSON.stringify(seedOf('orders')));
  const emulator = startEdict(['emulate', '--seed', 'seed.json', '--port', '0'], folder);
  await until('it listens', () => emulator.output.stdout.includes('listens on'));
  const url = /http:\S+/.exec(emulator.output.stdout)?.[0] ?? '';
  const answer = await fetch(`${url}/v2/project/apic/instances/instance/apis/action`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-auth-token': 'any' },
    body: JSON.stringify({ action: 'online', api_id: 'api-orders', env_id: 'env-test' }),
  });
  assert.is(answer.status, 201);
  emulator.child.kill('SIGTERM');
  assert.is((await emulator.finished).code, 0);
});

test('an invalid seed and a port in use are errors without a stack', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'seed.json'), '{"project": 1}');
  const wrong = await edict(['emulate', '--seed', 'seed.json', '--port', '0'], folder);
  assert.is(wrong.code, 1);
  assert.match(wrong.stderr, 'seed.json');
  assert.not.match(wrong.stderr, /\n\s+at /);
  const absent = await edict(['emulate', '--seed', 'nowhere.yaml'], folder);
  assert.not.match(absent.stderr, /\n\s+at /);
  const first = startEdict(['emulate', '--port', '0'], folder);
  await until('it listens', () => first.output.stdout.includes('listens on'));
  const port = /:(\d+)\s/.exec(first.output.stdout)?.[1] ?? '';
  const second = await edict(['emulate', '--port', port], folder);
  first.child.kill('SIGTERM');
  await first.finished;
  assert.is(second.code, 1);
  assert.match(second.stderr, port);
  assert.not.match(second.stderr, /\n\s+at /);
});

test('there are no faults by default', () => {
  const nothing = {
    latencyMs: undefined,
    throttle: undefined,
    tokenLifetimeMs: undefined,
    propagationDelayMs: undefined,
    random: undefined,
  };
  assert.equal(parseFaultInjection({}, parseFault), { faults: [], ...nothing });
});

test('the options configure the faults', () => {
  const written = {
    fault: ['cut=0.05', 'APIG.0308:applied=0.1'],
    latency: '20ms..1s',
    throttle: '10/1s',
    retryAfter: true,
    tokenLifetime: '5s',
    propagationDelay: '2s',
    randomSeed: 7,
  };
  const errorMsg = 'The throttling threshold has been reached: policy ip over ratelimit';
  assert.equal(parseFaultInjection(written, parseFault), {
    faults: [
      { kind: 'cut', share: 0.05, applied: false },
      { status: 429, errorCode: 'APIG.0308', errorMsg, share: 0.1, applied: true },
    ],
    latencyMs: { minMs: 20, maxMs: 1_000 },
    throttle: { calls: 10, perMs: 1_000, retryAfter: true },
    tokenLifetimeMs: 5_000,
    propagationDelayMs: 2_000,
    random: 7,
  });
  assert.is(parseFaultInjection({ latency: '20ms' }, parseFault).latencyMs, 20);
});

for (const [args, expected] of [
  [['--fault', 'cutt=0.5'], '--fault cutt=0.5: cutt is neither cut, half, invalid, hang nor a known error code such as APIG.9999'],
  [['--fault', 'cut'], '--fault cut: expected a kind and a share, such as cut=0.05 or APIG.9999:applied=0.1'],
  [['--fault', 'cut=0.1', '--fault', 'hang=2'], '--fault hang=2: 2 is no share: expected a number from 0 to 1'],
  [['--latency', '20'], '--latency 20 is not a duration'],
  [['--latency', '20ms..'], '--latency 20ms.. is not a range: expected one such as 20ms..200ms'],
  [['--latency', '2s..20ms'], '--latency 2s..20ms is not a range: expected one such as 20ms..200ms'],
  [['--latency', '1s..2s..3s'], '--latency 1s..2s..3s is not a range: expected one such as 20ms..200ms'],
  [['--throttle', '10'], '--throttle 10: expected a number of calls and a time, such as 10/1s'],
  [['--throttle', '0/1s'], '--throttle 0/1s: expected a number of calls and a time, such as 10/1s'],
  [['--throttle', '10/0s'], '--throttle 10/0s: expected a time above zero, such as 10/1s'],
  [['--throttle', '10/second'], '--throttle second is not a duration'],
  [['--retry-after'], '--retry-after has no effect without --throttle'],
  [['--token-lifetime', 'long'], '--token-lifetime long is not a duration'],
  [['--propagation-delay', '2'], '--propagation-delay 2 is not a duration'],
  [['--random-seed', 'x'], "error: option '--random-seed <number>' argument 'x' is invalid. expected a whole number."],
] as const) {
  test(`emulate ${args.join(' ')} is exit code 1 with the reason`, async () => {
    const { context, stdout, stderr } = testContext();
    assert.is(await runCli(['emulate', ...args], context), 1);
    assert.is(stdout(), '');
    assert.is(
      stderr()
        .split('\n')[0]
        ?.replace(/^edict: /, ''),
      expected,
    );
  });
}

test('the command injects the faults of its options', async () => {
  const running = startEdict(['emulate', '--port', '0', '--fault', 'APIG.3500=1', '--throttle', '2/1h', '--retry-after'], scratchFolder());
  await until('it listens', () => running.output.stdout.includes('listens on'));
  const url = /http:\S+/.exec(running.output.stdout)?.[0] ?? '';
  const { project, instance, apis, environments } = defaultSeed;
  const call = () =>
    fetch(`${url}/v2/${project}/apic/instances/${instance}/apis/action`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-auth-token': 'any' },
      body: JSON.stringify({ action: 'online', api_id: apis[0]?.id, env_id: environments[0]?.id }),
    });
  const answers = [await call(), await call(), await call()];
  running.child.kill('SIGTERM');
  assert.is((await running.finished).code, 0);
  assert.equal(
    answers.map(({ status, headers }) => [status, headers.has('retry-after')]),
    [
      [500, false],
      [500, false],
      [429, true],
    ],
  );
});

test.run();
