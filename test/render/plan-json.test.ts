import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diffStates } from '../../src/plan/diff.ts';
import { planDigest } from '../../src/plan/digest.ts';
import { approvalDigest } from '../../src/plan/policies.ts';
import { planJson } from '../../src/render/plan-json.ts';
import { desiredState, recorded, recordedState, wanted } from '../support/states.ts';

const source = { file: 'edict.yaml', line: 14, column: 7 };
const desired = desiredState(
  [wanted('orders', 'test', { revision: 'r1', source }), wanted('invoices', 'release', { state: 'offline' }), wanted('carts', 'test')],
  { protectedNames: ['release'], prune: true },
);
const plan = diffStates(
  desired,
  recordedState([recorded('invoices', 'release'), recorded('carts', 'test'), recorded('gone', 'test', { wasDeclared: true })]),
);

test('a plan matches its JSON schema', () => {
  assert.equal(JSON.parse(JSON.stringify(planJson({ plan, desired, notices: [], approveCommand: 'edict approve' }))), {
    format: 1,
    digest: planDigest(plan),
    approvalDigest: approvalDigest(plan),
    approveCommand: 'edict approve',
    fileHeld: null,
    suspension: null,
    approval: null,
    gateway: { endpoint: 'https://roma.example.com', project: 'project', instance: 'instance' },
    emulated: false,
    uncheckedReason: null,
    targets: { apis: [], environments: [] },
    summary: {
      online: 1,
      offline: 1,
      unchanged: 1,
      held: 1,
      deferred: 0,
      unknown: 0,
      failed: 0,
      drifted: 0,
      settling: 0,
      unmanaged: 0,
      excluded: 0,
    },
    unmanaged: [],
    lastChecked: { at: null, current: false },
    changes: [
      {
        ...{ api: 'gone', apiId: 'api-gone', environment: 'test', environmentId: 'env-test', action: 'offline', reason: 'prune' },
        ...{ from: 'online', to: 'offline', revision: null, version: null, drift: null, held: null, deferred: null, source: null },
      },
      {
        ...{
          api: 'invoices',
          apiId: 'api-invoices',
          environment: 'release',
          environmentId: 'env-release',
          action: 'offline',
          reason: 'state',
        },
        ...{ from: 'online', to: 'offline', revision: null, version: null, drift: null },
        held: 'protected: environment release is protected: nothing goes offline there',
        deferred: null,
        source: { file: 'edict.yaml', line: 1, column: 1, commit: null },
      },
      {
        ...{ api: 'orders', apiId: 'api-orders', environment: 'test', environmentId: 'env-test', action: 'online', reason: 'new' },
        ...{ from: null, to: 'online', revision: 'r1', version: null, drift: null, held: null, deferred: null },
        source: { ...source, commit: null },
      },
    ],
    notices: [],
    estimate: { calls: 2, seconds: 0.1, batched: null },
  });
});

test.run();
