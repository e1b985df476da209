import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { KnownVersions } from '../../../src/controller/observe/earlier-publications.ts';
import { observationTimeLimitMs, observeGateway, observeUnseen } from '../../../src/controller/observe/observation.ts';
import type { GatewayReader } from '../../../src/gateway/interface.ts';
import type { DesiredPublication, DesiredState } from '../../../src/model/desired-state.ts';
import type { LastObservation, ListedVersion, ObservedApi, ObservedPublication } from '../../../src/model/observation.ts';
import type { Failure, ReadFailure, ReadResult } from '../../../src/model/outcome.ts';
import { publicationKey } from '../../../src/model/publication.ts';
import type { RecordedPublication } from '../../../src/model/recorded-state.ts';
import { diffStates } from '../../../src/plan/diff.ts';
import type { StoreReader } from '../../../src/store/interface.ts';
import { openStore } from '../../../src/store/open.ts';
import { emptyStore } from '../../../src/store/readonly-store.ts';
import {
  change,
  desiredState,
  gatewaySettings,
  lastObservation,
  recorded,
  recordedState,
  unknownAttemptOf,
  wanted,
} from '../../support/states.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const nowMs = 1_000_000_000_000;
const hourMs = 3_600_000;

function failing(kind: ReadFailure['kind'], code: string): ReadFailure {
  const failure: Failure = { code, status: null, message: 'x', hint: null, requestId: null, retryAfterMs: null };
  return { kind, failure };
}

/** A listed API and the environments where it is published. */
function listed(api: string, ...environments: readonly string[]): ObservedApi {
  const publications = new Map<string, ObservedPublication>(
    environments.map((environment) => [`env-${environment}`, { publishId: 'p', publishedAtMs: 1 }]),
  );
  return { apiId: `api-${api}`, name: api, groupId: '', group: '', editedAtMs: null, publications };
}

function effective(versionId: string): ListedVersion {
  return { versionId, versionNumber: '', remark: '', publishedAtMs: null, isEffective: true };
}

interface Scene {
  readonly desired?: DesiredState;
  readonly record?: readonly RecordedPublication[];
  readonly list?: readonly ObservedApi[] | ReadFailure;
  readonly api?: (apiId: string) => Promise<ReadResult<ObservedApi | null>>;
  readonly versions?: (apiId: string) => Promise<ReadResult<readonly ListedVersion[]>>;
  readonly listedBefore?: LastObservation | null;
  readonly reader?: Partial<StoreReader>;
  readonly now?: () => number;
  readonly steadyMs?: number;
  readonly maxLookups?: number;
  readonly knownVersions?: KnownVersions;
  /** The publications to look for; default: the whole gateway is observed. */
  readonly unseen?: readonly DesiredPublication[];
}

/** Observes a gateway with canned responses and counts its requests. */
async function observeWith(scene: Scene) {
  const {
    desired = desiredState([wanted('orders', 'test')]),
    record = [],
    list = [],
    listedBefore = null,
    now = () => nowMs,
    steadyMs = Number.POSITIVE_INFINITY,
    maxLookups = Number.POSITIVE_INFINITY,
    knownVersions = new Map(),
  } = scene;
  const asked: string[] = [];
  const gateway: GatewayReader = {
    identity: desired.gateway,
    listApis: async () => {
      asked.push('apis');
      return 'kind' in list ? list : { kind: 'read', value: new Map(list.map((api) => [api.apiId, api])) };
    },
    getApi: (apiId) => {
      asked.push(apiId);
      return scene.api?.(apiId) ?? Promise.resolve({ kind: 'read', value: null });
    },
    listVersions: ({ apiId }) => {
      asked.push(`versions of ${apiId}`);
      return scene.versions?.(apiId) ?? Promise.resolve({ kind: 'read', value: [] });
    },
    listApiVersions: async (apiId) => {
      asked.push(`all versions of ${apiId}`);
      const read = (await scene.versions?.(apiId)) ?? { kind: 'read', value: [] };
      return read.kind === 'read' ? { kind: 'read', value: new Map([['env-test', read.value]]) } : read;
    },
    listEnvironments: () => Promise.reject(new Error('environments were asked for')),
    close: async () => undefined,
  };
  const reader: StoreReader = {
    ...emptyStore,
    readRecordedState: async () => recordedState(record),
    lastObservation: async () => listedBefore,
    ...scene.reader,
  };
  const deps = { gateway, record: reader, clock: { now }, signal: new AbortController().signal, steadyMs, maxLookups, knownVersions };
  const seen = await (scene.unseen ? observeUnseen(desired, scene.unseen, deps) : observeGateway(desired, deps));
  const observed = seen.kind === 'observed' ? seen : null;
  const reason = seen.kind === 'failed' ? seen.reason : null;
  const reasons = observed
    ? diffStates(desired, observed.recorded).changes.map((each) => `${each.api} ${each.action} ${each.reason}`)
    : null;
  return { seen, observed, reason, asked, reasons, notices: observed?.notices.map(({ kind }) => kind) ?? [] };
}

