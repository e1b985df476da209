import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openShownPage, type ShownPage } from '../support/shown-page.ts';

const test = suite('element');
let shown: ShownPage;
test.before(async () => {
  shown = await openShownPage();
});
test.after(() => shown.close());

const evaluated = (expression: string): Promise<unknown> =>
  shown.page.evaluate(`import('/ui/element.js').then(({ element, byId }) => { ${expression} })`);

test('text is never parsed as markup', async () => {
  assert.is(
    await evaluated(`return element('p', { title: '"<' }, '<b>', null, element('i')).outerHTML`),
    '<p title="&quot;&lt;">&lt;b&gt;<i></i></p>',
  );
});

test('null and false children are left out, and a function becomes a listener', async () => {
  assert.is(await evaluated(`return element('a', { id: null, hidden: false, tabindex: 0 }).outerHTML`), '<a tabindex="0"></a>');
  assert.is(await evaluated(`let clicks = 0; element('a', { onclick: () => { clicks += 1; } }).click(); return clicks`), 1);
});

test('a missing element is a bug', async () => {
  assert.is(await evaluated(`try { byId('nothing') } catch (error) { return error.message }`), 'the page has no #nothing');
});

test.run();
