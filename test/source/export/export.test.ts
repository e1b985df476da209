import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import type { ObservedApi } from '../../../src/model/observation.ts';
import { publicationKey } from '../../../src/model/publication.ts';
import { diffStates } from '../../../src/plan/diff.ts';
import { applyObservation } from '../../../src/plan/drift.ts';
import { exportGateway, type GatewayListing } from '../../../src/source/export/export.ts';
import { isValidId } from '../../../src/source/export/identifiers.ts';
import { parseDesiredState } from '../../../src/source/parser.ts';
import { fc, runs } from '../../support/fast-check.ts';
import { listings } from '../../support/gateway-listings.ts';

const gateway = { endpoint: 'https://roma.example.com/', project: 'p-1', instance: 'i-1' };
const release = { id: 'DEFAULT_ENVIRONMENT_RELEASE_ID', name: 'RELEASE' };
const edited = Date.parse('2026-11-20T09:30:00Z');

function api(apiId: string, name: string, where: readonly string[], more: Partial<ObservedApi> = {}): ObservedApi {
  const publication = { publishId: `p-${apiId}`, publishedAtMs: edited - 60_000 };
  const publications = new Map(where.map((id) => [id, publication]));
  return { apiId, name, groupId: 'g-1', group: 'shop', editedAtMs: edited - 90_000, publications, ...more };
}

const read = (text: string) => parseDesiredState({ text, file: 'edict.yaml', variables: {} });
const write = (listing: Partial<GatewayListing>) => exportGateway({ gateway, apis: [], environments: [release], ...listing });
/** Returns the part of the file that begins with `key`. */
const part = (text: string, key: string): string => text.slice(text.indexOf(`\n${key}:`) + 1);

test('writes the whole gateway, with words on every block', () => {
  const { text, warnings } = write({
    apis: [api('a2', 'orders', [release.id, 't2']), api('a1', 'invoices', []), api('a3', 'Orders (v2)', ['t2'], { editedAtMs: edited })],
    environments: [release, { id: 't2', name: 'test' }],
  });
  assert.equal(warnings, []);
  assert.is(
    text,
    `# yaml-language-server: $schema=./edict.schema.json

# Written by edict import from https://roma.example.com, instance i-1.
# edict plan --refresh shows what differs from the gateway: nothing, as long as neither has changed.
# From then on this file decides: edit it, look at the plan, and let edict apply or edict run make the calls.
# For completion in editors: edict schema > edict.schema.json, beside this file.

edict: 1

# Where the calls go, and how many at most. Credentials come from the environment, never from here.
gateway:
  endpoint: https://roma.example.com
  project: p-1
  instance: i-1
  limit: { calls: 10, per: 1s, concurrency: 4 }

# The short names below stand for these. Where protected, nothing goes offline until a person agrees.
environments:
  release: { id: DEFAULT_ENVIRONMENT_RELEASE_ID, protected: true } # "RELEASE" at the gateway
  test: t2

# Whether a publication that is removed from this file is taken offline. If false, it stays published.
prune: false

# Which API is online where. In an environment that an API does not name, edict leaves it as it is; where none is named, the API
# was published nowhere. To publish one, write such as { release: online }; to publish an edited one again, add revision: TEXT.
apis:
  # "Orders (v2)" in group "shop" at the gateway.
  # Edited 2026-11-20T09:30:00Z, after it was published in test (2026-11-20T09:29:00Z): the next online there publishes the newer draft.
  Orders-v2:
    id: a3
    environments: { test: online }
  invoices:
    id: a1
    environments: {}
  orders:
    id: a2
    environments: { release: online, test: online }
`,
  );
});

test('an empty gateway is a file, too', () => {
  const { text } = write({ environments: [] });
  assert.match(
    part(text, 'environments'),
    '  release: { id: DEFAULT_ENVIRONMENT_RELEASE_ID, protected: true } # not listed by the gateway\n',
  );
  assert.is(part(text, 'apis'), 'apis: {}\n');
  assert.is(read(text).publications.size, 0);
});

test('the identity service is written where it was named', () => {
  const { text } = write({ gateway: { ...gateway, iam: 'https://iam.example.org/' } });
  assert.match(text, '\n  iam: https://iam.example.org\n');
  assert.is(read(text).gateway.iamEndpoint, 'https://iam.example.org');
});

