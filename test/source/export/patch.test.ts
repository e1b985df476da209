import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PublicationKey } from '../../../src/model/publication.ts';
import { createPatch, formatSetting, type PublicationEdit } from '../../../src/source/export/patch.ts';
import { parseDesiredState } from '../../../src/source/parser.ts';

const head = [
  'edict: 1',
  'gateway: { endpoint: "https://roma.example.com", project: p, instance: i }',
  'environments: { test: env-test, release: env-release }',
  '',
].join('\n');

function wish(api: string, environment: string, state: PublicationEdit['state'], version: string | null = null): PublicationEdit {
  const [apiId, environmentId] = [`api-${api}`, `env-${environment}`];
  return { key: `${apiId} ${environmentId}` as PublicationKey, api, apiId, environment, environmentId, state, version };
}

/** Returns the lines that the diff removes and adds, and the edits left to the user. */
function edit(apis: string, ...wishes: readonly PublicationEdit[]): readonly [lines: readonly string[], byHand: number] {
  const text = head + apis;
  const desired = parseDesiredState({ text, file: 'edict.yaml', variables: {} });
  const { diff, manualEdits } = createPatch(
    { text, file: 'edict.yaml', toParseInput: (other) => ({ text: other, file: 'edict.yaml', variables: {} }), desired },
    wishes,
  );
  const lines = diff
    .split('\n')
    .slice(2)
    .filter((line) => /^[-+]/.test(line));
  return [lines, manualEdits.length];
}

