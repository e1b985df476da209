import { execFileSync } from 'node:child_process';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openEnvSecret } from '../../../src/gateway/auth/env-secret.ts';
import { CredentialsError } from '../../../src/gateway/errors.ts';
import { scratchFolder } from '../../support/edict-process.ts';

test('a variable takes precedence over a file, and neither is null', () => {
  const setting = openEnvSecret({ HW_AUTH_TOKEN: ' t \n', HW_AUTH_TOKEN_FILE: '/nowhere' }, 'HW_AUTH_TOKEN', () => 0);
  assert.equal([setting?.name, setting?.read()], ['HW_AUTH_TOKEN', 't']);
  assert.is(
    openEnvSecret({ HW_AUTH_TOKEN: '', HW_AUTH_TOKEN_FILE: ' ' }, 'HW_AUTH_TOKEN', () => 0),
    null,
  );
});

test('a file is read again, but not for every request, and one that is missing or empty for a moment changes nothing', async () => {
  const file = join(scratchFolder(), 'secret');
  let ms = 0;
  const setting = openEnvSecret({ HW_SECRET_KEY_FILE: file }, 'HW_SECRET_KEY', () => ms);
  const now = async (text: string | null): Promise<string | undefined> => {
    if (text === null) rmSync(file);
    else writeFileSync(file, text);
    await setting?.refresh();
    return setting?.read();
  };
  await setting?.refresh();
  assert.throws(
    () => setting?.read(),
    (error: unknown) => error instanceof CredentialsError && /^HW_SECRET_KEY_FILE cannot be read: ENOENT/.test(error.message),
  );
  ms += 500;
  assert.is(await now('one\n'), 'one');
  assert.is(await now('two\n'), 'one');
  ms += 500;
  assert.is(await now('two\n'), 'two');
  ms += 500;
  assert.is(await now(null), 'two');
  ms += 500;
  assert.is(await now(''), 'two');
  ms += 500;
  assert.is(await now('three'), 'three');
});

test('only a regular file of a sensible size is read, and what cannot be read never hangs', async () => {
  const folder = scratchFolder();
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  symlinkSync('loop', join(folder, 'loop'));
  writeFileSync(join(folder, 'large'), 'x'.repeat(70_000));
  for (const [path, says] of [
    [join(folder, 'pipe'), 'not a regular file'],
    ['/dev/zero', 'not a regular file'],
    [folder, 'not a regular file'],
    [join(folder, 'loop'), 'ELOOP'],
    [join(folder, 'large'), 'more than 65536 bytes'],
  ] as const) {
    const setting = openEnvSecret({ HW_AUTH_TOKEN_FILE: path }, 'HW_AUTH_TOKEN', () => 0);
    await setting?.refresh();
    assert.throws(
      () => setting?.read(),
      (error: unknown) => error instanceof CredentialsError && error.message.includes(says),
      path,
    );
  }
});

test('a file that becomes a pipe leaves the last text in force', async () => {
  const file = join(scratchFolder(), 'token');
  writeFileSync(file, 'one');
  let ms = 0;
  const setting = openEnvSecret({ HW_AUTH_TOKEN_FILE: file }, 'HW_AUTH_TOKEN', () => ms);
  await setting?.refresh();
  rmSync(file);
  execFileSync('mkfifo', [file]);
  ms += 500;
  await setting?.refresh();
  assert.is(setting?.read(), 'one');
});

test.run();
