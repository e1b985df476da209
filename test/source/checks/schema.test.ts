import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSchema } from '../../../src/source/checks/schema.ts';

/** A valid file's value, with `over` in place of parts. */
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

test('finds nothing in a file that conforms', () => {
  assert.equal(found(file()), []);
});

for (const [name, value, expected] of [
  [
    'a text or map that is a list',
    api({ environments: { test: [] } }),
    ['value: a list is not allowed for `apis.orders.environments.test`; expected online or offline'],
  ],
  [
    'a map with a wrong state',
    api({ environments: { test: { state: 'up' } } }),
    ['.state value: "up" is not allowed for `apis.orders.environments.test.state`; expected online or offline'],
  ],
  ['a map that lacks its state', api({ environments: { test: {} } }), [' key: `apis.orders.environments.test` lacks `state`']],
  [
    'an environment that is empty',
    file({ environments: { test: null } }),
    ['environments.test value: `environments.test` is empty; expected a string'],
  ],
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
    'a key with characters of a path',
    file({ apis: { 'a/b': { id: 'a', 'x~/y': 1, environments: {} } } }),
    ['apis.a/b.x~/y key: unknown key `x~/y` in `apis.a/b`'],
  ],
  ['a revision that is empty', api({ revision: '' }), ['apis.orders.revision value: revision is empty']],
  ['a revision that is too long', api({ revision: 'r'.repeat(256) }), ['apis.orders.revision value: revision has 256 characters']],
  [
    'a revision that is a yes',
    api({ revision: true }),
    ['apis.orders.revision value: `apis.orders.revision` is the boolean true; expected a string'],
  ],
  ['a file that is empty', null, [' value: the file is empty; expected a map (`key: value`)']],
] as const satisfies readonly (readonly [string, unknown, readonly string[]])[]) {
  test(`finds ${name}, once`, () => {
    const findings = found(value);
    assert.is(findings.length, expected.length, findings.join('\n'));
    for (const [index, text] of expected.entries()) assert.ok(findings[index]?.includes(text), findings[index]);
  });
}

test('a value that is shown is short', () => {
  const [finding] = checkSchema(api({ id: '!'.repeat(1000) }), 'File');
  assert.ok((finding?.message.length ?? 0) < 150);
});

test('a hint names the nearest known word', () => {
  assert.match(checkSchema(file({ gatway: {} }), 'File')[0]?.hint ?? '', 'did you mean `gateway`');
  assert.match(checkSchema(api({ environments: { test: 'ofline' } }), 'File')[0]?.hint ?? '', 'did you mean `offline`');
});

test.run();
