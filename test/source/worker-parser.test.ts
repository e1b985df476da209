import { setImmediate } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DesiredState } from '../../src/model/desired-state.ts';
import { InvalidFileError } from '../../src/model/errors.ts';
import { nameKey } from '../../src/model/name-ref.ts';
import { localParser, type SourceParser } from '../../src/source/source-parser.ts';
import { WorkerParser } from '../../src/source/worker/worker-parser.ts';
import { edictTexts } from '../support/edict-texts.ts';
import { fc, runs } from '../support/fast-check.ts';
import { head } from '../support/marked-file.ts';

const test = suite('worker parser');
const workers = new WorkerParser();
const { signal } = new AbortController();
test.after(() => workers[Symbol.asyncDispose]());

/** Returns a file with these APIs, one after another. */
const fileOf = (apis: readonly string[], more = ''): string =>
  `${head}${more}apis:\n${apis.map((api) => `  ${api}: { id: id-${api}, environments: { test: online } }\n`).join('') || '  {}\n'}`;
const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `a${index}`);

async function load(parser: SourceParser, text: string): Promise<DesiredState> {
  const parsed = await parser.parse({ text, file: 'edict.yaml', variables: {} }, signal);
  const resolutions = new Map(parsed.nameRefs.map((name) => [nameKey(name), { kind: 'one', id: `id-of-${name.name}` } as const]));
  return parsed.toDesiredState(resolutions, signal);
}

/** Returns the desired state, or the errors of the file; without functions, which cannot be compared. */
async function resultOf(parser: SourceParser, text: string): Promise<unknown> {
  try {
    const { freezes, ...desired } = await load(parser, text);
    return { ...desired, freezes: freezes.map((freeze) => [freeze.name, freeze.reason, freeze.endsAtMs(Date.UTC(2026, 11, 19))]) };
  } catch (error) {
    assert.instance(error, InvalidFileError);
    const { message, diagnostics, hasMore } = error as InvalidFileError;
    return { message, diagnostics, hasMore };
  }
}

test('a file has the same result as in this thread, whatever was parsed before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(edictTexts, { minLength: 1, maxLength: 4 }), async (texts) => {
      using parser = workers.open();
      for (const text of texts) assert.equal(await resultOf(parser, text), await resultOf(localParser(), text));
    }),
    { numRuns: runs(300) },
  );
});

for (const [what, before, after] of [
  ['an edited line', fileOf(['a', 'b', 'c']), fileOf(['a', 'x', 'c'])],
  ['an inserted line', fileOf(['a', 'b', 'c']), fileOf(['a', 'b', 'c'], '# more\n')],
  ['another order', fileOf(['a', 'b', 'c']), fileOf(['c', 'a', 'b'])],
  ['nothing left', fileOf(['a', 'b', 'c']), fileOf([])],
  ['a name instead of an ID', fileOf(['a', 'b']), fileOf(['a', 'b']).replace('id: id-a, ', '')],
  ['a hundred errors and more', fileOf(['a']), fileOf(numbered(200)).replaceAll('online', 'onlin')],
  ['more than one part', fileOf(numbered(5001)), fileOf([...numbered(5001).slice(1), 'last'])],
  [
    'freezes',
    fileOf(['a']),
    fileOf(['a'], 'freeze: [{ name: end, from: "2026-12-18T18:00", to: "2027-01-04T08:00", environments: [test] }]\n'),
  ],
  [
    'suspensions and probes',
    fileOf(['a']),
    `${fileOf(['a'], 'suspend: { reason: r }\n')}  b: { id: b, environments: {}, suspend: { reason: s } }\n`,
  ],
] as const) {
  test(`a file with ${what} has the same result as in this thread`, async () => {
    using parser = workers.open();
    for (const text of [before, after, before]) assert.equal(await resultOf(parser, text), await resultOf(localParser(), text));
  });
}

test('publications that have not changed stay the same objects, so that an edit hands over only what it changes', async () => {
  using parser = workers.open();
  const before = await load(parser, fileOf(['a', 'b', 'c']));
  const after = await load(parser, fileOf(['a', 'x', 'c']));
  const kept = [...after.publications].filter(([key, publication]) => before.publications.get(key) === publication);
  assert.equal(
    kept.map(([, { api }]) => api),
    ['a', 'c'],
  );
});

test('a load that was abandoned halfway does not disturb the next one', async () => {
  using parser = workers.open();
  await load(parser, fileOf(numbered(9000)));
  const abandoned = new AbortController();
  const parsed = await parser.parse({ text: fileOf(numbered(8000)), file: 'edict.yaml', variables: {} }, signal);
  const loading = parsed.toDesiredState(new Map(), abandoned.signal);
  await setImmediate();
  abandoned.abort();
  await loading.then(
    () => {},
    (error: Error) => assert.is(error.name, 'AbortError'),
  );
  const text = fileOf([...numbered(9000), 'last']);
  assert.equal(await resultOf(parser, text), await resultOf(localParser(), text));
});

test('the entries of include are found', async () => {
  using parser = workers.open();
  assert.equal(await parser.includesOf('edict.yaml', `${head}include: [a.yaml, 'b/*.yaml']\n`, signal), [
    { index: 0, pattern: 'a.yaml' },
    { index: 1, pattern: 'b/*.yaml' },
  ]);
});

test('only variables that a file may use reach the thread', async () => {
  using parser = workers.open();
  const text = fileOf(['a']).replace('project: p', 'project: $\\{EDICT_VAR_P}').replace('\\', '');
  const parsed = await parser.parse({ text, file: 'edict.yaml', variables: { EDICT_VAR_P: 'mine', EDICT_TOKEN: 'secret' } }, signal);
  assert.is(parsed.gateway.project, 'mine');
});

test.run();
