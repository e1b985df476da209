import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type KeptVersionsDeps, readKeptVersions } from '../../../src/controller/observe/kept-versions.ts';
import type { ListedVersion } from '../../../src/model/observation.ts';
import type { ReadResult } from '../../../src/model/outcome.ts';
import type { Restoration } from '../../../src/plan/undo.ts';
import { gatewaySettings, recorded, recordedState, wanted } from '../../support/states.ts';

const version = (versionId: string, isEffective = false): ListedVersion => ({
  versionId,
  versionNumber: '',
  remark: '',
  publishedAtMs: 1,
  isEffective,
});
const failed = (kind: 'rejected' | 'unauthorized', code: string): ReadResult<never> => ({
  kind,
  failure: { code, status: 403, message: 'no', hint: null, requestId: null, retryAfterMs: null },
});

function restoration(api: string): Restoration {
  const { key, apiId, environment, environmentId } = wanted(api, 'test');
  const names = { key, api, apiId, environment, environmentId };
  return { ...names, attemptId: 1, finishedAtMs: 1, state: 'online', version: 'old', newVersionCause: null, mayHaveBeenOnline: false };
}

/** Reads from a gateway with these responses for each API, the last one repeated; returns the result and the waiting time. */
async function read(answers: Readonly<Record<string, readonly ReadResult<readonly ListedVersion[]>[]>>, nowMs = 1_000_000) {
  const left = new Map(Object.entries(answers).map(([api, all]) => [`api-${api}`, [...all]]));
  const asked: string[] = [];
  const slept: number[] = [];
  const deps: KeptVersionsDeps = {
    gateway: {
      listVersions: async ({ apiId }) => {
        asked.push(apiId);
        const all = left.get(apiId) ?? [];
        return (all.length > 1 ? all.shift() : all[0]) ?? { kind: 'read', value: [] };
      },
    },
    settings: gatewaySettings({ propagationDelayMs: 5000, limit: { calls: 10, perMs: 1000, concurrency: 2 } }),
    clock: { now: () => nowMs, sleep: async (ms) => void slept.push(ms) },
    random: () => 0,
    signal: new AbortController().signal,
  };
  const record = recordedState(Object.keys(answers).map((api) => recorded(api, 'test', { versionId: 'new', recordedAtMs: 998_000 })));
  return { came: await readKeptVersions(Object.keys(answers).map(restoration), record, deps), asked, slept };
}

const shown = { kind: 'read', value: [version('new', true), version('old')] } as const;
const late = { kind: 'read', value: [version('old', true)] } as const;

test('reads the versions of each publication once', async () => {
  const { came, asked, slept } = await read({ a: [shown], b: [shown], c: [shown] });
  assert.is(came.kind === 'read' && came.value.size, 3);
  assert.equal([asked.length, slept], [3, []]);
});

test('a version list that may not show a recent change yet is read again when the change must be visible', async () => {
  const { came, slept } = await read({ a: [late, shown] });
  assert.equal(slept, [3000]);
  assert.equal(came.kind === 'read' && came.value.get(restoration('a').key), shown.value);
});

test('an older change that is missing from the list is not waited for', async () => {
  const { came, asked, slept } = await read({ a: [late, shown] }, 1_003_000);
  assert.equal([asked.length, slept], [1, []]);
  assert.equal(came.kind === 'read' && came.value.get(restoration('a').key), late.value);
});

test('a version list that cannot be read is reported with the reason', async () => {
  const { came } = await read({ a: [failed('rejected', 'APIG.3002')], b: [shown] });
  assert.equal(came.kind === 'read' && [...came.value.values()], ['APIG.3002 no', shown.value]);
});

test('rejected credentials end the read', async () => {
  const { came, asked } = await read({ a: [failed('unauthorized', 'APIG.1001')], b: [shown], c: [shown], d: [shown], e: [shown] });
  assert.is(came.kind, 'unauthorized');
  assert.ok(asked.length < 5);
});

test.run();
