import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type NameKey, nameKey } from '../../../src/model/name-ref.ts';
import type { ObservedApi } from '../../../src/model/observation.ts';
import { type PublicationKey, publicationKey } from '../../../src/model/publication.ts';
import type { RecordedPublication } from '../../../src/model/recorded-state.ts';
import { listDeclaredApis } from '../../../src/source/export/declared-apis.ts';
import { findMissing, type MissingDeclarations } from '../../../src/source/export/missing.ts';
import { parseFile } from '../../../src/source/parser.ts';

const nowMs = Date.parse('2026-11-20T10:00:00Z');
const hourMs = 3_600_000;
const releaseId = 'DEFAULT_ENVIRONMENT_RELEASE_ID';
const environments = [
  { id: 'e-test', name: 'TEST' },
  { id: releaseId, name: 'RELEASE' },
  { id: 'e-stage', name: 'Stage 2' },
];

function api(apiId: string, name: string, where: readonly string[], more: Partial<ObservedApi> = {}): ObservedApi {
  const publications = new Map(where.map((id) => [id, { publishId: `p-${apiId}`, publishedAtMs: nowMs - 2 * hourMs }]));
  return { apiId, name, groupId: 'g', group: 'shop', editedAtMs: nowMs - 3 * hourMs, publications, ...more };
}

function recordedPublication(apiId: string, more: Partial<RecordedPublication> = {}): [PublicationKey, RecordedPublication] {
  const key = publicationKey(apiId, 'e-test');
  const names = { key, api: 'orders', apiId, environment: 'test', environmentId: 'e-test' };
  const times = {
    publishedAtMs: nowMs - 2 * hourMs,
    editedAtMs: null,
    recordedAtMs: nowMs - hourMs,
    lastCorrectedAtMs: null,
    changedAtMs: null,
    wasDeclared: false,
  };
  const state = { state: 'online', revision: null, versionId: null, publishId: `p-${apiId}`, unknownAttempt: null, drift: null } as const;
  return [key, { ...names, ...state, ...times, correctionCount: 0, ...more }];
}

interface Found {
  readonly apis: readonly ObservedApi[];
  readonly recorded?: ReadonlyMap<PublicationKey, RecordedPublication>;
  readonly knownIds?: ReadonlyMap<NameKey, string>;
}

/** Returns what is missing in a file that ends with `text`, whose environment is `test`. */
function missing(text: string, { apis, recorded = new Map(), knownIds = new Map() }: Found): MissingDeclarations {
  const head = 'edict: 1\ngateway: { endpoint: "https://roma.example.com", project: p, instance: i }\nenvironments: { test: e-test }\n';
  const source = { file: 'edict.yaml', relativePath: '', text: head + text };
  const parsed = parseFile({ ...source, variables: {} });
  const resolutions = new Map(
    parsed.nameRefs.map((ref) => {
      const key = nameKey(ref);
      const id = knownIds.get(key) ?? apis.find(({ name }) => name === ref.name)?.apiId;
      return [key, id === undefined ? ({ kind: 'none', available: [] } as const) : ({ kind: 'one', id } as const)];
    }),
  );
  const desired = parsed.toDesiredState(resolutions);
  return findMissing({ desired, declaredApis: listDeclaredApis([source]), recorded, knownIds, apis, environments, readAtMs: nowMs });
}

/** Returns what is added, as `API ENVIRONMENT` and its revision. */
const added = ({ edits }: MissingDeclarations): string[] =>
  edits.map(({ api: name, environment, revision }) => `${name} ${environment}${revision ? ` ${revision}` : ''}`);
const skipped = (found: MissingDeclarations): string[] =>
  found.skipped.map(({ api: name, environment, reason }) => `${name} ${environment}: ${reason}`);

