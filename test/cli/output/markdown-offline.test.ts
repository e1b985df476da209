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

test('what goes offline now, after a wait, and with an agreement stands in tables of its own', () => {
  const text = part(goes('a', 'test'), goes('b', 'test', { deferred }), goes('c', 'test', { held, deferred }), change('d', 'test')).render(
    10_000,
  );
  const headings = [...text.matchAll(/\*\*.*\)/g)].map(([heading]) => heading);
  assert.equal(headings, ['**Goes OFFLINE** (1)', '**Deferred: goes OFFLINE later** (1)', '**Held: goes OFFLINE only if approved** (1)']);
  assert.equal(
    readMarkdown(text).open.map(([api]) => api),
    ['a', 'b', 'c'],
  );
});

const many = Array.from({ length: 300 }, (_, index) => goes(`a${index}`, index % 3 === 0 ? 'release' : 'test'));

test('with less room only the names are told, by environment', () => {
  const { text } = readMarkdown(part(...many).render(4000));
  assert.match(text, /- release: \(100\) a0, a3, a6, /);
  for (const { api } of many) assert.match(text, new RegExp(`\\b${api}\\b`));
  assert.match(text, 'where and why is in the JSON');
});

test('with still less the environments are counted, and it is said that this is not all', () => {
  const { text } = readMarkdown(part(...many).render(400));
  assert.match(text, '- release: 100\n- test: 200\n');
  assert.match(text, 'The whole list is in the JSON');
});

test('at the least everything is counted', () => {
  const least = '**Goes OFFLINE** (300) in 2 environments';
  assert.ok(
    part(...many)
      .render(0)
      .startsWith(least),
  );
  assert.ok(part(...many).minimum.startsWith(least));
});

test('where nothing goes offline there is nothing to say', () => {
  const nothing = part(change('a', 'test'));
  assert.equal([nothing.minimum, nothing.render(1000)], ['', '']);
});

test.run();
