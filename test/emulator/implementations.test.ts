import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fault, Faults } from '../../src/emulator/faults.ts';
import { type Answer, implementations, implemented, refusal } from '../../src/emulator/implementations.ts';
import { operations } from '../../src/emulator/specification.ts';
import { World } from '../../src/emulator/world.ts';

const now = (): Date => new Date('2026-11-20T08:00:00.123Z');
const id = /^[0-9a-f]{32}$/;

/** A world of one API and one environment, and the two operations on it. */
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
  const faults = new Faults();
  const change = (action: string, more: object = {}): Answer =>
    implementations.changePublication({ params: {}, query: {}, body: { action, api_id: 'a', env_id: 'e', ...more } }, world, faults);
  const logIn = (user: object): Answer =>
    implementations.createToken({ params: {}, query: {}, body: { auth: { identity: { password: { user } } } } }, world, faults);
  return { world, faults, change, logIn };
}

const fault = (more: Partial<Fault> = {}): Fault => ({ times: 1, status: 500, errorCode: 'APIG.9999', errorMsg: 'System error', ...more });

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

test('each refusal has a request ID of its own', () => {
  const why = { status: 403, errorCode: 'c', errorMsg: 'm' };
  assert.not.equal(refusal(why), refusal(why));
});

test('a fault answers instead of the service, with its headers, and changes nothing', () => {
  const { world, faults, change } = open();
  faults.add(fault({ status: 429, errorCode: 'APIG.0308', errorMsg: 'later', headers: { 'retry-after': '2' } }));
  const { status, body, headers } = change('online');
  assert.is(status, 429);
  assert.equal(headers, { 'retry-after': '2' });
  const { request_id, ...rest } = body as Record<string, unknown>;
  assert.equal(rest, { error_code: 'APIG.0308', error_msg: 'later' });
  assert.match(String(request_id), id);
  assert.equal(world.publications(), []);
  assert.is(change('online').status, 201);
});

test('a fault that is applied changes the gateway all the same', () => {
  const { world, faults, change } = open();
  faults.add(fault({ applied: true, times: 2 }));
  assert.is(change('online').status, 500);
  assert.is(world.publications()[0]?.onlineCalls, 1);
  assert.ok(world.publications()[0]?.effective);
  assert.is(change('offline').status, 500);
  assert.is(world.publications()[0]?.effective, null);
});

test('a fault for another API leaves this one alone', () => {
  const { faults, change } = open();
  faults.add(fault({ apiId: 'b' }));
  assert.is(change('online').status, 201);
});

test('a right login answers a token that works, and its day', () => {
  const { world, logIn } = open();
  const { status, body, headers } = logIn({ name: 'ada', password: 'secret', domain: { name: 'acme' } });
  assert.is(status, 201);
  assert.equal(body, { token: { issued_at: '2026-11-20T08:00:00.123Z', expires_at: '2026-11-21T08:00:00.123Z' } });
  assert.is(world.refusal(headers?.['X-Subject-Token'] ?? '', 'p', 'i'), null);
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