const online = recorded('orders', 'test', { publishId: 'p', publishedAtMs: 1 });

test('merges the published APIs into the recorded state, with one read', async () => {
  const { observed, notices, asked, reasons } = await observeWith({ list: [listed('orders', 'test'), listed('others', 'test')] });
  assert.equal([notices, asked, reasons], [['adopted'], ['apis'], []]);
  const others = { key: publicationKey('api-others', 'env-test'), api: 'others', apiId: 'api-others' };
  const unmanaged = [{ ...others, environment: 'test', environmentId: 'env-test' }];
  assert.equal(observed?.listed, {
    apis: 2,
    publications: 2,
    observedAtMs: nowMs,
    unmanaged,
    missingApiIds: [],
    unreadVersions: [],
    lookedUp: new Set(),
  });
  assert.equal(
    observed?.updates.map(({ api, state }) => [api, state]),
    [['orders', 'online']],
  );
  assert.is(observed?.recorded.size, 1);
});

const added = [wanted('orders', 'test'), wanted('orders', 'prod'), wanted('carts', 'test')];
const large = lastObservation(1001, { publications: 900, observedAtMs: nowMs - hourMs });

test('publications that a file adds are looked for with one read for each API where the list has more pages', async () => {
  const api = async (apiId: string) => ({ kind: 'read', value: apiId === 'api-orders' ? listed('orders', 'test') : null }) as const;
  const desired = desiredState([...added, wanted('users', 'test')]);
  const record = [recorded('users', 'test')];
  const { seen, observed, asked, reasons, notices } = await observeWith({ desired, record, listedBefore: large, api, unseen: added });
  assert.equal([asked, notices], [['api-carts', 'api-orders'], ['adopted']]);
  assert.equal(reasons, ['carts online new', 'orders online new']);
  assert.equal(
    observed?.updates.map(({ key }) => key),
    [wanted('orders', 'test').key],
  );
  const missing = { ...large, missingApiIds: ['api-carts'] };
  assert.equal([observed?.listed, observed?.isComplete, seen.kind], [missing, false, 'observed'], 'it counts as no list');
});

for (const [why, listedBefore] of [
  ['no more pages', lastObservation(1000)],
  ['a single page', lastObservation(3)],
  ['never been read', null],
] as const) {
  test(`the list is read for publications that a file adds where it has ${why}`, async () => {
    const { asked, observed, notices } = await observeWith({ listedBefore, list: [listed('orders', 'test')], unseen: added });
    assert.equal([asked[0], observed?.isComplete, notices], ['apis', true, ['adopted']]);
  });
}

