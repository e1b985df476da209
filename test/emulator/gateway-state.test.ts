import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GatewayState, type PublishedApi } from '../../src/emulator/gateway-state.ts';
import type { Seed } from '../../src/emulator/seed.ts';

const seed: Seed = {
  project: 'p',
  instance: 'i',
  apis: [
    { id: 'a', name: 'orders' },
    { id: 'b', name: 'invoices' },
  ],
  environments: [
    { id: 'e', name: 'RELEASE' },
    { id: 'f', name: 'TEST' },
  ],
  tokens: [{ value: 'good' }, { value: 'reader', permitted: false }],
  users: [{ name: 'ada', password: 'secret', domain: 'acme' }],
};
const now = (): Date => new Date('2026-11-20T08:00:00.123Z');
const gatewayOf = (more: Partial<Seed> = {}): GatewayState => new GatewayState({ ...seed, ...more }, now);

function versionOf(done: ReturnType<GatewayState['publish']>): NonNullable<PublishedApi['effective']> {
  assert.ok('effective' in done && done.effective, JSON.stringify(done));
  return done.effective;
}

const refusalOf = (gateway: GatewayState, token: string, project: string, instance: string) =>
  gateway.checkAccess(gateway.auth.authenticateToken(token), project, instance);

const neverAsked = { api: 'a', environment: 'e', effective: null, record: null, onlineCalls: 0, offlineCalls: 0, switchCalls: 0 };
const id = /^[0-9a-f]{32}$/;

test('online creates a version and makes it effective', () => {
  const gateway = gatewayOf();
  const { publishId, ...version } = versionOf(gateway.publish('a', 'e', 'first'));
  assert.match(version.versionId, id);
  assert.match(publishId, id);
  assert.is(version.publishTime, '2026-11-20T08:00:00.123000000Z');
  assert.is(version.remark, 'first');
  assert.equal(gateway.publications(), [
    {
      ...{ api: 'a', environment: 'e', versions: [version], effective: version, onlineCalls: 1, offlineCalls: 0, switchCalls: 0 },
      record: { publishId, publishTime: version.publishTime },
    },
  ]);
});

test('each online creates a new version, even if the API is online', () => {
  const gateway = gatewayOf();
  const ids = Array.from({ length: 5 }, () => versionOf(gateway.publish('a', 'e', '')));
  assert.is(new Set(ids.map(({ versionId }) => versionId)).size, 5);
  assert.is(new Set(ids.map(({ publishId }) => publishId)).size, 5);
});

test('ten versions are kept, newest first, and the oldest is deleted', () => {
  const gateway = gatewayOf();
  const made = Array.from({ length: 13 }, (_, number) => versionOf(gateway.publish('a', 'e', `${number}`)));
  const [publication] = gateway.publications();
  const ids = made.map(({ versionId }) => versionId);
  assert.equal(
    publication?.versions.map(({ versionId }) => versionId),
    ids.slice(3).reverse(),
  );
  assert.is(publication?.effective?.versionId, ids.at(-1));
  assert.is(publication?.onlineCalls, 13);
});

test('environments and APIs have versions of their own', () => {
  const gateway = gatewayOf();
  for (const [api, environment] of [
    ['a', 'e'],
    ['a', 'f'],
    ['b', 'e'],
  ] as const)
    gateway.publish(api, environment, `${api}${environment}`);
  gateway.takeOffline('a', 'e');
  assert.equal(
    gateway.publications().map(({ api, environment, effective }) => [api, environment, effective?.remark ?? null]),
    [
      ['a', 'e', null],
      ['a', 'f', 'af'],
      ['b', 'e', 'be'],
    ],
  );
});

test('offline keeps the versions and leaves none effective', () => {
  const gateway = gatewayOf();
  const { publishId: _, ...version } = versionOf(gateway.publish('a', 'e', ''));
  const done = gateway.takeOffline('a', 'e');
  assert.equal('api' in done && [done.api.id, done.environmentId, done.effective], ['a', 'e', null]);
  assert.equal(gateway.publications(), [{ ...neverAsked, versions: [version], onlineCalls: 1, offlineCalls: 1 }]);
});

test('offline where nothing is published is rejected, and counted', () => {
  const gateway = gatewayOf();
  const refused = { status: 404, errorCode: 'APIG.3015', errorMsg: 'API a has not been published in environment e' };
  assert.equal(gateway.takeOffline('a', 'e'), refused);
  gateway.publish('a', 'e', '');
  gateway.takeOffline('a', 'e');
  assert.equal(gateway.takeOffline('a', 'e'), refused);
  assert.is(gateway.publications()[0]?.offlineCalls, 3);
});

