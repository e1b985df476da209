import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/core/errors.ts';
import { passFile, passwordIn } from '../../src/store/pass-file.ts';
import { scratchFolder } from '../support/edict-process.ts';

const to = { host: 'db', port: 5432, database: 'edict', user: 'ada' };

function written(text: string, mode = 0o600): string {
  const path = join(scratchFolder(), 'pgpass');
  writeFileSync(path, text, { mode });
  chmodSync(path, mode);
  return path;
}

test('it is where PGPASSFILE says, or at home, and nowhere for a user without one', () => {
  assert.is(
    passFile({ PGPASSFILE: '/run/pgpass' }, () => '/home/ada'),
    '/run/pgpass',
  );
  assert.is(
    passFile({}, () => '/home/ada'),
    '/home/ada/.pgpass',
  );
  const homeless = (): never => {
    throw new Error('A system error occurred: uv_os_homedir returned ENOENT');
  };
  assert.is(passFile({}, homeless), null);
});

test('the first line that matches has the password', () => {
  for (const [text, password] of [
    ['db:5432:edict:ada:geheim\n', 'geheim'],
    ['*:*:*:*:geheim', 'geheim'],
    ['# a comment\r\n\r\nother:*:*:*:x\r\ndb:*:*:ada:first\r\ndb:*:*:*:second\r\n', 'first'],
    ['db:*:*:*:ge\\:he\\\\im', 'ge:he\\im'],
    ['db:*:*:*:', ''],
    ['db:5433:*:*:x', null],
    ['db:*:*:x', null],
    ['', null],
  ] as const) {
    assert.is(passwordIn(written(text), to), password, text);
  }
});

test('a socket is the host localhost', () => {
  assert.is(passwordIn(written('localhost:*:*:*:geheim'), { ...to, host: '/run/postgresql' }), 'geheim');
});

test('no file, or what is none, has no password', () => {
  for (const path of ['/absent/pgpass', '/dev/null', scratchFolder()]) assert.is(passwordIn(path, to), null);
});

test('a file that others may read is refused', () => {
  try {
    passwordIn(written('*:*:*:*:geheim', 0o640), to);
    assert.unreachable();
  } catch (error) {
    assert.is((error as EdictError).code, 'STORE_SETTING');
  }
});

test.run();
