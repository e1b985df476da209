import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSchema } from '../../../src/source/checks/schema.ts';

/** The value of a valid file, with parts replaced by `over`. */
const file = (over: Record<string, unknown> = {}) => ({
  edict: 1,
  gateway: { endpoint: 'https://host', project: 'p', instance: 'i' },
  environments: { test: 'e1', release: { id: 'e2', protected: true } },
  apis: { orders: { id: 'a', environments: { test: 'online', release: { state: 'offline' } } } },
  ...over,
});
const api = (over: Record<string, unknown>) => file({ apis: { orders: { id: 'a', environments: {}, ...over } } });
const found = (value: unknown): string[] =>
  checkSchema(value, 'File').map(({ path, target, message }) => `${path.join('.')} ${target}: ${message}`);

test('finds no errors in a valid file', () => {
  assert.equal(found(file()), []);
});

for (const [name, value, expected] of [
  [
    'a list instead of a string or map',
    api({ environments: { test: [] } }),
    ['value: a list is not allowed for `apis.orders.environments.test`; expected online or offline'],
  ],
  [
    'a map with a wrong state',
    api({ environments: { test: { state: 'up' } } }),
    ['.state value: "up" is not allowed for `apis.orders.environments.test.state`; expected online or offline'],
  ],
  ['a map without a state', api({ environments: { test: {} } }), [' key: missing key `state` in `apis.orders.environments.test`']],
  ['an empty environment', file({ environments: { test: null } }), ['environments.test value: `test` has no ID']],
  [
    'an environment with a wrong ID',
    file({ environments: { test: 'a b' } }),
    ['environments.test value: "a b" is not allowed for `environments.test`'],
  ],
  [
    'an environment with a wrong ID in its settings',
    file({ environments: { test: { id: 'a b' } } }),
    ['environments.test.id value: "a b" is not allowed'],
  ],
  ['no environment', file({ environments: {} }), ['environments value: environments is empty; at least one entry is required']],
  ['a name with a space', file({ apis: { 'a b': { id: 'a', environments: {} } } }), ['apis.a b key: the name "a b" is not allowed']],
  [
    'a key with path characters',
    file({ apis: { 'a/b': { id: 'a', 'x~/y': 1, environments: {} } } }),
    ['apis.a/b.x~/y key: unknown key `x~/y` in `apis.a/b`'],
  ],
  ['an empty revision', api({ revision: '' }), ['apis.orders.revision value: `revision` is empty']],
  ['a revision that is too long', api({ revision: 'r'.repeat(256) }), ['apis.orders.revision value: `revision` has 256 characters']],
  [
    'a boolean as revision',
    api({ revision: true }),
    ['apis.orders.revision value: `apis.orders.revision` is the boolean true; expected a string'],
  ],
  ['an empty file', null, [' value: the file is empty; expected a map with `edict`, `gateway` and `environments`']],
] as const satisfies readonly (readonly [string, unknown, readonly string[]])[]) {
  test(`finds ${name}, once`, () => {
    const diagnostics = found(value);
    assert.is(diagnostics.length, expected.length, diagnostics.join('\n'));
    for (const [index, text] of expected.entries()) assert.ok(diagnostics[index]?.includes(text), diagnostics[index]);
  });
}

test('long values are shortened in messages', () => {
  const [diagnostic] = checkSchema(api({ id: '!'.repeat(1000) }), 'File');
  assert.ok((diagnostic?.message.length ?? 0) < 150);
});

test('a hint names the closest known word', () => {
  assert.match(checkSchema(file({ gatway: {} }), 'File')[0]?.hint ?? '', 'did you mean `gateway`');
  assert.match(checkSchema(api({ environments: { test: 'ofline' } }), 'File')[0]?.hint ?? '', 'did you mean `offline`');
});

test.run();
