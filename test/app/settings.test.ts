import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { debounceBounds, parseDurationOption, parseListenAddress, parseSettings, resyncBounds } from '../../src/app/settings.ts';
import type { EdictError } from '../../src/model/errors.ts';

test('unset options have defaults', () => {
  assert.equal(parseSettings(undefined, {}), {
    file: 'edict.yaml',
    storeUrl: 'sqlite:.edict/state.db',
    emulate: false,
    allowedFolders: [],
    allowedHosts: [],
    allowedProbeHosts: [],
    lockTimeoutMs: 0,
    refresh: 'due',
    targets: { apis: [], environments: [] },
  });
});

test('the gateway is observed first only on request', () => {
  assert.is(parseSettings('f', { refresh: true }).refresh, 'always');
  assert.is(parseSettings('f', { refresh: false }).refresh, 'never');
});

test('an emulated gateway has a store of its own, unless one is given', () => {
  assert.is(parseSettings('f', { emulate: true }).storeUrl, 'sqlite:.edict/emulated.db');
  assert.is(parseSettings('f', { emulate: true, state: 'sqlite:x' }).storeUrl, 'sqlite:x');
});

test('white space around a store URL is ignored', () => {
  assert.is(parseSettings('f', { state: ' postgres://ada@db/edict\n' }).storeUrl, 'postgres://ada@db/edict');
});

test('targets are kept as given', () => {
  const { targets } = parseSettings('f', { api: ['shop-*', 'orders'], environment: ['test'] });
  assert.equal(targets, { apis: ['shop-*', 'orders'], environments: ['test'] });
});

test('durations are parsed with their unit', () => {
  const read = ['5ms', '2s', '3m', '1h'].map((text) => parseDurationOption(text, '--x'));
  assert.equal(read, [5, 2000, 180_000, 3_600_000]);
  for (const text of ['', '5', 's', '-1s', '1 s', '1d', '9999999999s']) assert.throws(() => parseDurationOption(text, '--x'), /--x/);
});

test('a duration out of bounds is refused with the bound', () => {
  const refusal = (text: string, bounds: Parameters<typeof parseDurationOption>[2]): string => {
    try {
      return `${parseDurationOption(text, '--x', bounds)}`;
    } catch (error) {
      return `${(error as EdictError).code}: ${(error as EdictError).message}; ${(error as EdictError).hint}`;
    }
  };
  for (const text of ['0ms', '0s', '0h', '9ms']) {
    assert.is(refusal(text, resyncBounds), `OPTION_INVALID: --x ${text} is too short; expected 10ms at least`);
  }
  assert.is(refusal('720h', resyncBounds), `${720 * 3_600_000}`);
  for (const bounds of [resyncBounds, {}]) {
    assert.is(refusal('999999999h', bounds), 'OPTION_INVALID: --x 999999999h is too long; expected 8760h at most');
  }
  assert.is(refusal('0s', debounceBounds), '0');
  assert.is(refusal('61m', debounceBounds), 'OPTION_INVALID: --x 61m is too long; expected 1h at most');
});

test('an address to listen on has a host and a port', () => {
  assert.is(parseListenAddress('off'), null);
  assert.equal(parseListenAddress('127.0.0.1:9470'), { host: '127.0.0.1', port: 9470 });
  assert.equal(parseListenAddress('[::1]:0'), { host: '::1', port: 0 });
  for (const text of ['9470', 'localhost', 'localhost:', ':9470', 'localhost:70000', '::1:9470', 'on']) {
    assert.throws(() => parseListenAddress(text), /--listen .* is not an address/, text);
  }
});

test.run();
