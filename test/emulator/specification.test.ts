import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadOperations } from '../../src/emulator/specification.ts';

const known = loadOperations();
const operationOf = (id: string) => {
  const found = known.find((operation) => operation.id === id);
  assert.ok(found, id);
  return found;
};

/** An operation on an instance, which needs a token. */
const managed = (id: string, method: string, path: string, status: number, required: readonly string[]) => ({
  ...{ id, method, url: `/v2/:project_id/apic/instances/:instance_id${path}`, needsToken: true, success: { status, required } },
});

test('has the operations of the specification, in the form that a server needs', () => {
  assert.equal(
    known.map(({ id, method, url, requiresToken, success }) => ({ id, method, url, needsToken: requiresToken, success })),
    [
      managed('listApis', 'GET', '/apis', 200, ['size', 'total', 'apis']),
      managed('getApi', 'GET', '/apis/:api_id', 200, ['id', 'name']),
      managed('listEnvironments', 'GET', '/envs', 200, ['size', 'total', 'envs']),
      managed('changePublication', 'POST', '/apis/action', 201, ['api_id', 'env_id']),
      managed('changePublications', 'POST', '/apis/publish', 200, []),
      managed('listVersions', 'GET', '/apis/publish/:api_id', 200, ['size', 'total', 'api_versions']),
      managed('switchVersion', 'PUT', '/apis/publish/:api_id', 200, ['api_id', 'env_id']),
      { id: 'createToken', method: 'POST', url: '/v3/auth/tokens', needsToken: false, success: { status: 201, required: ['token'] } },
    ],
  );
});

const user = { name: 'ada', password: 'secret', domain: { name: 'acme' } };
const login = (more: object = {}, scope: unknown = { project: { name: 'p' } }) => ({
  auth: { identity: { methods: ['password'], password: { user: { ...user, ...more } } }, scope },
});
const call = { action: 'online', api_id: 'a', env_id: 'e' };

for (const [id, body, valid] of [
  ['changePublication', call, true],
  ['changePublication', { ...call, remark: 'x'.repeat(255), more: 1 }, true],
  ['changePublication', { ...call, remark: 'x'.repeat(256) }, false],
  ['changePublication', { ...call, action: 'both' }, false],
  ['changePublication', {}, false],
  ['changePublication', undefined, false],
  ['createToken', login(), true],
  ['createToken', login({}, { project: { id: '1' } }), true],
  ['createToken', login({}, { project: {} }), false],
  ['createToken', login({}, { domain: { name: 'acme' } }), false],
  ['createToken', login({ password: 1 }), false],
  ['createToken', login({ domain: undefined }), false],
  ['createToken', { auth: {} }, false],
  ['createToken', null, false],
] as const) {
  test(`${id} ${valid ? 'accepts' : 'rejects'} ${JSON.stringify(body)?.replace(/x{9,}/, 'xx…')}`, () => {
    assert.is(operationOf(id).validBody?.(body), valid);
  });
}

for (const [query, read] of [
  [{}, { offset: 0, limit: 20 }],
  [
    { offset: '3', limit: '500', env_id: '7' },
    { offset: 3, limit: 500, env_id: '7' },
  ],
  [
    { limit: '1', more: 'x' },
    { limit: 1, offset: 0, more: 'x' },
  ],
  [{ limit: '0' }, null],
  [{ limit: '501' }, null],
  [{ limit: 'many' }, null],
  [{ limit: '1.5' }, null],
  [{ limit: '' }, null],
  [{ limit: ['1', '2'] }, null],
  [{ offset: '-1' }, { offset: -1, limit: 20 }],
  [{ env_name: ['a', 'b'] }, null],
] as const) {
  test(`listVersions ${read ? 'accepts' : 'rejects'} the query ${JSON.stringify(query)}`, () => {
    const given = { ...query };
    assert.is(operationOf('listVersions').validQuery(given), read !== null);
    if (read) assert.equal(given, read);
  });
}

test.run();