const cases: readonly [name: string, apis: string, wishes: readonly PublicationEdit[], lines: readonly string[]][] = [
  [
    'replaces a state',
    'apis:\n  a: { id: api-a, environments: { test: online } } # words\n',
    [wish('a', 'test', 'offline')],
    ['-  a: { id: api-a, environments: { test: online } } # words', '+  a: { id: api-a, environments: { test: offline } } # words'],
  ],
  [
    'adds a version to a state',
    'apis:\n  a:\n    id: api-a\n    environments:\n      test: "online" # words\n',
    [wish('a', 'test', 'online', 'v1')],
    ['-      test: "online" # words', '+      test: { state: online, version: v1 } # words'],
  ],
  [
    'adds a version to a flow map',
    'apis:\n  a: { id: api-a, environments: { test: { state: offline, remark: "x, y" } } }\n',
    [wish('a', 'test', 'online', 'v1')],
    [
      '-  a: { id: api-a, environments: { test: { state: offline, remark: "x, y" } } }',
      '+  a: { id: api-a, environments: { test: { state: online, version: v1, remark: "x, y" } } }',
    ],
  ],
  [
    'adds a line to a block map',
    'apis:\n  a:\n    id: api-a\n    environments:\n      test:\n        state: offline # was so\n        remark: x\n',
    [wish('a', 'test', 'online', 'v1')],
    ['-        state: offline # was so', '+        state: online # was so', '+        version: v1'],
  ],
  [
    'adds a line after a last line without a line end',
    'apis:\n  a:\n    id: api-a\n    environments:\n      test:\n        state: online',
    [wish('a', 'test', 'online', 'v1')],
    ['-        state: online', '+        state: online', '+        version: v1'],
  ],
  [
    'replaces a pinned version',
    'apis:\n  a: { id: api-a, environments: { test: { state: online, version: v2 } } }\n',
    [wish('a', 'test', 'online', 'v1')],
    [
      '-  a: { id: api-a, environments: { test: { state: online, version: v2 } } }',
      '+  a: { id: api-a, environments: { test: { state: online, version: v1 } } }',
    ],
  ],
  [
    'adds a missing publication to a flow and a block map',
    'apis:\n  a: { id: api-a, environments: { test: online } }\n  b:\n    id: api-b\n    environments:\n      test: online\n  c: { id: api-c, environments: {} }\n',
    [wish('a', 'release', 'online', 'v1'), wish('b', 'release', 'online'), wish('c', 'test', 'online'), wish('c', 'release', 'online')],
    [
      '-  a: { id: api-a, environments: { test: online } }',
      '+  a: { id: api-a, environments: { test: online, release: { state: online, version: v1 } } }',
      '-  c: { id: api-c, environments: {} }',
      '+      release: online',
      '+  c: { id: api-c, environments: { test: online, release: online } }',
    ],
  ],
  [
    'adds a missing API, written like the last one in a flow map',
    'apis: # ours\n  a: { id: api-a, environments: { test: online } }\n',
    [wish('z', 'test', 'online', 'v1'), wish('z', 'release', 'online')],
    ['+  z: { id: api-z, environments: { test: { state: online, version: v1 }, release: online } }'],
  ],
  [
    'adds a missing API, written like the last one in lines, after its comments and before the next key',
    'apis:\n   a:\n     id: api-a\n     environments:\n        test: online\n        # retired soon\n\n   # to come\n\n# the rest\nprune: false\n',
    [wish('z', 'test', 'online', 'v1'), wish('w', 'release', 'online')],
    [
      '+   z:',
      '+     id: api-z',
      '+     environments:',
      '+        test: { state: online, version: v1 }',
      '+   w:',
      '+     id: api-w',
      '+     environments:',
      '+        release: online',
    ],
  ],
  [
    'separates APIs by a blank line where the file does',
    'apis:\n  a: { id: api-a, environments: {} }\n\n  b: { id: api-b, environments: {} }',
    [wish('z', 'test', 'online')],
    [
      '-  b: { id: api-b, environments: {} }',
      '+  b: { id: api-b, environments: {} }',
      '+',
      '+  z: { id: api-z, environments: { test: online } }',
    ],
  ],
  [
    'adds an API to the last one that a block scalar ends',
    'apis:\n  a:\n    id: api-a\n    environments: { test: online }\n    remark: |-\n      # no comment\n\n',
    [wish('z', 'test', 'online')],
    ['+  z:', '+    id: api-z', '+    environments: { test: online }'],
  ],
  [
    'adds lines to a flow map of several lines, with or without a comma at its end',
    'apis: {\n  a: { id: api-a, environments: {\n    test: online, # ours\n  } } # last\n}\n',
    [wish('a', 'release', 'online'), wish('z', 'test', 'online'), wish('w', 'test', 'online')],
    [
      '-  } } # last',
      '+    release: online,',
      '+  } }, # last',
      '+  z: { id: api-z, environments: { test: online } },',
      '+  w: { id: api-w, environments: { test: online } }',
    ],
  ],
  [
    'adds an API to an empty map',
    'apis: {}\n',
    [wish('z', 'test', 'online')],
    ['-apis: {}', '+apis:', '+  z:', '+    id: api-z', '+    environments: { test: online }'],
  ],
  [
    'adds several APIs to an empty map with a comment',
    'apis: {} # none yet\n# the rest\nprune: false\n',
    [wish('z', 'test', 'online'), wish('w', 'test', 'online')],
    [
      '-apis: {} # none yet',
      '+apis: # none yet',
      '+  z:',
      '+    id: api-z',
      '+    environments: { test: online }',
      '+  w:',
      '+    id: api-w',
      '+    environments: { test: online }',
    ],
  ],
  [
    'quotes text that YAML could parse as another type',
    'apis:\n  a: { id: api-a, environments: { test: online } }\n',
    [wish('a', 'test', 'online', 'null')],
    [
      '-  a: { id: api-a, environments: { test: online } }',
      '+  a: { id: api-a, environments: { test: { state: online, version: "null" } } }',
    ],
  ],
];
for (const [name, apis, wishes, lines] of cases) {
  test(name, () => assert.equal(edit(apis, ...wishes), [lines, 0]));
}