test('what YAML would take for something else stands in quotes', () => {
  const { text } = write({
    apis: [api('1e3', 'null', ['12']), api('a', 'yes', ['12'])],
    environments: [{ id: '12', name: 'on' }],
  });
  assert.is(
    part(text, 'apis'),
    `apis:\n  "null":\n    id: "1e3"\n    environments: { "on": online }\n  "yes":\n    id: a\n    environments: { "on": online }\n`,
  );
});

test('a few environments stand in one line, many one a line', () => {
  const environments = Array.from({ length: 12 }, (_, index) => ({ id: `e${index}`, name: `environment-${index}` }));
  const ids = environments.map(({ id }) => id);
  const { text } = write({ environments, apis: [api('a', 'orders', ids), api('b', 'carts', ids.slice(0, 4))] });
  assert.match(part(text, 'apis'), /environments: \{ environment-0: online, .*, environment-3: online \}\n/);
  assert.match(part(text, 'apis'), /environments:\n {6}environment-0: online\n {6}environment-1: online\n {6}environment-10: online\n/);
});

test('what the file has no way to name is told', () => {
  const { text, warnings } = write({
    apis: [api('a b', 'carts\napis: {}', [release.id]), api('a', 'orders', [release.id, 'e\n2'])],
    environments: [release, { id: 'e\n2', name: 'test' }],
  });
  assert.equal(warnings, ['Left out, since their IDs are none that a file may hold. See the end of the file: 2 in all.']);
  assert.match(text, '  # Also published in an environment that is left out: "e\\n2".\n  orders:\n');
  const end = `
# Left out, since their IDs are none that a file may hold.
# - environment "test", ID "e\\n2"
# - API "carts\\napis: {}" in group "shop", ID "a b"
`;
  assert.is(text.slice(-end.length), end);
  assert.is(read(text).publications.size, 1);
});

test('a plan over any gateway and its own file has no change', () => {
  fc.assert(
    fc.property(listings, (listing) => {
      const { text } = exportGateway(listing);
      const desired = read(text);
      const observation = new Map(listing.apis.map((one) => [one.apiId, one]));
      const { recorded, notices } = applyObservation(desired, new Map(), observation, edited);
      const { changes, unchanged } = diffStates(desired, recorded);
      assert.equal(changes, []);
      const published = listing.apis
        .filter(({ apiId }) => isValidId(apiId))
        .flatMap(({ apiId, publications }) => [...publications.keys()].filter(isValidId).map((id) => publicationKey(apiId, id)));
      assert.equal([...desired.publications.keys()].sort(), published.sort());
      assert.is(unchanged, published.length);
      assert.ok(notices.every(({ kind }) => kind === 'adopted'));
    }),
    { numRuns: runs(2000) },
  );
});

test('every environment and API is named once, whatever they are called', () => {
  fc.assert(
    fc.property(listings, (listing) => {
      const { text } = exportGateway(listing);
      for (const version of ['1.2', '1.1'] as const) {
        const file = parse(text, { version, mapAsMap: true }) as Map<string, Map<string, Map<string, string> | string>>;
        const ids = (block: string) =>
          [...(file.get(block)?.values() ?? [])].map((value) => (value instanceof Map ? value.get('id') : value));
        assert.equal(
          ids('apis').sort(),
          listing.apis
            .map(({ apiId }) => apiId)
            .filter(isValidId)
            .sort(),
        );
        for (const { id } of listing.environments) assert.is(ids('environments').includes(id), isValidId(id));
        assert.equal([...file.keys()], ['edict', 'gateway', 'environments', 'prune', 'apis']);
      }
    }),
    { numRuns: runs(500) },
  );
});

test('the order in which the gateway lists changes nothing', () => {
  fc.assert(
    fc.property(listings, (listing) => {
      const apis = listing.apis.map((one) => ({ ...one, publications: new Map([...one.publications].reverse()) })).reverse();
      const { text } = exportGateway({ ...listing, apis, environments: [...listing.environments].reverse() });
      assert.is(text, exportGateway(listing).text);
    }),
    { numRuns: runs(300) },
  );
});

test('5,000 APIs in three environments take about a second at most', () => {
  const places = [release.id, 't2', 'e3'];
  const apis = Array.from({ length: 5000 }, (_, index) => api(`a${index}`, `orders ${index % 3000}`, places, { editedAtMs: edited }));
  const began = performance.now();
  const { text } = write({ apis, environments: places.map((id) => ({ id, name: id })) });
  const tookMs = performance.now() - began;
  assert.ok(tookMs < 3000, `${tookMs} ms`); // measured: 240 ms
  assert.is(read(text).publications.size, 15_000);
});

test.run();
