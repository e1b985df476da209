import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openAccessTokens } from '../../src/app/access-tokens.ts';
import { EdictError } from '../../src/model/errors.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const test = suite('access tokens');

const token = 'a-token-of-16-ch';

let nowMs = 0;
const open = (env: Readonly<Record<string, string>>) => openAccessTokens(env, () => nowMs);

test('tokens come from variables, or from files without their last line break', async () => {
  const path = join(temporaryFolder(), 'token');
  writeFileSync(path, `${token}-in-a-file\n`);
  const { act, read } = await open({ EDICT_TOKEN: ` ${token} `, EDICT_READ_TOKEN_FILE: path });
  assert.equal([act(), read()], [token, `${token}-in-a-file`]);
  const without = await open({ EDICT_TOKEN: '', EDICT_READ_TOKEN: ' ' });
  assert.equal([without.act(), without.read()], [null, null]);
});

test('the file is read again, and while it holds no token the last one stays in force', async () => {
  const path = join(temporaryFolder(), 'token');
  writeFileSync(path, token);
  const { act } = await open({ EDICT_TOKEN_FILE: path });
  const next = (): string | null => {
    nowMs += 1000;
    return act();
  };
  for (const text of ['short', '', 'a token with spaces in it']) {
    writeFileSync(path, text);
    for (let count = 0; count < 5; count += 1) {
      assert.is(next(), token);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  writeFileSync(path, `${token}-2`);
  await eventually(() => next() === `${token}-2`, 60_000, 'the new token is in force');
});

const folder = temporaryFolder();
mkdirSync(join(folder, 'folder'));
for (const [name, text] of [
  ['empty', ''],
  ['short', token.slice(1)],
] as const) {
  writeFileSync(join(folder, name), text);
}

for (const [name, value, message] of [
  ['EDICT_TOKEN', token.slice(1), 'EDICT_TOKEN has fewer than 16 characters'],
  ['EDICT_READ_TOKEN', token.slice(1), 'EDICT_READ_TOKEN has fewer than 16 characters'],
  ['EDICT_TOKEN', `${token} ${token}`, 'EDICT_TOKEN has a space or a character that no HTTP header can hold'],
  ['EDICT_TOKEN', `${token}é`, 'EDICT_TOKEN has a space or a character that no HTTP header can hold'],
  ['EDICT_TOKEN_FILE', join(folder, 'short'), 'EDICT_TOKEN_FILE has fewer than 16 characters'],
  ['EDICT_READ_TOKEN_FILE', join(folder, 'empty'), 'EDICT_READ_TOKEN_FILE has fewer than 16 characters'],
  ['EDICT_TOKEN_FILE', join(folder, 'nothing'), 'EDICT_TOKEN_FILE cannot be read: ENOENT'],
  ['EDICT_TOKEN_FILE', join(folder, 'folder'), 'EDICT_TOKEN_FILE cannot be read: '],
] as const) {
  test(`${name}=${value.replace(folder, '')} is refused, and not shown`, async () => {
    try {
      await open({ [name]: value });
      assert.unreachable();
    } catch (error) {
      assert.instance(error, EdictError);
      const { hint } = error as EdictError;
      assert.match((error as EdictError).message, message);
      if (!name.endsWith('_FILE')) assert.not.match(`${(error as EdictError).message} ${hint}`, value);
    }
  });
}

test.run();
