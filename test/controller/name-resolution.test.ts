import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { resolvedIds, resolveNames } from '../../src/controller/name-resolution.ts';
import { EdictError } from '../../src/model/errors.ts';
import { type NameKey, type NameRef, nameKey } from '../../src/model/name-ref.ts';
import type { ReadFailure } from '../../src/model/outcome.ts';

const { signal } = new AbortController();
const orders: NameRef = { kind: 'api', name: 'orders', group: null };
const release: NameRef = { kind: 'environment', name: 'RELEASE', group: null };
const listed = { apiId: 'api-1', name: 'orders', groupId: 'g', group: 'shop', editedAtMs: null, publications: new Map() };

/** Looks names up at a gateway with the API `orders` and the environment `RELEASE`; counts its reads. */
async function lookedUp(names: readonly NameRef[], knownIds: ReadonlyMap<NameKey, string> = new Map(), failure?: ReadFailure) {
  const asked: string[] = [];
  const meanings = await resolveNames(names, {
    knownIds,
    signal,
    gateway: {
      listApis: async () => {
        asked.push('apis');
        return failure ?? { kind: 'read', value: new Map([[listed.apiId, listed]]) };
      },
      listEnvironments: async () => {
        asked.push('environments');
        return { kind: 'read', value: [{ id: 'env-1', name: 'RELEASE' }] };
      },
    },
  });
  return { meanings, asked };
}

test('only the names in the file are looked up', async () => {
  const both = await lookedUp([orders, release]);
  assert.equal(
    [...resolvedIds(both.meanings)],
    [
      [nameKey(orders), 'api-1'],
      [nameKey(release), 'env-1'],
    ],
  );
  assert.equal(both.asked, ['apis', 'environments']);
  assert.equal((await lookedUp([release])).asked, ['environments']);
});

test('a name keeps the ID that it was first resolved to, even if another API has that name now', async () => {
  const { meanings, asked } = await lookedUp([orders], new Map([[nameKey(orders), 'the first one']]));
  assert.equal(meanings.get(nameKey(orders)), { kind: 'one', id: 'the first one' });
  assert.equal(asked, []);
});

test('names that cannot be resolved are not recorded', async () => {
  const { meanings } = await lookedUp([{ ...orders, name: 'ordres' }]);
  assert.is([...meanings.values()][0]?.kind, 'none');
  assert.is(resolvedIds(meanings).size, 0);
});

test('a gateway that cannot be read is an error with a hint, and one that refuses to be listed holds the file', async () => {
  const failure = { code: 'APIG.1005', status: 403, message: 'no', hint: 'ask somebody', requestId: null, retryAfterMs: null };
  for (const [read, hint, exitCode] of [
    [{ kind: 'rejected', failure }, 'grant the permission to list the APIs of the instance, or write the IDs into the file', 4],
    [{ kind: 'rejected', failure: { ...failure, status: 404 } }, 'ask somebody, or write the IDs into the file', 1],
    [{ kind: 'retryable', failure: { ...failure, status: 500 } }, 'ask somebody, or write the IDs into the file', 1],
  ] as const) {
    const error = await lookedUp([orders], new Map(), read).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    assert.instance(error, EdictError);
    assert.match((error as EdictError).message, 'APIG.1005 no');
    assert.equal([(error as EdictError).hint, (error as EdictError).exitCode], [hint, exitCode]);
  }
});

test.run();
