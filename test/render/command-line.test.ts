import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSettings } from '../../src/app/settings.ts';
import { formatCommandLine } from '../../src/render/command-line.ts';

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

test('a shell takes each word unchanged', () => {
  assert.is(formatCommandLine('plan', ['--api', 'shop-*'], parseSettings("it's.yaml", {})), "edict plan --api 'shop-*' 'it'\\''s.yaml'");
});

test.run();
