import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Attempt } from '../../src/model/attempt.ts';
import { openShownPage, type ShownPage } from '../support/shown-page.ts';
import * as states from '../support/states.ts';
import { change, recorded, wanted } from '../support/states.ts';

const test = suite('timeline');

const attempts: Attempt[] = [];
const attempt = (id: number, over: Partial<Attempt>): Attempt =>
  states.attempt('orders', 'test', { id, startedAtMs: id, finishedAtMs: 2, outcome: 'succeeded', ...over });
let shown: ShownPage;
test.before(async () => {
  attempts.push(
    attempt(3, { action: 'offline', outcome: 'succeeded', approval: { by: 'ada', reason: '<i>CHG-7</i>' } }),
    attempt(2, { reason: 'revision', revision: 'r2', versionId: 'v2' }),
    attempt(1, { outcome: 'rejected', code: 'APIG.3001', message: 'API does not exist' }),
    attempt(9, { api: 'carts', apiId: 'api-carts' }),
  );
  shown = await openShownPage(attempts);
  shown.plan(
    [wanted('orders', 'test', { revision: 'r2' }), wanted('orders', 'release')],
    [recorded('orders', 'test', { revision: 'r2', publishedAtMs: 1 })],
  );
});
test.after(() => shown.close());

test('a click on a cell shows the state of the API in each environment and every attempt', async () => {
  await shown.page.getByRole('gridcell').first().click();
  const dialog = shown.page.getByRole('dialog', { name: 'orders' });
  await dialog.getByText('attempt 3').waitFor();
  const text = await dialog.innerText();
  for (const part of [
    'api-orders',
    'test: ✓ unchanged',
    'release: ▲ pending',
    'online, revision r2 (edict.yaml:1)',
    'version version',
    'online, published 1970-01-01',
    'goes online (new: edict has not published it yet)',
    '▼ offline, new: succeeded',
    'approved by ada: <i>CHG-7</i>',
    '▲ online, revision r2: succeeded',
    'version v2',
    '▲ online, new: rejected',
    'APIG.3001 API does not exist',
  ]) {
    assert.match(text, part);
  }
  assert.not.match(text, 'attempt 9');
});

test('is updated live', async () => {
  attempts.unshift(attempt(4, { environment: 'release', environmentId: 'env-release' }));
  const outcome = { kind: 'succeeded', versionId: 'v', publishId: null } as const;
  shown.emit({
    type: 'attempt:finished',
    reconcileId: 'p',
    attemptId: 4,
    change: change('orders', 'release'),
    outcome,
    isRecorded: true,
    durationMs: 1,
  });
  await shown.page.getByText('release: ✓ unchanged').waitFor();
  await shown.page.getByText('attempt 4').waitFor();
});

test('Escape, its button and a click outside close it, and the focus returns to the cell', async () => {
  const dialog = shown.page.getByRole('dialog');
  await shown.page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  assert.is(await shown.page.evaluate('document.activeElement.getAttribute("role")'), 'gridcell');
  await shown.page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await shown.page.keyboard.press('Enter');
  await dialog.waitFor();
  await shown.page.mouse.click(5, 5);
  await dialog.waitFor({ state: 'hidden' });
});

test('the browser reports no error', () => assert.equal(shown.complaints, []));

test.run();
