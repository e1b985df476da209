import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { excerptAt, InvalidFileError } from '../../src/model/errors.ts';
import { publicationKey } from '../../src/model/publication.ts';
import { type ParseInput, parseDesiredState } from '../../src/source/parser.ts';
import { ParseCache } from '../../src/source/yaml/parse-cache.ts';
import { brokenTexts, edictTexts } from '../support/edict-texts.ts';
import { fc, runs } from '../support/fast-check.ts';
import { diagnosticsIn, head, unmarked } from '../support/marked-file.ts';

const parse = (text: string, over: Partial<ParseInput> = {}) => parseDesiredState({ text, file: 'edict.yaml', variables: {}, ...over });

test('omitted settings have defaults', () => {
  const desired = parse(`${head}apis: {}\n`);
  assert.equal(desired.gateway, {
    service: 'roma',
    endpoint: 'https://roma.example.com',
    iamEndpoint: null,
    project: 'p',
    instance: 'i',
    limit: { calls: 10, perMs: 1000, concurrency: 4 },
    timeoutMs: 30_000,
    isMarkerEnabled: true,
    unknownOutcome: 'hold',
    propagationDelayMs: 10_000,
    batchSize: 1,
  });
  assert.equal(
    desired.environments,
    new Map([
      ['e1', { name: 'test', id: 'e1', isProtected: false, maxOffline: null, suspension: null }],
      ['e2', { name: 'release', id: 'e2', isProtected: false, maxOffline: null, suspension: null }],
    ]),
  );
  assert.is(desired.prune, false);
  assert.equal([desired.refreshIntervalMs, desired.republish], [300_000, 'revision']);
  assert.equal(desired.guards, {
    maxOffline: { count: 10, share: 0.2 },
    maxRemoved: { count: null, share: 0.3 },
    maxRepublish: { count: 100, share: null },
  });
  assert.is(desired.publications.size, 0);
});

test('every setting of a file is parsed', () => {
  const desired = parse(
    `edict: 1
gateway:
  endpoint: https://host:8443/
  iam: http://127.0.0.1:9000
  project: \${EDICT_VAR_P}
  instance: a-\${EDICT_VAR_P}-\${EDICT_VAR_Q}
  limit: { calls: 3, per: 2m, concurrency: 1 }
  timeout: 500ms
  marker: false
  unknownOutcome: retry
  propagationDelay: 2m
  batch: 50
environments:
  release: { id: R, protected: true, maxOffline: 50% }
guards: { maxOffline: { count: 5, share: 10% }, maxRemoved: 3, maxRepublish: { count: 50, share: 5% } }
prune: true
refresh: 2m
republish: edited
apis:
  orders: # one
    id: A
    revision: r1
    remark: of the API
    environments:
      release: { state: offline, revision: r2, remark: own, version: v5, drift: correct }
  invoices: { id: B, revision: r1, remark: of the API, environments: { release: online } }
`,
    { variables: { EDICT_VAR_P: 'p', EDICT_VAR_Q: 'q' } },
  );
  assert.equal(desired.gateway, {
    service: 'roma',
    endpoint: 'https://host:8443',
    iamEndpoint: 'http://127.0.0.1:9000',
    project: 'p',
    instance: 'a-p-q',
    limit: { calls: 3, perMs: 120_000, concurrency: 1 },
    timeoutMs: 500,
    isMarkerEnabled: false,
    unknownOutcome: 'retry',
    propagationDelayMs: 120_000,
    batchSize: 50,
  });
  assert.is(desired.prune, true);
  assert.equal([desired.refreshIntervalMs, desired.republish], [120_000, 'edited']);
  assert.equal(desired.guards, {
    maxOffline: { count: 5, share: 0.1 },
    maxRemoved: { count: 3, share: null },
    maxRepublish: { count: 50, share: 0.05 },
  });
  assert.equal(desired.environments.get('R'), {
    name: 'release',
    id: 'R',
    isProtected: true,
    maxOffline: { count: null, share: 0.5 },
    suspension: null,
  });
  const orders = {
    key: publicationKey('A', 'R'),
    api: 'orders',
    apiId: 'A',
    environment: 'release',
    environmentId: 'R',
    state: 'offline',
    revision: 'r2',
    remark: 'own',
    version: 'v5',
    driftPolicy: 'correct',
    nameRef: null,
    sourceFile: '',
    source: { file: 'edict.yaml', line: 25, column: 7 },
  };
  const invoices = {
    ...orders,
    key: publicationKey('B', 'R'),
    api: 'invoices',
    apiId: 'B',
    state: 'online',
    revision: 'r1',
    remark: 'of the API',
    version: null,
    driftPolicy: 'report',
    source: { file: 'edict.yaml', line: 26, column: 72 },
  };
  assert.equal([...desired.publications.values()], [orders, invoices]);
});

