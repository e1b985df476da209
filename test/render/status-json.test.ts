import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diffStates } from '../../src/plan/diff.ts';
import { statusInput } from '../../src/plan/status.ts';
import { allTargets, type Targets } from '../../src/plan/targets.ts';
import { statusJson, targetedStatusCells } from '../../src/render/status-json.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const desired = desiredState([wanted('orders', 'test'), wanted('carts', 'test')]);
const was = recordedState([recorded('orders', 'test'), recorded('users', 'test')]);
const plan = diffStates(desired, was);
const statusOf = (targets: Targets) => ({
  input: statusInput(plan, { desired, recorded: was, lastAttempts: new Map() }),
  ...{ plan, targets, controllerStatus: null, leaseHolder: null, unobserved: null, approveCommand: null },
});

test('programs can read the status of every publication, with its desired and recorded state and next step', () => {
  const { publications, summary, daemon } = statusJson(statusOf(allTargets));
  assert.equal(
    publications.map(({ api, status, desired: wants, recorded: has, next }) => [api, status, wants?.state, has?.state, next?.action]),
    [
      ['orders', 'unchanged', 'online', 'online', undefined],
      ['carts', 'pending', 'online', undefined, 'online'],
      ['users', 'unmanaged', undefined, 'online', undefined],
    ],
  );
  assert.equal([summary.online, summary.unchanged, daemon], [1, 1, null]);
  assert.equal(publications[0]?.desired?.source, { file: 'edict.yaml', line: 1, column: 1 });
});

test('publications that are not targeted are left out', () => {
  const targets: Targets = { ...allTargets, matchesApi: ({ api }) => api === 'carts' };
  assert.equal(
    targetedStatusCells(statusOf(targets)).map(({ api }) => api),
    ['carts'],
  );
});

test.run();
