import { createHmac } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Clock } from '../../src/core/ports.ts';
import { systemClock } from '../../src/engine/system-clock.ts';
import { Courier, type CourierDeps, hostOf } from '../../src/telemetry/notify-courier.ts';
import type { Message } from '../../src/telemetry/notify-document.ts';
import { type Answer, type AnsweringServer, answeringServer, json } from '../gateway/answering-server.ts';
import { eventually } from '../support/eventually.ts';

const test = suite('courier');
let server: AnsweringServer;
let courier: Courier;
let told: Parameters<CourierDeps['onFailed']>[0][] = [];
let slept: number[] = [];

/** Time passes at once, and is written down. */
let nowMs = 0;
const hasty: Pick<Clock, 'now' | 'monotonic' | 'sleep'> = {
  now: () => Date.UTC(2026, 0, 1),
  monotonic: () => nowMs,
  sleep: async (ms) => {
    slept.push(ms);
    nowMs += ms;
  },
};

async function start(answer: Answer, over: Partial<CourierDeps['receiver']> = {}, clock: CourierDeps['clock'] = hasty): Promise<void> {
  server = await answeringServer(answer);
  told = [];
  slept = [];
  const receiver = { form: 'json', address: () => new URL(`${server.url}/hook/SECRET?key=SECRET`), secret: () => null, ...over } as const;
  courier = new Courier({ receiver, proxies: null, clock, onFailed: (one) => told.push(one) });
}

test.after.each(async () => {
  await courier.close();
  await server.close();
});

const message = (id: string): Message => ({
  ...{ format: 1, id, at: '2026-01-01T00:00:00Z', file: 'edict.yaml', gateway: null, emulated: false },
  notices: [{ kind: 'applied', summary: '1 change made', count: 1, online: 1, offline: 0, publications: [] }],
});
const ids = (): unknown[] => server.requests.map(({ body }) => (JSON.parse(body) as { id: unknown }).id);
const ok: Answer = (response) => json(response, 200, {});

test('a message is posted as JSON, in the order of sending, over one connection', async () => {
  await start(ok);
  for (const id of ['1', '2', '3']) courier.send(message(id));
  await eventually(() => server.requests.length === 3, 5000, 'all are there');
  assert.equal(ids(), ['1', '2', '3']);
  const [first] = server.requests;
  assert.equal([first?.method, first?.path, first?.headers['content-type']], ['POST', '/hook/SECRET?key=SECRET', 'application/json']);
  assert.is(first?.headers['x-edict-signature'], undefined);
  assert.is((JSON.parse(first?.body ?? '') as { undelivered: number }).undelivered, 0);
  assert.is(server.connections(), 1);
});

test('a secret signs the body, and a name and password in the address are sent as such', async () => {
  await start(ok, {
    secret: () => 'shared',
    address: () => new URL(server.url.replace('http://', 'http://ada:p%40ss@')),
  });
  courier.send(message('1'));
  await eventually(() => server.requests.length === 1, 5000, 'it is there');
  const { headers, body = '' } = server.requests[0] ?? {};
  assert.is(headers?.['x-edict-signature'], `sha256=${createHmac('sha256', 'shared').update(body).digest('hex')}`);
  assert.is(headers?.authorization, `Basic ${Buffer.from('ada:p@ss').toString('base64')}`);
});

test('Slack gets its own form', async () => {
  await start(ok, { form: 'slack' });
  courier.send(message('1'));
  await eventually(() => server.requests.length === 1, 5000, 'it is there');
  const { text, blocks } = JSON.parse(server.requests[0]?.body ?? '') as { text: string; blocks: unknown[] };
  assert.equal([text, blocks.length], ['edict: applied: 1 change made', 2]);
});

