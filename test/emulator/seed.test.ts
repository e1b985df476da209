import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultSeed, parseSeed, readSeed } from '../../src/emulator/seed.ts';

const whole = {
  project: 'p',
  instance: 'i',
  apis: [{ id: 'a', name: 'orders' }],
  environments: [{ id: 'e', name: 'RELEASE' }],
  tokens: [{ value: 'good' }, { value: 'reader', permitted: false }],
  anyToken: false,
  users: [{ name: 'ada', password: 'secret', domain: 'acme' }],
  keys: [
    { access: 'ak', secret: 'sk' },
    { access: 'temporary', secret: 'sk', securityToken: 't', permitted: false },
  ],
  publications: [{ api: 'a', environment: 'e' }],
};

test('reads YAML', () => {
  const seed = parseSeed('project: p\ninstance: i\napis: [{ id: a, name: orders }]\nenvironments: []\n', 'seed.yaml');
  assert.equal(seed, { project: 'p', instance: 'i', apis: [{ id: 'a', name: 'orders' }], environments: [] });
});

test('reads JSON with every field', () => {
  const seed = { ...whole, publications: [{ api: 'a', environment: 'e', versionId: 'v' }] };
  assert.equal(parseSeed(JSON.stringify(seed), 'seed.json'), seed);
});

test('uses the default seed', () => {
  assert.equal(parseSeed(JSON.stringify(defaultSeed), 'seed.json'), defaultSeed);
});

