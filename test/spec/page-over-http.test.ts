import type { ValidateFunction } from 'ajv';
import createClient, { type FetchResponse } from 'openapi-fetch';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { operations, paths } from '../../generated/roma-connect.d.ts';
import {
  changePublication_201,
  changePublication_400,
  changePublication_401,
  changePublication_403,
  changePublication_404,
  changePublication_500,
} from '../../generated/roma-connect-answers.cjs';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { actions, answers, exampleRequest, headerParameters, pathParameters, remarkLength, requestFields, uri } from './page.ts';

type Body = Readonly<Record<string, unknown>>;
type Request = operations['changePublication']['requestBody']['content']['application/json'];

/** A call with its response. */
interface Answered {
  readonly status: number;
  readonly phrase: string;
  readonly body: Body;
  /** The header `X-Request-Id`. */
  readonly requestId: string | null;
}

const project = '73d69ae0cfcf460190522d06b60f05ad';
const instance = 'f0fa1789-3b76-433b-a787-9892951c620e';
const token = 'token-of-a-publisher';
const seed = {
  project,
  instance,
  apis: [{ id: exampleRequest.api_id, name: 'orders' }],
  environments: [{ id: exampleRequest.env_id, name: 'RELEASE' }],
  tokens: [{ value: token }, { value: 'token-of-a-reader', permitted: false }],
};
const id = /^[0-9a-f]{32}$/;
const route = '/v2/{project_id}/apic/instances/{instance_id}/apis/action';
const pathOfCall = `/v2/${project}/apic/instances/${instance}/apis/action`;

let emulator: Emulator;

test.before.each(async () => {
  emulator = await startEmulator({ seed });
});

test.after.each(() => emulator.close());

/** Makes the documented call with the generated client, with the documented example unless `given` says otherwise. */
async function call(given: { body?: Body; project_id?: string; instance_id?: string; 'X-Auth-Token'?: string } = {}): Promise<Answered> {
  const { body = exampleRequest, project_id = project, instance_id = instance, 'X-Auth-Token': sent = token } = given;
  const client = createClient<paths>({ baseUrl: emulator.url });
  const answer = await client.POST(route, {
    params: { path: { project_id, instance_id }, header: { 'X-Auth-Token': sent } },
    body: body as unknown as Request,
  });
  return answered(answer);
}

/** Reads a response and asserts that it is in the specification. */
function answered({ response, data, error }: FetchResponse<operations['changePublication'], object, 'application/json'>): Answered {
  const body = (data ?? error) as Body;
  assertPromised(response.status, body);
  assert.match(response.headers.get('content-type') ?? '', /^application\/json\b/);
  return { status: response.status, phrase: response.statusText, body, requestId: response.headers.get('x-request-id') };
}

const promised: Readonly<Record<number, ValidateFunction>> = {
  201: changePublication_201,
  400: changePublication_400,
  401: changePublication_401,
  403: changePublication_403,
  404: changePublication_404,
  500: changePublication_500,
};

function assertPromised(status: number, body: unknown): void {
  const validate = promised[status];
  assert.ok(validate, `the specification has no answer ${status}: ${JSON.stringify(body)}`);
  assert.ok(validate(body), JSON.stringify(validate.errors));
}

interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  /** `null` omits the header. */
  readonly token?: string | null;
  readonly contentType?: string | null;
  readonly body?: string;
}

/** Makes a request that the generated client cannot make. */
async function send({ method = 'POST', path = pathOfCall, token: sent = token, contentType = 'application/json', body }: RawRequest) {
  const headers = new Headers();
  if (sent !== null) headers.set('x-auth-token', sent);
  if (contentType !== null) headers.set('content-type', contentType);
  const response = await fetch(`${emulator.url}${path}`, { method, headers, ...(body !== undefined && { body: Buffer.from(body) }) });
  const answer = (await response.json()) as Body;
  assertPromised(response.status, answer);
  return { status: response.status, phrase: response.statusText, body: answer, requestId: response.headers.get('x-request-id') };
}

const pageOf = (status: number) => answers.find((answer) => answer.status === status);

function assertRefused({ status, body, requestId }: Answered, wantedStatus: number, code: string, message?: string): void {
  assert.is(status, wantedStatus);
  assert.is(body['error_code'], code);
  if (message !== undefined) assert.is(body['error_msg'], message);
  assertRequestId(body, requestId);
}

/** The header is in every answer; the body has the ID in errors of the front gateway only, as the page shows its own without one. */
function assertRequestId(body: Body, requestId: string | null): void {
  assert.match(String(requestId), id);
  assert.is(body['request_id'], /\.0\d{3}$/.test(String(body['error_code'])) ? requestId : undefined);
}

const invalid = (name: string): string => `Invalid parameter value,parameterName:${name}. Please refer to the support documentation`;

