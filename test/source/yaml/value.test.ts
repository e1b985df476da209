import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseYaml } from '../../../src/source/yaml/tree.ts';
import { toPlainValue } from '../../../src/source/yaml/value.ts';

const read = (text: string): unknown => toPlainValue(parseYaml(text).root);

test('maps, lists and scalars become plain values', () => {
  const text = 'a: text\nb: [x, ~, true]\nc:\n  d: "quoted"\n  e: |\n    block\n  f:\n';
  assert.equal(read(text), { a: 'text', b: ['x', null, true], c: { d: 'quoted', e: 'block\n', f: null } });
});

test('a number is parsed only where the file has numbers, and elsewhere keeps its text', () => {
  assert.equal(read('edict: 1\ngateway:\n  limit: { calls: 10, concurrency: 0x10, per: 5 }\n'), {
    edict: 1,
    gateway: { limit: { calls: 10, concurrency: 16, per: '5' } },
  });
  assert.equal(read('rollout: [{ environment: 5, probe: { status: 204, timeout: 7 } }]'), {
    rollout: [{ environment: '5', probe: { status: 204, timeout: '7' } }],
  });
  assert.equal(read('a: 1.10\nb: [0x10, 1e5]\ncalls: 7\napis: { edict: 1, calls: { calls: 2, concurrency: .inf } }\n'), {
    a: '1.10',
    b: ['0x10', '1e5'],
    calls: '7',
    apis: { edict: '1', calls: { calls: '2', concurrency: '.inf' } },
  });
});

test('a key is always a string', () => {
  assert.equal(Object.keys(read('1.10: a\n~: b\ntrue: c\n"": d\n') as object), ['1.10', '~', 'true', '']);
});

test('a key that is a property of every object has no special meaning', () => {
  const value = read('__proto__: { polluted: yes }\nconstructor: a\n') as Record<string, unknown>;
  assert.equal(Object.keys(value), ['__proto__', 'constructor']);
  assert.is(Object.getPrototypeOf(value), Object.prototype);
  assert.is(value['polluted'], undefined);
});

test.run();
