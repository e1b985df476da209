import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { operations } from '../../src/emulator/specification.ts';

const known = operations();
const operationOf = (id: string) => {
  const found = known.find((operation) => operation.id === id);
  assert.ok(found, id);
  return found;
};

test('has the operations of the specification, as a server names them', () => {
  assert.equal(
    known.map(({ id, method, url, needsToken }) => ({ id, method, url, needsToken })),
    [
      {
        id: 'changePublication',
        method: 'POST',
        url: '/v2/:project_id/apic/instances/:instance_id/apis/action',
        needsToken: true,
      },
      { id: 'createToken', method: 'POST', url: '/v3/auth/tokens', needsToken: false },
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
  test(`${id} ${valid ? 'takes' : 'refuses'} ${JSON.stringify(body)?.replace(/x{9,}/, 'xx…')}`, () => {
    assert.is(operationOf(id).validBody?.(body), valid);
  });
}

test.run();