for (const [written, ms] of [
  ['never', null],
  ['500ms', 500],
  ['30s', 30_000],
  ['5m', 300_000],
  ['24h', 86_400_000],
] as const) {
  test(`refresh: ${written}`, () => {
    assert.is(parse(`${head}refresh: ${written}\napis: {}\n`).refreshIntervalMs, ms);
  });
}

test("the file's `drift` applies to publications without their own", () => {
  const apis = ['online', '{ state: offline, drift: report }', '{ state: online, drift: correct }'].map(
    (said, index) => `  a${index}: { id: x${index}, environments: { test: ${said} } }\n`,
  );
  const drifts = (rule: string): string[] =>
    [...parse(`${head}${rule}apis:\n${apis.join('')}`).publications.values()].map(({ driftPolicy }) => driftPolicy);
  assert.equal(drifts(''), ['report', 'report', 'correct']);
  assert.equal(drifts('drift: correct\n'), ['correct', 'report', 'correct']);
  assert.equal(drifts('drift: report\n'), ['report', 'report', 'correct']);
});

/** A reference to an environment variable, as written in the file. */
const variable = (name: string): string => `$\{${name}}`;
const withProject = (project: string): string => `${head.replace('project: p', `project: ${project}`)}apis: {}\n`;

/** Each `«…»` is the place of an expected error; the texts are parts of their messages and hints, in the same order. */
const invalidFiles: readonly [name: string, marked: string, says: readonly RegExp[]][] = [
  ['an empty file', '«»', [/the file is empty; expected a map/]],
  ['a file that is a list', '«- a»', [/the file is a list/]],
  ['an unknown key', `${head}apis: {}\n«pruen»: true\n`, [/unknown key `pruen` in the file.*did you mean `prune`/]],
  ['an unknown key that is close to none', `${head}«x»: 1\napis: {}\n`, [/unknown key `x`.*allowed keys: edict, gateway/]],
  ['a refresh interval without a time', `${head}refresh: «every»\napis: {}\n`, [/`refresh`/]],
  ['a refresh interval without a unit', `${head}refresh: «5»\napis: {}\n`, [/`refresh`/]],
  ['a refresh interval of zero', `${head}refresh: «0s»\napis: {}\n`, [/`refresh`/]],
  ['a refresh interval that is too short', `${head}refresh: «50ms»\napis: {}\n`, [/`refresh`/]],
  ['a refresh interval that is too long', `${head}refresh: «168h»\napis: {}\n`, [/`refresh`/]],
  ['a refresh interval with a word before it', `${head}refresh: «every 5m»\napis: {}\n`, [/`refresh`/]],
  ['an unknown drift policy', `${head}drift: «fix»\napis: {}\n`, [/`drift`/]],
  ['an unknown republish policy', `${head}republish: «always»\napis: {}\n`, [/`republish`/]],
  ['an unknown key in flow style', `${head}apis:\n  a: { id: x, «enviroments»: {}, environments: {} }\n`, [/did you mean `environments`/]],
  ['a missing key', `${head}apis:\n  «a»:\n    id: x\n`, [/missing key `environments` in `apis.a`/]],
  [
    'a duplicate key',
    `${head}apis:\n  a: { id: x, environments: {} }\n  «a»: {}\n  a: {}\n`,
    [/`a` is already defined at line 10; also at line 12/],
  ],
  ['a duplicate key in flow style', `${head}apis: { a: { id: x, «id»: y, environments: {} } }\n`, [/`id` is already defined/]],
  [
    'one publication under two names',
    `${head}apis:\n  a: { id: x, environments: { test: online } }\n  b:\n    id: x\n    environments:\n      release: online\n      «test»: offline\n`,
    [/b in test is the same publication as a in test at line 10/],
  ],
  ['one environment under two names', `${head}  «again»: e1\napis: {}\n`, [/`again` is the same environment as `test` at line 7/]],
  [
    'an undeclared environment',
    `${head}apis:\n  a:\n    id: x\n    environments:\n      «tset»: online\n      «zzz»: online\n`,
    [/`tset` is not declared.*did you mean `test`/, /`zzz` is not declared.*declared: test, release/],
  ],
  [
    'a remark that is too long',
    `${head}apis:\n  a: { id: x, remark: «${'r'.repeat(256)}», environments: {} }\n`,
    [/`remark` has 256 characters; at most 255/],
  ],
  [
    'a remark with too many characters of two UTF-16 units each',
    `${head}apis:\n  a: { id: x, remark: «"${'💥'.repeat(256)}"», environments: {} }\n`,
    [/`remark` has 256 characters/],
  ],
  [
    'a variable that is not set',
    withProject(`«${variable('EDICT_VAR_NONE')}»`),
    [/variable EDICT_VAR_NONE is not set.*export EDICT_VAR_NONE=/],
  ],
  ['a variable that is empty', withProject(`«"a-${variable('EDICT_VAR_EMPTY')}"»`), [/variable EDICT_VAR_EMPTY is empty/]],
  ['a variable without a name', withProject(`«"${variable('')}"»`), [/\$\{\} is not a variable that a file may use/]],
  [
    'a variable named like an object property',
    withProject(`«"${variable('toString')}"»`),
    [/\$\{toString\} is not a variable that a file may use/],
  ],
  [
    'a credential',
    withProject(`«${variable('HW_AUTH_TOKEN')}»`),
    [/\$\{HW_AUTH_TOKEN\} is not a variable that a file may use.*allowed: HW_PROJECT_ID/],
  ],
  [
    'a variable outside the gateway block',
    `${head}apis:\n  a: { id: x, remark: «"see ${variable('EDICT_VAR_SET')}"», environments: {} }\n`,
    [/\$\{EDICT_VAR_SET\} is used where variables are not replaced.*only in endpoint, iam/],
  ],
  [
    'a variable with an invalid value',
    withProject(`«${variable('EDICT_VAR_SET')}»`),
    [/`gateway.project` is not valid with the value of the variable EDICT_VAR_SET/],
  ],
  [
    'an invalid state',
    `${head}apis:\n  a: { id: x, environments: { test: «onlin» } }\n`,
    [/"onlin" is not allowed.*did you mean `online`/],
  ],
  ['a boolean as state', `${head}apis:\n  a: { id: x, environments: { test: «true» } }\n`, [/`true` is not allowed.*online or offline/]],
  ['settings without a state', `${head}apis:\n  a: { id: x, environments: { «test»: {} } }\n`, [/missing key `state`/]],
  ['a name beside an ID', `${head}  other: { id: x, «name»: y }\napis: {}\n`, [/`name` has no effect beside `id`/]],
  ['an API without environments', `${head}apis:\n  «a»: { id: x }\n`, [/missing key `environments` in `apis.a`/]],
  ['an environment with an unknown key', `${head}  other: { id: x, «protect»: true }\napis: {}\n`, [/did you mean `protected`/]],
  ['a string instead of a boolean', `${head}  other: { id: x, protected: «"true"» }\napis: {}\n`, [/is a string; expected true or false/]],
  [
    'keys without values',
    '«edict»:\n«gateway»:\n«environments»:\n«prune»:\n«apis»:\n',
    [/expected 1/, /empty/, /empty/, /expected true or false/, /empty/],
  ],
  ['explicit nulls', `${head}apis:\n  a: { id: «~», environments: { test: «null» } }\n`, [/`id` is empty/, /`test` has no state/]],
  [
    'lists instead of other values',
    `${head}apis:\n  a:\n    id: «[x]»\n    environments:\n      «- test: online»\n  b: { id: b, environments: { test: «[online]» } }\n`,
    [/`apis.a.id` is a list; expected a string/, /`apis.a.environments` is a list/, /a list is not allowed/],
  ],
  [
    'a map instead of a string',
    `${head}apis:\n  a:\n    id:\n      «x: 1»\n    environments: {}\n`,
    [/`apis.a.id` is a map; expected a string/],
  ],
  ['a string instead of a map', `${head}apis: «none»\n`, [/`apis` is a string; expected a map/]],
  [
    'an invalid ID',
    `${head}apis:\n  a: { id: «a b», environments: {} }\n  b: { id: «""», environments: {} }\n`,
    [/"a b" is not allowed/, /"" is not allowed/],
  ],
  [
    'an invalid name',
    `${head}apis:\n  «"a b"»: { id: x, environments: {} }\n  «""»: { id: y, environments: {} }\n`,
    [/the name "a b" is not allowed/, /the name ""/],
  ],
  ['an invalid URL', `${head.replace('https://roma.example.com', '«http://[»')}apis: {}\n`, [/`gateway.endpoint` is not a valid URL/]],
  [
    'a URL with a user',
    `${head.replace('https://roma.example.com', '«https://u@h»')}apis: {}\n`,
    [/it has a user name or a password.*credentials/],
  ],
  [
    'invalid limits',
    `${head.replace('  instance: i', '  instance: i\n  limit: { calls: «0», per: «0s», concurrency: «1.5» }\n  timeout: «25h»')}apis: {}\n`,
    [/>= 1/, /expected: a duration with a unit/, /an integer/, /longer than 24 hours/],
  ],
  ['an unknown format version', `${head.replace('edict: 1', 'edict: «2»')}apis: {}\n`, [/`2` is not allowed for `edict`; expected 1/]],
  ['a tab as indentation', `${head}apis:\n«\t»a: b\n`, [/a tab is used for indentation/]],
  ['a second document', `${head}apis: {}\n«---»\na: b\n`, [/a second YAML document starts here/]],
  ['an alias without an anchor', `${head}apis:\n  a: { id: x, environments: «*none» }\n`, [/\*none has no anchor before it.*&none/]],
  ['an alias that contains itself', `${head}apis: &all\n  a: «*all»\n`, [/\*all contains itself/]],
  ['a key that is a list', `${head}apis:\n  «[a]»: b\n`, [/the key is not a name/]],
  [
    'keys named like object properties',
    `${head}«__proto__»: 1\n«constructor»: { a: b }\n«toString»: x\napis: {}\n`,
    [/`__proto__`/, /`constructor`/, /`toString`/],
  ],
  [
    'a `__proto__` key that would provide missing keys',
    `edict: 1\n«gateway»:\n  «__proto__»: { project: p }\n  endpoint: https://h\n  instance: i\nenvironments: { e: e }\napis: {}\n`,
    [/missing key `project`/, /unknown key `__proto__`/],
  ],
];
const variables = { EDICT_VAR_SET: 'the-token value', EDICT_VAR_EMPTY: '', HW_AUTH_TOKEN: 'the-token' };

