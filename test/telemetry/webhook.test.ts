import { createHmac } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { components } from '../../generated/edict-notification.d.ts';
import { systemClock } from '../../src/app/context.ts';
import type { Clock } from '../../src/model/clock.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import { signatureOf, Webhook, type WebhookDeps, type WebhookSettings } from '../../src/telemetry/webhook.ts';
import { type Answer, type AnsweringServer, answeringServer, json } from '../gateway/answering-server.ts';
import { eventually } from '../support/eventually.ts';
import { assertConforms } from '../support/json-schemas.ts';
import { change, desiredState } from '../support/states.ts';

type Notification = components['schemas']['Notification'];

const test = suite('webhook');
const key = Buffer.alloc(32, 7);
let server: AnsweringServer;
let webhook: Webhook;
let failures: Extract<EdictEvent, { type: 'webhook:failed' }>[] = [];
let slept: number[] = [];

/** Time passes at once, and is recorded. */
let nowMs = 0;
const hasty: Pick<Clock, 'now' | 'monotonicMs' | 'sleep'> = {
  now: () => Date.UTC(2026, 0, 1) + nowMs,
  monotonicMs: () => nowMs,
  sleep: async (ms) => {
    slept.push(ms);
    nowMs += ms;
  },
};

async function start(answer: Answer, over: Partial<WebhookSettings> = {}, clock: WebhookDeps['clock'] = hasty): Promise<void> {
  server = await answeringServer(answer);
  [failures, slept, nowMs] = [[], [], 0];
  const settings = { url: () => new URL(`${server.url}/hook/SECRET?key=SECRET`), key: () => key, proxies: null, ...over };
  const emit = (event: EdictEvent): void => {
    assert.ok(event.type === 'webhook:failed');
    failures.push(event);
  };
  webhook = new Webhook(settings, { file: 'edict.yaml', emulated: true, approveCommand: () => null, clock, random: () => 0, emit });
}

test.after.each(async () => {
  await webhook.close();
  await server.close();
});

/** Sends `count` notices: an invalid file and its end, in turn. */
function send(count: number): void {
  for (let index = 0; index < count; index += 1) {
    webhook.emit(index % 2 === 0 ? { type: 'file:unreadable', message: 'edict.yaml does not exist' } : { type: 'file:removed' });
  }
}

const ok: Answer = (response) => json(response, 200, {});
const bodies = (): Notification[] => server.requests.map(({ body }) => JSON.parse(body) as Notification);
const ids = (): string[] => bodies().map(({ id }) => id);
const dropped = (): number => failures.reduce((sum, one) => sum + one.droppedCount, 0);

test('each notice is posted as one JSON document, in order, over one connection', async () => {
  await start(ok);
  webhook.emit({ type: 'file:loaded', desired: desiredState([]) });
  send(3);
  await eventually(() => server.requests.length === 3, 60_000, 'all have arrived');
  for (const body of bodies()) assertConforms('notification', body);
  assert.equal(
    bodies().map(({ notice, undelivered }) => [notice.kind, 'status' in notice && notice.status, undelivered]),
    [
      ['invalid', 'firing', 0],
      ['invalid', 'resolved', 0],
      ['invalid', 'firing', 0],
    ],
  );
  const [{ file, emulated, gateway, at } = {} as Notification] = bodies();
  assert.equal([file, emulated, gateway?.instance, at], ['edict.yaml', true, 'instance', '2026-01-01T00:00:00.000Z']);
  const [request] = server.requests;
  assert.equal([request?.method, request?.path, request?.headers['content-type']], ['POST', '/hook/SECRET?key=SECRET', 'application/json']);
  assert.is(server.connections(), 1);
  assert.is(new Set(ids()).size, 3);
});