test('what is online and not declared is found, with new names for new APIs and environments', () => {
  const found = missing('apis: { orders: { id: a1, environments: { test: online } } }\n', {
    apis: [
      api('a1', 'orders', ['e-test', releaseId]),
      api('a2', 'orders', ['e-stage']),
      api('a3', 'Carts (v2)', ['e-test']),
      api('a4', 'users', []),
    ],
  });
  assert.equal(added(found), ['Carts-v2 test', 'orders release', 'orders-shop stage-2']);
  assert.equal(
    found.newEnvironments.map(({ key, id }) => [key, id]),
    [
      ['release', releaseId],
      ['stage-2', 'e-stage'],
    ],
  );
  assert.equal(
    [...found.apiComments],
    [
      ['a2', ['"orders" in group "shop" at the gateway.']],
      ['a3', ['"Carts (v2)" in group "shop" at the gateway.']],
    ],
  );
  assert.equal(found.skipped, []);
});

test('an API is found by its ID or its name, also without publications, and keeps its key', () => {
  const apis = [api('a1', 'orders', ['e-test']), api('a2', 'carts', ['e-test']), api('a3', 'users', ['e-test'])];
  const text =
    'apis:\n  first: { id: a1, environments: {} }\n  second: { name: carts, group: shop, environments: {} }\n  users: { environments: {} }\n';
  assert.equal(added(missing(text, { apis })), ['first test', 'second test', 'users test']);
  // The name was resolved to an API that was deleted since: the new one is another API.
  const knownIds = new Map([[nameKey({ kind: 'api', name: 'users', group: null }), 'a0']]);
  assert.equal(added(missing(text, { apis, knownIds })), ['first test', 'second test', 'users-shop test']);
});

test('what the file declares offline and what has an ID that no file may use is skipped', () => {
  const found = missing('apis: { orders: { id: a1, environments: { test: offline } } }\n', {
    apis: [api('a1', 'orders', ['e-test', 'e\n2']), api('a b', 'carts\n', ['e-test'])],
  });
  assert.equal(added(found), []);
  assert.equal(skipped(found), [
    '"carts\\n" test: the ID of its API is not allowed in a file',
    'orders "e\\n2": the ID of its environment is not allowed in a file',
    'orders test: the file declares it offline',
  ]);
});

const orders = api('a1', 'orders', ['e-test']);
const revised = 'apis: { orders: { id: a1, revision: r2, environments: {} } }\n';

test('the recorded revision is kept where that of the API would publish again', () => {
  assert.equal(added(missing(revised, { apis: [orders] })), ['orders test']);
  assert.equal(added(missing(revised, { apis: [orders], recorded: new Map([recordedPublication('a1', { revision: 'r2' })]) })), [
    'orders test',
  ]);
  assert.equal(added(missing(revised, { apis: [orders], recorded: new Map([recordedPublication('a1', { revision: 'r1' })]) })), [
    'orders test r1',
  ]);
});

test('what the next plan would change or takes offline is skipped', () => {
  const reasons = (text: string, of: ObservedApi, recorded: Partial<RecordedPublication> | null): string[] => {
    const found = missing(text, { apis: [of], recorded: new Map(recorded ? [recordedPublication('a1', recorded)] : []) });
    assert.equal(added(found), []);
    return found.skipped.map(({ reason }) => reason);
  };
  const unknownAttempt = {
    attemptId: 1,
    action: 'online',
    revision: null,
    version: null,
    marker: null,
    startedAtMs: nowMs,
    sendByMs: nowMs,
    endedAtMs: null,
  } as const;
  assert.equal(reasons(revised, orders, {}), ['the `revision` of its API would publish it again']);
  assert.equal(reasons('republish: edited\napis: {}\n', { ...orders, editedAtMs: nowMs }, null), [
    'it was edited after it was published, and `republish: edited` would publish it again',
  ]);
  assert.equal(reasons('apis: {}\n', orders, { unknownAttempt }), ['the outcome of an attempt is unknown']);
  assert.equal(reasons('prune: true\napis: {}\n', orders, {}), ['it has left the file, and `prune` takes it offline']);
  assert.equal(reasons('apis: {}\n', orders, { state: 'offline', recordedAtMs: nowMs - 1000 }), [
    'edict took it offline a moment ago, and the list may be older',
  ]);
  assert.equal(added(missing('apis: {}\n', { apis: [orders], recorded: new Map([recordedPublication('a1', { state: 'offline' })]) })), [
    'orders test',
  ]);
});

test.run();