for (const [name, marked, says] of invalidFiles) {
  test(`reports the position of ${name}`, () => {
    const { text, places } = unmarked(marked);
    for (const [form, eol] of [
      [text, 'LF'],
      [text.replaceAll('\n', '\r\n'), 'CRLF'],
    ] as const) {
      const diagnostics = diagnosticsIn(form, { variables });
      const found = diagnostics.map(({ line, column, length }) => ({ line, column, length }));
      assert.equal(
        found,
        places.map((place) => ({ ...place, length: Math.max(1, place.length) })),
        eol,
      );
      for (const [index, { message, hint, excerpt, line, column, file }] of diagnostics.entries()) {
        assert.match(`${message} ${hint}`, says[index] ?? /never/);
        assert.equal(excerpt, excerptAt(text.split('\n')[line - 1] ?? '', column));
        assert.is(file, 'edict.yaml');
        assert.not.match(`${message} ${hint}`, 'the-token');
      }
    }
  });
}

test('every missing key is reported', () => {
  const messages = diagnosticsIn('apis: {}\n').map(({ message }) => message);
  assert.equal(
    messages,
    ['edict', 'gateway', 'environments'].map((key) => `missing key \`${key}\` in the file`),
  );
});

test('all kinds of errors are reported at once, in the order of the file', () => {
  const { text, places } = unmarked(
    `${head.replace('instance: i', `instance: «${variable('EDICT_VAR_NONE')}»`)}  «dup»: e1\napis:\n  a: { «idd»: x, id: «a b», environments: { «tset»: «onlin» } }\n«extra»: 1\n`,
  );
  assert.equal(
    diagnosticsIn(text).map(({ line, column, length }) => ({ line, column, length })),
    places,
  );
});