test('the list is read if the gateway refuses to show a single API, and a read that fails gives the reason', async () => {
  const refused = await observeWith({ listedBefore: large, api: async () => failing('rejected', 'APIG.1005'), unseen: added });
  assert.equal(refused.asked.slice(0, 2), ['api-carts', 'apis']);
  const down = await observeWith({ listedBefore: large, api: async () => failing('retryable', 'APIG.9999'), unseen: added });
  assert.equal([down.asked, down.reason], [['api-carts'], 'APIG.9999 x']);
});

test('a publication that was recorded while it was looked for keeps its recorded state', async () => {
  const api = async () => ({ kind: 'read', value: listed('orders', 'test') }) as const;
  const record = [recorded('orders', 'test', { revision: 'r7' })];
  const { observed } = await observeWith({ listedBefore: large, record, api, unseen: [wanted('orders', 'test')] });
  assert.equal([observed?.updates, observed?.recorded], [[], recordedState(record)]);
});

for (const kind of ['throttled', 'retryable', 'rejected', 'unauthorized'] as const) {
  test(`a list that cannot be read (${kind}) changes nothing and gives the reason`, async () => {
    const { reason, asked } = await observeWith({ record: [online], list: failing(kind, 'APIG.1') });
    assert.equal([reason, asked], ['APIG.1 x', ['apis']]);
  });
}

test('a gateway that is not read within the time limit changes nothing and gives the reason', async () => {
  // This process would end without a timer.
  const alive = setInterval(() => {}, 1000);
  const gateway = {
    listApis: async (signal: AbortSignal) => {
      if (!signal.aborted) await once(signal, 'abort');
      return failing('retryable', 'REQUEST_NOT_SENT');
    },
  } as unknown as GatewayReader;
  const observe = (signal: AbortSignal) =>
    observeGateway(desiredState([wanted('orders', 'test')]), {
      gateway,
      record: emptyStore,
      clock: { now: () => nowMs },
      signal,
      timeLimitMs: 30,
    });
  assert.equal(await observe(new AbortController().signal), {
    kind: 'failed',
    reason: 'it was not read within 0.0 s',
    listed: null,
    isRefused: false,
    unauthorized: null,
    hint: null,
  });
  const aborted = await observe(AbortSignal.abort());
  assert.equal(aborted, { kind: 'failed', reason: 'REQUEST_NOT_SENT x', listed: null, isRefused: false, unauthorized: null, hint: null });
  clearInterval(alive);
});

test('the time limit is longer where the limit needs longer for the largest gateway', () => {
  assert.is(observationTimeLimitMs({ calls: 10, perMs: 1000 }), 350_000);
  assert.is(observationTimeLimitMs({ calls: 1, perMs: 60_000 }), 300_000 + 500 * 60_000);
});

test('the time limit is one that a timer takes, whatever the limit', () => {
  for (const [calls, perMs] of [
    [3, 1000],
    [1_000_000, 1000],
    [1, 86_400_000],
    [7, 50],
  ] as const)
    assert.not.throws(() => AbortSignal.timeout(observationTimeLimitMs({ calls, perMs })), `${calls} per ${perMs} ms`);
});

test('a list that leaves out an existing API is not trusted at all', async () => {
  const { reason, asked } = await observeWith({
    desired: desiredState([wanted('orders', 'test'), wanted('carts', 'test')]),
    list: [listed('carts', 'test')],
    api: async () => ({ kind: 'read', value: listed('orders', 'test') }),
  });
  assert.equal(asked, ['apis', 'api-orders']);
  assert.match(reason ?? '', 'api-orders');
});

test('a deleted API is published nowhere; one that may not be read says nothing; neither spoils the observation', async () => {
  const api = async (apiId: string): Promise<ReadResult<ObservedApi | null>> =>
    apiId === 'api-gone' ? { kind: 'read', value: null } : failing('rejected', 'APIG.1005');
  const record = [online, recorded('gone', 'test'), recorded('secret', 'test')];
  const { observed, asked } = await observeWith({ record, list: [listed('orders')], api });
  assert.equal(asked, ['apis', 'api-gone', 'api-secret', 'versions of api-orders']);
  assert.equal(
    observed?.updates.map(({ api: name, state }) => [name, state]),
    [
      ['orders', 'offline'],
      ['gone', 'offline'],
    ],
  );
});

