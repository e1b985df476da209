import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { changePublication_201 } from '../../generated/roma-connect-answers.cjs';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import type { FaultKind } from '../../src/emulator/faults.ts';
import { Throttle } from '../../src/emulator/throttle.ts';
import { publishAt, sendTo, smallSeed } from './emulated-call.ts';

let emulator: Emulator;

test.before.each(async () => {
  emulator = await startEmulator({ seed: smallSeed });
});

test.after.each(() => emulator.close());

const codeOf = async (answer: Response): Promise<unknown> => ((await answer.json()) as Record<string, unknown>)['error_code'];
const lastRequest = () => emulator.requests.all().at(-1);
const publications = (): number => emulator.state.publications().length;

/** Publishes and returns the result: a status and a body, or the error of a broken connection. */
async function outcome(): Promise<{ status: number; text: string } | { error: unknown }> {
  const answer = await publishAt(emulator).catch((error: unknown) => ({ error }));
  if ('error' in answer) return answer;
  return answer.text().then(
    (text) => ({ status: answer.status, text }),
    (error: unknown) => ({ error }),
  );
}

for (const applied of [false, true]) {
  const what = applied ? 'applied' : 'not applied';

  for (const [kind, status] of [
    ['cut', null],
    ['half', 201],
  ] as const satisfies [FaultKind, number | null][]) {
    test(`the client of a call with a ${kind}, ${what}, sees a broken connection; the log shows the rest`, async () => {
      emulator.faults.add({ kind, applied, times: 1 });
      assert.ok('error' in (await outcome()));
      const { atMs: _, ...noted } = lastRequest() ?? {};
      const asked = { action: 'online', api: 'a', environment: 'e' };
      assert.equal(noted, { operation: 'changePublication', status, ...asked, fault: kind, applied });
      assert.is(publications(), applied ? 1 : 0);
      assert.is((await publishAt(emulator)).status, 201);
    });
  }

  test(`an invalid response, ${what}, is a 201 that violates the specification`, async () => {
    emulator.faults.add({ kind: 'invalid', applied, times: 20 });
    for (let call = 1; call <= 20; call += 1) {
      const answer = await outcome();
      assert.ok('status' in answer && answer.status === 201);
      let isValid = true;
      try {
        isValid = changePublication_201(JSON.parse(answer.text));
      } catch {
        isValid = false;
      }
      assert.not(isValid, answer.text);
      assert.equal([lastRequest()?.fault, lastRequest()?.applied], ['invalid', applied]);
    }
    assert.is(publications(), applied ? 1 : 0);
  });

  test(`a hanging call, ${what}, ends when its client gives up`, async () => {
    emulator.faults.add({ kind: 'hang', applied, times: 1 });
    const given = fetch(`${emulator.url}/v2/p/apic/instances/i/apis/action`, {
      method: 'POST',
      headers: { 'x-auth-token': 'good', 'content-type': 'application/json' },
      body: JSON.stringify({ action: 'online', api_id: 'a', env_id: 'e' }),
      signal: AbortSignal.timeout(200),
    });
    assert.is(await given.catch((error: Error) => error.name), 'TimeoutError');
    assert.equal([lastRequest()?.status, lastRequest()?.fault, lastRequest()?.applied], [null, 'hang', applied]);
    assert.is((await publishAt(emulator)).status, 201);
  });
}

test('a hanging call ends when the emulator closes', async () => {
  const other = await startEmulator({ seed: smallSeed, faults: [{ kind: 'hang', share: 1 }] });
  const call = publishAt(other).catch(() => 'ended');
  while (other.requests.all().length === 0) await sleep(5);
  await other.close();
  assert.is(await call, 'ended');
});

test('a call that the service rejects is rejected, whatever applied fault is set for it', async () => {
  emulator.faults.add({ kind: 'cut', applied: true, share: 1 });
  const answer = await publishAt(emulator, { api_id: 'x' });
  assert.equal([answer.status, await codeOf(answer)], [404, 'APIG.3002']);
  assert.equal([lastRequest()?.fault, lastRequest()?.applied], [null, false]);
});

