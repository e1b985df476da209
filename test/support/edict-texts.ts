import fc from 'fast-check';

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
    fc.constantFrom('', 'removed: keep\n', '...\n', '# the end\n', '\n\n'),
    fc.boolean(),
    fc.boolean(),
  )
  .map(([apis, tail, isTailFirst, isWindows]) => {
    const list = apis
      .map(([before, id, after, environments], index) => `  api${index}:\n${before}    id: ${id}\n${after}${environments}`)
      .join('');
    const body = list === '' ? 'apis: {}\n' : `apis:\n${list}`;
    const text = isTailFirst && tail.startsWith('removed') ? head + tail + body : head + body + tail;
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
