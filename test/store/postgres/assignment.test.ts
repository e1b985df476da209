import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AssignableGateway, assignGateways } from '../../../src/store/postgres/assignment.ts';
import { fc } from '../../support/fast-check.ts';

const edicts = ['a', 'b', 'c', 'd'];
const someClaims = fc
  .uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 12 })
  .chain((ids) =>
    fc.tuple(
      ...ids.map((gatewayId) =>
        fc.record({
          gatewayId: fc.constant(gatewayId),
          wanted: fc.subarray(edicts),
          holder: fc.constantFrom(null, ...edicts),
        }),
      ),
    ),
  )
  .map((claims): AssignableGateway[] =>
    claims.map((claim) => ({ ...claim, candidates: [...new Set([...claim.wanted, ...(claim.holder ? [claim.holder] : [])])] })),
  );

const loadsOf = (owners: ReadonlyMap<number, string>): number[] =>
  edicts.map((edict) => [...owners.values()].filter((owner) => owner === edict).length);

const sorted = (owners: ReadonlyMap<number, string>): (readonly [number, string])[] => [...owners].toSorted(([a], [b]) => a - b);

test('three instances that want six gateways get two each', () => {
  const claims = [1, 2, 3, 4, 5, 6].map((gatewayId) => ({ gatewayId, holder: null, candidates: ['a', 'b', 'c'] }));
  assert.equal(loadsOf(assignGateways(claims)), [2, 2, 2, 0]);
});

test('a new instance gets its share from those with more, and the gateways of one that is gone go to the others', () => {
  const held = [1, 2, 3, 4].map((gatewayId) => ({ gatewayId, holder: 'a', candidates: ['a', 'b'] }));
  assert.equal(loadsOf(assignGateways(held)), [2, 2, 0, 0]);
  const left = [1, 2, 3, 4].map((gatewayId) => ({ gatewayId, holder: gatewayId < 3 ? null : 'a', candidates: ['a', 'c'] }));
  assert.equal(loadsOf(assignGateways(left)), [2, 0, 2, 0]);
});

test('an instance that does not share keeps what it has', () => {
  const claims = [1, 2, 3].map((gatewayId) => ({ gatewayId, holder: 'pipeline', candidates: ['a'] }));
  assert.equal([...assignGateways(claims).values()], ['pipeline', 'pipeline', 'pipeline']);
});

test('nothing moves if no instance has two fewer, and every instance computes the same result', () => {
  fc.assert(
    fc.property(someClaims, fc.infiniteStream(fc.nat()), (claims, random) => {
      const owners = assignGateways(claims);
      const assigned = claims.map((claim) => ({ ...claim, holder: owners.get(claim.gatewayId) ?? null }));
      assert.equal(sorted(assignGateways(assigned)), sorted(owners));
      const shuffled = claims.toSorted(() => ((random.next().value as number) % 2 ? 1 : -1));
      assert.equal(sorted(assignGateways(shuffled)), sorted(owners));
    }),
  );
});

test('each wanted gateway goes to an instance that wants it, and no other assignment is more even', () => {
  fc.assert(
    fc.property(someClaims, (claims) => {
      const owners = assignGateways(claims);
      const load = (edict: string): number => [...owners.values()].filter((owner) => owner === edict).length;
      for (const { gatewayId, candidates } of claims) {
        const owner = owners.get(gatewayId);
        assert.is(owner !== undefined, candidates.length > 0);
        if (owner === undefined) continue;
        assert.ok(candidates.includes(owner));
        for (const other of candidates) assert.ok(load(owner) <= load(other) + 1, `${owner} has ${load(owner)}, ${other} ${load(other)}`);
      }
    }),
  );
});

test.run();
