import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { colorizersFor } from '../../src/cli/context.ts';
import { testContext } from '../support/streams.ts';

test('each stream has its own colorizer', () => {
  const { out, err } = colorizersFor(testContext().context);
  assert.equal([out('red', 'a'), err('red', 'b')], ['a', 'b']);
});

test.run();
