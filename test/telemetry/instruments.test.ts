import { Registry } from 'prom-client';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createInstruments } from '../../src/telemetry/instruments.ts';

test('every metric has the prefix edict_, base units and a description', async () => {
  const registry = new Registry();
  createInstruments(registry);
  const metrics = await registry.getMetricsAsJSON();
  assert.ok(metrics.length > 20);
  for (const { name, help, type } of metrics) {
    assert.match(name, /^edict_[a-z_]+$/);
    assert.match(help, /^[A-Z0-9].*\.$/);
    assert.is(name.endsWith('_total'), String(type) === 'counter', name);
    assert.not.match(name, /_(ms|milliseconds|minutes|kb|mb|count|ratio|percent)(_|$)/);
    if (String(type) === 'histogram') assert.match(name, /_seconds$/);
  }
});

test.run();