test('an API that was recreated under its name is reported, and not taken for the old one', async () => {
  const nameRef = { kind: 'api', name: 'orders', group: null } as const;
  const recreated = { ...listed('carts', 'test'), apiId: 'api-anew', name: 'orders' };
  const { observed } = await observeWith({
    desired: desiredState([wanted('orders', 'test', { nameRef })]),
    record: [online],
    list: [recreated],
    api: async () => ({ kind: 'read', value: null }),
  });
  assert.equal(
    observed?.notices.map(({ kind, apiId, replacementId }) => [kind, apiId, replacementId]),
    [['apiDeleted', 'api-orders', 'api-anew']],
  );
  assert.equal([...(observed?.recorded.keys() ?? [])], [online.key]);
});

for (const kind of ['throttled', 'retryable', 'unauthorized'] as const) {
  test(`a confirming read that fails (${kind}) leaves everything as it was`, async () => {
    const api = async () => failing(kind, 'APIG.1');
    assert.is((await observeWith({ record: [online], list: [], api })).reason, 'APIG.1 x');
    assert.is((await observeWith({ record: [online], list: [listed('orders')], versions: api })).reason, 'APIG.1 x');
    const pinned = desiredState([wanted('orders', 'test', { version: 'v' })]);
    assert.is((await observeWith({ desired: pinned, list: [listed('orders', 'test')], versions: api })).reason, 'APIG.1 x');
  });
}

test('a publication that the list no longer shows is read individually before the list is believed', async () => {
  const desired = desiredState([wanted('orders', 'test', { driftPolicy: 'correct' })]);
  const wrong = await observeWith({
    desired,
    record: [online],
    list: [listed('orders', 'release')],
    versions: async () => ({ kind: 'read', value: [effective('v')] }),
  });
  assert.match(wrong.reason ?? '', /api-orders.*env-test/);
  const right = await observeWith({ desired, record: [online], list: [listed('orders', 'release')] });
  assert.equal([right.notices, right.reasons], [['drift'], ['orders online drift']]);
  const unreadable = await observeWith({
    desired,
    record: [online],
    list: [listed('orders')],
    versions: async () => failing('rejected', 'APIG.1005'),
  });
  assert.equal(unreadable.notices, ['drift'], 'if the versions cannot be read, the list alone counts');
});

test('at first contact, the versions of what the file wants online are read before the list is believed', async () => {
  const scene: Scene = {
    desired: desiredState([wanted('orders', 'test'), wanted('invoices', 'test')]),
    list: [listed('orders'), listed('invoices')],
  };
  const shown = await observeWith({
    ...scene,
    versions: async (apiId) => ({ kind: 'read', value: apiId === 'api-orders' ? [effective('v')] : [] }),
  });
  assert.is(shown.seen.kind, 'failed');
  const { seen, asked } = await observeWith(scene);
  assert.equal([seen.kind, asked], ['observed', ['apis', 'all versions of api-invoices', 'all versions of api-orders']]);
  const known = await observeWith({ ...scene, listedBefore: lastObservation(2) });
  assert.equal(known.asked, ['apis']);
});

test('at first contact, one read for each API tells where it was published before', async () => {
  const past = { ...effective('v'), isEffective: false, publishedAtMs: 5 };
  const environments = ['test', 'prod'];
  const desired = desiredState(['a', 'b', 'c'].flatMap((api) => environments.map((environment) => wanted(api, environment))));
  const list = [listed('a'), listed('b'), listed('c', 'test', 'prod')];
  const versions = async (apiId: string) =>
    ({ kind: 'read', value: apiId === 'api-a' ? [past, { ...past, publishedAtMs: 9 }] : [] }) as const;
  const { asked, updates, notices } = await lookUp({ desired, list, versions });
  assert.equal(asked, ['apis', 'all versions of api-a', 'all versions of api-b']);
  assert.equal(updates, { 'a test': ['offline', 9, 'unknown'], 'c test': ['online', 1, undefined], 'c prod': ['online', 1, undefined] });
  assert.equal(notices, ['foundOffline', 'adopted', 'adopted']);
});