test('an error in a repeated value is reported once, where it is written', () => {
  const { text, places } = unmarked(
    `${head}apis:\n  a: { id: a, environments: &e { «none»: online } }\n  b: { id: b, environments: *e }\n`,
  );
  assert.equal(
    diagnosticsIn(text).map(({ line, column, length }) => ({ line, column, length })),
    places,
  );
});

test('merge keys repeat settings, and an error in one is reported where it is written', () => {
  const merged = (state: string): string =>
    `${head}apis:\n  a: &defaults { id: a, revision: r1, environments: { test: ${state} } }\n  b: { <<: *defaults, id: b }\n`;
  assert.equal(
    [...parse(merged('online')).publications.values()].map(({ apiId, revision, state }) => [apiId, revision, state]),
    [
      ['a', 'r1', 'online'],
      ['b', 'r1', 'online'],
    ],
  );
  const { text, places } = unmarked(merged('«onlin»'));
  assert.equal(
    diagnosticsIn(text).map(({ line, column, length }) => ({ line, column, length })),
    places,
  );
});

test('names like numbers keep the order of the file', () => {
  const text = `${head}  '20': e20\n  3: e3\napis:\n  last: { id: l, environments: { test: online, 3: online, 20: online } }\n  10: { id: x, environments: { 20: online } }\n  9: { id: y, environments: {} }\n  2: { id: x, environments: { 20: online } }\n`;
  const diagnostics = diagnosticsIn(text);
  assert.equal(
    diagnostics.map(({ line, message }) => [line, message]),
    [[15, '2 in 20 is the same publication as 10 in 20 at line 13: both have the same ID']],
  );
  const { environments, publications } = parse(text.replace('2: { id: x', '2: { id: z'));
  assert.equal(
    [...environments.values()].map(({ name }) => name),
    ['test', 'release', '20', '3'],
  );
  assert.equal(
    [...publications.values()].map(({ api, environment }) => `${api} ${environment}`),
    ['last test', 'last 3', 'last 20', '10 20', '2 20'],
  );
});