/** The cause of each documented status. */
const ways: Readonly<Record<number, readonly (readonly [string, () => Promise<Answered>])[]>> = {
  201: [['the example request', () => call()]],
  400: [['an unknown action', () => call({ body: { ...exampleRequest, action: 'on' } })]],
  401: [
    ['a wrong token', () => call({ 'X-Auth-Token': 'wrong' })],
    ['an empty token', () => call({ 'X-Auth-Token': '' })],
    ['no token', () => send({ token: null, body: JSON.stringify(exampleRequest) })],
  ],
  403: [['a token without permission', () => call({ 'X-Auth-Token': 'token-of-a-reader' })]],
  404: [
    [
      'an API that does not exist',
      async () => {
        await emulator.close();
        emulator = await startEmulator({ seed: { ...seed, apis: [] } });
        return call();
      },
    ],
  ],
  500: [
    [
      'an injected fault',
      () => {
        emulator.faults.add({ times: 1, status: 500, errorCode: 'APIG.9999', errorMsg: 'System error' });
        return call();
      },
    ],
  ],
};

test('the generated client calls the URI of the page', () => {
  assert.is(`POST ${route}`, uri);
});

for (const { status, phrase, fields, example } of answers) {
  for (const [way, ask] of ways[status] ?? []) {
    test(`${status} ${phrase} answers ${way}, with the page's example`, async () => {
      const got = await ask();
      assert.is(got.status, status);
      assert.is(got.phrase, phrase);
      assertRequestId(got.body, got.requestId);
      if (status !== 201) assert.equal(got.body, example);
    });
  }

  test(`${status} has every field of the page, each a text`, async () => {
    const bodies = [];
    for (const [, ask] of ways[status] ?? []) bodies.push((await ask()).body);
    if (status === 201) bodies.push((await call({ body: { ...exampleRequest, action: 'offline' } })).body);
    const got: Body = Object.assign({}, ...bodies);
    for (const { name, type } of fields) assert.type(got[name], type.toLowerCase() as 'string', name);
  });
}

test('an online answer has the fields of the example and no others, in its form', async () => {
  const { body } = await call();
  const page = pageOf(201)?.example as Body;
  assert.equal(Object.keys(body).sort(), Object.keys(page).sort());
  for (const name of ['api_id', 'env_id', 'remark']) assert.is(body[name], page[name], name);
  for (const name of ['publish_id', 'version_id']) assert.match(String(body[name]), id);
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/;
  assert.match(String(page['publish_time']), time);
  assert.match(String(body['publish_time']), time);
});

test('an offline answer has the zero time and no version', async () => {
  await call();
  const { status, body } = await call({ body: { ...exampleRequest, action: 'offline' } });
  assert.is(status, 201);
  assert.equal(body, {
    api_id: exampleRequest.api_id,
    env_id: exampleRequest.env_id,
    api_name: 'orders',
    publish_time: '0001-01-01T00:00:00Z',
  });
});

const strangers = {
  project_id: { status: 403, code: 'APIG.1005' },
  instance_id: { status: 404, code: 'APIG.3030' },
} as const;

for (const { name } of pathParameters) {
  test(`path parameter ${name} is needed and looked at`, async () => {
    const { status, code } = strangers[name as keyof typeof strangers];
    for (const stranger of ['other', '']) assertRefused(await call({ [name]: stranger }), status, code);
    const value = { project_id: project, instance_id: instance }[name];
    assertRefused(await send({ path: pathOfCall.replace(`/${value}`, ''), body: JSON.stringify(exampleRequest) }), 404, 'APIG.0101');
  });
}

for (const odd of ['x'.repeat(100), 'a/b', 'a b', 'ünï', '%', '..;', '?', '#']) {
  test(`an instance named ${odd.slice(0, 10)} is one that does not exist`, async () => {
    assertRefused(await call({ instance_id: odd }), 404, 'APIG.3030');
  });
}

for (const { name } of headerParameters) {
  test(`header ${name} is needed`, async () => {
    const { status, body } = await send({ token: null, body: JSON.stringify(exampleRequest) });
    assert.is(status, 401);
    assert.equal(body, pageOf(401)?.example);
  });
}

for (const { name, mandatory } of requestFields) {
  test(`request field ${name} ${mandatory === 'Yes' ? 'is needed' : 'may be left out'} and is a text`, async () => {
    const without = Object.fromEntries(Object.entries({ ...exampleRequest, remark: 'r' }).filter(([key]) => key !== name));
    const got = await call({ body: without });
    if (mandatory === 'Yes') assertRefused(got, 400, 'APIG.2011', invalid(name));
    else assert.is(got.status, 201);
    for (const wrong of [null, 7, true, ['x'], { x: 1 }]) {
      assertRefused(await call({ body: { ...exampleRequest, [name]: wrong } }), 400, 'APIG.2011', invalid(name));
    }
  });
}

