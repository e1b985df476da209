import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { countChanges } from '../../src/plan/change-counts.ts';
import { change } from '../support/states.ts';

test('each change has one status: a held one counts as held, even if it is also deferred', () => {
  const held = { rule: 'protected', message: '', hint: '' } as const;
  const deferred = { rule: 'freeze', message: '', untilMs: null } as const;
  const changes = [
    change('orders', 'test'),
    change('orders', 'release', { action: 'offline' }),
    change('carts', 'test', { held }),
    change('carts', 'release', { held, deferred }),
    change('users', 'test', { deferred }),
  ];
  assert.equal(countChanges({ changes }), { online: 1, offline: 1, held: 2, deferred: 1 });
  assert.equal(countChanges({ changes: [] }), { online: 0, offline: 0, held: 0, deferred: 0 });
});

test.run();