test('an unauthorized or invalid call uses up no fault', async () => {
  emulator.faults.add({ kind: 'cut', share: 1 });
  assert.is((await publishAt(emulator, {}, { 'x-auth-token': 'bad' })).status, 401);
  assert.is((await publishAt(emulator, { action: 'both' })).status, 400);
});

test('any operation can have a fault, and one for an API applies to reading it too', async () => {
  const versions = '/v2/p/apic/instances/i/apis/publish/';
  const answer = { status: 500, errorCode: 'APIG.9999', errorMsg: 'System error' };
  emulator.faults.add({ ...answer, times: 1, operation: 'listVersions', apiId: 'a' });
  assert.is((await sendTo(emulator, `${versions}b`, { method: 'GET' })).status, 404);
  assert.is((await sendTo(emulator, `${versions}a`, { method: 'GET' })).status, 500);
  emulator.faults.add({ ...answer, times: 1, operation: 'createToken' });
  const user = { name: 'ada', password: 'secret', domain: { name: 'acme' } };
  const body = { auth: { identity: { methods: ['password'], password: { user } }, scope: { project: { name: 'p' } } } };
  assert.is((await sendTo(emulator, '/v3/auth/tokens', { body })).status, 500);
  assert.is((await sendTo(emulator, '/v3/auth/tokens', { body })).status, 201);
});

test('the throttle comes before everything, and does not apply to the identity service', async () => {
  emulator.faults.throttle = new Throttle({ calls: 1, perMs: 3_600_000 });
  assert.is((await publishAt(emulator)).status, 201);
  for (const headers of [{}, { 'x-auth-token': 'bad' }]) {
    const answer = await publishAt(emulator, {}, headers);
    assert.equal([answer.status, answer.headers.get('retry-after'), await codeOf(answer)], [429, null, 'APIG.0308']);
  }
  assert.is((await sendTo(emulator, '/v2/p/apic/instances/i/apis/action', { body: {} })).status, 429);
  assert.is((await sendTo(emulator, '/v2/p/apic/instances/i/apis/publish/a', { method: 'GET' })).status, 429);
  assert.is((await sendTo(emulator, '/v3/auth/tokens', { body: {} })).status, 400);
  assert.equal([lastRequest()?.fault, lastRequest()?.applied], [null, false]);
});

test('a call takes effect at once, and its response comes after the latency', async () => {
  emulator.faults.latencyMs = { minMs: 60_000, maxMs: 120_000 };
  const call = publishAt(emulator).catch(() => 'connection closed');
  while (publications() === 0) await sleep(5);
  assert.is(lastRequest()?.applied, true);
  assert.is(await Promise.race([call, sleep(100, 'waiting')]), 'waiting');
  await emulator.close();
  assert.is(await call, 'connection closed');
});

test('a connection is cut without a byte of a response', async () => {
  emulator.faults.add({ kind: 'cut', times: 1 });
  const socket = connect(Number(new URL(emulator.url).port), '127.0.0.1').on('error', () => {});
  let bytes = 0;
  socket.on('data', (piece) => {
    bytes += piece.length;
  });
  const body = JSON.stringify({ action: 'online', api_id: 'a', env_id: 'e' });
  const head = ['POST /v2/p/apic/instances/i/apis/action HTTP/1.1', 'host: x', 'x-auth-token: good', 'content-type: application/json'];
  socket.write([...head, `content-length: ${body.length}`, '', body].join('\r\n'));
  await once(socket, 'close');
  assert.is(bytes, 0);
  assert.is(publications(), 0);
});

test('the same random seed gives the same faults', async () => {
  const statuses = async (random: number): Promise<number[]> => {
    const faults = [{ status: 500, errorCode: 'APIG.9999', errorMsg: 'System error', share: 0.5 }];
    const other = await startEmulator({ seed: smallSeed, faults, random });
    const got = [];
    for (let call = 1; call <= 40; call += 1) got.push((await publishAt(other)).status);
    await other.close();
    return got;
  };
  const first = await statuses(7);
  assert.equal(await statuses(7), first);
  assert.not.equal(await statuses(8), first);
});

test.run();
