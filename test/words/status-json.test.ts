import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { matrixOf } from '../../src/core/matrix.ts';
import { plan } from '../../src/core/plan.ts';
import { everything, type Targets } from '../../src/core/targets.ts';
import { cellsOf, statusJson } from '../../src/words/status-json.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const desired = desiredState([wanted('orders', 'test'), wanted('carts', 'test')]);
const was = recordedState([recorded('orders', 'test'), recorded('users', 'test')]);
const made = plan(desired, was);
const statusOf = (targets: Targets) => ({
  matrix: matrixOf(desired, was, made, new Map()),
  ...{ plan: made, targets, condition: null, holder: null, release: null },
});

test('programs read every publication with where it stands, what is wanted, recorded and next', () => {
  const { publications, summary, daemon } = statusJson(statusOf(everything));
  assert.equal(
    publications.map(({ api, standing, desired: wants, recorded: has, next }) => [api, standing, wants?.state, has?.state, next?.action]),
    [
      ['orders', 'in sync', 'online', 'online', undefined],
      ['carts', 'changing', 'online', undefined, 'online'],
      ['users', 'kept', undefined, 'online', undefined],
    ],
  );
  assert.equal([summary.online, summary.unchanged, daemon], [1, 1, null]);
  assert.equal(publications[0]?.desired?.source, { file: 'edict.yaml', line: 1, column: 1 });
});

test('what is not targeted is left out', () => {
  const targets: Targets = { ...everything, hasApi: ({ api }) => api === 'carts' };
  assert.equal(
    cellsOf(statusOf(targets)).map(({ api }) => api),
    ['carts'],
  );
});

test.run();
