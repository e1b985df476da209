import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { NewApproval } from '../../src/model/approval.ts';
import type { Attempt, AttemptSelector } from '../../src/model/attempt.ts';
import type { EdictError } from '../../src/model/errors.ts';
import type { GatewayIdentity } from '../../src/model/gateway.ts';
import { addressOf, type GatewayAddress } from '../../src/model/gateway.ts';
import { type NameKey, nameKey } from '../../src/model/name-ref.ts';
import type { Failure, Outcome } from '../../src/model/outcome.ts';
import { type PublicationKey, publicationKey } from '../../src/model/publication.ts';
import type { RecordedPublication } from '../../src/model/recorded-state.ts';
import type { FinishedAttempt, PrunedBatch, Store, StoreReader } from '../../src/store/interface.ts';
import * as states from './states.ts';
import { change, gatewaySettings, lastObservation, newAttempt, recorded, savedObservation, unknownAttemptOf, wanted } from './states.ts';

/** An empty store of an engine under test, and the ways to open it. */
export interface StoreUnderTest {
  /** Opens it for writing. */
  open(): Promise<Store>;
  /** Opens it for reading. */
  openRecord(): Promise<StoreReader>;
  /** Writes an approval beside the process that has it open. */
  approve(gateway: GatewayIdentity, approval: NewApproval): Promise<void>;
}

const gateway = gatewaySettings();
const failure: Failure = {
  code: 'APIG.3500',
  status: 500,
  message: 'Internal error',
  hint: 'wait',
  requestId: 'request-1',
  retryAfterMs: null,
};
const success: Outcome = { kind: 'succeeded', versionId: 'version', publishId: 'publish' };

