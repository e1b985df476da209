import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/core/errors.ts';
import type { NewApproval } from '../../src/core/guards.ts';
import type { NameKey } from '../../src/core/names.ts';
import type { Failure, Outcome } from '../../src/core/outcome.ts';
import type { Attempt, RecordReader, Store, Which } from '../../src/core/ports.ts';
import { type GatewayIdentity, type PublicationKey, publicationKey } from '../../src/core/publication.ts';
import * as states from './states.ts';
import { change, gatewaySettings, recorded } from './states.ts';

/** One empty store of an engine under test, and the ways to come back to it. */
export interface StoreUnderTest {
  /** Opens it for writing. */
  open(): Promise<Store>;
  /** Opens it for reading. */
  openRecord(): Promise<RecordReader>;
  /** Writes an approval beside whoever has it open. */
  approve(gateway: GatewayIdentity, approval: NewApproval): Promise<void>;
}

const gateway = gatewaySettings();
const failure: Failure = { code: 'APIG.3500', status: 500, message: 'Internal error', hint: 'wait', requestId: 'request-1', pauseMs: null };
const success: Outcome = { kind: 'succeeded', versionId: 'version', publishId: 'publish' };

/** Adds to `test` what every store promises its callers, whatever engine it is built on. `empty` makes a new one for each test. */
export function storeContract(test: Test, name: string, empty: () => StoreUnderTest | Promise<StoreUnderTest>): void {
  const promise = (says: string, run: (under: StoreUnderTest) => Promise<void>): void => {
    test(`${name}: ${says}`, async () => run(await empty()));
  };
  const withStore = (says: string, run: (store: Store, under: StoreUnderTest) => Promise<void>): void =>
    promise(says, async (under) => {
      const store = await opened(under);
      try {
        await run(store, under);
      } finally {
        await store.close();
      }
    });

  promise('reads as empty before it has been written', async (under) => {
    const record = await under.openRecord();
    assert.equal(await record.readAll(gateway), new Map());
    assert.equal(await record.history(gateway, { limit: 10 }), []);
    assert.equal(await record.lastAttempts(gateway), new Map());
    assert.equal([await record.attemptsOf(gateway, 'last'), await record.succeededAfter(gateway, 0)], [[], []]);
    await record.close();
  });

  promise('enters a gateway for one file of an edict at a time, even if two ask at once', async (under) => {
    const store = await under.open();
    const enter = () => store.enter(gateway, 1).catch((error: EdictError) => `${error.code}: ${error.message}`);
    const [first, second] = await Promise.all([enter(), enter()]);
    assert.equal([typeof first, second], ['object', 'GATEWAY_HELD: this edict works on the gateway already, for another file']);
    await store.leave(gateway, 2);
    assert.is(typeof (await enter()), 'object');
    await store.close();
  });

  withStore('knows nothing of a publication that was never written', async (store) => {
    assert.is(await store.read(gateway, change('orders', 'test').key), undefined);
    assert.equal(await store.readAll(gateway), new Map());
  });

  withStore('knows what the last file declared, and of each gateway by itself', async (store) => {
    const other = { ...gateway, instance: 'other' };
    const [orders, carts, invoices] = ['orders', 'carts', 'invoices'].map((api) => change(api, 'test').key);
    if (!orders || !carts || !invoices) throw new Error('no keys');
    const inMain = (...keys: readonly PublicationKey[]) => new Map(keys.map((key) => [key, '']));
    assert.equal((await store.past(gateway, 0)).declared, new Map());
    await store.declare(gateway, inMain(orders, carts), 'first', null);
    await store.declare(gateway, new Map([...inMain(invoices), [carts, 'apis/shop.yaml']]), 'second', null);
    const known = new Map([...(await store.past(gateway, 0)).declared].sort());
    assert.equal(
      known,
      new Map([
        [carts, 'apis/shop.yaml'],
        [invoices, ''],
      ]),
    );
    assert.equal(await store.acted(gateway), ['first', 'second']);
    await store.declare(gateway, known, 'first', null);
    assert.equal([await store.acted(gateway), await store.acted(other)], [['second', 'first'], []]);
    assert.equal((await store.past(gateway, 0)).elsewhere, []);
    const { declared, elsewhere } = await store.past(other, 0);
    assert.is(declared.size, 0);
    const { endpoint, project, instance } = gateway;
    assert.equal(elsewhere, [{ gateway: { endpoint, project, instance }, apiIds: new Set(['api-carts', 'api-invoices']) }]);
  });

  withStore('an attempt remembers what was recorded when it began', async (store) => {
    const of = change('orders', 'test');
    const first = await store.begin(gateway, of, { passId: 'pass-1', marker: null, commitId: null, atMs: 1 });
    await store.settle(gateway, of.key, first, success, recorded('orders', 'test', { revision: 'r1', versionId: 'v1' }), 2);
    const second = await store.begin(gateway, { ...of, reason: 'version' }, { passId: 'pass-2', marker: null, commitId: null, atMs: 3 });
    await store.settle(gateway, of.key, second, { kind: 'stalled', failure }, recorded('orders', 'test'), 4);
    const attempts = await store.attemptsOf(gateway, { pass: 'pass-' });
    assert.equal(
      attempts.map(({ id, before }) => [id, before]),
      [
        [first, { state: null, revision: null, versionId: null }],
        [second, { state: 'online', revision: 'r1', versionId: 'v1' }],
      ],
    );
  });

  withStore('finds the attempts that a person names', async (store) => {
    const ids: number[] = [];
    for (const [passId, api, outcome] of [
      ['aa11', 'orders', success],
      ['aa22', 'orders', success],
      ['aa22', 'carts', { kind: 'stalled', failure }],
      ['bb33', 'carts', { kind: 'stalled', failure }],
    ] as const) {
      const of = change(api, 'test');
      const id = await store.begin(gateway, of, { passId, marker: null, commitId: null, atMs: 1 });
      await store.settle(gateway, of.key, id, outcome, recorded(api, 'test'), 2);
      ids.push(id);
    }
    const found = async (which: Which, of: GatewayIdentity = gateway): Promise<readonly number[]> =>
      (await store.attemptsOf(of, which)).map(({ id }) => id);
    assert.equal(await found('last'), ids.slice(1, 3));
    assert.equal(await found({ attempt: ids[3] ?? 0 }), ids.slice(3));
    assert.equal(await found({ attempt: 99 }), []);
    assert.equal(await found({ pass: 'aa' }), ids.slice(0, 3));
    assert.equal(await found({ pass: 'a%' }), []);
    assert.equal(await found('last', { ...gateway, instance: 'other' }), []);
    const later = await store.succeededAfter(gateway, ids[0] ?? 0);
    assert.equal(
      later.map(({ id }) => id),
      ids.slice(1, 2),
    );
  });

  withStore('an approval is found until it expires, and so is what was made with it', async (store, under) => {
    const of = change('orders', 'test', { action: 'offline' });
    const approval = { digest: 'sha256:1', by: 'ada', why: 'CHG-7', atMs: 1, expiresAtMs: 100, work: ['["a"]', '["b"]'] };
    await under.approve(gateway, approval);
    await under.approve({ ...gateway, instance: 'other' }, { ...approval, by: 'eve' });
    const [known] = (await store.past(gateway, 99)).approvals;
    assert.equal(known, { ...approval, id: 1, done: new Set(), isSpent: false });
    assert.equal((await store.past(gateway, 100)).approvals, []);
    const agreed = { ...of, approval: { id: 1, by: 'ada', why: 'CHG-7', expiresAtMs: 100 } };
    const lost = await store.begin(gateway, agreed, { passId: 'pass', marker: null, commitId: null, atMs: 2 });
    await store.settle(gateway, of.key, lost, { kind: 'retry', failure }, undefined, 3);
    assert.equal((await store.approvals(gateway))[0]?.done, new Set());
    const id = await store.begin(gateway, agreed, { passId: 'pass', marker: null, commitId: null, atMs: 4 });
    await store.settle(gateway, of.key, id, { kind: 'succeeded', versionId: null, publishId: null }, undefined, 5);
    await store.declare(gateway, new Map(), 'third', 1);
    assert.equal(await store.approvals(gateway), [{ ...approval, id: 1, done: new Set([of.key]), isSpent: true }]);
    assert.equal((await store.history(gateway, { limit: 1 }))[0]?.approval, { by: 'ada', why: 'CHG-7' });
    assert.equal((await store.lastAttempts(gateway)).get(of.key)?.approval, { by: 'ada', why: 'CHG-7' });
  });

  withStore('the newest approval comes first', async (store, under) => {
    for (const by of ['ada', 'eve']) await under.approve(gateway, { digest: 'sha256:1', by, why: '', atMs: 1, expiresAtMs: 100, work: [] });
    assert.equal(
      (await store.approvals(gateway)).map(({ by }) => by),
      ['eve', 'ada'],
    );
  });

  withStore('an attempt that has begun shows as unresolved', async (store) => {
    const begun = change('orders', 'test', { revision: 'r1', remark: 'a note' });
    const attemptId = await store.begin(gateway, begun, { passId: 'pass-1', marker: 'm1', commitId: null, atMs: 1000 });
    const expected = recorded('orders', 'test', {
      state: null,
      versionId: null,
      recordedAtMs: 1000,
      unresolved: { attemptId, action: 'online', revision: 'r1', marker: 'm1', version: null, overAtMs: null },
    });
    assert.equal(await store.read(gateway, begun.key), expected);
    assert.equal(await store.readAll(gateway), new Map([[begun.key, expected]]));
    assert.equal(await store.history(gateway, { limit: 10 }), [
      attempt({ id: attemptId, revision: 'r1', remark: 'a note', marker: 'm1', beganAtMs: 1000, passId: 'pass-1' }),
    ]);
  });

  withStore('an attempt on a recorded publication leaves what was recorded', async (store) => {
    const before = recorded('orders', 'test', { revision: 'r1', recordedAtMs: 2 });
    await settled(store, change('orders', 'test'), success, before);
    const attemptId = await store.begin(gateway, change('orders', 'test', { action: 'offline', reason: 'state' }), {
      passId: 'pass-2',
      marker: null,
      commitId: null,
      atMs: 3,
    });
    const now = await store.read(gateway, before.key);
    assert.equal(now, {
      ...before,
      unresolved: { attemptId, action: 'offline', revision: null, marker: null, version: null, overAtMs: null },
    });
  });

  withStore('a settled attempt leaves the next record, all of it', async (store) => {
    const next = recorded('orders', 'test', { revision: 'r2', versionId: 'v2', recordedAtMs: 77 });
    await settled(store, change('orders', 'test'), success, next);
    assert.equal(await store.read(gateway, next.key), next);
    const renamed = { ...next, api: 'renamed', environment: 'elsewhere', state: 'offline', versionId: null, revision: null } as const;
    await settled(store, change('orders', 'test', { action: 'offline' }), success, renamed);
    assert.equal(await store.read(gateway, next.key), renamed);
  });

  withStore('a settled attempt may stay unresolved', async (store) => {
    const attemptId = await store.begin(gateway, change('orders', 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 1 });
    const unresolved = { attemptId, action: 'online', revision: null, marker: null, version: null, overAtMs: 2 } as const;
    const next = recorded('orders', 'test', { state: null, unresolved });
    await store.settle(gateway, next.key, attemptId, { kind: 'unknown', failure }, next, 2);
    assert.equal(await store.read(gateway, next.key), next);
  });

  withStore('a settled attempt without a next record leaves none', async (store) => {
    const { key } = change('orders', 'test');
    await settled(store, change('orders', 'test'), { kind: 'retry', failure }, undefined);
    assert.is(await store.read(gateway, key), undefined);
    assert.is((await store.readAll(gateway)).size, 0);
    assert.is((await store.history(gateway, { limit: 10 })).length, 1);
  });

  for (const [outcome, shown] of [
    [success, { versionId: 'version', publishId: 'publish' }],
    [{ kind: 'dropped' }, {}],
    [
      { kind: 'wait', failure },
      { code: 'APIG.3500', status: 500, message: 'Internal error', requestId: 'request-1' },
    ],
    [
      { kind: 'retry', failure },
      { code: 'APIG.3500', status: 500, message: 'Internal error', requestId: 'request-1' },
    ],
    [
      { kind: 'stalled', failure: { ...failure, requestId: null, pauseMs: null } },
      { code: 'APIG.3500', status: 500, message: 'Internal error' },
    ],
    [
      { kind: 'unknown', failure: { ...failure, status: null } },
      { code: 'APIG.3500', message: 'Internal error', requestId: 'request-1' },
    ],
  ] as const satisfies readonly (readonly [Outcome, Partial<Attempt>])[]) {
    withStore(`the history tells the outcome ${outcome.kind}`, async (store) => {
      const id = await settled(store, change('orders', 'test'), outcome, undefined);
      assert.equal(await store.history(gateway, { limit: 10 }), [
        attempt({ id, marker: null, settledAtMs: 2, outcome: outcome.kind, ...shown }),
      ]);
    });
  }

  withStore('an attempt that was unknown and is resolved keeps what its answer said', async (store) => {
    const { key } = change('orders', 'test');
    const id = await settled(store, change('orders', 'test'), { kind: 'unknown', failure }, undefined);
    await store.settle(gateway, key, id, { kind: 'succeeded', versionId: 'v1', publishId: null }, recorded('orders', 'test'), 9);
    const told = { code: 'APIG.3500', status: 500, message: 'Internal error', requestId: 'request-1' };
    assert.equal(await store.history(gateway, { limit: 10 }), [
      attempt({ id, settledAtMs: 9, outcome: 'succeeded', versionId: 'v1', ...told }),
    ]);
  });

  promise('knows for how long nobody can have called the gateway, and that the one before was killed', async (under) => {
    const first = await under.open();
    assert.ok((await first.enter(gateway, Date.now())).silentMs > 1_000_000_000, 'nobody was there');
    await first.leave(gateway, Date.now());
    await first.close();
    await sleep(30);
    const second = await under.open();
    const { silentMs } = await second.enter(gateway, Date.now());
    assert.ok(silentMs >= 29 && silentMs < 10_000, `${silentMs}`);
    await second.close();
    const third = await under.open();
    assert.is((await third.enter(gateway, Date.now())).silentMs, 0, 'the second never left');
    assert.ok((await third.enter(gatewaySettings({ instance: 'other' }), Date.now())).silentMs > 0);
    await third.close();
  });

  promise('every lease has a greater fence than the one before, and an attempt needs one', async (under) => {
    const first = await under.open();
    const begin = (store: Store) =>
      store.begin(gateway, change('orders', 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 1 });
    const refused = (await begin(first).catch((error: unknown) => error)) as EdictError;
    assert.is(refused.code, 'GATEWAY_HELD');
    const { lease } = await first.enter(gateway, 1);
    assert.ok(lease.isHeld());
    assert.not(lease.ending.aborted);
    await begin(first);
    await first.leave(gateway, 2);
    assert.is(((await begin(first).catch((error: unknown) => error)) as EdictError).code, 'GATEWAY_HELD');
    const again = await first.enter(gateway, 3);
    assert.ok(again.lease.fence > lease.fence);
    await first.close();
    const second = await under.open();
    assert.ok((await second.enter(gateway, 4)).lease.fence > again.lease.fence);
    await second.close();
  });

  promise('an attempt that a process left without an outcome is over when the next one finds it', async (under) => {
    const first = await opened(under);
    const { key } = change('orders', 'test');
    await first.begin(gateway, change('orders', 'test'), { passId: 'pass', marker: 'm', commitId: null, atMs: 1 });
    await first.close();
    for (const atMs of [500, 900]) {
      const next = await under.open();
      await next.enter(gateway, atMs);
      assert.is((await next.read(gateway, key))?.unresolved?.overAtMs, 500);
      await next.close();
    }
  });

  withStore('tells how the process at work is getting on, until it leaves', async (store, under) => {
    const record = await under.openRecord();
    assert.is(await record.condition(gateway), null);
    const condition = { atMs: 1, pid: 2, calls: 5.5, perMs: 1000, stopped: { why: 'pause', message: 'x', sinceMs: 3 } } as const;
    await store.describe(gateway, condition);
    assert.equal(await store.condition(gateway), condition);
    await store.leave(gateway, 9);
    assert.is(await store.condition(gateway), null);
    await record.close();
  });

  withStore('forgets a publication, and not its history', async (store) => {
    const made = change('orders', 'test');
    const id = await store.begin(gateway, made, { passId: 'pass', marker: null, commitId: null, atMs: 1 });
    await store.settle(gateway, made.key, id, success, recorded('orders', 'test'), 2);
    await store.deleteRecord(gateway, made.key, 3);
    assert.is(await store.read(gateway, made.key), undefined);
    assert.equal([...(await store.readAll(gateway)).keys()], []);
    assert.is((await store.history(gateway, { limit: 10 })).length, 1);
  });

  withStore('deletes old attempts, a few at a time, but not those that the record rests on', async (store) => {
    const attempt = async (api: string, atMs: number, outcome: Outcome | null): Promise<number> => {
      const made = change(api, 'test');
      const id = await store.begin(gateway, made, { passId: 'pass', marker: null, commitId: null, atMs });
      if (outcome) await store.settle(gateway, made.key, id, outcome, recorded(api, 'test'), atMs + 1);
      return id;
    };
    for (let index = 0; index < 250; index += 1) await attempt('orders', index, { kind: 'retry', failure });
    const kept = [await attempt('orders', 250, success), await attempt('carts', 251, null), await attempt('invoices', 5000, success)];
    await attempt('orders', 252, success);
    const counts: number[] = [];
    for (let count = -1; count !== 0; counts.push(count)) count = await store.prune(gateway, 1000);
    assert.equal(counts, [200, 51, 0]);
    const left = (await store.history(gateway, { limit: 300 })).map(({ id }) => id);
    assert.equal(left.length, 3);
    assert.equal(left.includes(kept[0] ?? 0), false, 'a later attempt has taken its place');
    assert.ok(left.includes(kept[1] ?? 0) && left.includes(kept[2] ?? 0));
    assert.is((await store.read(gateway, change('carts', 'test').key))?.unresolved?.attemptId, kept[1]);
  });

  withStore('tells who is at work, until it leaves', async (store, under) => {
    const record = await under.openRecord();
    await store.describe(gateway, { atMs: 1, pid: process.pid, calls: 5, perMs: 1000, stopped: null });
    assert.match((await record.holder(gateway)) ?? '', new RegExp(`\\bpid ${process.pid}\\b`));
    assert.is(await record.holder(gatewaySettings({ instance: 'other' })), null);
    await store.leave(gateway, 9);
    assert.is(await record.holder(gateway), null);
    await record.close();
  });

  withStore('a suspension is known until it is taken back, of each gateway by itself', async (store, under) => {
    const word = { reason: 'INC-1', by: 'ada', untilMs: 5 };
    await store.suspend(gateway, word);
    const record = await under.openRecord();
    assert.equal(
      [(await record.past(gateway, 1)).suspension, (await store.past(gatewaySettings({ instance: 'other' }), 1)).suspension],
      [word, null],
    );
    await record.close();
    await store.suspend(gateway, null);
    assert.is((await store.past(gateway, 1)).suspension, null);
  });

  withStore('an attempt knows the commit that has asked for it', async (store) => {
    await store.begin(gateway, change('orders', 'test'), { passId: 'pass', marker: null, commitId: 'abc', atMs: 1 });
    assert.is((await store.history(gateway, { limit: 1 }))[0]?.commitId, 'abc');
  });

  withStore('the history is newest first, as long as asked for, and of the API and environment asked for', async (store) => {
    for (const [api, environment] of [
      ['orders', 'test'],
      ['orders', 'release'],
      ['invoices', 'test'],
      ['orders', 'test'],
    ] as const) {
      await settled(store, change(api, environment), success, recorded(api, environment));
    }
    const ids = async (filter: { apis?: readonly string[]; environments?: readonly string[]; limit?: number }): Promise<string[]> =>
      (await store.history(gateway, { limit: 10, ...filter })).map(({ api, environment }) => `${api} ${environment}`);
    assert.equal(await ids({}), ['orders test', 'invoices test', 'orders release', 'orders test']);
    assert.equal(await ids({ limit: 2 }), ['orders test', 'invoices test']);
    assert.equal(await ids({ limit: 0 }), []);
    assert.equal(await ids({ apis: ['orders'] }), ['orders test', 'orders release', 'orders test']);
    assert.equal(await ids({ apis: ['api-orders'], environments: ['env-release'] }), ['orders release']);
    assert.equal(await ids({ apis: ['invoices', 'none'], environments: ['env-release', 'test'] }), ['invoices test']);
    assert.equal(await ids({ apis: ['api-orders', 'invoices'], limit: 2 }), ['orders test', 'invoices test']);
    assert.equal(await ids({ environments: ['test'], limit: 1 }), ['orders test']);
    assert.equal(await ids({ apis: ['none'] }), []);
    assert.equal(await ids({ apis: [] }), []);
    assert.equal(await ids({ apis: ['orders'], environments: [] }), []);
    assert.equal(await ids({ apis: ["'orders'", 'order*', '"'] }), []);
    const order = (await store.history(gateway, { limit: 10 })).map(({ id }) => id);
    assert.equal(
      order,
      order.toSorted((a, b) => b - a),
    );
  });

  withStore('the last attempt of each publication is its newest, settled or not', async (store) => {
    await settled(store, change('orders', 'test'), { kind: 'retry', failure }, undefined);
    const invoices = await settled(store, change('invoices', 'test'), success, recorded('invoices', 'test'));
    const orders = await store.begin(gateway, change('orders', 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 9 });
    const last = await store.lastAttempts(gateway);
    assert.equal(
      new Map([...last].map(([key, { id }]) => [key, id])),
      new Map([
        [change('invoices', 'test').key, invoices],
        [change('orders', 'test').key, orders],
      ]),
    );
    assert.is(last.get(change('orders', 'test').key)?.outcome, null);
  });

  withStore('gateways do not see each other', async (store) => {
    for (const other of [{ endpoint: 'https://other' }, { project: 'other' }, { instance: 'other' }].map(gatewaySettings)) {
      await store.enter(other, 1);
      const id = await store.begin(other, change('orders', 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 1 });
      await store.settle(other, change('orders', 'test').key, id, success, recorded('orders', 'test'), 2);
      assert.is((await store.readAll(other)).size, 1);
      assert.is((await store.history(other, { limit: 10 })).length, 1);
    }
    assert.is((await store.readAll(gateway)).size, 0);
    assert.is((await store.lastAttempts(gateway)).size, 0);
    assert.is((await store.history(gateway, { limit: 10 })).length, 0);
    assert.is(await store.read(gateway, change('orders', 'test').key), undefined);
  });

  withStore('any text comes back as it was', async (store) => {
    for (const [index, text] of ["'; DROP TABLE attempt; --", 'é 💥 \u0001 "quoted"\n\ttwo lines', '', '漢字', ':api'].entries()) {
      const texts = { revision: text, remark: text };
      const next = recorded(`api${index}`, 'test', { api: text, revision: text, versionId: text });
      await settled(store, { ...change(`api${index}`, 'test', texts), api: text }, success, next);
      assert.equal(await store.read(gateway, next.key), next);
      const [newest] = await store.history(gateway, { limit: 1 });
      assert.equal([newest?.api, newest?.revision, newest?.remark], [text, text, text]);
    }
  });

  withStore('what a look has changed is written, all of it', async (store) => {
    const drift = { from: 'offline', fromSinceMs: 2, seenAtMs: 3, truceUntilMs: 4 } as const;
    const told = { publishId: 'p', publishedAtMs: 5, editedAtMs: 6, drift, corrections: 7, correctedAtMs: 8, revision: 'r' } as const;
    const updates = [recorded('orders', 'test', told), recorded('carts', 'test', { state: 'offline', versionId: null, recordedAtMs: 9 })];
    await store.observe(gateway, updates, 2);
    assert.equal(await store.readAll(gateway), new Map(updates.map((update) => [update.key, update])));
    for (const update of updates) assert.equal(await store.read(gateway, update.key), update);
    const next = recorded('orders', 'test', { api: 'renamed', recordedAtMs: 10 });
    await store.observe(gateway, [next], 2);
    assert.equal(await store.read(gateway, next.key), next);
    assert.equal(await store.history(gateway, { limit: 10 }), [], 'a look is no attempt');
    assert.equal(await store.lastAttempts(gateway), new Map());
  });

  withStore('a look leaves what an attempt without a known outcome is about', async (store) => {
    const before = recorded('orders', 'test', { state: 'offline', versionId: null, recordedAtMs: 2 });
    await settled(store, change('orders', 'test'), success, before);
    const began = { passId: 'pass', marker: 'm', commitId: null, atMs: 3 };
    const ids = [await store.begin(gateway, change('orders', 'test'), began), await store.begin(gateway, change('carts', 'test'), began)];
    const unresolved = await store.readAll(gateway);
    await store.observe(gateway, [recorded('orders', 'test'), recorded('carts', 'test'), recorded('invoices', 'test')], 3);
    const after = await store.readAll(gateway);
    for (const [key, was] of unresolved) assert.equal(after.get(key), was);
    assert.is(after.size, 3);
    const next = recorded('orders', 'test', { recordedAtMs: 4 });
    await store.settle(gateway, next.key, ids[0] ?? 0, success, next, 4);
    assert.equal(await store.read(gateway, next.key), next);
    await store.observe(gateway, [before], 3);
    assert.equal(await store.read(gateway, next.key), before, 'once it is settled a look counts again');
  });

  withStore('a look and an attempt that begins in the same moment: the attempt counts', async (store) => {
    const [begun, seen] = [change('orders', 'test'), recorded('orders', 'test')];
    for (const first of ['attempt', 'look'] as const) {
      const api = { ...begun, apiId: first, key: publicationKey(first, begun.environmentId) };
      const look = () => store.observe(gateway, [{ ...seen, apiId: first, key: api.key }], 1);
      const begin = () => store.begin(gateway, api, { passId: 'pass', marker: 'm', commitId: null, atMs: 5 });
      await Promise.all(first === 'look' ? [look(), begin()] : [begin(), look()]);
      const now = await store.read(gateway, api.key);
      assert.is(now?.unresolved?.marker, 'm');
      assert.is(now?.state, first === 'look' ? 'online' : null);
    }
  });

  promise('remembers how many APIs each gateway listed the last time, also across openings', async (under) => {
    const other = gatewaySettings({ instance: 'other' });
    const first = await opened(under);
    assert.is(await first.listedApis(gateway), null);
    await first.observe(gateway, [], 5000);
    await first.observe(gateway, [], 0);
    await first.enter(other, 1);
    await first.observe(other, [], 7);
    await first.close();
    const second = await opened(under);
    const reader = await under.openRecord();
    for (const record of [second, reader]) {
      assert.equal([await record.listedApis(gateway), await record.listedApis(other)], [0, 7]);
      assert.is(await record.listedApis(gatewaySettings({ instance: 'third' })), null);
    }
    await reader.close();
    await second.close();
  });

  withStore('a look at one gateway says nothing of another', async (store) => {
    const other = gatewaySettings({ project: 'other' });
    await store.enter(other, 1);
    await store.observe(gateway, [recorded('orders', 'test')], 1);
    await store.observe(other, [recorded('orders', 'test', { state: 'offline', versionId: null })], 1);
    const states = async (of: typeof gateway) => [...(await store.readAll(of)).values()].map(({ state }) => state);
    assert.equal([await states(gateway), await states(other)], [['online'], ['offline']]);
  });

  withStore('many writes at once are all made, each under an id of its own', async (store) => {
    const changes = Array.from({ length: 500 }, (_, index) => change(`api${index}`, 'test'));
    const ids = await Promise.all(
      changes.map((each) => store.begin(gateway, each, { passId: 'pass', marker: null, commitId: null, atMs: 1 })),
    );
    assert.is(new Set(ids).size, 500);
    const all = await store.readAll(gateway);
    assert.equal(
      changes.map(({ key }) => all.get(key)?.unresolved?.attemptId),
      ids,
    );
    const settling = changes.map(({ key, api }, index) =>
      store.settle(gateway, key, ids[index] ?? 0, success, recorded(api, 'test', { recordedAtMs: index }), 2),
    );
    await Promise.all(settling);
    assert.is([...(await store.readAll(gateway)).values()].filter(({ unresolved }) => unresolved === null).length, 500);
  });

  withStore('a write stands once its promise has resolved, and not before that for anyone else', async (store, under) => {
    await store.begin(gateway, change('orders', 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 1 });
    const reader = await under.openRecord();
    assert.is((await reader.readAll(gateway)).size, 1);
    const writing = store.begin(gateway, change('invoices', 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 1 });
    await writing;
    await nextTurn();
    assert.is((await reader.readAll(gateway)).size, 2);
    await reader.close();
    assert.is((await store.readAll(gateway)).size, 2);
  });

  promise('everything is there after it is opened again, attempts without an outcome included', async (under) => {
    const first = await opened(under);
    const settledRecord = recorded('orders', 'test', { revision: 'r1' });
    const id = await settled(first, change('orders', 'test', { revision: 'r1' }), success, settledRecord);
    const attemptId = await first.begin(gateway, change('invoices', 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 5 });
    const before = [await first.readAll(gateway), await first.history(gateway, { limit: 10 }), await first.lastAttempts(gateway)];
    await first.close();
    const second = await under.open();
    assert.equal([await second.readAll(gateway), await second.history(gateway, { limit: 10 }), await second.lastAttempts(gateway)], before);
    assert.is((await second.read(gateway, change('invoices', 'test').key))?.unresolved?.attemptId, attemptId);
    await second.enter(gateway, 6);
    const next = await second.begin(gateway, change('orders', 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 9 });
    assert.ok(next > attemptId && attemptId > id, 'ids grow, across openings too');
    await second.close();
    const reader = await under.openRecord();
    assert.is((await reader.readAll(gateway)).get(settledRecord.key)?.unresolved?.attemptId, next);
    await reader.close();
  });

  promise('only whoever works on the gateway writes what names mean, and it replaces what was known', async (under) => {
    const store = await under.open();
    const meaning = (...names: readonly string[]) => new Map(names.map((name) => [name as NameKey, `${name}-id`]));
    const refused = await store.remember(gateway, meaning('a')).then(
      () => null,
      ({ code }: EdictError) => code,
    );
    assert.is(refused, 'GATEWAY_HELD');
    await store.enter(gateway, 0);
    await store.remember(gateway, meaning('a', 'b'));
    await store.remember(gateway, meaning('b', 'c'));
    assert.equal(await store.names(gateway), meaning('b', 'c'));
    await store.close();
  });

  promise('what is being written when it is closed is written', async (under) => {
    const first = await opened(under);
    const writing = first.begin(gateway, change('orders', 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 1 });
    await first.close();
    assert.ok((await writing) > 0);
    const reader = await under.openRecord();
    assert.is((await reader.readAll(gateway)).size, 1);
    await reader.close();
  });

  promise('a write after it was closed is refused, not lost in silence', async (under) => {
    const store = await opened(under);
    await store.close();
    const refused = await store.begin(gateway, change('orders', 'test'), { passId: 'pass', marker: null, commitId: null, atMs: 1 }).then(
      () => false,
      () => true,
    );
    assert.ok(refused);
  });
}

/** Opens a store with the lease of the gateway. */
async function opened(under: StoreUnderTest): Promise<Store> {
  const store = await under.open();
  await store.enter(gateway, 0);
  return store;
}

/** Begins and settles an attempt; returns its id. */
async function settled(
  store: Store,
  of: ReturnType<typeof change>,
  outcome: Outcome,
  next: Parameters<Store['settle']>[4],
): Promise<number> {
  const id = await store.begin(gateway, of, { passId: 'pass', marker: null, commitId: null, atMs: 1 });
  await store.settle(gateway, of.key, id, outcome, next, 2);
  return id;
}

/** An attempt on `orders` in `test`, as the history shows it before it is settled. */
function attempt(over: Partial<Attempt>): Attempt {
  return states.attempt('orders', 'test', { before: { state: null, revision: null, versionId: null }, ...over });
}
