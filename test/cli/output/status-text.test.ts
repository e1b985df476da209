import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderMatrix, renderOpenPublications } from '../../../src/cli/output/status-text.ts';
import { noColor } from '../../../src/cli/output/terminal.ts';
import { type PublicationStatus, publicationStatuses, type StatusCell } from '../../../src/plan/status.ts';
import { change, recorded, wanted } from '../../support/states.ts';

const cell = (api: string, environment: string, status: PublicationStatus = 'unchanged'): StatusCell => {
  const isLeft = status === 'unmanaged' || status === 'settling' || status === 'unchanged' || status === 'drifted' || status === 'outdated';
  return {
    ...wanted(api, environment),
    desired: status === 'unmanaged' ? null : wanted(api, environment),
    ...{
      recorded: recorded(api, environment),
      change: isLeft ? null : change(api, environment),
      lastAttempt: null,
      status,
      isApiMissing: false,
      replacementId: null,
    },
  };
};

test('an API is a row, an environment a column', () => {
  const cells = [cell('orders', 'test'), cell('orders', 'release', 'pending'), cell('carts', 'release', 'held')];
  assert.equal(renderMatrix(cells, 80, noColor), [
    'API     test      release',
    'orders  ✓ online  ▲ going online',
    'carts   -         ■ held',
  ]);
});

test('each status has its own sign and word', () => {
  const shown = publicationStatuses.map((status) => renderMatrix([cell('orders', 'test', status)], 80, noColor)[1]);
  assert.is(new Set(shown).size, publicationStatuses.length);
});

test('a matrix that is wider than the terminal is split', () => {
  const cells = ['one', 'two', 'three'].map((environment) => cell('orders', environment));
  assert.equal(renderMatrix(cells, 28, noColor), [
    ...['API     one       two', 'orders  ✓ online  ✓ online', ''],
    ...['API     three', 'orders  ✓ online'],
  ]);
  assert.is(renderMatrix(cells, 5, noColor).length, 8);
  assert.equal(renderMatrix([], 80, noColor), []);
});

test('publications that are not in sync are listed with their next step', () => {
  assert.equal(renderOpenPublications([cell('orders', 'test')], noColor), []);
  const lines = renderOpenPublications(
    [cell('orders', 'test'), cell('carts', 'test', 'pending'), cell('users', 'test', 'unmanaged')],
    noColor,
  );
  assert.equal(lines, [
    'API    environment  desired      recorded  since                 next',
    'carts  test         online       online    1970-01-01T00:00:00Z  goes online (new: edict has not published it yet)',
    'users  test         not in file  online    1970-01-01T00:00:00Z  not in the file, left as it is',
  ]);
});

test.run();
