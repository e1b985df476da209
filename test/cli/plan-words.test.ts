import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { costInWords, placeInWords, totalsInWords, unchangedInWords } from '../../src/cli/plan-words.ts';
import { plan } from '../../src/core/plan.ts';
import { change, desiredState, gatewaySettings, recorded, recordedState, wanted } from '../support/states.ts';

const inSync = plan(desiredState([wanted('orders', 'test')]), recordedState([recorded('orders', 'test')]));
const hold = { rule: 'protected', message: 'no', hint: 'ask' } as const;
const wait = { rule: 'freeze', message: 'frozen', untilMs: null } as const;

test('a place is file and line; what has left the file has none', () => {
  assert.is(placeInWords(change('orders', 'test')), 'edict.yaml:1');
  assert.is(placeInWords({ source: null }), '');
});

test('what is as the file says is counted', () => {
  assert.is(unchangedInWords(inSync), '1 publication is as the file says.');
  assert.is(unchangedInWords({ ...inSync, unchanged: 1200 }), '1,200 publications are as the file says.');
});

test('each change is counted once, held before waiting', () => {
  const changes = [
    change('a', 'test'),
    change('b', 'test', { action: 'offline' }),
    change('c', 'test', { held: hold, waits: wait }),
    change('d', 'test', { waits: wait }),
  ];
  assert.is(totalsInWords({ ...inSync, changes }), '4 changes: 1 online, 1 offline, 1 held, 1 waiting, 1 unchanged.');
  assert.is(totalsInWords(inSync), '0 changes: 0 online, 0 offline, 1 unchanged.');
});

test('a long plan says what a batch would save', () => {
  const changes = Array.from({ length: 200 }, (_, index) => change(`a${index}`, 'test'));
  const words = costInWords({ ...inSync, changes }, desiredState([]));
  assert.match(words, /^200 calls, about .* at 10 per 1 s\. With `gateway\.batch: 100`: 2 calls/);
  const batched = costInWords({ ...inSync, changes }, desiredState([], { gateway: gatewaySettings({ batch: 100 }) }));
  assert.match(batched, /^2 calls, about .* at 10 per 1 s\.$/);
});

test.run();