test('reads a file, and names one that does not exist', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'edict-seed-'));
  try {
    const file = join(folder, 'seed.json');
    writeFileSync(file, JSON.stringify(whole));
    assert.equal(await readSeed(file), whole);
    const message = await readSeed(join(folder, 'none.yaml')).catch((error: Error) => error.message);
    assert.match(String(message), join(folder, 'none.yaml'));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const without = (key: string) => Object.fromEntries(Object.entries(whole).filter(([name]) => name !== key));

for (const [what, seed, message] of [
  ['a text', 'p', 'seed must be object'],
  ['nothing', null, 'seed must be object'],
  ['a list', [whole], 'seed must be object'],
  ['no project', without('project'), "seed must have required property 'project'"],
  ['a project that is a number', { ...whole, project: 7 }, 'seed/project must be string'],
  ['no instance', without('instance'), "seed must have required property 'instance'"],
  ['an instance that is null', { ...whole, instance: null }, 'seed/instance must be string'],
  ['anyToken as a text', { ...whole, anyToken: 'false' }, 'seed/anyToken must be boolean'],
  ['no APIs', without('apis'), "seed must have required property 'apis'"],
  ['APIs as a map', { ...whole, apis: { orders: 'a' } }, 'seed/apis must be array'],
  ['an API that is a text', { ...whole, apis: ['a'] }, 'seed/apis/0 must be object'],
  ['an API that is null', { ...whole, apis: [whole.apis[0], null] }, 'seed/apis/1 must be object'],
  ['an API without an ID', { ...whole, apis: [{ name: 'orders' }] }, "seed/apis/0 must have required property 'id'"],
  ['an API whose ID is a number', { ...whole, apis: [{ id: 5, name: 'orders' }] }, 'seed/apis/0/id must be string'],
  ['an API without a name', { ...whole, apis: [{ id: 'a' }] }, "seed/apis/0 must have required property 'name'"],
  [
    'an API with more',
    { ...whole, apis: [{ id: 'a', name: 'orders', nmae: 'x' }] },
    'seed/apis/0 must NOT have additional properties, such as nmae',
  ],
  ['no environments', without('environments'), "seed must have required property 'environments'"],
  [
    'an environment without an ID',
    { ...whole, environments: [{ name: 'RELEASE' }] },
    "seed/environments/0 must have required property 'id'",
  ],
  ['an environment without a name', { ...whole, environments: [{ id: 'e' }] }, "seed/environments/0 must have required property 'name'"],
  ['tokens as a text', { ...whole, tokens: 'good' }, 'seed/tokens must be array'],
  ['a token that is a text', { ...whole, tokens: ['good'] }, 'seed/tokens/0 must be object'],
  ['a token without a value', { ...whole, tokens: [{}] }, "seed/tokens/0 must have required property 'value'"],
  ['a token permitted by a text', { ...whole, tokens: [{ value: 't', permitted: 'no' }] }, 'seed/tokens/0/permitted must be boolean'],
  [
    'a token with a typo',
    { ...whole, tokens: [{ value: 't', permited: false }] },
    'seed/tokens/0 must NOT have additional properties, such as permited',
  ],
  ['a user without a name', { ...whole, users: [{ password: 'x', domain: 'd' }] }, "seed/users/0 must have required property 'name'"],
  ['a user without a password', { ...whole, users: [{ name: 'ada', domain: 'd' }] }, "seed/users/0 must have required property 'password'"],
  ['a user without a domain', { ...whole, users: [{ name: 'ada', password: 'x' }] }, "seed/users/0 must have required property 'domain'"],
  ['a key without a secret', { ...whole, keys: [{ access: 'ak' }] }, "seed/keys/0 must have required property 'secret'"],
  ['a key without a name', { ...whole, keys: [{ secret: 'sk' }] }, "seed/keys/0 must have required property 'access'"],
  [
    'a key whose token is a number',
    { ...whole, keys: [{ access: 'ak', secret: 'sk', securityToken: 1 }] },
    'seed/keys/0/securityToken must be string',
  ],
  [
    'a publication without an API',
    { ...whole, publications: [{ environment: 'e' }] },
    "seed/publications/0 must have required property 'api'",
  ],
  [
    'a publication without a place',
    { ...whole, publications: [{ api: 'a' }] },
    "seed/publications/0 must have required property 'environment'",
  ],
  [
    'a publication whose version is a number',
    { ...whole, publications: [{ api: 'a', environment: 'e', versionId: 1 }] },
    'seed/publications/0/versionId must be string',
  ],
  [
    'an invalid time',
    { ...whole, apis: [{ id: 'a', name: 'orders', editedAt: 'yesterday' }] },
    'seed/apis/0/editedAt must be an ISO time such as 2026-11-20T08:00:00Z',
  ],
  [
    'a publication of nothing',
    { ...whole, publications: [{ api: 'b', environment: 'e' }] },
    'seed/publications/0/api: no API has the ID b',
  ],
  [
    'a publication nowhere',
    { ...whole, publications: [{ api: 'a', environment: 'f' }] },
    'seed/publications/0/environment: no environment has the ID f',
  ],
  ['an unknown key', { ...whole, enviroments: [] }, 'seed must NOT have additional properties, such as enviroments'],
  ['a key of Object.prototype', { ...whole, toString: 'x' }, 'seed must NOT have additional properties, such as toString'],
] as const) {
  test(`rejects ${what}, by its field`, () => {
    assert.throws(
      () => parseSeed(JSON.stringify(seed), 'seed.json'),
      (error: Error) => error.message === `seed.json: ${message}`,
    );
  });
}

test('rejects invalid YAML, with its line', () => {
  assert.throws(() => parseSeed('project: p\napis: [', 'seed.yaml'), /^seed\.yaml: .* at line 2/);
});

test('an error does not show the text around its place, which may be a password', () => {
  for (const text of [
    'tokens: [{ value: "hunter2 }]',
    'project: "a" hunter2',
    'project: *hunter2',
    'project: p\ntokens: [{ "hunter2 is": x }]\ninstance: i\napis: []\nenvironments: []',
  ]) {
    assert.throws(
      () => parseSeed(text, 'seed.yaml'),
      (error: Error) => error.message.startsWith('seed.yaml: ') && !error.message.includes('hunter2'),
    );
  }
});

test('a key that is a map is refused at once, however many are in each other', () => {
  assert.throws(
    () => parseSeed('? '.repeat(1300), 'seed.yaml'),
    'seed.yaml: it is not valid YAML (a key is not a text) at line 1, column 3',
  );
});

test('a key that is twice in a map is refused', () => {
  assert.throws(
    () => parseSeed('project: p\nproject: q\n', 'seed.yaml'),
    'seed.yaml: it is not valid YAML (DUPLICATE_KEY) at line 2, column 1',
  );
});

test('an empty file is not a seed', () => {
  assert.throws(() => parseSeed('', 'seed.yaml'), 'seed.yaml: seed must be object');
});

test.run();
