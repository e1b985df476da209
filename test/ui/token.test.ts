import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { violations } from '../support/browser.ts';
import { openShownPage } from '../support/shown-page.ts';
import { recorded, wanted } from '../support/states.ts';

const test = suite('token of the page');

const read = 'read-token-0123456789';

test('the page asks for the token, keeps it in the tab alone, and asks again when it is refused', async () => {
  const shown = await openShownPage([], { tokens: { read } });
  const { page, url } = shown;
  const urls: string[] = [];
  page.on('request', (request) => urls.push(request.url()));
  try {
    shown.plan([wanted('orders', 'test')], [recorded('orders', 'test')]);
    await page.getByText('Reading this page needs a token.').waitFor();
    assert.is(await page.getByRole('rowheader').count(), 0);
    assert.equal(await violations(page), []);
    await page.keyboard.press('Escape');
    const input = page.getByLabel('Token', { exact: true });
    await input.fill('wrong-token-0123456789');
    await page.keyboard.press('Enter');
    await page.getByText('The token is wrong.').waitFor();
    assert.is(await input.inputValue(), '');
    await input.fill(` ${read}\n`);
    await page.keyboard.press('Enter');
    const cell = page.getByRole('row', { name: 'orders' }).getByRole('gridcell').first();
    await cell.getByText('✓ online').waitFor();
    await cell.click();
    await page.getByText('None: edict has made no calls').waitFor();
    await page.reload();
    await cell.getByText('✓ online').waitFor();
    assert.is(await page.evaluate('JSON.stringify(localStorage) + document.cookie'), '{}');
    assert.equal(await page.context().cookies(), []);
    assert.equal(
      urls.filter((requested) => requested.includes('0123456789')),
      [],
    );
    const other = await page.context().newPage();
    await other.goto(url);
    await other.getByText('Reading this page needs a token.').waitFor();
  } finally {
    await shown.close();
  }
});

test.run();
