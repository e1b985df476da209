import { fc } from './fast-check.ts';

const head = `edict: 1
gateway:
  endpoint: https://roma.cn-north-4.myhuaweicloud.com
  project: p
  instance: i
  limit: { calls: 10, per: 1s }
environments:
  release: { id: DEFAULT_ENVIRONMENT_RELEASE_ID, protected: true }
  test: 7a1c0e4f5b6d4c3f9a8b7c6d5e4f3a2b
`;

const publications = fc.constantFrom(
  'online',
  'offline',
  '{ state: online }',
  '{ state: online, revision: 1.10 }',
  '"online"',
  "'offline'",
  'online # a note',
);

const blockForm = fc.tuple(publications, publications).map(([a, b]) => `    environments:\n      release: ${a}\n      test: ${b}\n`);
const flowForm = fc
  .tuple(publications, publications)
  .map(([a, b]) => `    environments: { release: ${a.split(' #')[0]}, test: ${b.split(' #')[0]} }\n`);
const extras = fc.constantFrom(
  '',
  '    revision: 2026-11-20\n',
  '    # a comment at the level of the keys\n',
  '\n',
  '# a comment at the very left\n',
  '    remark: |\n      two lines\n\n      of text\n',
  '    remark: >-\n      folded\n      text # not a comment\n',
  '    remark: "a quoted\n      text: of two lines"\n',
  '    remark: plain text\n      that goes on\n',
  '    ? revision\n    : explicit\n',
  "    remark: 'it''s: {fine}'\n",
);

/** Texts of edict files in every style that YAML offers for them; most are valid. */
export const edictTexts = fc
  .tuple(
    fc.array(fc.tuple(extras, fc.constantFrom('5f918d10', '"9191"', '12345', '1e5', 'a-b'), extras, fc.oneof(blockForm, flowForm)), {
      maxLength: 6,
    }),
    fc.constantFrom('', 'prune: false\n', '...\n', '# the end\n', '\n\n'),
    fc.boolean(),
    fc.boolean(),
  )
  .map(([apis, tail, isTailFirst, isWindows]) => {
    const list = apis
      .map(([before, id, after, environments], index) => `  api${index}:\n${before}    id: ${id}\n${after}${environments}`)
      .join('');
    const body = list === '' ? 'apis: {}\n' : `apis:\n${list}`;
    const text = isTailFirst && tail.startsWith('prune') ? head + tail + body : head + body + tail;
    return isWindows ? text.replaceAll('\n', '\r\n') : text;
  });

const fragments = fc.constantFrom(
  '',
  ' ',
  '  ',
  '\n',
  '\t',
  ':',
  ': ',
  '- ',
  '#',
  ' #',
  '"',
  "'",
  '|',
  '>',
  '{',
  '}',
  '[',
  ']',
  ',',
  '&a ',
  '*a',
  '? ',
  '!!str ',
  '---\n',
  '...\n',
  '%',
  '\r',
  '\uFEFF',
  'apis:\n',
  '  api0:\n',
  '    id: x\n',
  'null',
  '~',
  '$' + '{X}',
  'é',
  '💥',
  '__proto__: 1\n',
  '<<: *a\n',
  '\u0000',
);

/** Texts as people and half-finished saves leave them: a few random cuts, insertions and doubled lines. */
export const brokenTexts = fc
  .tuple(
    edictTexts,
    fc.array(fc.tuple(fc.nat(), fc.nat(12), fragments, fc.constantFrom('cut', 'insert', 'double', 'end')), { minLength: 1, maxLength: 4 }),
  )
  .map(([text, edits]) =>
    edits.reduce((current, [where, length, fragment, kind]) => {
      const at = current.length === 0 ? 0 : where % current.length;
      if (kind === 'end') return current.slice(0, at);
      if (kind === 'double') {
        const from = current.lastIndexOf('\n', at) + 1;
        const to = current.indexOf('\n', at) + 1 || current.length;
        return current.slice(0, to) + current.slice(from, to) + current.slice(to);
      }
      return current.slice(0, at) + fragment + current.slice(kind === 'cut' ? at + length : at);
    }, text),
  );

