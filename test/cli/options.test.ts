import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { format, state } from '../../src/cli/options.ts';

test('the store can come from the environment, and the format is one of those of the command', () => {
  assert.is(state().envVar, 'EDICT_STATE');
  assert.equal([format('text', 'json').argChoices, format('text', 'json').defaultValue], [['text', 'json'], 'text']);
});

test.run();