/** Observes, and returns what is updated: state, time of publication, and the state before the drift. */
async function lookUp(scene: Scene) {
  const { asked, observed, notices } = await observeWith(scene);
  const updates = (observed?.updates ?? []).map(({ api, environment, state, publishedAtMs, drift }): [string, unknown[]] => [
    `${api} ${environment}`,
    [state, publishedAtMs, drift?.from],
  ]);
  return { asked, notices, observed, updates: Object.fromEntries(updates) };
}

const manyNew = Array.from({ length: 60 }, (_, index) => `a${String(index).padStart(2, '0')}`);
const newScene = { desired: desiredState(manyNew.map((api) => wanted(api, 'test'))), list: manyNew.map((api) => listed(api)) };

test('a command that writes nothing reads only so many versions, and says of which publications it has not', async () => {
  const { asked, notices, updates } = await lookUp({ ...newScene, maxLookups: 25 });
  assert.equal([asked.length, notices.length, new Set(notices)], [26, 35, new Set(['unread'])]);
  assert.equal(updates, {});
});

test('where the gateway refuses the versions, nothing passes, and twenty refusals in a row are enough', async () => {
  const refused = failing('rejected', 'APIG.1005');
  const first = await lookUp({ ...newScene, versions: async () => refused });
  assert.ok(first.asked.length >= 21 && first.asked.length <= 20 + newScene.desired.gateway.limit.concurrency, `${first.asked.length}`);
  assert.equal(new Set(Object.values(first.updates).map(String)), new Set([String([null, null, 'unknown'])]));
  assert.is(Object.keys(first.updates).length, 60);
  const record = [...(first.observed?.recorded.values() ?? [])];
  const again = await lookUp({ ...newScene, record, listedBefore: lastObservation(60), versions: async () => refused });
  assert.equal([again.asked.length, again.updates], [first.asked.length, {}]);
  const allowed = await observeWith({ ...newScene, record, listedBefore: lastObservation(60) });
  assert.equal(
    [allowed.asked.length, allowed.reasons?.length, new Set(allowed.reasons?.map((text) => text.slice(4)))],
    [61, 60, new Set(['online new'])],
  );
  const partly = await lookUp({
    ...newScene,
    versions: async (apiId) => (Number(apiId.slice(5)) % 3 === 0 ? { kind: 'read', value: [] } : refused),
  });
  assert.equal([partly.asked.length, Object.keys(partly.updates).length], [61, 40]);
});

test('a look that fails reads the rest the next time, and nothing twice', async () => {
  const knownVersions = new Map();
  let isFailing = true;
  const versions = async (apiId: string) =>
    apiId === 'api-a30' && isFailing ? failing('retryable', 'APIG.9999') : ({ kind: 'read', value: [] } as const);
  const first = await observeWith({ ...newScene, versions, knownVersions });
  assert.match(first.reason ?? '', 'APIG.9999');
  isFailing = false;
  const second = await observeWith({ ...newScene, versions, knownVersions });
  assert.equal([first.asked.length + second.asked.length, second.reasons?.length], [63, 60], 'two lists, sixty APIs, and one again');
});

test('a list that suddenly shows nothing as published costs no version and twenty confirming reads', async () => {
  const names = Array.from({ length: 1000 }, (_, index) => `a${String(index).padStart(3, '0')}`);
  const desired = desiredState(names.map((name) => wanted(name, 'test', { driftPolicy: 'correct' })));
  const { reason, asked } = await observeWith({
    desired,
    record: names.map((name) => recorded(name, 'test')),
    list: names.map((name) => listed(name)),
    versions: async (apiId) => ({ kind: 'read', value: apiId === 'api-a950' ? [effective('v')] : [] }),
  });
  assert.match(reason ?? '', 'api-a950');
  assert.is(asked.length, 21);
  assert.equal(new Set(asked).size, 21);
});

