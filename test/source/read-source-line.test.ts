import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readSourceLine as readLineIn } from '../../src/source/include-reader.ts';
import { SourceFolder } from '../../src/source/source-folder.ts';
import { scratchFolder } from '../support/edict-process.ts';

const file = join(scratchFolder(), 'edict.yaml');
const readSourceLine = async (of: Parameters<typeof readLineIn>[1]) => readLineIn(await SourceFolder.open(file, []), of);

for (const [name, end] of [
  ['a line feed', '\n'],
  ['as on Windows', '\r\n'],
  ['as in the past', '\r'],
] as const) {
  test(`returns the line, without its end: ${name}`, async () => {
    writeFileSync(file, ['one', '  two', 'three'].join(end));
    assert.is(await readSourceLine({ file, line: 2, column: 3 }), '  two');
    assert.is(await readSourceLine({ file, line: 3, column: 1 }), 'three');
  });
}

test('a line or file that no longer exists is null', async () => {
  writeFileSync(file, 'one');
  assert.is(await readSourceLine({ file, line: 2, column: 1 }), null);
  assert.is(await readSourceLine({ file: `${file}.gone`, line: 1, column: 1 }), null);
});

test.run();