test('each attempt is signed as Standard Webhooks say, with its own time', async () => {
  await start((response, _request, count) => json(response, count === 1 ? 503 : 200, {}));
  send(1);
  await eventually(() => server.requests.length === 2, 60_000, 'it is retried');
  const times = server.requests.map(({ headers, body }) => {
    const [id, timestamp] = [headers['webhook-id'], headers['webhook-timestamp']];
    assert.is(id, (JSON.parse(body) as Notification).id);
    const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    assert.is(headers['webhook-signature'], `v1,${signature}`);
    return Number(timestamp);
  });
  const firstS = Date.UTC(2026, 0, 1) / 1000;
  assert.equal(times, [firstS, firstS + 1]);
});

test('the signature matches the test vectors of Standard Webhooks libraries', () => {
  const ofLibraries = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
  const signature = signatureOf(ofLibraries, { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: '1614265330', body: '{"test": 2432232314}' });
  assert.is(signature, 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test('a name and password in the URL are sent as basic authentication', async () => {
  await start(ok, { url: () => new URL(server.url.replace('http://', 'http://ada:p%40ss@')) });
  send(1);
  await eventually(() => server.requests.length === 1, 60_000, 'it has arrived');
  assert.is(server.requests[0]?.headers.authorization, `Basic ${Buffer.from('ada:p@ss').toString('base64')}`);
});

test('a 500 is retried with the same body and growing delay, then dropped, and the next notification says so', async () => {
  let isBroken = true;
  await start((response) => json(response, isBroken ? 500 : 200, {}));
  send(1);
  await eventually(() => dropped() === 1, 60_000, 'it is dropped');
  assert.is(server.requests.length, 6);
  assert.is(new Set(server.requests.map(({ body }) => body)).size, 1);
  assert.equal(slept, [1000, 4000, 16_000, 64_000, 256_000]);
  assert.equal(failures.at(-1), { type: 'webhook:failed', to: new URL(server.url).host, reason: 'answered 500', droppedCount: 1 });
  assert.ok(failures.length <= 4, 'attempts that fail within a minute are reported once');
  isBroken = false;
  webhook.emit({ type: 'file:removed' });
  webhook.emit({ type: 'file:unreadable', message: 'm' });
  await eventually(() => server.requests.length === 8, 60_000, 'both have arrived');
  assert.equal(
    bodies()
      .slice(6)
      .map(({ undelivered }) => undelivered),
    [1, 0],
  );
});

test('up to half of a delay is random', async () => {
  server = await answeringServer((response) => json(response, 500, {}));
  [failures, slept] = [[], []];
  const settings = { url: () => new URL(server.url), key: () => key, proxies: null };
  const emit = (event: EdictEvent) => failures.push(event as (typeof failures)[number]);
  webhook = new Webhook(settings, { file: 'f', emulated: false, approveCommand: () => null, clock: hasty, random: () => 1, emit });
  send(1);
  await eventually(() => dropped() === 1, 60_000, 'it is dropped');
  assert.equal(slept, [500, 2000, 8000, 32_000, 128_000]);
});

test('a Retry-After is respected, up to ten minutes', async () => {
  const headers = ['7', new Date(Date.UTC(2026, 0, 1, 0, 1, 7)).toUTCString(), '999999', 'soon'];
  await start((response, _request, count) => {
    const header = headers[count - 1];
    json(response, header === undefined ? 200 : 429, {}, header === undefined ? {} : { 'retry-after': header });
  });
  send(1);
  await eventually(() => server.requests.length === 5, 60_000, 'it is tried five times');
  assert.equal(slept, [7000, 60_000, 600_000, 64_000]);
});

test('a 404 and a redirect are not retried, and a redirect is not followed', async () => {
  await start((response, _request, count) => {
    if (count === 1) json(response, 404, {});
    else response.writeHead(302, { location: `${server.url}/elsewhere` }).end();
  });
  send(2);
  await eventually(() => failures.length === 2, 60_000, 'both are dropped');
  assert.equal(
    failures.map(({ reason, droppedCount }) => [reason, droppedCount]),
    [
      ['answered 404', 1],
      ['answered 302', 1],
    ],
  );
  assert.is(server.requests.length, 2);
});

test('an event has nothing of the URL but its host, and nothing of the key', async () => {
  await start((response) => response.destroy());
  send(1);
  await eventually(() => dropped() > 0, 60_000, 'it is dropped');
  for (const one of failures) for (const part of ['SECRET', key.toString('base64')]) assert.not.match(JSON.stringify(one), part);
  assert.match(failures[0]?.reason ?? '', /^no answer: UND_ERR_SOCKET$|^no answer: ECONNRESET$/);
  await webhook.close();
  await server.close();
  const broken = (): never => {
    throw new Error('SECRET');
  };
  for (const over of [{ url: broken }, { key: broken }]) {
    await start(ok, over);
    send(1);
    await eventually(() => dropped() > 0, 60_000, 'it is dropped');
    for (const one of failures) assert.not.match(JSON.stringify(one), 'SECRET');
    assert.is(server.requests.length, 0);
    await webhook.close();
    await server.close();
  }
  await start(ok);
});

test('of 150 notifications for a receiver that hangs 100 are queued, and the oldest are dropped and counted', async () => {
  let isHanging = true;
  await start((response) => isHanging || json(response, 200, {}), {}, systemClock);
  send(150);
  await eventually(() => server.requests.length === 1, 60_000, 'the first is sent');
  assert.is(dropped(), 50);
  isHanging = false;
  await webhook.close();
  assert.is(dropped(), 150);
});

test('a slow receiver gets the newest notifications and the number of dropped ones', async () => {
  let release: () => void = () => {};
  await start((response, _request, count) => {
    if (count === 1) release = () => json(response, 200, {});
    else json(response, 200, {});
  });
  send(150);
  await eventually(() => server.requests.length === 1, 60_000, 'the first is sent');
  release();
  await eventually(() => server.requests.length === 100, 60_000, 'the rest has arrived');
  assert.equal(
    bodies()
      .slice(0, 3)
      .map(({ undelivered }) => undelivered),
    [0, 50, 0],
  );
});

test('when the daemon stops each notification is tried once more, and a receiver that hangs is not waited for', async () => {
  await start((response, _request, count) => json(response, count < 3 ? 500 : 200, {}), {}, systemClock);
  send(2);
  await eventually(() => server.requests.length === 1 && failures.length === 1, 60_000, 'the first has failed');
  await webhook.close();
  const [first, second, third, ...more] = ids();
  assert.equal([first === second, second === third, more], [true, false, []]);
  assert.equal([dropped(), bodies().at(-1)?.undelivered], [1, 1]);

  await server.close();
  await start(() => {}, {}, systemClock);
  send(50);
  await eventually(() => server.requests.length === 1, 60_000, 'the first is sent');
  const startedAtMs = performance.now();
  await webhook.close();
  const tookMs = performance.now() - startedAtMs;
  assert.ok(tookMs > 1500 && tookMs < 9_000, `${tookMs} ms`);
  assert.equal([dropped(), failures.length <= 2], [50, true]);
});

test('changes of an unfinished reconciliation are sent when the daemon stops, and nothing afterwards', async () => {
  await start(ok);
  const outcome = { kind: 'succeeded', versionId: null, publishId: null } as const;
  webhook.emit({
    type: 'attempt:finished',
    reconcileId: 'p',
    attemptId: 1,
    change: change('orders', 'test'),
    outcome,
    isRecorded: true,
    durationMs: 1,
  });
  assert.is(server.requests.length, 0);
  await webhook.close();
  assert.equal(
    bodies().map(({ notice }) => notice.kind),
    ['applied'],
  );
  webhook.emit({ type: 'file:unreadable', message: 'm' });
  await webhook.close();
  assert.is(server.requests.length, 1);
});

test.run();