test('online after offline creates a new version', () => {
  const gateway = gatewayOf();
  const first = versionOf(gateway.publish('a', 'e', ''));
  gateway.takeOffline('a', 'e');
  const second = versionOf(gateway.publish('a', 'e', ''));
  assert.is.not(second.versionId, first.versionId);
  assert.equal(
    gateway.publications()[0]?.versions.map(({ versionId }) => versionId),
    [second.versionId, first.versionId],
  );
});

for (const [what, api, environment, errorCode, errorMsg] of [
  ['API', 'x', 'e', 'APIG.3002', 'API x does not exist'],
  ['environment', 'a', 'x', 'APIG.3003', 'The environment does not exist;id:x'],
  ['API, nor the environment', 'x', 'x', 'APIG.3002', 'API x does not exist'],
] as const) {
  test(`rejects both actions if the ${what} does not exist, and logs nothing`, () => {
    const gateway = gatewayOf();
    const refused = { status: 404, errorCode, errorMsg };
    assert.equal(gateway.publish(api, environment, ''), refused);
    assert.equal(gateway.takeOffline(api, environment), refused);
    assert.equal(gateway.publications(), []);
  });
}

const unauthorized = { status: 401, errorCode: 'APIG.1002', errorMsg: 'Incorrect token or token resolution failed' };
const forbidden = { status: 403, errorCode: 'APIG.1005', errorMsg: 'No permissions to request this method' };
const noInstance = { status: 404, errorCode: 'APIG.3030', errorMsg: 'The instance does not exist;id:x' };

for (const [what, token, project, instance, refused] of [
  ['a known token', 'good', 'p', 'i', null],
  ['no token', '', 'p', 'i', unauthorized],
  ['a wrong token', 'bad', 'p', 'i', unauthorized],
  ['a wrong token, whatever it asks for', 'bad', 'x', 'x', unauthorized],
  ['a token without permission', 'reader', 'p', 'i', forbidden],
  ['another project', 'good', 'x', 'i', forbidden],
  ['another instance', 'good', 'p', 'x', noInstance],
] as const) {
  test(`${refused ? 'rejects' : 'accepts'} ${what}`, () => {
    assert.equal(refusalOf(gatewayOf(), token, project, instance), refused);
  });
}

test('with anyToken every token is accepted but an empty one and one without permission', () => {
  const gateway = gatewayOf({ anyToken: true });
  assert.is(refusalOf(gateway, 'whatever', 'p', 'i'), null);
  assert.equal(refusalOf(gateway, '', 'p', 'i'), unauthorized);
  assert.equal(refusalOf(gateway, 'reader', 'p', 'i'), forbidden);
});

test('adding a seed without anyToken removes the permission from nobody', () => {
  const gateway = gatewayOf({ anyToken: true });
  gateway.add(seed);
  assert.is(refusalOf(gateway, 'whatever', 'p', 'i'), null);
});

test('the versions in a seed can be switched to, ten at most', () => {
  const kept = Array.from({ length: 12 }, (_, index) => ({ api: 'a', environment: 'e', versionId: `v${index}` }));
  const gateway = gatewayOf({ publications: [{ api: 'a', environment: 'e', versionId: 'v0' }], kept });
  assert.equal(
    gateway.publications()[0]?.versions.map(({ versionId }) => versionId),
    ['v0', 'v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8', 'v9'],
  );
  assert.is(versionOf(gateway.switchVersion('a', 'v3')).versionId, 'v3');
});

test('the publications in a seed are online from the start, under their version', () => {
  const gateway = gatewayOf({
    publications: [
      { api: 'a', environment: 'e', versionId: 'v1' },
      { api: 'b', environment: 'e' },
    ],
  });
  const [first, second] = gateway.publications();
  assert.is(first?.effective?.versionId, 'v1');
  assert.match(String(second?.effective?.versionId), id);
  assert.equal([first?.versions.length, first?.onlineCalls, first?.offlineCalls], [1, 0, 0]);
  assert.ok('effective' in gateway.takeOffline('a', 'e'));
});

