import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openShownPage, type ShownPage } from '../support/shown-page.ts';
import { change, recorded, wanted } from '../support/states.ts';

const test = suite('grid');
const names = Array.from({ length: 300 }, (_, index) => `api${String(index).padStart(3, '0')}`);
let shown: ShownPage;

test.before(async () => {
  shown = await openShownPage();
  shown.plan(
    names.flatMap((name) => [wanted(name, 'test'), wanted(name, 'release')]),
    names.flatMap((name) => [recorded(name, 'test'), recorded(name, 'release')]),
    { protectedNames: ['release'] },
  );
  await shown.page.getByText('300 APIs').waitFor();
});
test.after(() => shown.close());

const focused = (): Promise<string> =>
  shown.page.evaluate(
    `(() => { const cell = document.activeElement; const row = cell.closest('[role=row]'); return row ? row.firstElementChild.textContent + ' ' + [...row.children].indexOf(cell) : cell.id; })()`,
  );
const press = async (...keys: readonly string[]): Promise<string> => {
  for (const key of keys) await shown.page.keyboard.press(key);
  return focused();
};

test('only visible rows are in the document, which still says how many there are', async () => {
  const rows = await shown.page.locator('.body .row').count();
  assert.ok(rows > 10 && rows < 60, String(rows));
  const grid = shown.page.getByRole('grid');
  assert.equal([await grid.getAttribute('aria-rowcount'), await grid.getAttribute('aria-colcount')], ['301', '3']);
  assert.equal(await shown.page.locator('[role=columnheader]').allTextContents(), ['API', 'test ', 'release protected']);
  await shown.page.mouse.move(300, 400);
  await shown.page.mouse.wheel(0, 200 * 36);
  await shown.page.getByText('api205').waitFor();
  assert.ok((await shown.page.locator('.body .row').count()) < 60);
  assert.is(await shown.page.getByRole('row', { name: 'api205' }).getAttribute('aria-rowindex'), '207');
});

test('one cell can be reached with Tab, and every other from there with the arrow keys', async () => {
  await shown.page.locator('#filter').focus();
  assert.is(await press('ArrowDown'), 'api000 0');
  assert.is(await press('ArrowRight', 'ArrowDown', 'ArrowDown'), 'api002 1');
  assert.is(await press('End'), 'api002 2');
  assert.is(await press('Control+End'), 'api299 2');
  assert.is(await press('ArrowDown', 'ArrowRight'), 'api299 2', 'it ends at the last row');
  assert.is(await press('Control+Home'), 'api000 0');
  assert.match(await press('PageDown', 'PageDown'), /^api0[12]\d 0$/);
  const there = await focused();
  await press('Shift+Tab');
  assert.is(await press('Tab'), there, 'Tab returns to the previous cell');
});

test('the focus stays on its cell while others scroll by and change', async () => {
  await press('Control+Home', 'ArrowRight');
  await shown.page.locator('#matrix').evaluate('(node) => { node.scrollTop = 5000; }');
  assert.is(await focused(), 'api000 1');
  const orders = change('api000', 'test', { revision: 'r2' });
  const failure = { code: 'X', status: 500, message: 'broken', hint: null, requestId: null, retryAfterMs: null };
  shown.plan(
    [wanted('api000', 'test', { revision: 'r2' }), ...names.slice(1).map((name) => wanted(name, 'test'))],
    names.flatMap((name) => [recorded(name, 'test'), recorded(name, 'release')]),
    { protectedNames: ['release'] },
  );
  shown.emit({
    type: 'attempt:finished',
    reconcileId: 'p',
    attemptId: 1,
    change: orders,
    outcome: { kind: 'rejected', failure },
    isRecorded: true,
    durationMs: 1,
  });
  await shown.page.locator('.failed', { hasText: 'failed' }).first().waitFor();
  assert.is(await focused(), 'api000 1');
});

test('an update touches the changed cells and no other', async () => {
  await press('Control+Home');
  await shown.page.evaluate(
    `(() => { window.touched = []; new MutationObserver((records) => { for (const { target } of records) { const cell = target.closest?.('.body .row > div'); if (cell) window.touched.push(cell.parentElement.firstElementChild.textContent); } }).observe(document.querySelector('.body'), { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['class', 'data-state', 'title'] }); })()`,
  );
  const outcome = { kind: 'succeeded', versionId: 'v', publishId: null } as const;
  shown.emit({
    type: 'attempt:finished',
    reconcileId: 'p',
    attemptId: 2,
    change: change('api000', 'test', { revision: 'r2' }),
    outcome,
    isRecorded: true,
    durationMs: 1,
  });
  await shown.page.getByRole('row', { name: 'api000' }).locator('.unchanged').first().waitFor();
  assert.equal([...new Set(await shown.page.evaluate<string[]>('window.touched'))], ['api000']);
});

test('the browser reports no error', () => assert.equal(shown.complaints, []));

test.run();