test('twenty of the APIs that a list leaves out are read individually, spread over the whole list', async () => {
  for (const [count, expected] of [
    [1, 1],
    [20, 20],
    [21, 20],
    [39, 20],
    [1001, 20],
  ] as const) {
    const names = Array.from({ length: count }, (_, index) => `a${String(index).padStart(4, '0')}`);
    const { asked, seen } = await observeWith({
      desired: desiredState(names.map((name) => wanted(name, 'test'))),
      list: [listed('other')],
    });
    assert.is(asked.length - 1, expected, `${count}`);
    assert.is(asked[1], 'api-a0000');
    assert.is(seen.kind, 'observed');
    if (count > 900) assert.ok((asked.at(-1) ?? '') > 'api-a0900');
  }
});

test('a list that lost a large share is believed only if the next one is as short', async () => {
  const names = Array.from({ length: 30 }, (_, index) => `a${index}`);
  const desired = desiredState(names.map((name) => wanted(name, 'test')));
  const list = Array.from({ length: 79 }, (_, index) => listed(`other${index}`));
  const first = await observeWith({ desired, list, listedBefore: lastObservation(100) });
  assert.equal([first.seen.kind, first.seen.listed], ['failed', { apis: 79, publications: 0 }]);
  assert.match(first.reason ?? '', '79 APIs and held 100');
  assert.is((await observeWith({ desired, list, listedBefore: lastObservation(79) })).seen.kind, 'observed');
  assert.is(
    (await observeWith({ desired, list, listedBefore: lastObservation(98) })).seen.kind,
    'observed',
    'a fifth may disappear at once',
  );
  assert.is((await observeWith({ desired, list, listedBefore: null })).seen.kind, 'observed');
  const few = desiredState(names.slice(0, 20).map((name) => wanted(name, 'test')));
  assert.is(
    (await observeWith({ desired: few, list, listedBefore: lastObservation(1000) })).seen.kind,
    'observed',
    'each missing one was read individually',
  );
});

test('a list that lost a large share of the publications is believed only if the next one shows no more', async () => {
  const names = Array.from({ length: 30 }, (_, index) => `a${index}`);
  const desired = desiredState(names.map((name) => wanted(name, 'test', { driftPolicy: 'correct' })));
  const record = names.map((name) => recorded(name, 'test'));
  const observe = (shown: number, publications: number | null, over: Partial<RecordedPublication> = {}) =>
    observeWith({
      desired,
      record: record.map((one) => ({ ...one, ...over })),
      list: names.map((name, index) => (index < shown ? listed(name, 'test') : listed(name))),
      listedBefore: publications === null ? null : lastObservation(30, { publications }),
    });
  const first = await observe(5, 30);
  assert.equal([first.seen.kind, first.seen.listed], ['failed', { apis: 30, publications: 5 }]);
  assert.match(first.reason ?? '', 'the list shows 5 publications and showed 30 the last time');
  assert.is((await observe(4, 5)).seen.kind, 'observed');
  assert.match((await observe(5, null)).reason ?? '', 'showed 30 the last time', 'the record counts before the first list');
  assert.is((await observe(10, 30)).seen.kind, 'observed', 'each missing one was read individually');
  assert.is((await observe(8, 10)).seen.kind, 'observed', 'a fifth may disappear at once');
});

