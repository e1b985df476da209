import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../src/cli/program.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { fileOf, scratchFolder, seedOf } from '../support/edict-process.ts';
import { testContext } from '../support/streams.ts';

/*
 * Long reads show on a terminal how far they are, and nothing elsewhere.
 */
const test = suite('reading the gateway');
const names = Array.from({ length: 1200 }, (_, index) => `a${index}`);
const erase = '\r\u001B[2K';
let emulator: Emulator;
let file: string;

test.before(async () => {
  emulator = await startEmulator({ seed: seedOf(...names) });
  file = join(scratchFolder(), 'edict.yaml');
  writeFileSync(file, fileOf(emulator.url, { a0: 'offline' }));
});
test.after(() => emulator.close());

const commands = {
  plan: () => ['plan', file, '--refresh', '--state', `sqlite:${file}.db`],
  import: () => ['import', '--endpoint', emulator.url, '--project', 'project', '--instance', 'instance'],
  apply: () => ['apply', file, '--refresh', '--state', `sqlite:${file}.db`],
} as const;

for (const [name, args] of Object.entries(commands)) {
  for (const isTTY of [true, false]) {
    test(`${name} shows ${isTTY ? 'and erases its progress on a terminal' : 'no progress elsewhere'}`, async () => {
      const { context, stderr } = testContext({ HW_AUTH_TOKEN: 'any', NO_COLOR: '1' });
      context.stderr.isTTY = isTTY;
      assert.is(await runCli(args(), context), 0, stderr());
      const pages = [500, 1200].map((count) => `${erase}Reading the gateway: ${count} of 1200 entries`);
      if (!isTTY) return assert.not.match(stderr(), 'Reading');
      assert.ok(
        pages.every((page) => stderr().includes(page)),
        JSON.stringify(stderr()),
      );
      assert.match(stderr(), `1200 of 1200 entries${erase}`);
    });
  }
}

test.run();
