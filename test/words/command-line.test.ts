import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { settingsFrom } from '../../src/config.ts';
import { commandLine } from '../../src/words/command-line.ts';

const test = suite('command line');

test('says only what is not the default', () => {
  assert.is(commandLine('plan', [], settingsFrom('edict.yaml', {})), 'edict plan');
  assert.is(commandLine('plan', ['--refresh'], settingsFrom('shop.yaml', { emulate: true })), 'edict plan --refresh shop.yaml --emulate');
  assert.is(commandLine('plan', [], settingsFrom('edict.yaml', { state: 'sqlite:/x.db' })), 'edict plan --state sqlite:/x.db');
});

test('a password is left to the person', () => {
  for (const state of [
    'postgres://ada:geheim@db/edict?sslmode=verify-full',
    'postgres://ada:2024#geheim@db/edict',
    'ada:geheim@db/edict',
  ]) {
    assert.not.match(commandLine('plan', [], settingsFrom('edict.yaml', { state })), 'geheim');
  }
});

test('a shell takes each word as it is', () => {
  assert.is(commandLine('plan', ['--api', 'shop-*'], settingsFrom("it's.yaml", {})), "edict plan --api 'shop-*' 'it'\\''s.yaml'");
});

test.run();
