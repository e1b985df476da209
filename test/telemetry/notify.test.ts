import fastify, { type FastifyInstance } from 'fastify';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { components } from '../../generated/edict-notification.d.ts';
import type { EngineEvent } from '../../src/core/events.ts';
import { systemClock } from '../../src/engine/system-clock.ts';
import { Notifier, type NotifySettings } from '../../src/telemetry/notify.ts';
import { noticeKinds } from '../../src/telemetry/notify-signals.ts';
import { eventually } from '../support/eventually.ts';
import { assertConforms } from '../support/json-schemas.ts';
import { change, desiredState } from '../support/states.ts';

type Notification = components['schemas']['Notification'];

const test = suite('notifier');
let server: FastifyInstance;
let got: Notification[] = [];
let slack: { readonly text: string }[] = [];
let events: EngineEvent[] = [];
let notifier: Notifier;

async function start(over: Partial<NotifySettings> = {}): Promise<void> {
  server = fastify();
  [got, slack, events] = [[], [], []];
  server.post('/json', async ({ body }) => void got.push(body as Notification));
  server.post('/slack', async ({ body }) => void slack.push(body as { text: string }));
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  const receiver = (form: 'json' | 'slack') => ({ form, address: () => new URL(`${url}/${form}`), secret: () => null });
  notifier = new Notifier(
    { receivers: [receiver('json'), receiver('slack')], kinds: new Set(noticeKinds), windowMs: 100, proxies: null, ...over },
    { file: 'edict.yaml', emulated: true, release: () => null, clock: systemClock, emit: (event) => events.push(event) },
  );
}

test.after.each(async () => {
  await notifier.close();
  await server.close();
});

const failure = { code: 'X', status: 403, message: 'no', hint: null, requestId: null, pauseMs: null };
const stalled = (api: string): EngineEvent => {
  const outcome = { kind: 'stalled', failure } as const;
  return { type: 'attempt:settled', passId: 'p', attemptId: 1, change: change(api, 'test'), outcome, tookMs: 1 };
};
const kinds = (): string[][] => got.map(({ notices }) => notices.map(({ kind }) => kind));

test('what happens in the engine reaches every receiver, in its form', async () => {
  await start();
  notifier.emit({ type: 'file:accepted', desired: desiredState([]) });
  notifier.emit(stalled('a'));
  notifier.emit(stalled('b'));
  await eventually(() => got.length === 1 && slack.length === 1, 5000, 'both have it');
  const [message] = got;
  assertConforms('notification', message);
  assert.equal([message?.file, message?.emulated, message?.gateway?.instance], ['edict.yaml', true, 'instance']);
  assert.equal([kinds(), message?.notices[0]?.count], [[['failed']], 2]);
  assert.is(slack[0]?.text, 'edict: failed: 2 publications fail (2 X)');
});

test('what is not chosen is not told', async () => {
  await start({ kinds: new Set(['held', 'invalid']) });
  notifier.emit(stalled('a'));
  await new Promise((resolve) => setTimeout(resolve, 300));
  notifier.emit({ type: 'file:missed', message: 'edict.yaml does not exist' });
  await eventually(() => got.length === 1, 5000, 'it is there');
  assert.equal(kinds(), [['invalid']]);
});

test('at the end what waits is told', async () => {
  await start({ windowMs: 60_000 });
  notifier.emit(stalled('a'));
  assert.is(got.length, 0);
  await notifier.close();
  assert.equal(kinds(), [['failed']]);
});

test('a delivery that fails is an event', async () => {
  await start();
  await server.close();
  notifier.emit(stalled('a'));
  await eventually(() => events.length === 2, 5000, 'both receivers have failed');
  for (const event of events) {
    assert.ok(event.type === 'notify:failed');
    assert.equal([event.reason, event.dropped], ['no answer: ECONNREFUSED', 0]);
  }
});

test.run();
