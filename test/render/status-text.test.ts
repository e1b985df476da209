import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { StatusCell } from '../../src/plan/status.ts';
import { formatStatusCell } from '../../src/render/status-text.ts';
import { change, recorded, wanted } from '../support/states.ts';

const desired = wanted('orders', 'test');
const was = recorded('orders', 'test');
const cell = (over: Partial<StatusCell>): StatusCell => ({
  ...desired,
  desired,
  recorded: was,
  change: null,
  lastAttempt: null,
  status: 'unchanged',
  isApiMissing: false,
  replacementId: null,
  ...over,
});
const lastAttempt = {
  id: 7,
  action: 'online',
  revision: null,
  outcome: 'retryable',
  code: 'APIG.9999',
  message: 'System error',
  startedAtMs: 1,
} as const;
const held = { rule: 'protected', message: 'environment test is protected', hint: '' } as const;
const drift = { from: 'online', fromSinceMs: null, detectedAtMs: 0, backoffUntilMs: null } as const;

for (const [given, expected] of [
  [cell({}), 'unchanged'],
  [cell({ desired: null, status: 'unmanaged' }), 'not in the file, left as it is'],
  [cell({ change: change('orders', 'test'), status: 'pending' }), 'goes online (new: edict has not published it yet)'],
  [
    cell({ change: change('orders', 'test'), status: 'failed', lastAttempt }),
    'goes online (new: edict has not published it yet); last attempt retryable: APIG.9999 System error',
  ],
  [
    cell({ change: change('orders', 'test'), status: 'pending', lastAttempt: { ...lastAttempt, outcome: null } }),
    'goes online (new: edict has not published it yet); the outcome of the last attempt is unknown',
  ],
  [cell({ change: change('orders', 'test', { action: 'offline', held }), status: 'held' }), 'offline: environment test is protected'],
  [
    cell({
      change: change('orders', 'test', { deferred: { rule: 'freeze', message: 'frozen (launch)', untilMs: 0 } }),
      status: 'deferred',
    }),
    'online: frozen (launch) until 1970-01-01T00:00:00Z',
  ],
  [
    cell({ recorded: recorded('orders', 'test', { state: 'offline', drift }), status: 'drifted' }),
    'drift: taken offline outside edict, observed at 1970-01-01T00:00:00Z; `drift: correct` would correct it',
  ],
  [
    cell({ recorded: recorded('orders', 'test', { publishedAtMs: 0, editedAtMs: 1000 }), status: 'outdated' }),
    'outdated: edited at 1970-01-01T00:00:01Z, published at 1970-01-01T00:00:00Z: callers reach the older draft',
  ],
] as const) {
  test(`the next step is: ${expected}`, () => assert.is(formatStatusCell(given), expected));
}

test.run();