test('seeding a running gateway adds what is new', () => {
  const gateway = gatewayOf();
  gateway.add({
    project: 'q',
    instance: 'j',
    apis: [{ id: 'c', name: 'payments' }],
    environments: [{ id: 'g', name: 'STAGE' }],
    tokens: [{ value: 'more' }],
    users: [{ name: 'bob', password: 'pw', domain: 'acme' }],
    publications: [{ api: 'c', environment: 'g', versionId: 'v9' }],
  });
  assert.is(refusalOf(gateway, 'more', 'q', 'j'), null);
  assert.is(refusalOf(gateway, 'good', 'p', 'i'), null);
  assert.ok(gateway.auth.logIn({ name: 'bob', password: 'pw', domain: { name: 'acme' } }));
  assert.is(gateway.publications()[0]?.effective?.versionId, 'v9');
  assert.is(versionOf(gateway.publish('c', 'e', 'r')).remark, 'r');
});

test('seeding a running gateway changes nothing that exists', () => {
  const gateway = gatewayOf();
  gateway.publish('a', 'e', 'mine');
  gateway.publish('b', 'e', 'mine');
  gateway.takeOffline('b', 'e');
  const before = structuredClone(gateway.publications());
  gateway.add({
    ...seed,
    apis: [{ id: 'a', name: 'renamed' }],
    tokens: [{ value: 'good', permitted: false }, { value: 'reader' }],
    users: [{ name: 'ada', password: 'changed', domain: 'acme' }],
    publications: [
      { api: 'a', environment: 'e', versionId: 'other' },
      { api: 'b', environment: 'e', versionId: 'other' },
    ],
  });
  assert.equal(gateway.publications(), before);
  assert.is(refusalOf(gateway, 'good', 'p', 'i'), null);
  assert.equal(refusalOf(gateway, 'reader', 'p', 'i'), forbidden);
  assert.ok(gateway.auth.logIn({ name: 'ada', password: 'secret', domain: { name: 'acme' } }));
  assert.is(gateway.auth.logIn({ name: 'ada', password: 'changed', domain: { name: 'acme' } }), null);
  const done = gateway.takeOffline('a', 'e');
  assert.is('api' in done && done.api.name, 'orders');
});

test('counts each publication that is made or taken offline, and nothing else', () => {
  const gateway = gatewayOf({ publications: [{ api: 'b', environment: 'e' }] });
  assert.is(gateway.changes, 0);
  gateway.publish('a', 'e', '');
  gateway.publish('a', 'e', '');
  gateway.takeOffline('a', 'e');
  gateway.takeOffline('a', 'e');
  gateway.publish('x', 'e', '');
  assert.is(gateway.changes, 3);
});

test('a dry run responds like the real call and changes nothing, even if it throws', () => {
  const gateway = gatewayOf();
  const dryRun = gateway.dryRun(() => gateway.publish('a', 'e', 'r'));
  assert.is(versionOf(dryRun).remark, 'r');
  assert.throws(() =>
    gateway.dryRun(() => {
      throw new Error('stop');
    }),
  );
  assert.equal(gateway.publications(), []);
  assert.is(gateway.changes, 0);
  gateway.publish('a', 'e', '');
  gateway.dryRun(() => gateway.takeOffline('a', 'e'));
  assert.ok(gateway.publications()[0]?.effective);
});

test('versions show changes after the propagation delay, and seeded ones at once', () => {
  let nowMs = 0;
  const gateway = new GatewayState({ ...seed, publications: [{ api: 'a', environment: 'f', versionId: 'v1' }] }, () => new Date(nowMs), {
    propagationDelayMs: 2_000,
  });
  const seen = () => {
    const versions = gateway.versions('a');
    assert.ok(!('status' in versions));
    return versions.map(({ environment, version, isEffective }) => [environment.id, version.remark || version.versionId, isEffective]);
  };
  gateway.publish('a', 'e', 'first');
  nowMs = 1_999;
  assert.equal(seen(), [['f', 'v1', true]]);
  gateway.takeOffline('a', 'f');
  nowMs = 2_000;
  assert.equal(seen(), [
    ['e', 'first', true],
    ['f', 'v1', true],
  ]);
  nowMs = 3_999;
  assert.equal(seen(), [
    ['e', 'first', true],
    ['f', 'v1', false],
  ]);
});

test('an API that does not exist has no versions', () => {
  assert.equal(gatewayOf().versions('x'), { status: 404, errorCode: 'APIG.3002', errorMsg: 'API x does not exist' });
});

test('a value that was read does not change later', () => {
  const gateway = gatewayOf();
  gateway.publish('a', 'e', 'first');
  const [read] = gateway.publications();
  gateway.publish('a', 'e', 'second');
  assert.is(read?.versions.length, 1);
  assert.is(read?.effective?.remark, 'first');
});

test.run();
