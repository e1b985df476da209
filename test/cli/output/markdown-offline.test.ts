import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { offlineSection } from '../../../src/cli/output/markdown-plan.ts';
import type { Change } from '../../../src/model/change.ts';
import { readMarkdown } from '../../support/read-markdown.ts';
import { change } from '../../support/states.ts';

const held = { rule: 'protected', message: 'protected', hint: '' } as const;
const deferred = { rule: 'freeze', message: 'frozen', untilMs: 0 } as const;
const goes = (api: string, environment: string, over: Partial<Change> = {}): Change =>
  change(api, environment, { action: 'offline', from: 'online', reason: 'prune', ...over });
const part = (...changes: readonly Change[]) => offlineSection(changes, {});

test('actionable, deferred and held offline changes have their own tables', () => {
  const text = part(goes('a', 'test'), goes('b', 'test', { deferred }), goes('c', 'test', { held, deferred }), change('d', 'test')).render(
    10_000,
  );
  const headings = [...text.matchAll(/\*\*.*\)/g)].map(([heading]) => heading);
  assert.equal(headings, [
    '**Goes OFFLINE** (1)',
    '**Deferred: goes OFFLINE later** (1)',
    '**Held: goes OFFLINE only after an approval** (1)',
  ]);
  assert.equal(
    readMarkdown(text).open.map(([api]) => api),
    ['a', 'b', 'c'],
  );
});

const many = Array.from({ length: 300 }, (_, index) => goes(`a${index}`, index % 3 === 0 ? 'release' : 'test'));

test('with less space only the names are listed, by environment', () => {
  const { text } = readMarkdown(part(...many).render(4000));
  assert.match(text, /- release: \(100\) a0, a3, a6, /);
  for (const { api } of many) assert.match(text, new RegExp(`\\b${api}\\b`));
  assert.match(text, 'Too many for a table; the details are in the JSON');
});

test('with still less space the changes of each environment are counted', () => {
  const { text } = readMarkdown(part(...many).render(400));
  assert.match(text, '- release: 100\n- test: 200\n');
  assert.match(text, 'The complete list is in the JSON');
});

test('the shortest form counts all changes', () => {
  const least = '**Goes OFFLINE** (300) in 2 environments';
  assert.ok(
    part(...many)
      .render(0)
      .startsWith(least),
  );
  assert.ok(part(...many).minimum.startsWith(least));
});

test('the section is empty without offline changes', () => {
  const nothing = part(change('a', 'test'));
  assert.equal([nothing.minimum, nothing.render(1000)], ['', '']);
});

test.run();
