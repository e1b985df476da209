import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnosticAnnotations, errorAnnotation, planAnnotations } from '../../../src/cli/output/github-annotations.ts';
import { type Diagnostic, EdictError, InvalidFileError } from '../../../src/model/errors.ts';
import { diffStates } from '../../../src/plan/diff.ts';
import { scratchFolder } from '../../support/edict-process.ts';
import { change, desiredState } from '../../support/states.ts';

const root = scratchFolder();
mkdirSync(join(root, '.git'));
const file = join(root, 'apis', 'a,b:c%.yaml');
const diagnostic: Diagnostic = {
  rule: 'invalid-value',
  file,
  line: 12,
  column: 5,
  length: 3,
  message: 'wrong',
  hint: null,
  excerpt: { text: '    bad: x', column: 1 },
};
const annotate = (over: Partial<Diagnostic>): string => diagnosticAnnotations(new InvalidFileError(file, [{ ...diagnostic, ...over }]));

test('an error is one workflow command with its place, and its text cannot end the command', () => {
  assert.is(
    annotate({}),
    '::error file=apis/a%2Cb%3Ac%25.yaml,line=12,endLine=12,col=5,endColumn=8,title=edict%3A invalid-value::wrong\n1 error. No changes are made until the file is fixed.\n',
  );
  assert.match(annotate({ message: '100%\r\n::warning::x', hint: 'a, b: c' }), '::100%25\\r\\n::warning::x%0Aa, b: c\n');
});

test('every error is reported', () => {
  const text = diagnosticAnnotations(
    new InvalidFileError(
      file,
      Array.from({ length: 30 }, () => diagnostic),
    ),
  );
  assert.is(text.match(/^::error /gm)?.length, 30);
  assert.match(text, '30 errors.');
});

test('any other error has no source location', () => {
  assert.is(
    errorAnnotation(new EdictError('FILE_NOT_FOUND', 'no file', { hint: 'name it' })),
    '::error title=edict%3A FILE_NOT_FOUND::no file%0Aname it\n',
  );
});

test('a plan warns about offline and held changes at their lines, and shows the totals', () => {
  const source = { file, line: 7, column: 3 };
  const held = { rule: 'protected', message: 'protected', hint: 'ask' } as const;
  const deferred = { rule: 'freeze', message: 'frozen', untilMs: 0 } as const;
  const changes = [
    change('a', 'test', { source }),
    change('b', 'test', { source, action: 'offline', reason: 'prune' }),
    change('c', 'test', { source: null, action: 'offline', held }),
    change('d', 'test', { source: null, action: 'offline', deferred }),
  ];
  const text = planAnnotations({ plan: { ...diffStates(desiredState([]), new Map()), changes } });
  assert.equal(text.split('\n'), [
    '::warning file=apis/a%2Cb%3Ac%25.yaml,line=7,col=3,title=b in test goes offline::no longer in the file',
    '::warning title=c in test is held::offline: protected',
    '::warning title=d in test is deferred%2C then goes offline later::offline: frozen until 1970-01-01T00%3A00%3A00Z'.replaceAll(
      '%3A',
      ':',
    ),
    '::notice title=edict plan::1 held, 1 going online, 1 going offline, 1 deferred, 0 unchanged; gateway never checked.',
    '',
  ]);
});

test('a held file is the first warning', () => {
  const fileHeld = { rule: 'empty', message: 'the file is empty', hint: 'check it', affected: [] } as const;
  const text = planAnnotations({ plan: { ...diffStates(desiredState([]), new Map()), fileHeld } });
  assert.ok(text.startsWith('::warning title=edict%3A the whole file is held::the file is empty%0Acheck it\n::notice'));
});

test('what was not checked, an emulated gateway and a suspension are named', () => {
  const plan = diffStates(desiredState([]), new Map());
  const suspension = { by: 'ada', reason: 'INC-7', sinceMs: null, untilMs: null };
  const text = planAnnotations({ plan: { ...plan, isEmulated: true, suspension }, uncheckedReason: 'there are no credentials' });
  assert.match(text, /^::warning title=edict%3A not checked::Not checked against the gateway: there are no credentials\./);
  assert.match(
    text,
    /\n::notice title=edict plan::[^\n]*%0AEmulated gateway in place of https:\/\/roma\.example\.com, instance instance%0ANo calls are made: suspended by ada \(INC-7\)\.\n$/,
  );
});

test.run();
