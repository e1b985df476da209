import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openEnvSecret } from '../../../src/gateway/auth/env-secret.ts';
import { CredentialsError } from '../../../src/gateway/errors.ts';
import { scratchFolder } from '../../support/edict-process.ts';

test('a variable wins over a file, and nothing is null', () => {
  const setting = openEnvSecret({ HW_AUTH_TOKEN: ' t \n', HW_AUTH_TOKEN_FILE: '/nowhere' }, 'HW_AUTH_TOKEN', () => 0);
  assert.equal([setting?.name, setting?.read()], ['HW_AUTH_TOKEN', 't']);
  assert.is(
    openEnvSecret({ HW_AUTH_TOKEN: '', HW_AUTH_TOKEN_FILE: ' ' }, 'HW_AUTH_TOKEN', () => 0),
    null,
  );
});

test('a file is read again, but not for every request, and one that is away or empty for a moment changes nothing', () => {
  const file = join(scratchFolder(), 'secret');
  let ms = 0;
  const setting = openEnvSecret({ HW_SECRET_KEY_FILE: file }, 'HW_SECRET_KEY', () => ms);
  const now = (text: string | null): string | undefined => {
    if (text === null) rmSync(file);
    else writeFileSync(file, text);
    return setting?.read();
  };
  assert.throws(
    () => setting?.read(),
    (error: unknown) => error instanceof CredentialsError && /^HW_SECRET_KEY_FILE cannot be read: ENOENT/.test(error.message),
  );
  assert.is(now('one\n'), 'one');
  assert.is(now('two\n'), 'one');
  ms += 500;
  assert.is(now('two\n'), 'two');
  ms += 500;
  assert.is(now(null), 'two');
  ms += 500;
  assert.is(now(''), 'two');
  ms += 500;
  assert.is(now('three'), 'three');
});

test.run();
