import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderMarkdownPlan } from '../../../src/cli/output/markdown-plan.ts';
import type { FileHold } from '../../../src/model/approval.ts';
import type { Change, Plan } from '../../../src/model/change.ts';
import { visible } from '../../../src/model/visible.ts';
import { diffStates } from '../../../src/plan/diff.ts';
import { approvalDigest } from '../../../src/plan/policies.ts';
import { fc, runs } from '../../support/fast-check.ts';
import { readMarkdown } from '../../support/read-markdown.ts';
import { change, desiredState, recorded, recordedState, wanted } from '../../support/states.ts';

const desired = desiredState([]);
const empty = diffStates(desired, new Map());
const hold = { rule: 'protected', message: 'environment release is protected', hint: 'check that it is intended' } as const;
const wait = { rule: 'freeze', message: 'frozen', untilMs: 0 } as const;
const show = (over: Partial<Plan>, approveCommand: string | null = null): string =>
  renderMarkdownPlan({ plan: { ...empty, ...over }, desired, notices: [], approveCommand });

test('the summary comes first, then offline, held, deferred and online changes', () => {
  const changes = [
    change('a', 'test'),
    change('b', 'test', { deferred: wait }),
    change('c', 'test', { held: hold }),
    change('d', 'release', { action: 'offline', held: hold }),
    change('e', 'test', { action: 'offline' }),
  ];
  const text = show({ changes }, 'edict approve sha256:1 --by NAME --reason TEXT');
  const order = [
    '<!-- edict plan edict.yaml -->\n### edict: 2 held, 1 going online, 1 going offline, 1 deferred, 0 unchanged; gateway never checked.\n',
    '**Goes OFFLINE** (1)',
    '| `e` |',
    '**Held: goes OFFLINE only after an approval** (1)',
    '| `d` |',
    '**Held for approval** (1)',
    '| `c` |',
    'Before you approve what is held: check that it is intended. To approve:\n\n```\nedict approve sha256:1 --by NAME --reason TEXT\n```\n',
    '**Deferred** (1)',
    '| `b` |',
    '**Goes online** (1)',
    '| `a` |',
    'Digest `sha256:',
  ];
  const places = order.map((part) => text.indexOf(part));
  assert.not.ok(places.includes(-1), text);
  assert.equal(
    places,
    places.toSorted((one, other) => one - other),
  );
});

test('the command for the whole list is that of this plan', () => {
  const changes = Array.from({ length: 20_000 }, (_, index) =>
    change(`a${index}`, 'test', { action: index % 2 === 0 ? 'offline' : 'online' }),
  );
  const jsonCommand = 'edict plan --format json shop.yaml --state sqlite:shop.db';
  const text = renderMarkdownPlan({
    plan: { ...empty, changes },
    desired,
    notices: [],
    approveCommand: null,
    jsonCommand,
    file: 'a/-->.yaml',
  });
  assert.match(text, /^<!-- edict plan a\/-\.yaml -->\n/);
  assert.match(text, `The complete list is in the JSON: \`${jsonCommand}\`.`);
  assert.match(text, `All are in the JSON: \`${jsonCommand}\`.`);
});

test('a plan without changes is in sync if the gateway was checked', () => {
  const inSync = desiredState([wanted('orders', 'test')]);
  const unchecked = diffStates(inSync, recordedState([recorded('orders', 'test')]));
  const nothing = { ...unchecked, lastChecked: { atMs: 0, isCurrent: true } };
  assert.is(
    renderMarkdownPlan({ plan: nothing, desired: inSync, notices: [], approveCommand: null }),
    '<!-- edict plan edict.yaml -->\n### edict: In sync. 1 publication matches the file.\n\nGateway `https://roma.example.com`, instance `instance`.\n',
  );
  assert.match(
    renderMarkdownPlan({ plan: unchecked, desired: inSync, notices: [], approveCommand: null }),
    '### edict: No changes; gateway never checked. 1 publication matches the file, as far as is recorded.\n',
  );
  assert.match(show({ savedPlanDiff: { appliedCount: 1, notInPlan: 0 } as Plan['savedPlanDiff'] }), '### edict: nothing to do\n');
});

const fileHeld: FileHold = { rule: 'maxRemoved', message: 'the file has lost 3 | of 4', hint: 'check the file', affected: ['a'] };

test('unmanaged publications have a section of their own', () => {
  const unmanaged = [recorded('carts', 'test'), recorded('users', 'test')];
  const text = show({ unmanaged, newlyUnmanaged: unmanaged.slice(0, 1) });
  assert.match(text, '(2 unmanaged)');
  assert.match(
    text,
    '**Unmanaged: online at the gateway, not in the file** (2 publications); 1 publication becomes unmanaged, and stays online\n\n| API | environment |\n|---|---|\n| `carts` | `test` |\n| `users` | `test` |\n',
  );
});

test('a held file is in the heading', () => {
  const text = show({ fileHeld }, 'edict approve x');
  assert.match(text, '### edict: The whole file is held: 0 unchanged; gateway never checked.\n');
  assert.match(text, '**The whole file is held**: the file has lost 3 &#124; of 4. Nothing is sent.');
  assert.match(text, 'check the file. To approve:\n\n```\nedict approve x\n```');
});