test('a list without the publications that edict itself has just published again is not believed', async () => {
  const names = Array.from({ length: 30 }, (_, index) => `a${index}`);
  const desired = desiredState(names.map((name) => wanted(name, 'test', { driftPolicy: 'correct' })));
  const observe = (corrected: number, lastCorrectedAtMs: number, others: Partial<RecordedPublication> = {}) =>
    observeWith({
      desired,
      record: names.map((name, index) => recorded(name, 'test', index < corrected ? { correctionCount: 1, lastCorrectedAtMs } : others)),
      list: names.map((name) => listed(name)),
      listedBefore: lastObservation(30, { publications: 0 }),
    });
  const { seen, reason } = await observe(21, nowMs - hourMs + 1);
  assert.equal([seen.kind, seen.listed], ['failed', { apis: 30, publications: 0 }]);
  assert.match(reason ?? '', 'the list does not show 21 of the publications whose drift edict has corrected within the last hour');
  assert.is((await observe(21, nowMs - hourMs)).seen.kind, 'observed');
  assert.is((await observe(20, nowMs)).seen.kind, 'observed');
  const drift = { from: 'online', fromSinceMs: 1, detectedAtMs: 2, backoffUntilMs: null } as const;
  const pending = { state: 'offline', versionId: null, drift } as const;
  assert.match(
    (await observe(1, nowMs, pending)).reason ?? '',
    'does not show 1 of the publications',
    'the first of many that are being corrected',
  );
  assert.is((await observe(0, nowMs, pending)).seen.kind, 'observed');
});

for (const [title, recordedAtMs, propagationDelayMs, isLeft, steadyMs = Number.POSITIVE_INFINITY] of [
  ['long before', nowMs - hourMs, 10_000, false],
  ['just before the propagation delay', nowMs - 10_000, 10_000, false],
  ['within the propagation delay', nowMs - 9_999, 10_000, true],
  ['at this moment', nowMs, 10_000, true],
  ['during the observation', nowMs + 5, 0, true],
  ['before a clock was set back a little', nowMs + 60_000, 10_000, true],
  ['before a clock was set back by a year', nowMs + 365 * 24 * hourMs, 10_000, false],
  ['before a clock was set back, the propagation delay ago', nowMs + hourMs, 10_000, false, 10_000],
  ['before a clock was set back, within the propagation delay', nowMs + hourMs, 10_000, true, 9_999],
] as const) {
  test(`a change by edict ${title} is ${isLeft ? 'left as recorded' : 'observed'}`, async () => {
    const desired = desiredState([wanted('orders', 'test', { driftPolicy: 'correct' })], {
      gateway: gatewaySettings({ propagationDelayMs }),
    });
    const record = [{ ...online, recordedAtMs, changedAtMs: recordedAtMs }];
    const { observed, reasons, asked } = await observeWith({ desired, record, list: [listed('orders')], steadyMs });
    assert.is(observed?.updates.length, isLeft ? 0 : 1);
    assert.equal(reasons, isLeft ? [] : ['orders online drift']);
    assert.is(asked.length, isLeft ? 1 : 2);
  });
}

test('a publication that edict has just taken offline is not adopted again from a delayed list', async () => {
  const desired = desiredState([wanted('orders', 'test')], { gateway: gatewaySettings({ propagationDelayMs: 10_000 }) });
  const record = [recorded('orders', 'test', { state: 'offline', recordedAtMs: nowMs - 1, changedAtMs: nowMs - 1 })];
  const { observed, reasons } = await observeWith({ desired, record, list: [listed('orders', 'test')] });
  assert.equal([observed?.updates, reasons], [[], ['orders online state']]);
});

test('an attempt with an unknown outcome is left for its own resolution, and causes no extra read', async () => {
  const unknownAttempt = unknownAttemptOf({ attemptId: 7, version: 'v', marker: 'm' });
  const desired = desiredState([wanted('orders', 'test', { version: 'v' })]);
  for (const list of [[listed('orders')], [listed('orders', 'test')]]) {
    const { observed, asked } = await observeWith({ desired, record: [{ ...online, unknownAttempt }], list });
    assert.equal([observed?.updates, asked], [[], ['apis']]);
  }
});