test('a 500 is tried again with the same body, later each time, then given up, and the next message says so', async () => {
  await start((response, { body }) => json(response, body.includes('"2"') ? 200 : 500, {}));
  courier.send(message('1'));
  courier.send(message('2'));
  await eventually(() => ids().includes('2'), 5000, 'the second is there');
  assert.equal(ids(), ['1', '1', '1', '1', '1', '1', '2']);
  assert.is(new Set(server.requests.map(({ body }) => body)).size, 2);
  assert.equal(slept, [1000, 4000, 16_000, 64_000, 256_000]);
  assert.is((JSON.parse(server.requests.at(-1)?.body ?? '') as { undelivered: number }).undelivered, 1);
  assert.equal(told.at(-1), { to: new URL(server.url).host, reason: 'answered 500', dropped: 1 });
  assert.ok(told.length <= 4, 'tries that fail within a minute are told once');
  courier.send(message('3'));
  await eventually(() => ids().includes('3'), 5000, 'the third is there');
  assert.is((JSON.parse(server.requests.at(-1)?.body ?? '') as { undelivered: number }).undelivered, 0);
});

test('a receiver that asks to be left alone is', async () => {
  const wishes = ['7', new Date(Date.UTC(2026, 0, 1, 0, 1)).toUTCString(), '999999', 'soon'];
  await start((response, _request, count) => {
    const wish = wishes[count - 1];
    json(response, wish === undefined ? 200 : 429, {}, wish === undefined ? {} : { 'retry-after': wish });
  });
  courier.send(message('1'));
  await eventually(() => server.requests.length === 5, 5000, 'it is tried five times');
  assert.equal(slept, [7000, 60_000, 600_000, 64_000]);
});

test('an address that is not there, or leads elsewhere, is not tried again', async () => {
  await start((response, _request, count) => {
    if (count === 1) json(response, 404, {});
    else response.writeHead(302, { location: `${server.url}/elsewhere` }).end();
  });
  courier.send(message('1'));
  courier.send(message('2'));
  await eventually(() => told.length === 2, 5000, 'both are given up');
  assert.equal(
    told.map(({ reason, dropped }) => [reason, dropped]),
    [
      ['answered 404', 1],
      ['answered 302', 1],
    ],
  );
  assert.is(server.requests.length, 2);
});

test('nothing that is told has more of the address than its host', async () => {
  await start((response) => response.destroy());
  courier.send(message('1'));
  await eventually(() => told.some(({ dropped }) => dropped > 0), 5000, 'it is given up');
  for (const one of told) assert.not.match(JSON.stringify(one), 'SECRET');
  assert.match(told[0]?.reason ?? '', /^no answer: UND_ERR_SOCKET$|^no answer: ECONNRESET$/);
  const broken = (): URL => {
    throw new Error('SECRET');
  };
  assert.is(hostOf({ form: 'slack', address: broken }), 'slack');
});

test('of a hundred messages for a receiver that hangs twenty wait, and the rest is counted', async () => {
  await start(() => {}, {}, systemClock);
  for (let index = 0; index < 100; index += 1) courier.send(message(String(index)));
  await eventually(() => server.requests.length === 1, 5000, 'the first is on its way');
  assert.is(
    told.reduce((sum, { dropped }) => sum + dropped, 0),
    80,
  );
});

test('at the end each is tried once more, and a receiver that hangs is not waited for', async () => {
  await start((response, _request, count) => json(response, count < 3 ? 500 : 200, {}), {}, systemClock);
  courier.send(message('1'));
  courier.send(message('2'));
  await eventually(() => server.requests.length === 1 && told.length === 1, 5000, 'the first has failed');
  await courier.close();
  assert.equal(ids(), ['1', '1', '2']);

  await server.close();
  await start(() => {}, {}, systemClock);
  courier.send(message('1'));
  courier.send(message('2'));
  await eventually(() => server.requests.length === 1, 5000, 'the first is on its way');
  const startedAtMs = performance.now();
  await courier.close();
  const tookMs = performance.now() - startedAtMs;
  assert.ok(tookMs > 1500 && tookMs < 3500, `${tookMs} ms`);
});

test.run();