test('an environment with an all-digit ID may be called like a setting', () => {
  const { environments } = parse(`${head}  x.maxOffline: 12345\n  y.maxOffline: { id: 678 }\napis: {}\n`);
  assert.equal([...environments.keys()], ['e1', 'e2', '12345', '678']);
});

test('aliases repeat what their anchors name', () => {
  const { publications } = parse(
    `${head}apis:\n  a: { id: &id a, environments: &e { test: online } }\n  b: { id: b, remark: *id, environments: *e }\n`,
  );
  assert.equal(
    [...publications.values()].map(({ apiId, remark }) => [apiId, remark]),
    [
      ['a', null],
      ['b', 'a'],
    ],
  );
});

test('a number keeps its text wherever a string is expected', () => {
  const written = ['123', '1e5', '0x10', '1.10', '0o17', '00123', '1_000', '.5', '5e12'];
  const apis = written.map(
    (id) => `  ${id.replace('.5', 'half')}: { id: ${id.replace('.5', '5')}, revision: ${id}, environments: { test: online } }\n`,
  );
  const { publications } = parse(`${head}apis:\n${apis.join('')}`);
  assert.equal(
    [...publications.values()].map(({ revision }) => revision),
    written,
  );
  assert.equal(
    [...publications.values()].map(({ apiId }) => apiId),
    written.map((id) => id.replace('.5', '5')),
  );
  const numbers = parse(
    `${head}  calls: 1e5\n  concurrency: 0x10\n  edict: 1.10\napis:\n  1e5: { id: 1, environments: { calls: online, edict: online } }\n`,
  );
  assert.equal([...numbers.publications.keys()], ['1 1e5', '1 1.10']);
  assert.is([...numbers.publications.values()][0]?.api, '1e5');
});

