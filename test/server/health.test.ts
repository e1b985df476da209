import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { diffStates } from '../../src/plan/diff.ts';
import { Health } from '../../src/server/health.ts';
import { desiredState } from '../support/states.ts';

const test = suite('health');
const desired = desiredState([]);

test('is ready when a valid file was read, and stays so when a later one is invalid', () => {
  const health = new Health();
  assert.equal(health.ready(), { ok: false, message: 'no valid file has been loaded yet' });
  health.emit({ type: 'file:loaded', desired });
  assert.ok(health.ready().ok);
  health.emit({ type: 'file:unreadable', message: 'gone' });
  assert.ok(health.ready().ok);
});

test('is not ready while the store fails, and is again once it can be read', () => {
  const health = new Health();
  health.emit({ type: 'file:loaded', desired });
  health.emit({ type: 'store:error', reconcileId: '', message: 'the disk is full' });
  assert.equal(health.ready(), { ok: false, message: 'store error: the disk is full' });
  assert.ok(health.live().ok);
  health.emit({ type: 'plan:computed', reconcileId: '', cause: 'resync', recorded: new Map(), plan: diffStates(desired, new Map()) });
  assert.ok(health.ready().ok);
});

test('an unreachable gateway does not affect health', () => {
  const health = new Health();
  health.emit({ type: 'file:loaded', desired });
  health.emit({ type: 'requests:paused', reason: 'outage', message: 'no connection' });
  assert.ok(health.ready().ok && health.live().ok);
});

test('a daemon that has ended is not alive', () => {
  const health = new Health();
  health.emit({ type: 'daemon:stopped', signal: 'SIGTERM', unsentCount: 0 });
  assert.not.ok(health.live().ok);
});

test.run();