test('changes made during the confirming reads are not overwritten', async () => {
  const store = await openStore({ url: `sqlite:${join(temporaryFolder(), 'state.db')}`, isEmulated: false });
  const desired = desiredState([wanted('orders', 'test'), wanted('gone', 'test')]);
  await store.acquire(desired.gateway, nowMs);
  let startedAtMs = nowMs;
  const api = async (): Promise<ReadResult<null>> => {
    startedAtMs += 1;
    const { attemptId: id } = await store.beginAttempt(desired.gateway, change('orders', 'test'), {
      reconcileId: 'reconcile-1',
      marker: null,
      commitId: null,
      startedAtMs,
      sendByMs: startedAtMs,
    });
    const made = recorded('orders', 'test', {
      revision: 'r9',
      versionId: 'mine',
      publishId: 'mine',
      recordedAtMs: startedAtMs,
      changedAtMs: startedAtMs,
    });
    await store.finishAttempt(desired.gateway, {
      key: made.key,
      attemptId: id,
      outcome: { kind: 'succeeded', versionId: 'mine', publishId: 'mine' },
      next: made,
      atMs: startedAtMs,
    });
    return { kind: 'read', value: null };
  };
  const list = [listed('orders', 'test')];
  const { observed, notices } = await observeWith({
    desired,
    list,
    api,
    now: () => startedAtMs,
    reader: { readRecordedState: store.readRecordedState.bind(store) },
  });
  assert.equal([observed?.updates, notices], [[], ['apiDeleted']]);
  assert.is(observed?.recorded.get(online.key)?.versionId, 'mine');
  await store.close();
});

test('the versions of a publication with a pinned version are read once', async () => {
  const desired = desiredState([
    wanted('orders', 'test', { version: 'v1' }),
    wanted('orders', 'release', { version: 'v1', state: 'offline' }),
  ]);
  const versions = async (): Promise<ReadResult<readonly ListedVersion[]>> => ({
    kind: 'read',
    value: [{ ...effective('v2'), isEffective: false }, effective('v1')],
  });
  const list = [listed('orders', 'test')];
  const first = await observeWith({ desired, list, versions });
  assert.equal([first.asked, first.reasons, first.notices], [['apis', 'versions of api-orders'], [], ['adopted']]);
  const record = [...(first.observed?.recorded.values() ?? [])];
  assert.is(record[0]?.versionId, 'v1');
  const again = await observeWith({ desired, list, versions, record, now: () => nowMs + hourMs });
  assert.equal([again.asked, again.observed?.updates], [['apis'], []]);
  const other = record.map((each) => ({ ...each, publishId: 'another' }));
  const switched = await observeWith({ desired, list, versions, record: other });
  assert.equal([switched.asked.length, switched.notices], [2, ['externalChange']]);
  const moved = await observeWith({ desired, list, record: other, versions: async () => ({ kind: 'read', value: [effective('v2')] }) });
  assert.equal([moved.notices, moved.reasons], [['drift'], []]);
});

test('a pinned publication whose version cannot be read this time is left as it is', async () => {
  const names = Array.from({ length: 205 }, (_, index) => `a${String(index).padStart(3, '0')}`);
  const desired = desiredState(names.map((name) => wanted(name, 'test', { version: 'v' })));
  const list = names.map((name) => listed(name, 'test'));
  const versions = async (): Promise<ReadResult<readonly ListedVersion[]>> => ({ kind: 'read', value: [effective('v')] });
  const record = names.map((name) => recorded(name, 'test', { versionId: 'v', publishId: 'old' }));
  const first = await observeWith({ desired, list, versions, record });
  assert.equal([first.asked.length, first.observed?.updates.length, first.reasons], [201, 200, []]);
  const second = await observeWith({
    desired,
    list,
    versions,
    record: [...(first.observed?.recorded.values() ?? [])],
    now: () => nowMs + hourMs,
  });
  assert.equal([second.asked.length, second.observed?.updates.length, second.reasons], [6, 5, []]);
  assert.equal([first.observed?.listed.unreadVersions.length, second.observed?.listed.unreadVersions.length], [5, 0]);
});

test.run();
