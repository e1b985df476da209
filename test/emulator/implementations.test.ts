import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Answer } from '../../src/emulator/answers.ts';
import { implementations, implemented } from '../../src/emulator/implementations.ts';
import { operations } from '../../src/emulator/specification.ts';
import { World } from '../../src/emulator/world.ts';

const now = (): Date => new Date('2026-11-20T08:00:00.123Z');
const id = /^[0-9a-f]{32}$/;

/** A world of one API and one environment, and the operations on it. */
function open() {
  const world = new World(
    {
      project: 'p',
      instance: 'i',
      apis: [{ id: 'a', name: 'orders' }],
      environments: [{ id: 'e', name: 'RELEASE' }],
      users: [{ name: 'ada', password: 'secret', domain: 'acme' }],
    },
    now,
  );
  const change = (action: string, more: object = {}): Answer =>
    implementations.changePublication({ params: {}, query: {}, body: { action, api_id: 'a', env_id: 'e', ...more } }, world);
  const logIn = (user: object): Answer =>
    implementations.createToken({ params: {}, query: {}, body: { auth: { identity: { password: { user } } } } }, world);
  return { world, change, logIn };
}

test('online answers with the version that it made', () => {
  const { world, change } = open();
  const answer = change('online', { remark: 'r' });
  const version = world.publications()[0]?.effective;
  assert.ok(version);
  assert.equal(answer, {
    status: 201,
    body: {
      api_id: 'a',
      env_id: 'e',
      publish_id: version.publishId,
      publish_time: '2026-11-20T08:00:00.123000000Z',
      version_id: version.versionId,
      remark: 'r',
    },
  });
});

test('a remark that is left out is empty', () => {
  const { change } = open();
  assert.is((change('online').body as Record<string, unknown>)['remark'], '');
});

test('offline answers with the zero time', () => {
  const { world, change } = open();
  change('online');
  const body = { api_id: 'a', env_id: 'e', api_name: 'orders', publish_time: '0001-01-01T00:00:00Z' };
  assert.equal(change('offline'), { status: 201, body });
  assert.is(world.publications()[0]?.effective, null);
});

test('what the world refuses is refused in its words', () => {
  const { change } = open();
  const { status, body } = change('offline');
  const { request_id, ...rest } = body as Record<string, unknown>;
  assert.is(status, 404);
  assert.equal(rest, { error_code: 'APIG.3015', error_msg: 'API a has not been published in environment e' });
  assert.match(String(request_id), id);
});

test('a right login answers a token that works, and its day', () => {
  const { world, logIn } = open();
  const { status, body, headers } = logIn({ name: 'ada', password: 'secret', domain: { name: 'acme' } });
  assert.is(status, 201);
  assert.equal(body, { token: { issued_at: '2026-11-20T08:00:00.123Z', expires_at: '2026-11-21T08:00:00.123Z' } });
  assert.is(world.refusal(world.callers.byToken(headers?.['X-Subject-Token'] ?? ''), 'p', 'i'), null);
});

test('a wrong login answers 401 without a token', () => {
  const { logIn } = open();
  assert.equal(logIn({ name: 'ada', password: 'wrong', domain: { name: 'acme' } }), {
    status: 401,
    body: { error: { code: 401, title: 'Unauthorized', message: 'The username or password is wrong.' } },
  });
});

test('every operation of the specification has its implementation', () => {
  assert.equal(
    implemented(operations(), implementations).map((operation) => [operation.id, operation.implementation]),
    Object.entries(implementations),
  );
});

test('an operation without an implementation is named', () => {
  const { createToken } = implementations;
  assert.throws(() => implemented(operations(), { createToken }), "the specification's operation changePublication has no implementation");
});

test('an implementation without an operation is named', () => {
  const stray = { ...implementations, listApis: implementations.createToken };
  assert.throws(() => implemented(operations(), stray), 'the specification has no operation for the implementation of listApis');
});

test.run();