test('names of object properties have no special meaning', () => {
  const all = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];
  const environments = all.map((name, index) => `  ${name}: env${index}\n`).join('');
  const apis = all
    .map((name, index) => `  ${name}:\n    id: api${index}\n    environments: { ${all.map((each) => `${each}: online`).join(', ')} }\n`)
    .join('');
  const { publications } = parse(`${head}${environments}apis:\n${apis}`);
  assert.is(publications.size, 25);
  assert.equal([...new Set([...publications.values()].map(({ api }) => api))], all);
  assert.equal([...new Set([...publications.values()].map(({ environment }) => environment))], all);
  assert.is(({} as Record<string, unknown>)['id'], undefined);
});

test('a remark of 255 characters is allowed, also of two UTF-16 units each', () => {
  for (const character of ['r', '💥']) {
    const { publications } = parse(`${head}apis:\n  a: { id: x, remark: "${character.repeat(255)}", environments: { test: online } }\n`);
    assert.is([...publications.values()][0]?.remark, character.repeat(255));
  }
});

test('ten thousand duplicate keys are one error with their number', () => {
  const diagnostics = diagnosticsIn(`${head}apis:\n${'  a: {}\n'.repeat(10_001)}`);
  assert.equal(
    diagnostics.map(({ line, message }) => [line, message]),
    [[11, 'the key `a` is already defined at line 10; also at 9,999 other places, such as lines 12, 13, 14']],
  );
});