test('a command that is too long to copy is described with its digest', () => {
  const text = show({ fileHeld }, `edict approve x --api ${'long'.repeat(1000)}`);
  assert.match(
    text,
    `\`edict approve ${approvalDigest({ ...empty, fileHeld })?.slice(7, 19)} --by NAME --reason TEXT\`, with the same file and options as the plan.`,
  );
});

test('long lists without offline changes are collapsed', () => {
  const text = show({ changes: Array.from({ length: 50 }, (_, index) => change(`a${index}`, 'test')) });
  const { open, folded } = readMarkdown(text);
  assert.equal([open.length, folded.length], [20, 30]);
});

test('approver and targets are escaped', () => {
  const approval = { id: 1, by: '@ada', reason: '*why* <b>', expiresAtMs: 1 };
  const text = show({ changes: [change('a', 'test')], approval, targets: { apis: ['a*'], environments: [] } });
  assert.match(text, 'Approved by &#64;&#8203;ada: &#42;why&#42; &#60;b&#62;');
  assert.match(text, 'Only --api a&#42;: no change left out.');
  readMarkdown(text);
});

const evil = [
  '|',
  '`',
  '``',
  '\\',
  '@ada',
  '<script>',
  '</details>',
  '<details>',
  '&lt;',
  '🎉',
  '\u202e',
  '#12',
  '**',
  '_',
  'й',
  '-->',
  '~',
  ' ',
];
const name = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.array(fc.constantFrom(...evil, 'orders', 'x'), { minLength: 1, maxLength: 8 }).map((parts) => parts.join('')),
  },
  { weight: 1, arbitrary: fc.constantFrom('n'.repeat(255), '🎉'.repeat(255), '|'.repeat(255), '\u202e'.repeat(255)) },
  { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 255, unit: 'binary' }) },
);
const planned = fc.record({
  size: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(0, 1, 3, 25, 200, 700, 3000) },
    { weight: 1, arbitrary: fc.constantFrom(20_000, 100_000) },
  ),
  names: fc.array(name, { minLength: 1, maxLength: 5 }),
  environments: fc.array(name, { minLength: 1, maxLength: 4 }),
  spread: fc.constantFrom(1, 2, 900),
  offlineEach: fc.constantFrom(1, 2, 5, 1000),
  isSuspicious: fc.boolean(),
  text: name,
});

/** Returns whether a name is too long to be shown whole; no valid file has such a name. */
const isClipped = (text: string): boolean => [...visible(text)].length > 300;

test('any plan fits, keeps its tables intact, and shows all offline changes', async () => {
  await fc.assert(
    fc.property(planned, ({ size, names, environments, spread, offlineEach, isSuspicious, text }) => {
      const changes = Array.from({ length: size }, (_, index): Change => {
        const [api, environment] = [names[index % names.length], environments[index % environments.length]];
        const isOffline = index % offlineEach === 0;
        const held = index % 3 === 0 ? { ...hold, message: text, hint: `${text}${index % 20}` } : null;
        return change(`${api}${index}`, `${environment}${index % spread}`, {
          action: isOffline ? 'offline' : 'online',
          reason: isOffline ? 'prune' : 'revision',
          revision: text,
          held,
          deferred: index % 7 === 0 ? { ...wait, message: text } : null,
        });
      });
      const shown = show({ changes, fileHeld: isSuspicious ? { ...fileHeld, message: text } : null }, `edict approve ${text}`);
      assert.ok(shown.length <= 65_535, `${shown.length}`);
      const read = readMarkdown(shown);
      const offline = changes.filter(({ action }) => action === 'offline');
      const inTables = new Set(read.open.map(([api, environment]) => `${api} ${environment}`));
      const isCounted = read.text.includes('Too many to list here');
      const isNamed = read.text.includes('Too many for a table');
      if (isCounted) {
        const sums = [...read.text.matchAll(/^\*\*[^*]*OFFLINE[^*]*\*\* \((\d+)\)/gm)].map(([, count]) => Number(count));
        assert.is(
          sums.reduce((sum, count) => sum + count, 0),
          offline.length,
        );
        return;
      }
      for (const { api, environment } of offline) {
        if (isClipped(api) || isClipped(environment)) continue;
        const where = `${visible(api)} in ${visible(environment)}`;
        if (isNamed) assert.ok(read.text.includes(visible(api)), where);
        else assert.ok(inTables.has(`${visible(api)} ${visible(environment)}`), where);
      }
    }),
    { numRuns: runs(100) },
  );
});

test('when the names do not fit, the changes of each environment are counted', () => {
  const changes = Array.from({ length: 100_000 }, (_, index) => change(`api-${index}`, `e${index % 7}`, { action: 'offline' }));
  const { text } = readMarkdown(show({ changes }));
  for (let index = 0; index < 7; index += 1) assert.match(text, `- e${index}: ${index < 100_000 % 7 ? 14_286 : 14_285}`);
  assert.match(text, 'The complete list is in the JSON: edict plan --format json.');
});

test.run();
