import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidFileError } from '../../src/model/errors.ts';
import { violations } from '../support/browser.ts';
import { openShownPage, type ShownPage } from '../support/shown-page.ts';
import { change, recorded, wanted } from '../support/states.ts';

const test = suite('page');

const diagnostic = {
  rule: 'invalid-value',
  file: 'edict.yaml',
  line: 7,
  column: 5,
  length: 3,
  message: 'onl is no state',
  hint: 'online?',
  excerpt: { text: '    onl', column: 1 },
} as const;
const failure = { code: 'APIG.3001', status: 404, message: 'API does not exist', hint: null, requestId: null, retryAfterMs: null };
const drift = { from: 'online', fromSinceMs: 1, detectedAtMs: 2, backoffUntilMs: null } as const;

/** Shows an example of everything that the page can show. */
async function showAll({ plan, emit, page }: ShownPage): Promise<void> {
  plan(
    [
      ...[wanted('orders', 'test'), wanted('orders', 'release', { state: 'offline' }), wanted('carts', 'test'), wanted('users', 'test')],
      ...[wanted('tax', 'test'), wanted('tax', 'release')],
    ],
    [
      ...[recorded('orders', 'test'), recorded('orders', 'release'), recorded('users', 'test', { state: 'offline', drift })],
      ...[recorded('tax', 'test'), recorded('old', 'test')],
    ],
    { protectedNames: ['release'] },
  );
  emit({ type: 'reconcile:started', reconcileId: 'p', cause: 'file' });
  emit({
    type: 'attempt:finished',
    reconcileId: 'p',
    attemptId: 1,
    change: change('carts', 'test'),
    outcome: { kind: 'rejected', failure },
    isRecorded: true,
    durationMs: 1,
  });
  emit({ type: 'requests:paused', reason: 'credentials', message: 'APIGW.0301 Incorrect IAM authentication information' });
  emit({ type: 'file:invalid', error: new InvalidFileError('edict.yaml', [diagnostic]) });
  await page.getByText('The value or name is not allowed here').waitFor();
  await page.locator('.failed', { hasText: 'failed' }).first().waitFor();
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [name, viewport] of [
    ['a screen', { width: 1280, height: 900 }],
    ['a phone', { width: 390, height: 844 }],
  ] as const) {
    test(`axe finds nothing wrong, ${colorScheme} on ${name}, with a timeline open too`, async () => {
      const shown = await openShownPage([], { colorScheme, viewport, reducedMotion: 'reduce' });
      try {
        await showAll(shown);
        assert.equal(await violations(shown.page), []);
        const width = await shown.page.evaluate<number>('document.documentElement.scrollWidth');
        assert.ok(width <= viewport.width, `it is ${width} px wide`);
        await shown.page.getByRole('gridcell').first().click();
        await shown.page.getByText('None: edict has made no calls').waitFor();
        assert.equal(await violations(shown.page), []);
        assert.equal(shown.complaints, []);
      } finally {
        await shown.close();
      }
    });
  }
}

test('the filter applies as it is typed, / focuses it and Escape returns', async () => {
  const shown = await openShownPage();
  try {
    await showAll(shown);
    await shown.page.keyboard.press('/');
    await shown.page.keyboard.type('ord');
    await shown.page.getByText('1 of 5 APIs').waitFor();
    assert.equal(await shown.page.getByRole('rowheader').allTextContents(), ['orders']);
    await shown.page.keyboard.press('Escape');
    await shown.page.getByText('5 APIs', { exact: true }).waitFor();
    assert.is(await shown.page.evaluate('document.activeElement.textContent'), 'orders');
    await shown.page.keyboard.press('/');
    await shown.page.keyboard.type('no such API');
    await shown.page.getByText('0 of 5 APIs').waitFor();
  } finally {
    await shown.close();
  }
});

test('of ten thousand cells only the visible ones are in the document', async () => {
  const shown = await openShownPage();
  try {
    const names = Array.from({ length: 3334 }, (_, index) => `api${index}`);
    const environments = ['test', 'stage', 'release'];
    shown.plan(
      names.flatMap((name) => environments.map((environment) => wanted(name, environment))),
      names.flatMap((name) => environments.map((environment) => recorded(name, environment))),
    );
    await shown.page.getByText('3,334 APIs').waitFor();
    await shown.page.reload();
    await shown.page.getByText('3,334 APIs').waitFor();
    assert.is(await shown.page.getByRole('grid').getAttribute('aria-rowcount'), '3335');
    assert.ok((await shown.page.locator('.body .row').count()) < 60);
  } finally {
    await shown.close();
  }
});

test.run();