test('Windows line ends are preserved', () => {
  const apis = 'apis:\r\n  a:\r\n    id: api-a\r\n    environments:\r\n      test:\r\n        state: online\r\n';
  assert.equal(edit(apis, wish('a', 'test', 'online', 'v1')), [['+        version: v1\r'], 0]);
});

test('an edit that aliases would repeat is manual, and the others are made', () => {
  const apis =
    'apis:\n  a: { id: api-a, environments: &both { test: online } }\n  b: { id: api-b, environments: *both }\n  c: { id: api-c, environments: { test: online } }\n';
  const [lines, byHand] = edit(apis, wish('a', 'test', 'offline'), wish('c', 'test', 'offline'));
  assert.equal(lines, ['-  c: { id: api-c, environments: { test: online } }', '+  c: { id: api-c, environments: { test: offline } }']);
  assert.is(byHand, 1);
});

test('a few edits that cannot be made leave a hundred others to be made', () => {
  const names = Array.from({ length: 100 }, (_, index) => `api${index}`);
  const apis = `apis:\n  a: { id: api-a, environments: &both { test: online } }\n  b: { id: api-b, environments: *both }\n`;
  const [lines, byHand] = edit(
    apis,
    wish('a', 'release', 'online'),
    ...names.map((name) => wish(name, 'test', 'online')),
    wish('b', 'test', 'offline'),
  );
  assert.equal(
    lines,
    names.map((name) => `+  ${name}: { id: api-${name}, environments: { test: online } }`),
  );
  assert.is(byHand, 2);
});

test('new environments are added in the style of the others, with comments only in lines', () => {
  const stage = { key: 'stage-2', id: 'env2', name: 'Stage 2', isListed: true };
  const release = { key: 'live', id: 'DEFAULT_ENVIRONMENT_RELEASE_ID', name: 'live', isListed: true };
  const add = (environments: string): string[] => {
    const text = `edict: 1\ngateway: { endpoint: "https://roma.example.com", project: p, instance: i }\n${environments}apis: {}\n`;
    const toParseInput = (other: string) => ({ text: other, file: 'edict.yaml', variables: {} });
    const input = { text, file: 'edict.yaml', toParseInput, desired: parseDesiredState(toParseInput(text)) };
    const { diff } = createPatch({ ...input, newEnvironments: [release, stage] }, []);
    return diff.split('\n').filter((line) => /^[+][^+]/.test(line));
  };
  assert.equal(add('environments: { test: t }\n'), [
    '+environments: { test: t, live: { id: DEFAULT_ENVIRONMENT_RELEASE_ID, protected: true }, stage-2: env2 }',
  ]);
  assert.equal(add('environments:\n  test: t\n'), [
    '+  live: { id: DEFAULT_ENVIRONMENT_RELEASE_ID, protected: true }',
    '+  stage-2: env2 # "Stage 2" at the gateway',
  ]);
  assert.equal(add('environments:\n  test:\n    id: t\n    protected: true\n'), [
    '+  live:',
    '+    id: DEFAULT_ENVIRONMENT_RELEASE_ID',
    '+    protected: true',
    '+  stage-2: env2 # "Stage 2" at the gateway',
  ]);
});

test('a removed environment and an API name that is taken are manual edits', () => {
  const apis = 'apis:\n  a: { id: api-a, environments: { test: online } }\n';
  assert.equal(edit(apis, wish('a', 'stage', 'online')), [[], 1]);
  assert.equal(edit(apis, { ...wish('a', 'release', 'online'), apiId: 'api-other', key: 'api-other env-release' as PublicationKey }), [
    [],
    1,
  ]);
});

test("formats a setting in the file's notation", () => {
  assert.is(formatSetting({ state: 'offline', version: 'v' }), 'offline');
  assert.is(formatSetting({ state: 'online', version: null }), 'online');
  assert.is(formatSetting({ state: 'online', version: 'v1' }), '{ state: online, version: v1 }');
});

test.run();
