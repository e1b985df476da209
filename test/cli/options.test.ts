import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatOption, stateOption } from '../../src/cli/options.ts';

test('the store can come from the environment, and the format is one of those of the command', () => {
  assert.is(stateOption().envVar, 'EDICT_STATE');
  assert.equal([formatOption('text', 'json').argChoices, formatOption('text', 'json').defaultValue], [['text', 'json'], 'text']);
});

test.run();