const keys = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f') },
  fc.constantFrom(
    '"q"',
    "'s'",
    'x y',
    '1',
    '1e5',
    'null',
    '~',
    '__proto__',
    '<<',
    'a:b',
    '&k a',
    '!!str t',
    '*k',
    '',
    '[f]',
    '{m: 1}',
    '?x',
    ':y',
    '- c',
    'a #b',
    'é',
  ),
);
const values = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom('1', 'online', 'x y', '"q"') },
  fc.constantFrom(
    ...[
      '"two\n\n     lines"',
      "'two\n     lines'",
      '"two\nlines"',
      'plain\n      lines',
      '|\n      b: c',
      '|+\n     b\n\n',
      '>-\n       a\n      b\n',
      '|2\n         x',
    ],
    ...[
      '|1-\n  x\n',
      '>\n\n',
      '|\n # c',
      '|\n\tx',
      '[1, 2]',
      '[1,\n    2]',
      '[\n]',
      '{a: 1}',
      '{a: 1,\n        b: 2}',
      '{a: 1,\nb: 2}',
      '- 1',
      '- a: 1\n      b: 2',
    ],
    ...[
      '&k v',
      '*k',
      '&k',
      '&k\n',
      '!!int 3',
      '!t v',
      '!!map\n',
      '# c',
      'x # c',
      'null',
      '~',
      '? x',
      '"a',
      '[',
      '}',
      'a: b',
      '\tq',
      'x\t',
      'x\r',
      '--- x',
      '...',
    ],
  ),
);
const between = fc.oneof(
  { weight: 8, arbitrary: fc.constant('') },
  fc.constantFrom('\n', '  \n', '# c\n', '     # c\n', '\t\n', '  \t# c\n', '   \r\n', '---\n'),
);

interface Line {
  readonly before: string;
  readonly shift: number;
  readonly key: string;
  readonly value: string;
  readonly form: 'value' | 'block' | 'item' | 'explicit';
  readonly tail: string;
  readonly step: number;
  readonly below: readonly Line[];
}

const { lines } = fc.letrec<{ lines: Line[]; line: Line }>((tie) => ({
  lines: fc.array(tie('line'), { minLength: 1, maxLength: 4, depthIdentifier: 'yaml' }),
  line: fc.record({
    before: between,
    shift: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 1, 2),
    key: keys,
    value: values,
    form: fc.constantFrom<Line['form'][]>(
      'value',
      'value',
      'value',
      'value',
      'value',
      'block',
      'block',
      'block',
      'block',
      'item',
      'explicit',
    ),
    tail: fc.constantFrom('', '', '', '', ' ', ' # c', ' &k', ' |'),
    step: fc.constantFrom(2, 2, 2, 2, 1, 4, 0),
    below: fc.oneof({ depthIdentifier: 'yaml', maxDepth: 3 }, fc.constant([]), tie('lines')),
  }),
}));

function written(block: readonly Line[], indent: number): string {
  return block
    .map(({ before, shift, key, value, form, tail, step, below }) => {
      const start = `${before}${' '.repeat(Math.max(0, indent + shift))}`;
      if (form === 'item') return `${start}- ${value}\n`;
      if (form === 'explicit') return `${start}? ${key}\n${start}: ${value}\n`;
      if (form === 'block') return `${start}${key}:${tail}\n${written(below, indent + step)}`;
      return `${start}${key}: ${value}${tail}\n`;
    })
    .join('');
}

/** Texts that are arbitrary YAML, and often invalid: every style, mixed at random. */
export const yamlTexts = fc.tuple(lines, fc.constantFrom('\n', '\n', '\n', '\n', '\r\n'), fc.boolean()).map(([block, eol, isEnded]) =>
  written(block, 0)
    .replace(/\n$/, isEnded ? '\n' : '')
    .replaceAll('\n', eol),
);
