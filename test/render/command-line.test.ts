import { execFileSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSettings } from '../../src/app/settings.ts';
import { visible } from '../../src/model/visible.ts';
import { formatCommandLine, quoteForShell } from '../../src/render/command-line.ts';

const test = suite('command line');

test('has only options that differ from the defaults', () => {
  assert.is(formatCommandLine('plan', [], parseSettings('edict.yaml', {})), 'edict plan');
  assert.is(
    formatCommandLine('plan', ['--refresh'], parseSettings('shop.yaml', { emulate: true })),
    'edict plan --refresh shop.yaml --emulate',
  );
  assert.is(formatCommandLine('plan', [], parseSettings('edict.yaml', { state: 'sqlite:/x.db' })), 'edict plan --state sqlite:/x.db');
});

test('a password is left out', () => {
  for (const state of [
    'postgres://ada:geheim@db/edict?sslmode=verify-full',
    'postgres://ada:2024#geheim@db/edict',
    'ada:geheim@db/edict',
  ]) {
    assert.not.match(formatCommandLine('plan', [], parseSettings('edict.yaml', { state })), 'geheim');
  }
});

test('a shell takes each word unchanged, also with characters that are not shown', () => {
  for (const word of ["it's", 'a b', '-x', 'a\nb\t\\', "\u001b[31m'", '\u202e\u0085 é', '$(id)`id`"']) {
    const quoted = quoteForShell(word);
    assert.is(visible(quoted), quoted);
    assert.is(execFileSync('bash', ['-c', `printf %s ${quoted}`], { encoding: 'utf8', env: { LC_ALL: 'C.UTF-8' } }), word);
  }
  assert.is(formatCommandLine('plan', ['--api', 'shop-*'], parseSettings("it's.yaml", {})), "edict plan --api 'shop-*' 'it'\\''s.yaml'");
});

test.run();
