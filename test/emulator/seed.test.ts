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

test('reads JSON with every field there is', () => {
  const seed = { ...whole, publications: [{ api: 'a', environment: 'e', versionId: 'v' }] };
  assert.equal(parseSeed(JSON.stringify(seed), 'seed.json'), seed);
});

test('takes the seed that stands when nobody says otherwise', () => {
  assert.equal(parseSeed(JSON.stringify(defaultSeed), 'seed.json'), defaultSeed);
});

test('reads a file, and names one that is not there', async () => {
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
  ['a text', 'p', 'expected a map with project, instance, apis, environments'],
  ['nothing', null, 'expected a map with project, instance, apis, environments'],
  ['a list', [whole], 'expected a map with project, instance, apis, environments'],
  ['no project', without('project'), 'project: expected a text'],
  ['a project that is a number', { ...whole, project: 7 }, 'project: expected a text'],
  ['no instance', without('instance'), 'instance: expected a text'],
  ['an instance that is null', { ...whole, instance: null }, 'instance: expected a text'],
  ['anyToken as a text', { ...whole, anyToken: 'false' }, 'anyToken: expected true or false'],
  ['no APIs', without('apis'), 'apis: expected a list'],
  ['APIs as a map', { ...whole, apis: { orders: 'a' } }, 'apis: expected a list'],
  ['an API that is a text', { ...whole, apis: ['a'] }, 'apis[0]: expected a map with id, name, group, editedAt'],
  ['an API that is null', { ...whole, apis: [whole.apis[0], null] }, 'apis[1]: expected a map with id, name, group, editedAt'],
  ['an API without an ID', { ...whole, apis: [{ name: 'orders' }] }, 'apis[0].id: expected a text'],
  ['an API whose ID is a number', { ...whole, apis: [{ id: 5, name: 'orders' }] }, 'apis[0].id: expected a text'],
  ['an API without a name', { ...whole, apis: [{ id: 'a' }] }, 'apis[0].name: expected a text'],
  ['an API with more', { ...whole, apis: [{ id: 'a', name: 'orders', nmae: 'x' }] }, 'apis[0]: unknown key nmae'],
  ['no environments', without('environments'), 'environments: expected a list'],
  ['an environment without an ID', { ...whole, environments: [{ name: 'RELEASE' }] }, 'environments[0].id: expected a text'],
  ['an environment without a name', { ...whole, environments: [{ id: 'e' }] }, 'environments[0].name: expected a text'],
  ['tokens as a text', { ...whole, tokens: 'good' }, 'tokens: expected a list'],
  ['a token that is a text', { ...whole, tokens: ['good'] }, 'tokens[0]: expected a map with value, permitted'],
  ['a token without a value', { ...whole, tokens: [{}] }, 'tokens[0].value: expected a text'],
  ['a token permitted by a text', { ...whole, tokens: [{ value: 't', permitted: 'no' }] }, 'tokens[0].permitted: expected true or false'],
  ['a token with a typing mistake', { ...whole, tokens: [{ value: 't', permited: false }] }, 'tokens[0]: unknown key permited'],
  ['a user without a name', { ...whole, users: [{ password: 'x', domain: 'd' }] }, 'users[0].name: expected a text'],
  ['a user without a password', { ...whole, users: [{ name: 'ada', domain: 'd' }] }, 'users[0].password: expected a text'],
  ['a user without a domain', { ...whole, users: [{ name: 'ada', password: 'x' }] }, 'users[0].domain: expected a text'],
  ['a key without a secret', { ...whole, keys: [{ access: 'ak' }] }, 'keys[0].secret: expected a text'],
  ['a key without a name', { ...whole, keys: [{ secret: 'sk' }] }, 'keys[0].access: expected a text'],
  [
    'a key whose token is a number',
    { ...whole, keys: [{ access: 'ak', secret: 'sk', securityToken: 1 }] },
    'keys[0].securityToken: expected a text',
  ],
  ['a publication without an API', { ...whole, publications: [{ environment: 'e' }] }, 'publications[0].api: expected a text'],
  ['a publication without a place', { ...whole, publications: [{ api: 'a' }] }, 'publications[0].environment: expected a text'],
  [
    'a publication whose version is a number',
    { ...whole, publications: [{ api: 'a', environment: 'e', versionId: 1 }] },
    'publications[0].versionId: expected a text',
  ],
  [
    'a time that is none',
    { ...whole, apis: [{ id: 'a', name: 'orders', editedAt: 'yesterday' }] },
    'apis[0].editedAt: expected an ISO time such as 2026-11-20T08:00:00Z',
  ],
  ['a publication of nothing', { ...whole, publications: [{ api: 'b', environment: 'e' }] }, 'publications[0].api: no API has the ID b'],
  [
    'a publication nowhere',
    { ...whole, publications: [{ api: 'a', environment: 'f' }] },
    'publications[0].environment: no environment has the ID f',
  ],
  ['an unknown key', { ...whole, enviroments: [] }, 'unknown key enviroments'],
  ['a key that every object has', { ...whole, toString: 'x' }, 'unknown key toString'],
] as const) {
  test(`refuses ${what}, by its field`, () => {
    assert.throws(
      () => parseSeed(JSON.stringify(seed), 'seed.json'),
      (error: Error) => error.message === `seed.json: ${message}`,
    );
  });
}

test('refuses what is no YAML, with its line', () => {
  assert.throws(() => parseSeed('project: p\napis: [', 'seed.yaml'), /^seed\.yaml: .* at line 2/);
});

test('an empty file is no seed', () => {
  assert.throws(() => parseSeed('', 'seed.yaml'), 'seed.yaml: expected a map');
});

test.run();
