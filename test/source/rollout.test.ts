import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidFileError } from '../../src/model/errors.ts';
import { parseDesiredState } from '../../src/source/parser.ts';

const head = `edict: 1
gateway: { endpoint: https://roma.example.com, project: p, instance: i }
environments: { test: T, staging: S, release: R }
`;
const read = (rollout: string, apis = 'orders: { id: A, environments: { test: online } }') =>
  parseDesiredState({ text: `${head}${rollout}\napis:\n  ${apis}\n`, file: 'edict.yaml', variables: { X: 'x' } }).rollout;

/** Returns the errors as `line:column message`. */
function errorsOf(rollout: string, apis?: string): string[] {
  try {
    read(rollout, apis);
  } catch (error) {
    if (error instanceof InvalidFileError) return error.diagnostics.map(({ line, column, message }) => `${line}:${column} ${message}`);
    throw error;
  }
  return [];
}

test('without the key there are no steps', () => {
  assert.equal(read(''), { steps: [], probeUrls: new Map() });
});

test('a step is a name, or a map with a soak and a probe', () => {
  const url = 'https://{environment}.example.com/{api}/health?deep=1';
  const rollout = `rollout:
  - { environment: test, soak: 10m, probe: "${url}" }
  - environment: staging
    probe: { url: "${url}", status: 204, timeout: 500ms }
  - release`;
  const apis =
    'orders: { id: A, probe: "https://own/{environment}", environments: { test: online } }\n  carts: { id: B, probe: none, environments: { test: online } }';
  const { steps, probeUrls } = read(rollout, apis);
  assert.equal(steps, [
    { environment: 'test', environmentId: 'T', soakMs: 600_000, probe: { url, expectedStatus: null, timeoutMs: 5_000 } },
    { environment: 'staging', environmentId: 'S', soakMs: 0, probe: { url, expectedStatus: 204, timeoutMs: 500 } },
    { environment: 'release', environmentId: 'R', soakMs: 0, probe: null },
  ]);
  assert.equal(
    [...probeUrls],
    [
      ['A', 'https://own/{environment}'],
      ['B', null],
    ],
  );
});

for (const [name, rollout, expected] of [
  ['one entry', 'rollout: [test]', ['4:10 `rollout` needs at least 2 entries']],
  ['a string instead of a list', 'rollout: test', ['4:10 `rollout` is a string; expected a list']],
  ['an unknown environment', 'rollout: [tst, release]', ['4:11 the environment `tst` is not declared under `environments`']],
  [
    'an unknown environment in a map',
    'rollout: [{ environment: tst }, release]',
    ['4:26 the environment `tst` is not declared under `environments`'],
  ],
  ['a repeated environment', 'rollout: [test, release, { environment: test }]', ['4:41 `test` is already in `rollout`, at line 4']],
  ['an entry without environment', 'rollout: [{ soak: 1m }, release]', ['4:11 missing key `environment` in `rollout.0`']],
  [
    'a soak without a unit',
    'rollout: [{ environment: test, soak: 10 }, release]',
    ['4:38 "10" is not allowed for `rollout.0.soak`: it has no unit'],
  ],
  [
    'a soak in the last step',
    'rollout: [test, { environment: release, soak: 1m }]',
    ['4:41 `soak` has no effect here: no step follows `release`'],
  ],
  [
    'a URL with another protocol',
    'rollout: [{ environment: test, probe: "ftp://x/" }, release]',
    ['4:39 "ftp://x/" is not allowed for `rollout.0.probe`'],
  ],
  [
    'a URL with a user',
    'rollout: [{ environment: test, probe: "https://u:p@x/" }, release]',
    ['4:39 "https://***@x/" is not allowed for `rollout.0.probe`: it has a user name or a password'],
  ],
  ['an invalid URL', 'rollout: [{ environment: test, probe: { url: "https://[/x" } }, release]', ['4:46 "https://[/x" is not a valid URL']],
  [
    'an unknown placeholder',
    'rollout: [{ environment: test, probe: "https://x/{name}" }, release]',
    ['4:39 unknown placeholder {name} in a probe URL'],
  ],
  [
    'a variable',
    'rollout: [{ environment: test, probe: "https://x/$' + '{X}" }, release]',
    ['4:39 $' + '{X} is used where variables are not replaced'],
  ],
  [
    'an invalid status',
    'rollout: [{ environment: test, probe: { url: "https://x", status: 99 } }, release]',
    ['4:67 `99` is not allowed for `rollout.0.probe.status`; expected a number >= 200'],
  ],
  [
    'a string as status',
    'rollout: [{ environment: test, probe: { url: "https://x", status: ok } }, release]',
    ['4:67 `rollout.0.probe.status` is a string; expected an integer'],
  ],
] as const) {
  test(`${name} is an error at its position`, () => assert.equal(errorsOf(rollout), expected));
}

test('a probe of an API is an error if no step has a probe, and if it is not a valid URL', () => {
  const api = (probe: string): string => `orders: { id: A, probe: "${probe}", environments: {} }`;
  assert.equal(errorsOf('rollout: [test, release]', api('https://x')), ['6:20 `probe` has no effect: no step of `rollout` has a probe']);
  const rollout = 'rollout: [{ environment: test, probe: "https://x" }, release]';
  assert.equal(errorsOf(rollout, api('https://x/{foo}')), ['6:27 unknown placeholder {foo} in a probe URL']);
  assert.equal(errorsOf(rollout, api('here')), ['6:27 "here" is not allowed for `apis.orders.probe`']);
  assert.equal(errorsOf(rollout, api('none')), []);
});

test('a name that is not valid in a host name is an error of its API, unless the API has its own probe URL', () => {
  const rollout = 'rollout: [{ environment: test, probe: "https://{api}.example.com" }, release]';
  assert.equal(errorsOf(rollout, 'a/b: { id: A, environments: {} }'), [
    '6:3 the probe URL of a/b in test is invalid: https://a%2Fb.example.com',
  ]);
  assert.equal(errorsOf(rollout, 'a/b: { id: A, probe: "https://x", environments: {} }'), []);
});

test('half of a character in a name is an error like any other', () => {
  const text =
    'edict: 1\ngateway: { endpoint: "https://roma.example.invalid", project: p, instance: i }\nenvironments: { "\\ud800": e, b: f }\nrollout: [{ environment: "\\ud800", probe: "https://x/{environment}" }, b]\napis: {}\n';
  assert.throws(
    () => parseDesiredState({ text, file: 'edict.yaml', variables: {} }),
    (error: Error) => error instanceof InvalidFileError,
  );
});

test.run();