/** Returns these publications as declared in the main file. */
const inMain = (...keys: readonly PublicationKey[]) => new Map(keys.map((key) => [key, '']));

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
    assert.equal(await record.readRecordedState(gateway), new Map());
    assert.equal(await record.history(gateway, { limit: 10 }), []);
    assert.equal(await record.lastAttempts(gateway), new Map());
    assert.equal([await record.findAttempts(gateway, 'last'), await record.succeededAfter(gateway, 0)], [[], []]);
    await record.close();
  });

  promise('acquires a gateway for one file of an instance at a time, even with concurrent requests', async (under) => {
    const store = await under.open();
    const enter = () => store.acquire(gateway, 1).catch((error: EdictError) => `${error.code}: ${error.message}`);
    const [first, second] = await Promise.all([enter(), enter()]);
    assert.equal([typeof first, second], ['object', 'LEASE_HELD: this process already works on the gateway for another file']);
    await store.release(gateway, 2);
    assert.is(typeof (await enter()), 'object');
    await store.close();
  });

  withStore('has nothing for a publication that was never written', async (store) => {
    assert.is(await store.readPublication(gateway, change('orders', 'test').key), undefined);
    assert.equal(await store.readRecordedState(gateway), new Map());
  });

  withStore('keeps the last declared file, separately for each gateway', async (store) => {
    const other = { ...gateway, instance: 'other' };
    const [orders, carts, invoices] = ['orders', 'carts', 'invoices'].map((api) => change(api, 'test').key);
    if (!orders || !carts || !invoices) throw new Error('no keys');
    assert.equal((await store.previousState(gateway, 0)).declared, new Map());
    await store.saveDeclared(gateway, { sourceFiles: inMain(orders, carts), digest: 'first', approvalId: null });
    await store.saveDeclared(gateway, {
      sourceFiles: new Map([...inMain(invoices), [carts, 'apis/shop.yaml']]),
      digest: 'second',
      approvalId: null,
    });
    const known = new Map([...(await store.previousState(gateway, 0)).declared].sort());
    assert.equal(
      known,
      new Map([
        [carts, 'apis/shop.yaml'],
        [invoices, ''],
      ]),
    );
    assert.equal(await store.appliedDigests(gateway), ['first', 'second']);
    await store.saveDeclared(gateway, { sourceFiles: known, digest: 'first', approvalId: null });
    assert.equal([await store.appliedDigests(gateway), await store.appliedDigests(other)], [['second', 'first'], []]);
    assert.equal((await store.previousState(gateway, 0)).otherGateways, []);
    const { declared, otherGateways } = await store.previousState(other, 0);
    assert.is(declared.size, 0);
    const { endpoint, project, instance } = gateway;
    assert.equal(otherGateways, [{ gateway: { endpoint, project, instance }, apiIds: new Set(['api-carts', 'api-invoices']) }]);
  });

  withStore('an attempt keeps the recorded state from when it started', async (store) => {
    const of = change('orders', 'test');
    const { attemptId: first } = await store.beginAttempt(gateway, of, {
      reconcileId: 'pass-1',
      marker: null,
      commitId: null,
      startedAtMs: 1,
      sendByMs: 1,
    });
    await store.finishAttempt(gateway, {
      key: of.key,
      attemptId: first,
      outcome: success,
      next: recorded('orders', 'test', { revision: 'r1', versionId: 'v1' }),
      atMs: 2,
    });
    const { attemptId: second } = await store.beginAttempt(
      gateway,
      { ...of, reason: 'version' },
      { reconcileId: 'pass-2', marker: null, commitId: null, startedAtMs: 3, sendByMs: 3 },
    );
    await store.finishAttempt(gateway, {
      key: of.key,
      attemptId: second,
      outcome: { kind: 'rejected', failure },
      next: recorded('orders', 'test'),
      atMs: 4,
    });
    const attempts = await store.findAttempts(gateway, { reconcile: 'pass-' });
    assert.equal(
      attempts.map(({ id, priorState }) => [id, priorState]),
      [
        [first, { state: null, revision: null, versionId: null }],
        [second, { state: 'online', revision: 'r1', versionId: 'v1' }],
      ],
    );
  });

  withStore('finds the attempts that a person selects', async (store) => {
    const ids: number[] = [];
    for (const [reconcileId, api, outcome] of [
      ['aa11', 'orders', success],
      ['aa22', 'orders', success],
      ['aa22', 'carts', { kind: 'rejected', failure }],
      ['bb33', 'carts', { kind: 'rejected', failure }],
    ] as const) {
      const of = change(api, 'test');
      const { attemptId: id } = await store.beginAttempt(gateway, of, {
        reconcileId,
        marker: null,
        commitId: null,
        startedAtMs: 1,
        sendByMs: 1,
      });
      await store.finishAttempt(gateway, { key: of.key, attemptId: id, outcome, next: recorded(api, 'test'), atMs: 2 });
      ids.push(id);
    }
    const found = async (which: AttemptSelector, of: GatewayIdentity = gateway): Promise<readonly number[]> =>
      (await store.findAttempts(of, which)).map(({ id }) => id);
    assert.equal(await found('last'), ids.slice(1, 3));
    assert.equal(await found({ attempt: ids[3] ?? 0 }), ids.slice(3));
    assert.equal(await found({ attempt: 99 }), []);
    assert.equal(await found({ reconcile: 'aa' }), ids.slice(0, 3));
    assert.equal(await found({ reconcile: 'a%' }), []);
    assert.equal(await found('last', { ...gateway, instance: 'other' }), []);
    const later = await store.succeededAfter(gateway, ids[0] ?? 0);
    assert.equal(
      later.map(({ id }) => id),
      ids.slice(1, 2),
    );
  });

  withStore('an approval is found until it expires, and so are the changes made with it', async (store, under) => {
    const of = change('orders', 'test', { action: 'offline' });
    const approval = { digest: 'sha256:1', by: 'ada', reason: 'CHG-7', approvedAtMs: 1, expiresAtMs: 100, scope: ['["a"]', '["b"]'] };
    await under.approve(gateway, approval);
    await under.approve({ ...gateway, instance: 'other' }, { ...approval, by: 'eve' });
    const [known] = (await store.previousState(gateway, 99)).approvals;
    assert.equal(known, { ...approval, id: 1, usedKeys: new Set(), isFileHoldReleased: false });
    assert.equal((await store.previousState(gateway, 100)).approvals, []);
    const withApproval = { ...of, approval: { id: 1, by: 'ada', reason: 'CHG-7', expiresAtMs: 100 } };
    const { attemptId: lost } = await store.beginAttempt(gateway, withApproval, newAttempt({ startedAtMs: 2 }));
    await store.finishAttempt(gateway, { key: of.key, attemptId: lost, outcome: { kind: 'retryable', failure }, next: undefined, atMs: 3 });
    assert.equal((await store.approvals(gateway))[0]?.usedKeys, new Set());
    const { attemptId: id } = await store.beginAttempt(gateway, withApproval, newAttempt({ startedAtMs: 4 }));
    await store.finishAttempt(gateway, {
      key: of.key,
      attemptId: id,
      outcome: { kind: 'succeeded', versionId: null, publishId: null },
      next: undefined,
      atMs: 5,
    });
    await store.saveDeclared(gateway, { sourceFiles: new Map(), digest: 'third', approvalId: 1 });
    assert.equal(await store.approvals(gateway), [{ ...approval, id: 1, usedKeys: new Set([of.key]), isFileHoldReleased: true }]);
    assert.equal((await store.history(gateway, { limit: 1 }))[0]?.approval, { by: 'ada', reason: 'CHG-7' });
    assert.equal((await store.lastAttempts(gateway)).get(of.key)?.approval, { by: 'ada', reason: 'CHG-7' });
  });

  withStore('the newest approval comes first', async (store, under) => {
    for (const by of ['ada', 'eve'])
      await under.approve(gateway, { digest: 'sha256:1', by, reason: '', approvedAtMs: 1, expiresAtMs: 100, scope: [] });
    assert.equal(
      (await store.approvals(gateway)).map(({ by }) => by),
      ['eve', 'ada'],
    );
  });

  withStore('an attempt that has started has an unknown outcome', async (store) => {
    const begun = change('orders', 'test', { revision: 'r1', remark: 'a note' });
    const { attemptId } = await store.beginAttempt(gateway, begun, {
      reconcileId: 'pass-1',
      marker: 'm1',
      commitId: null,
      startedAtMs: 1000,
      sendByMs: 1500,
    });
    const expected = recorded('orders', 'test', {
      state: null,
      versionId: null,
      recordedAtMs: 1000,
      unknownAttempt: unknownAttemptOf({ attemptId, revision: 'r1', marker: 'm1', startedAtMs: 1000, sendByMs: 1500 }),
    });
    assert.equal(await store.readPublication(gateway, begun.key), expected);
    assert.equal(await store.readRecordedState(gateway), new Map([[begun.key, expected]]));
    assert.equal(await store.history(gateway, { limit: 10 }), [
      attempt({ id: attemptId, revision: 'r1', remark: 'a note', marker: 'm1', startedAtMs: 1000, reconcileId: 'pass-1' }),
    ]);
  });

  withStore('an attempt on a recorded publication keeps the recorded state', async (store) => {
    const before = recorded('orders', 'test', { revision: 'r1', recordedAtMs: 2 });
    await finished(store, change('orders', 'test'), success, before);
    const { attemptId } = await store.beginAttempt(gateway, change('orders', 'test', { action: 'offline', reason: 'state' }), {
      reconcileId: 'pass-2',
      marker: null,
      commitId: null,
      startedAtMs: 3,
      sendByMs: 3,
    });
    const now = await store.readPublication(gateway, before.key);
    assert.equal(now, {
      ...before,
      unknownAttempt: unknownAttemptOf({ attemptId, action: 'offline', startedAtMs: 3 }),
    });
  });

  withStore('a finished attempt writes the next recorded state, completely', async (store) => {
    const next = recorded('orders', 'test', { revision: 'r2', versionId: 'v2', recordedAtMs: 77 });
    await finished(store, change('orders', 'test'), success, next);
    assert.equal(await store.readPublication(gateway, next.key), next);
    const renamed = { ...next, api: 'renamed', environment: 'elsewhere', state: 'offline', versionId: null, revision: null } as const;
    await finished(store, change('orders', 'test', { action: 'offline' }), success, renamed);
    assert.equal(await store.readPublication(gateway, next.key), renamed);
  });

  withStore('a finished attempt may have an unknown outcome', async (store) => {
    const { attemptId } = await store.beginAttempt(gateway, change('orders', 'test'), newAttempt());
    const unknownAttempt = unknownAttemptOf({ attemptId, sendByMs: 2, endedAtMs: 2 });
    const next = recorded('orders', 'test', { state: null, unknownAttempt });
    await store.finishAttempt(gateway, { key: next.key, attemptId, outcome: { kind: 'unknown', failure }, next, atMs: 2 });
    assert.equal(await store.readPublication(gateway, next.key), next);
  });

  withStore('a finished attempt without a next recorded state leaves none', async (store) => {
    const { key } = change('orders', 'test');
    await finished(store, change('orders', 'test'), { kind: 'retryable', failure }, undefined);
    assert.is(await store.readPublication(gateway, key), undefined);
    assert.is((await store.readRecordedState(gateway)).size, 0);
    assert.is((await store.history(gateway, { limit: 10 })).length, 1);
  });

  for (const [outcome, shown] of [
    [success, { versionId: 'version', publishId: 'publish' }],
    [{ kind: 'superseded' }, {}],
    [
      { kind: 'throttled', failure },
      { code: 'APIG.3500', status: 500, message: 'Internal error', requestId: 'request-1' },
    ],
    [
      { kind: 'retryable', failure },
      { code: 'APIG.3500', status: 500, message: 'Internal error', requestId: 'request-1' },
    ],
    [
      { kind: 'rejected', failure: { ...failure, requestId: null, retryAfterMs: null } },
      { code: 'APIG.3500', status: 500, message: 'Internal error' },
    ],
    [
      { kind: 'unknown', failure: { ...failure, status: null } },
      { code: 'APIG.3500', message: 'Internal error', requestId: 'request-1' },
    ],
  ] as const satisfies readonly (readonly [Outcome, Partial<Attempt>])[]) {
    withStore(`the history has the outcome ${outcome.kind}`, async (store) => {
      const id = await finished(store, change('orders', 'test'), outcome, undefined);
      assert.equal(await store.history(gateway, { limit: 10 }), [
        attempt({ id, marker: null, finishedAtMs: 2, outcome: outcome.kind, ...shown }),
      ]);
    });
  }

  withStore('an unknown attempt that is resolved keeps the message of its response', async (store) => {
    const { key } = change('orders', 'test');
    const id = await finished(store, change('orders', 'test'), { kind: 'unknown', failure }, undefined);
    await store.finishAttempt(gateway, {
      key,
      attemptId: id,
      outcome: { kind: 'succeeded', versionId: 'v1', publishId: null },
      next: recorded('orders', 'test'),
      atMs: 9,
    });
    const response = { code: 'APIG.3500', status: 500, message: 'Internal error', requestId: 'request-1' };
    assert.equal(await store.history(gateway, { limit: 10 }), [
      attempt({ id, finishedAtMs: 9, outcome: 'succeeded', versionId: 'v1', ...response }),
    ]);
  });

  promise('reports how long the gateway has been idle, and that the previous holder was killed', async (under) => {
    const first = await under.open();
    assert.ok((await first.acquire(gateway, Date.now())).idleMs > 1_000_000_000, 'no process has had it open');
    await first.release(gateway, Date.now());
    await first.close();
    await sleep(30);
    const second = await under.open();
    const { idleMs } = await second.acquire(gateway, Date.now());
    assert.ok(idleMs >= 29 && idleMs < 10_000, `${idleMs}`);
    await second.close();
    const third = await under.open();
    assert.is((await third.acquire(gateway, Date.now())).idleMs, 0, 'the second never released it');
    assert.ok((await third.acquire(gatewaySettings({ instance: 'other' }), Date.now())).idleMs > 0);
    await third.close();
  });

  promise('every lease has a higher fence than the previous one, and an attempt needs one', async (under) => {
    const first = await under.open();
    const begin = (store: Store) => store.beginAttempt(gateway, change('orders', 'test'), newAttempt());
    const refused = (await begin(first).catch((error: unknown) => error)) as EdictError;
    assert.is(refused.code, 'LEASE_HELD');
    const { lease } = await first.acquire(gateway, 1);
    assert.ok(lease.isHeld());
    assert.not(lease.signal.aborted);
    await begin(first);
    await first.release(gateway, 2);
    assert.is(((await begin(first).catch((error: unknown) => error)) as EdictError).code, 'LEASE_HELD');
    const again = await first.acquire(gateway, 3);
    assert.ok(again.lease.fence > lease.fence);
    await first.close();
    const second = await under.open();
    assert.ok((await second.acquire(gateway, 4)).lease.fence > again.lease.fence);
    await second.close();
  });

  promise('an attempt left without an outcome by a process has ended when the next one finds it', async (under) => {
    const first = await opened(under);
    const { key } = change('orders', 'test');
    await first.beginAttempt(gateway, change('orders', 'test'), newAttempt({ marker: 'm' }));
    await first.close();
    for (const atMs of [500, 900]) {
      const next = await under.open();
      await next.acquire(gateway, atMs);
      assert.is((await next.readPublication(gateway, key))?.unknownAttempt?.endedAtMs, 500);
      await next.close();
    }
  });

  withStore('has the status of the process that has the store open, until it leaves', async (store, under) => {
    const record = await under.openRecord();
    assert.is(await record.status(gateway), null);
    const condition = { updatedAtMs: 1, pid: 2, calls: 5.5, perMs: 1000, paused: { reason: 'pause', message: 'x', sinceMs: 3 } } as const;
    await store.saveStatus(gateway, condition);
    assert.equal(await store.status(gateway), condition);
    await store.release(gateway, 9);
    assert.is(await store.status(gateway), null);
    await record.close();
  });

  withStore('deletes a publication, and not its history', async (store) => {
    const made = change('orders', 'test');
    const { attemptId: id } = await store.beginAttempt(gateway, made, newAttempt());
    await store.finishAttempt(gateway, { key: made.key, attemptId: id, outcome: success, next: recorded('orders', 'test'), atMs: 2 });
    await store.deleteRecord(gateway, made.key, 3);
    assert.is(await store.readPublication(gateway, made.key), undefined);
    assert.equal([...(await store.readRecordedState(gateway)).keys()], []);
    assert.is((await store.history(gateway, { limit: 10 })).length, 1);
  });

  withStore('forgets publications that are offline and left the file long ago, and then their attempts', async (store) => {
    const made = async (api: string, state: 'online' | 'offline' | null, recordedAtMs: number): Promise<PublicationKey> => {
      const publication = recorded(api, 'test', { state: state ?? 'online', recordedAtMs });
      await finished(store, change(api, 'test', { action: state ?? 'online' }), success, state === null ? undefined : publication);
      return publication.key;
    };
    const old = [await made('old', 'offline', 10), await made('older', 'offline', 9)];
    const online = await made('online', 'online', 10);
    const declared = await made('declared', 'offline', 10);
    const recent = await made('recent', 'offline', 5000);
    const unknown = await made('unknown', 'offline', 10);
    await store.beginAttempt(gateway, change('unknown', 'test'), newAttempt({ startedAtMs: 11 }));
    await store.saveDeclared(gateway, { sourceFiles: inMain(declared), digest: 'digest', approvalId: null });
    const rows = async (): Promise<PublicationKey[]> => [...(await store.lastAttempts(gateway)).keys()];
    assert.is((await rows()).length, 6);
    assert.is(await store.pruneRecordedState(gateway, 1000), 2);
    assert.is(await store.pruneRecordedState(gateway, 1000), 0);
    assert.equal((await rows()).toSorted(), [online, declared, recent, unknown].toSorted());
    assert.equal([...(await store.readRecordedState(gateway)).keys()].toSorted(), [online, declared, recent, unknown].toSorted());
    for (let afterId: number | null = 0; afterId !== null; ) {
      afterId = (await store.pruneHistory(gateway, { beforeMs: 1000, afterId })).lastId;
    }
    const left = (await store.history(gateway, { limit: 100 })).map(({ api }) => api);
    assert.not(
      left.some((api) => old.some((key) => key.startsWith(`api-${api} `))),
      'no attempt of theirs is left',
    );
  });

  withStore('forgets an approval that expired long ago once no attempt was made with it', async (store, under) => {
    const approval = { digest: 'sha256:1', by: 'ada', reason: 'CHG-7', approvedAtMs: 1, expiresAtMs: 100, scope: [] };
    for (const by of ['unused', 'used']) await under.approve(gateway, { ...approval, by });
    await under.approve(gateway, { ...approval, by: 'in force', expiresAtMs: 1000 });
    const of = { ...change('orders', 'test'), approval: { id: 2, by: 'used', reason: 'CHG-7', expiresAtMs: 100 } };
    await finished(store, of, success, recorded('orders', 'test'));
    await store.pruneApprovals(gateway, 1000);
    const left = (await store.approvals(gateway)).map(({ by }) => by);
    assert.equal(left, ['in force', 'used']);
  });

  withStore('deletes old attempts, a few at a time, but not the newest of each publication, nor one of unknown outcome', async (store) => {
    const attempt = async (api: string, startedAtMs: number, outcome: Outcome | null): Promise<number> => {
      const made = change(api, 'test');
      const { attemptId: id } = await store.beginAttempt(gateway, made, {
        reconcileId: 'reconcile-1',
        marker: null,
        commitId: null,
        startedAtMs,
        sendByMs: startedAtMs,
      });
      if (outcome)
        await store.finishAttempt(gateway, { key: made.key, attemptId: id, outcome, next: recorded(api, 'test'), atMs: startedAtMs + 1 });
      return id;
    };
    const unknown = await attempt('carts', 0, null);
    for (let index = 1; index <= 300; index += 1) await attempt('orders', index, { kind: 'retryable', failure });
    for (let index = 301; index <= 600; index += 1) await attempt('users', index, success);
    const recent = await attempt('invoices', 5000, success);
    const pruneAll = async (): Promise<number[]> => {
      const counts: number[] = [];
      for (let afterId: number | null = 0; afterId !== null; ) {
        const batch: PrunedBatch = await store.pruneHistory(gateway, { beforeMs: 1000, afterId });
        counts.push(batch.count);
        afterId = batch.lastId;
      }
      return counts;
    };
    assert.equal(await pruneAll(), [250 + 199, 51, 0]);
    assert.equal(await pruneAll(), [0, 0]);
    const left = (await store.history(gateway, { limit: 300 })).map(({ id }) => id);
    const newest = (last: number): number[] => Array.from({ length: 50 }, (_, index) => last - index);
    assert.equal(left, [recent, ...newest(recent - 1), ...newest(recent - 301), unknown]);
    assert.is((await store.readPublication(gateway, change('carts', 'test').key))?.unknownAttempt?.attemptId, unknown);
  });

  withStore('names the process that has the store open, until it leaves', async (store, under) => {
    const record = await under.openRecord();
    await store.saveStatus(gateway, { updatedAtMs: 1, pid: process.pid, calls: 5, perMs: 1000, paused: null });
    assert.match((await record.leaseHolder(gateway)) ?? '', new RegExp(`\\bpid ${process.pid}\\b`));
    assert.is(await record.leaseHolder(gatewaySettings({ instance: 'other' })), null);
    await store.release(gateway, 9);
    assert.is(await record.leaseHolder(gateway), null);
    await record.close();
  });

  withStore('a suspension lasts until it is resumed, separately for each gateway', async (store, under) => {
    const word = { reason: 'INC-1', by: 'ada', sinceMs: null, untilMs: 5 };
    await store.saveSuspension(gateway, word);
    const record = await under.openRecord();
    assert.equal(
      [
        (await record.previousState(gateway, 1)).suspension,
        (await store.previousState(gatewaySettings({ instance: 'other' }), 1)).suspension,
      ],
      [word, null],
    );
    await record.close();
    await store.saveSuspension(gateway, null);
    assert.is((await store.previousState(gateway, 1)).suspension, null);
  });

  withStore('an attempt knows the commit that has asked for it', async (store) => {
    await store.beginAttempt(gateway, change('orders', 'test'), newAttempt({ commitId: 'abc' }));
    assert.is((await store.history(gateway, { limit: 1 }))[0]?.commitId, 'abc');
  });

  withStore('the history is newest first, limited as requested, and filtered by API and environment', async (store) => {
    for (const [api, environment] of [
      ['orders', 'test'],
      ['orders', 'release'],
      ['invoices', 'test'],
      ['orders', 'test'],
    ] as const) {
      await finished(store, change(api, environment), success, recorded(api, environment));
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

  withStore('the last attempt of each publication is its newest, finished or not', async (store) => {
    await finished(store, change('orders', 'test'), { kind: 'retryable', failure }, undefined);
    const invoices = await finished(store, change('invoices', 'test'), success, recorded('invoices', 'test'));
    const { attemptId: orders } = await store.beginAttempt(gateway, change('orders', 'test'), newAttempt({ startedAtMs: 9 }));
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

  withStore('gateways are isolated from each other', async (store) => {
    for (const other of [{ endpoint: 'https://other' }, { project: 'other' }, { instance: 'other' }].map(gatewaySettings)) {
      await store.acquire(other, 1);
      const { attemptId: id } = await store.beginAttempt(other, change('orders', 'test'), newAttempt());
      await store.finishAttempt(other, {
        key: change('orders', 'test').key,
        attemptId: id,
        outcome: success,
        next: recorded('orders', 'test'),
        atMs: 2,
      });
      assert.is((await store.readRecordedState(other)).size, 1);
      assert.is((await store.history(other, { limit: 10 })).length, 1);
    }
    assert.is((await store.readRecordedState(gateway)).size, 0);
    assert.is((await store.lastAttempts(gateway)).size, 0);
    assert.is((await store.history(gateway, { limit: 10 })).length, 0);
    assert.is(await store.readPublication(gateway, change('orders', 'test').key), undefined);
  });

  withStore('any text is read as it was written', async (store) => {
    for (const [index, text] of ["'; DROP TABLE attempt; --", 'é 💥 \u0001 "quoted"\n\ttwo lines', '', '漢字', ':api'].entries()) {
      const texts = { revision: text, remark: text };
      const next = recorded(`api${index}`, 'test', { api: text, revision: text, versionId: text });
      await finished(store, { ...change(`api${index}`, 'test', texts), api: text }, success, next);
      assert.equal(await store.readPublication(gateway, next.key), next);
      const [newest] = await store.history(gateway, { limit: 1 });
      assert.equal([newest?.api, newest?.revision, newest?.remark], [text, text, text]);
    }
  });

  withStore('an observation is written completely', async (store) => {
    const drift = { from: 'offline', fromSinceMs: 2, detectedAtMs: 3, backoffUntilMs: 4 } as const;
    const response = {
      publishId: 'p',
      publishedAtMs: 5,
      editedAtMs: 6,
      drift,
      correctionCount: 7,
      lastCorrectedAtMs: 8,
      revision: 'r',
    } as const;
    const updates = [
      recorded('orders', 'test', response),
      recorded('carts', 'test', { state: 'offline', versionId: null, recordedAtMs: 9 }),
    ];
    await store.saveObservation(gateway, savedObservation(updates, lastObservation(2)));
    assert.equal(await store.readRecordedState(gateway), new Map(updates.map((update) => [update.key, update])));
    for (const update of updates) assert.equal(await store.readPublication(gateway, update.key), update);
    const next = recorded('orders', 'test', { api: 'renamed', recordedAtMs: 10 });
    await store.saveObservation(gateway, savedObservation([next], lastObservation(2)));
    assert.equal(await store.readPublication(gateway, next.key), next);
    assert.equal(await store.history(gateway, { limit: 10 }), [], 'an observation is not an attempt');
    assert.equal(await store.lastAttempts(gateway), new Map());
  });

  withStore('an attempt returns what was recorded right before it, an observation after the last read included', async (store) => {
    const orders = change('orders', 'test');
    const first = await store.beginAttempt(gateway, orders, newAttempt());
    assert.is(first.recorded, undefined);
    const { key } = orders;
    await store.finishAttempt(gateway, { key, attemptId: first.attemptId, outcome: success, next: recorded('orders', 'test'), atMs: 2 });
    const observed = recorded('orders', 'test', { state: 'offline', versionId: null, recordedAtMs: 3 });
    await store.saveObservation(gateway, { ...savedObservation([observed], lastObservation(3)), newestAttemptId: first.attemptId });
    assert.equal((await store.beginAttempt(gateway, orders, newAttempt())).recorded, observed);
    const third = await store.beginAttempt(gateway, orders, newAttempt());
    assert.is(third.recorded?.unknownAttempt?.attemptId, third.attemptId - 1);
  });

  withStore('why the gateway could not be observed is kept until the next list', async (store) => {
    assert.is(await store.unobserved(gateway), null);
    const unobserved = { reason: 'APIG.1005 No permissions', remedy: 'grant the permission' };
    await store.saveUnobserved(gateway, unobserved);
    assert.equal([await store.unobserved(gateway), await store.lastObservation(gateway)], [unobserved, null]);
    await store.release(gateway, 5);
    assert.equal(await store.unobserved(gateway), unobserved);
    await store.acquire(gateway, 6);
    await store.saveObservation(gateway, savedObservation([], lastObservation(2)));
    assert.is(await store.unobserved(gateway), null);
  });

  withStore('a move to this gateway is kept until it ends; a move back needs an approval of its own', async (store) => {
    const [here, there] = [gatewaySettings(), gatewaySettings({ instance: 'there' })].map(addressOf) as [GatewayAddress, GatewayAddress];
    const movedTo = async (of: GatewayAddress) => {
      const { moved } = await store.previousState(of, 0);
      assert.equal(await store.gatewayMove(of), moved);
      return moved;
    };
    const file = { sourceFiles: new Map(), digest: 'd', approvalId: null };
    await store.acquire(there, 1);
    assert.is(await movedTo(here), null);
    await store.saveMove(here, there);
    await store.saveDeclared(here, file);
    assert.equal(await movedTo(here), { from: there, isApproved: false });
    await store.endMove(here, 1);
    assert.equal(await movedTo(here), { from: there, isApproved: true });
    await store.saveMove(there, here);
    await store.endMove(there, 1);
    assert.equal([await movedTo(here), await movedTo(there)], [null, { from: here, isApproved: true }]);
    const otherIam = { ...here, iamEndpoint: 'https://iam.other' };
    await store.saveMove(here, otherIam);
    await store.endMove(here, null);
    assert.is(await movedTo(here), null);
  });

  withStore('a new gateway is held until it is approved, and the addresses that were accepted are known', async (store) => {
    const here = addressOf(gatewaySettings());
    const otherIam = { ...here, iamEndpoint: 'https://iam.other' };
    await store.saveMove(here, null);
    assert.equal((await store.previousState(here, 0)).moved, { from: null, isApproved: false });
    await store.endMove(here, 1);
    assert.equal((await store.previousState(here, 0)).moved, { from: null, isApproved: true });
    assert.is(await store.isAcceptedAddress(null), false);
    for (let again = 0; again < 2; again += 1) await store.acceptAddress(here);
    assert.equal(await Promise.all([here, otherIam, null].map((address) => store.isAcceptedAddress(address))), [true, false, true]);
    await store.saveMove(otherIam, null);
    const movedOf = async (of: GatewayAddress) => (await store.previousState(of, 0)).moved;
    assert.equal([await movedOf(here), await movedOf(otherIam)], [null, { from: null, isApproved: false }]);
    assert.equal([await store.gatewayMove(here), await store.gatewayMove(otherIam)], [null, { from: null, isApproved: false }]);
  });

  withStore('an observation leaves a publication with an unknown outcome as it is', async (store) => {
    const before = recorded('orders', 'test', { state: 'offline', versionId: null, recordedAtMs: 2 });
    await finished(store, change('orders', 'test'), success, before);
    const began = { reconcileId: 'reconcile-1', marker: 'm', commitId: null, startedAtMs: 3, sendByMs: 3 };
    const { attemptId } = await store.beginAttempt(gateway, change('orders', 'test'), began);
    await store.beginAttempt(gateway, change('carts', 'test'), began);
    const unresolved = await store.readRecordedState(gateway);
    await store.saveObservation(
      gateway,
      savedObservation([recorded('orders', 'test'), recorded('carts', 'test'), recorded('invoices', 'test')], lastObservation(3)),
    );
    const after = await store.readRecordedState(gateway);
    for (const [key, was] of unresolved) assert.equal(after.get(key), was);
    assert.is(after.size, 3);
    const next = recorded('orders', 'test', { recordedAtMs: 4 });
    await store.finishAttempt(gateway, { key: next.key, attemptId, outcome: success, next, atMs: 4 });
    assert.equal(await store.readPublication(gateway, next.key), next);
    await store.saveObservation(gateway, savedObservation([before], lastObservation(3)));
    assert.equal(await store.readPublication(gateway, next.key), before, 'an observation counts again once the attempt is finished');
  });

  withStore('an attempt that starts during the write of an observation takes precedence', async (store) => {
    const [begun, seen] = [change('orders', 'test'), recorded('orders', 'test')];
    for (const first of ['attempt', 'look'] as const) {
      const api = { ...begun, apiId: first, key: publicationKey(first, begun.environmentId) };
      const look = () => store.saveObservation(gateway, savedObservation([{ ...seen, apiId: first, key: api.key }], lastObservation(1)));
      const begin = () => store.beginAttempt(gateway, api, newAttempt({ marker: 'm', startedAtMs: 5 }));
      await Promise.all(first === 'look' ? [look(), begin()] : [begin(), look()]);
      const now = await store.readPublication(gateway, api.key);
      assert.is(now?.unknownAttempt?.marker, 'm');
      assert.is(now?.state, first === 'look' ? 'online' : null);
    }
  });

  withStore('a large observation leaves an attempt that began and ended during its write as it is', async (store) => {
    const updates = Array.from({ length: 5000 }, (_, index) =>
      recorded(`a${index}`, 'test', { state: 'offline', versionId: null, revision: 'a "quoted" \uD800 one' }),
    );
    const last = change('a4999', 'test');
    const attempted = async (): Promise<RecordedPublication> => {
      const { attemptId: id } = await store.beginAttempt(gateway, last, newAttempt({ marker: 'm', startedAtMs: 5 }));
      const next = recorded('a4999', 'test', { recordedAtMs: 6, versionId: 'v6' });
      await store.finishAttempt(gateway, { key: next.key, attemptId: id, outcome: success, next, atMs: 6 });
      return next;
    };
    const newestAttemptId = await store.newestAttemptId(gateway);
    const observation = { updates, listed: lastObservation(5000), newestAttemptId };
    const [, next] = await Promise.all([store.saveObservation(gateway, observation), attempted()]);
    const after = await store.readRecordedState(gateway);
    assert.equal([after.size, after.get(last.key)], [5000, next]);
    assert.is(after.get(change('a4998', 'test').key)?.revision, 'a "quoted" \uFFFD one');
    assert.equal(await store.lastObservation(gateway), lastObservation(5000));
  });

  withStore('an attempt that began and ended between the read and the write of an observation takes precedence', async (store) => {
    const api = change('orders', 'test');
    const before = await attempted(1);
    const newestAttemptId = await store.newestAttemptId(gateway);
    assert.is(newestAttemptId, before.id);
    const { next } = await attempted(2);
    const updates = [recorded('orders', 'test', { state: 'offline', versionId: null }), recorded('invoices', 'test')];
    await store.saveObservation(gateway, { updates, listed: lastObservation(2), newestAttemptId });
    assert.equal(await store.readPublication(gateway, api.key), next);
    assert.is((await store.readRecordedState(gateway)).size, 2);

    async function attempted(atMs: number) {
      const { attemptId: id } = await store.beginAttempt(gateway, api, newAttempt({ marker: 'm', startedAtMs: atMs }));
      const finished = recorded('orders', 'test', { recordedAtMs: atMs, versionId: `v${atMs}` });
      await store.finishAttempt(gateway, { key: api.key, attemptId: id, outcome: success, next: finished, atMs });
      return { id, next: finished };
    }
  });

  withStore('a large file and many names are kept whole, and replaced whole', async (store) => {
    const keys = Array.from({ length: 5000 }, (_, index) => wanted(`a${index}`, 'test').key);
    const filesOf = (count: number, sourceFile: string) => new Map(keys.slice(0, count).map((key) => [key, sourceFile]));
    const namesOf = (count: number, id: string) =>
      new Map(keys.slice(0, count).map((key) => [nameKey({ kind: 'api', name: key, group: null }), id]));
    for (const [count, text] of [
      [5000, 'one'],
      [4999, 'two'],
      [1, 'two'],
      [5000, 'one'],
    ] as const) {
      await store.saveDeclared(gateway, { sourceFiles: filesOf(count, text), digest: text, approvalId: null });
      assert.equal((await store.previousState(gateway, 0)).declared, filesOf(count, text));
      await store.saveNames(gateway, namesOf(count, text));
      assert.equal(await store.resolvedNames(gateway), namesOf(count, text));
    }
    assert.equal(await store.appliedDigests(gateway), ['two', 'one']);
  });

  withStore('keeps what first contact has looked up until a file ends it', async (store) => {
    const lookedUp = new Set([wanted('orders', 'test').key, wanted('invoices', 'test').key]);
    const read = async () => (await store.lastObservation(gateway))?.lookedUp;
    await store.saveObservation(gateway, savedObservation([], lastObservation(2, { lookedUp })));
    assert.equal(await read(), lookedUp);
    await store.saveObservation(gateway, savedObservation([], lastObservation(0, { observedAtMs: null })));
    await store.saveDeclared(gateway, { sourceFiles: new Map(), digest: 'one', approvalId: null });
    assert.equal(await read(), lookedUp, 'by a list that is not believed, and a file with more that is new');
    await store.saveDeclared(gateway, { sourceFiles: new Map(), digest: 'one', approvalId: null, endsFirstContact: true });
    assert.is(await read(), null);
    await store.saveObservation(gateway, savedObservation([], lastObservation(2)));
    assert.is(await read(), null);
  });

  promise('keeps what each gateway listed last and when it was believed, in a reopened store too', async (under) => {
    const other = gatewaySettings({ instance: 'other' });
    const first = await opened(under);
    assert.is(await first.lastObservation(gateway), null);
    await first.saveObservation(gateway, savedObservation([], lastObservation(5000, { observedAtMs: 9 })));
    await first.saveObservation(gateway, savedObservation([], lastObservation(0, { publications: 3, observedAtMs: null })));
    await first.acquire(other, 1);
    await first.saveObservation(other, savedObservation([], lastObservation(7, { observedAtMs: null })));
    await first.close();
    const second = await opened(under);
    const reader = await under.openRecord();
    for (const record of [second, reader]) {
      assert.equal(
        await record.lastObservation(gateway),
        { ...lastObservation(0), publications: 3, observedAtMs: 9 },
        'a list that is not believed keeps the time',
      );
      assert.equal(await record.lastObservation(other), { ...lastObservation(7), observedAtMs: null });
      assert.is(await record.lastObservation(gatewaySettings({ instance: 'third' })), null);
    }
    await reader.close();
    await second.close();
  });

  withStore('an observation of one gateway does not affect another', async (store) => {
    const other = gatewaySettings({ project: 'other' });
    await store.acquire(other, 1);
    await store.saveObservation(gateway, savedObservation([recorded('orders', 'test')], lastObservation(1)));
    await store.saveObservation(
      other,
      savedObservation([recorded('orders', 'test', { state: 'offline', versionId: null })], lastObservation(1)),
    );
    const states = async (of: typeof gateway) => [...(await store.readRecordedState(of)).values()].map(({ state }) => state);
    assert.equal([await states(gateway), await states(other)], [['online'], ['offline']]);
  });

  withStore('concurrent writes all succeed, each under an ID of its own', async (store) => {
    const changes = Array.from({ length: 500 }, (_, index) => change(`api${index}`, 'test'));
    const begun = await Promise.all(changes.map((each) => store.beginAttempt(gateway, each, newAttempt())));
    const ids = begun.map(({ attemptId }) => attemptId);
    assert.is(new Set(ids).size, 500);
    const all = await store.readRecordedState(gateway);
    assert.equal(
      changes.map(({ key }) => all.get(key)?.unknownAttempt?.attemptId),
      ids,
    );
    const settling = changes.map(({ key, api }, index) =>
      store.finishAttempt(gateway, {
        key,
        attemptId: ids[index] ?? 0,
        outcome: success,
        next: recorded(api, 'test', { recordedAtMs: index }),
        atMs: 2,
      }),
    );
    await Promise.all(settling);
    assert.is([...(await store.readRecordedState(gateway)).values()].filter(({ unknownAttempt }) => unknownAttempt === null).length, 500);
  });

  withStore('a write stands once its promise has resolved, and not before that for anyone else', async (store, under) => {
    await store.beginAttempt(gateway, change('orders', 'test'), newAttempt());
    const reader = await under.openRecord();
    assert.is((await reader.readRecordedState(gateway)).size, 1);
    const writing = store.beginAttempt(gateway, change('invoices', 'test'), newAttempt());
    await writing;
    await nextTurn();
    assert.is((await reader.readRecordedState(gateway)).size, 2);
    await reader.close();
    assert.is((await store.readRecordedState(gateway)).size, 2);
  });

  promise('a reopened store has everything, attempts without an outcome included', async (under) => {
    const first = await opened(under);
    const finishedRecord = recorded('orders', 'test', { revision: 'r1' });
    const id = await finished(first, change('orders', 'test', { revision: 'r1' }), success, finishedRecord);
    const { attemptId } = await first.beginAttempt(gateway, change('invoices', 'test'), newAttempt({ startedAtMs: 5 }));
    const before = [await first.readRecordedState(gateway), await first.history(gateway, { limit: 10 }), await first.lastAttempts(gateway)];
    await first.close();
    const second = await under.open();
    assert.equal(
      [await second.readRecordedState(gateway), await second.history(gateway, { limit: 10 }), await second.lastAttempts(gateway)],
      before,
    );
    assert.is((await second.readPublication(gateway, change('invoices', 'test').key))?.unknownAttempt?.attemptId, attemptId);
    await second.acquire(gateway, 6);
    const { attemptId: next } = await second.beginAttempt(gateway, change('orders', 'test'), newAttempt({ startedAtMs: 9 }));
    assert.ok(next > attemptId && attemptId > id, 'ids grow, in a reopened store too');
    await second.close();
    const reader = await under.openRecord();
    assert.is((await reader.readRecordedState(gateway)).get(finishedRecord.key)?.unknownAttempt?.attemptId, next);
    await reader.close();
  });

  promise('only the lease holder records resolved names, and they replace earlier ones', async (under) => {
    const store = await under.open();
    const meaning = (...names: readonly string[]) => new Map(names.map((name) => [name as NameKey, `${name}-id`]));
    const refused = await store.saveNames(gateway, meaning('a')).then(
      () => null,
      ({ code }: EdictError) => code,
    );
    assert.is(refused, 'LEASE_HELD');
    await store.acquire(gateway, 0);
    await store.saveNames(gateway, meaning('a', 'b'));
    await store.saveNames(gateway, meaning('b', 'c'));
    assert.equal(await store.resolvedNames(gateway), meaning('b', 'c'));
    await store.close();
  });

  promise('writes in progress when it is closed are completed', async (under) => {
    const first = await opened(under);
    const writing = first.beginAttempt(gateway, change('orders', 'test'), newAttempt());
    await first.close();
    assert.ok((await writing).attemptId > 0);
    const reader = await under.openRecord();
    assert.is((await reader.readRecordedState(gateway)).size, 1);
    await reader.close();
  });

  promise('a write after it was closed is rejected, not lost silently', async (under) => {
    const store = await opened(under);
    await store.close();
    const refused = await store.beginAttempt(gateway, change('orders', 'test'), newAttempt()).then(
      () => false,
      () => true,
    );
    assert.ok(refused);
  });
}

/** Opens a store with the lease of the gateway. */
async function opened(under: StoreUnderTest): Promise<Store> {
  const store = await under.open();
  await store.acquire(gateway, 0);
  return store;
}

/** Starts and finishes an attempt; returns its id. */
async function finished(store: Store, of: ReturnType<typeof change>, outcome: Outcome, next: FinishedAttempt['next']): Promise<number> {
  const { attemptId: id } = await store.beginAttempt(gateway, of, newAttempt());
  await store.finishAttempt(gateway, { key: of.key, attemptId: id, outcome, next, atMs: 2 });
  return id;
}

/** An attempt on `orders` in `test`, as in the history before it is finished. */
function attempt(over: Partial<Attempt>): Attempt {
  return states.attempt('orders', 'test', { priorState: { state: null, revision: null, versionId: null }, ...over });
}