test('each action is taken, and nothing near it', async () => {
  for (const action of actions) assert.is((await call({ body: { ...exampleRequest, action } })).status, 201);
  for (const action of ['', 'ONLINE', 'Online', 'online ', 'delete']) {
    assertRefused(await call({ body: { ...exampleRequest, action } }), 400, 'APIG.2011', invalid('action'));
  }
});

test('the API, the environment and the remark are the ones that were asked for', async () => {
  emulator.state.add({ ...seed, apis: [{ id: 'b', name: 'B' }], environments: [{ id: 'e', name: 'E' }] });
  const { body } = await call({ body: { action: 'online', api_id: 'b', env_id: 'e', remark: 'see CHG-1042' } });
  assert.equal([body['api_id'], body['env_id'], body['remark']], ['b', 'e', 'see CHG-1042']);
  assert.equal(
    emulator.state.publications().map(({ api, environment, effective }) => [api, environment, effective?.remark]),
    [['b', 'e', 'see CHG-1042']],
  );
});

test('an environment that does not exist is a 404 of its own', async () => {
  assertRefused(await call({ body: { ...exampleRequest, env_id: 'none' } }), 404, 'APIG.3003');
});

for (const [what, letter] of [
  ['letters', 'x'],
  ['characters of three bytes', '発'],
  ['characters beyond the first plane', '𝒳'],
] as const) {
  test(`a remark has room for ${remarkLength} ${what}, not for one more`, async () => {
    const fits = await call({ body: { ...exampleRequest, remark: letter.repeat(remarkLength) } });
    assert.is(fits.status, 201);
    assert.is(fits.body['remark'], letter.repeat(remarkLength));
    const more = await call({ body: { ...exampleRequest, remark: letter.repeat(remarkLength + 1) } });
    assertRefused(more, 400, 'APIG.2011', invalid('remark'));
  });
}

const example = JSON.stringify(exampleRequest);

for (const [what, request] of [
  ['JSON that ends early', { body: '{"action":' }],
  ['no JSON at all', { body: 'online please' }],
  ['an empty body', { body: '' }],
  ['no body', {}],
  ['a list', { body: '[]' }],
  ['a text', { body: '"online"' }],
  ['null', { body: 'null' }],
  ['a form', { contentType: 'application/x-www-form-urlencoded', body: 'action=online' }],
  ['plain text', { contentType: 'text/plain', body: example }],
  ['a content type that is none', { contentType: 'json', body: example }],
  ['no content type', { contentType: null, body: example }],
  ['a body of more than 12 MB', { body: JSON.stringify({ ...exampleRequest, remark: 'x'.repeat(12 * 1024 * 1024) }) }],
] as const satisfies readonly (readonly [string, RawRequest])[]) {
  test(`${what} is a bad request, and changes nothing`, async () => {
    const got = await send(request);
    assert.is(got.phrase, 'Bad Request');
    assertRefused(got, 400, 'APIG.2011', invalid('body'));
    assert.equal(emulator.state.publications(), []);
    assert.is((await call()).status, 201);
  });

  test(`${what} without a token is unauthorized before all else`, async () => {
    assertRefused(await send({ ...request, token: null }), 401, 'APIG.1002');
  });
}

test('a body of slightly less than 12 MB is read', async () => {
  const body = JSON.stringify({ ...exampleRequest, remark: 'x'.repeat(12 * 1024 * 1024 - 1024) });
  assertRefused(await send({ body }), 400, 'APIG.2011', invalid('remark'));
});

test('a content type with a charset is JSON', async () => {
  assert.is((await send({ contentType: 'application/json; charset=utf-8', body: example })).status, 201);
});

for (const [what, request] of [
  ['another path', { path: '/v2' }],
  ['a path that goes on', { path: `${pathOfCall}/more` }],
  ['the path of the twin service', { path: pathOfCall.replace('apic', 'apigw') }],
  ['another method', { method: 'PUT' }],
  ['another path with a body that is no JSON', { path: '/v2', body: '{' }],
  ['another path with XML', { path: '/v2', contentType: 'text/xml', body: '<a/>' }],
  ['a broken escape', { path: pathOfCall.replace(project, '%zz') }],
  ['a path of 500 letters in one segment', { path: pathOfCall.replace(instance, 'x'.repeat(500)) }],
] as const satisfies readonly (readonly [string, RawRequest])[]) {
  test(`${what} is a wrong address, not a missing API`, async () => {
    const first = await send({ body: example, ...request });
    assertRefused(first, 404, 'APIG.0101');
    assert.is.not((await send({ body: example, ...request })).body['request_id'], first.body['request_id']);
  });
}

test.run();