for (const [name, text, says] of [
  ['lists in lists', `a: ${'['.repeat(20_000)}`, /nested too deeply/],
  ['maps in maps', Array.from({ length: 2000 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join(''), /nested too deeply/],
  [
    'aliases of aliases',
    `a0: &a0 [x]\n${Array.from({ length: 3000 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}]\n`).join('')}`,
    /nested too deeply/,
  ],
  [
    'an alias bomb',
    `a0: &a0 [x, x]\n${Array.from({ length: 40 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}, *a${index}]\n`).join('')}`,
    /repeat more than 100000|too deeply/,
  ],
  ['a huge key', `${'k'.repeat(500_000)}: 1\n`, /at most 1024/],
  ['a huge value', `${head}apis:\n  a: { id: ${'k'.repeat(500_000)}, environments: {} }\n`, /"k{57}…" is not allowed/],
  ['nothing but zeroes', '\0'.repeat(10_000), /./],
] as const) {
  test(`${name} is an error with a line, not a crash`, () => {
    const diagnostics = diagnosticsIn(text);
    assert.ok(diagnostics.length > 0);
    assert.match(diagnostics.map(({ message }) => message.slice(0, 200)).join('\n'), says);
  });
}

test('many aliases are allowed', () => {
  const apis = Array.from({ length: 5000 }, (_, index) => `  a${index + 1}: { id: x${index}, environments: *e }\n`).join('');
  assert.is(parse(`${head}apis:\n  a0: { id: x, environments: &e { test: online } }\n${apis}`).publications.size, 5001);
});

test('broken files never crash the parser, and every error is at a position in the file', () => {
  let broken = 0;
  const parseCache = new ParseCache();
  fc.assert(
    fc.property(fc.oneof(brokenTexts, edictTexts, fc.string({ unit: 'binary' })), (text) => {
      const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
      try {
        const { publications } = parse(text, { parseCache });
        for (const { source } of publications.values()) assert.ok(source.line <= lines.length && source.column >= 1);
      } catch (error) {
        if (!(error instanceof InvalidFileError)) throw error;
        broken += 1;
        assert.ok(error.diagnostics.length > 0);
        let before = 0;
        for (const {
          line,
          column,
          length,
          excerpt: { text: shown },
          message,
        } of error.diagnostics) {
          assert.ok(line >= Math.max(1, before) && line <= lines.length, `line ${line} of ${lines.length}`);
          assert.is(shown, lines[line - 1]?.replace(/\r$/, ''));
          assert.ok(column >= 1 && column <= shown.length + 2, `column ${column} of ${shown.length}`);
          assert.ok(length >= 1 && (length === 1 || column + length <= shown.length + 1), `length ${length}`);
          assert.ok(message.length > 0);
          before = line;
        }
      }
    }),
    { numRuns: runs(2000) },
  );
  assert.ok(broken >= runs(2000) / 2, `${broken} were broken`);
});

test('the parse cache of another text does not change the result', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(edictTexts, brokenTexts), { minLength: 2, maxLength: 4 }), (texts) => {
      const parseCache = new ParseCache();
      const result = (text: string, over: Partial<ParseInput>) => {
        try {
          return parse(text, over);
        } catch (error) {
          return (error as InvalidFileError).diagnostics;
        }
      };
      for (const text of texts) assert.equal(result(text, { parseCache }), result(text, {}));
    }),
    { numRuns: runs(100) },
  );
});

test('errors in APIs that an edit leaves as they are, are found again each time', () => {
  const parseCache = new ParseCache();
  const file = (orders: string, invoices: string): string => `${head}apis:
  orders:
    id: a1
    remark: "${orders}"
    environments: { test: online }
  invoices:
    id: a2
    ${invoices}
    environments: { test: online }
`;
  const linesOf = (text: string): number[] => {
    try {
      parse(text, { parseCache });
      return [];
    } catch (error) {
      if (!(error instanceof InvalidFileError)) throw error;
      return error.diagnostics.map(({ line }) => line);
    }
  };
  const first = head.split('\n').length;
  const [orders, invoices] = [first + 3, first + 7];
  const reference = `\${HW_PROJECT_ID}`;
  for (const wrong of [`remark: "${reference}"`, 'remarks: x']) {
    assert.ok(linesOf(file(reference, wrong)).includes(orders));
    assert.equal(linesOf(file('fine', wrong)), [invoices]);
    assert.equal(linesOf(file('also fine', wrong)), [invoices]);
    assert.equal(linesOf(file('fine', 'remark: fine')), []);
    assert.equal(linesOf(file('fine', wrong)), [invoices]);
  }
});

test.run();
