import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isFullRun } from '../support/fast-check.ts';
import { diagnosticsIn, unmarked } from '../support/marked-file.ts';

/** The number of APIs; each has three publications. What is reported at each API does not depend on how many there are. */
const apis = isFullRun ? 3334 : 334;
/** The number of the API in the middle, in place of which a slip has an `api1600`. */
const middle = isFullRun ? 1600 : 160;

const elsewhere = (text: string): RegExp => new RegExp(`${text}.*also at ${(apis - 1).toLocaleString('en')} other places`);

const head = `edict: 1
gateway:
  endpoint: https://roma.example.com
  project: p1
  instance: i1
environments:
  dev: e1
  test: e2
  release: { id: e3, protected: true }
prune: false
apis:
`;

const api = (index: number, environments = 'environments'): string =>
  `  api${index}:\n    id: id${index}\n    ${environments}:\n      dev: online\n      test: online\n      release: offline\n`;

/** Returns the APIs of a large file, with `inMiddle` in place of the one in their middle. */
function list(inMiddle = api(middle)): string {
  return Array.from({ length: apis }, (_, index) => (index === middle ? inMiddle : api(index))).join('');
}

/** A slip in a large file, with the mark where its only diagnostic must be, and what that must say. */
const slips: readonly (readonly [name: string, marked: string, says: RegExp])[] = [
  ['an indented first key', `  «edict»${head.slice('edict'.length)}${list()}`, /`edict` is indented/],
  ['one `}` too many', `${head}${list('  api1600: { id: x, environments: { test: online } }«}»\n')}`, /`}` closes nothing/],
  [
    'one `}` too many at the top',
    `${head.replace('{ id: e3, protected: true }', '{ id: e3, protected: true } «}»')}${list()}`,
    /`}` closes nothing/,
  ],
  ['a misspelt `environments`', `${head.replace('environments:', '«enviroments»:')}${list()}`, /unknown key `enviroments`/],
  [
    '`environments` without its colon',
    `${head.replace('environments:', '«environments»')}${list()}`,
    /a colon is missing after `environments`/,
  ],
  ['empty `environments`', `${head.replace(/environments:\n(?: {2}.*\n)+/, '«environments»:\n')}${list()}`, /`environments` is empty/],
  [
    '`environments` that are a text',
    `${head.replace(/environments:\n(?: {2}.*\n)+/, 'environments: «all»\n')}${list()}`,
    /`environments` is a string/,
  ],
  ['one tab', `${head}${list('«\t»api1600:\n    id: x\n    environments: { test: online }\n')}`, /a tab is used/],
  ['one tab in the head', `${head.replace('  test: e2', '«\t»test: e2')}${list()}`, /a tab is used/],
  ['`apis` without its colon', `${head.replace('apis:', '«apis»')}${list()}`, /a colon is missing after `apis`/],
  ['a misspelt `apis`', `${head.replace('apis:', '«apsi»:')}${list()}`, /unknown key `apsi`/],
  [
    'two environments with one ID',
    `${head.replace('id: e3', 'id: e1').replace('  release', '  «release»')}${list()}`,
    /same environment as `dev`/,
  ],
  [
    'a misspelt environment',
    `${head.replace('  dev: e1', '  devel: e1')}${list().replace('dev:', '«dev»:')}`,
    elsewhere('`dev` is not declared'),
  ],
  [
    'a misspelt key in every API',
    `${head}${list().replaceAll('    environments:', '    enviroments:').replace('enviroments:', '«enviroments»:')}`,
    elsewhere('unknown key `enviroments`'),
  ],
  [
    'a wrong state in every API',
    `${head}${list().replaceAll('test: online', 'test: on').replace('test: on\n', 'test: «on»\n')}`,
    elsewhere('"on" is not allowed'),
  ],
  [
    'an unclosed quote at the start',
    `${head.replace('project: p1', 'project: «"»p1')}${list()}`,
    /the quote that opens here is not closed/,
  ],
  [
    'an unclosed brace at the start',
    `${head.replace('{ id: e3, protected: true }', '«{» id: e3, protected: true')}${list()}`,
    /`{` that opens here is not closed/,
  ],
  [
    'an unclosed bracket before the APIs',
    `${head.replace('prune: false', 'include: «[»a.yaml')}${list()}`,
    /`\[` that opens here is not closed/,
  ],
  [
    'an API in lines that are not indented',
    `${head}${list('«api1600»:\n  id: x\n  environments:\n    test: online\n').split(`  api${middle + 1}`)[0]}`,
    /`api1600` looks like an API/,
  ],
  [
    'a missing space after a colon',
    `${head}${list('  api1600:\n    «id:5596»\n    environments: { test: online }\n')}`,
    /a space is missing after the colon of `id`/,
  ],
  [
    'one key indented too far',
    `${head}${list('  api1600:\n    id: x\n     «environments»:\n      test: online\n')}`,
    /`environments` is indented too far/,
  ],
  ['a merge conflict', `${head}${list(`«<<<<<<< ours»\n${api(middle)}=======\n${api(middle + 1)}>>>>>>> theirs\n`)}`, /merge conflict/],
  [
    'an alias without an anchor in every API',
    `${head}${list()
      .replaceAll(/environments:\n(?: {6}.*\n)+/g, 'environments: *all\n')
      .replace('*all', '«*all»')}`,
    elsewhere('\\*all has no anchor'),
  ],
  [
    'a tag in every API',
    `${head}${list().replaceAll('id: id', 'id: !secret id').replace('!secret', '«!secret»')}`,
    elsewhere('the tag `!secret` is not supported'),
  ],
];

for (const [name, marked, says] of slips) {
  test(`${name} in a file of ${(3 * apis).toLocaleString('en')} publications is one diagnostic`, () => {
    const { text, places } = unmarked(marked);
    const diagnostics = diagnosticsIn(text);
    assert.equal(
      diagnostics.map(({ line, column }) => ({ line, column })),
      places.map(({ line, column }) => ({ line, column })),
      diagnostics
        .slice(0, 5)
        .map(({ line, message }) => `${line}: ${message}`)
        .join('\n'),
    );
    assert.match(diagnostics[0]?.message ?? '', says);
  });
}

test('slips in different APIs are reported together, each once', () => {
  const { text, places } = unmarked(
    `${head}${list('  api1600:\n    «id:1»\n    environments: { test: online }\n')}  last:\n    id: x\n    environments: «{» test: online\n`,
  );
  assert.equal(
    diagnosticsIn(text).map(({ line, column }) => ({ line, column })),
    places.map(({ line, column }) => ({ line, column })),
  );
});

test.run();
