import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { openGatewayReader } from '../../src/gateway/roma-gateway.ts';
import { givenToken } from '../support/credentials.ts';
import { edict, fileOf, scratchFolder, seedOf } from '../support/edict-process.ts';
import { gatewaySettings } from '../support/states.ts';

const looking: readonly (readonly string[])[] = [
  ['validate'],
  ['validate', '--format', 'json'],
  ['plan'],
  ['plan', '--format', 'json'],
  ['plan', '--format', 'markdown'],
  ['plan', '--detailed-exitcode'],
  ['plan', '--emulate'],
  ['apply', '--dry-run'],
  ['apply', '--dry-run', '--format', 'json'],
  ['apply', '--dry-run', '--emulate'],
  ['run', '--dry-run'],
  ['run', '--once', '--dry-run'],
  ['status'],
  ['status', '--format', 'json'],
  ['history'],
  ['history', '--format', 'json'],
];

const emulator = await startEmulator({ seed: seedOf('orders') });
const folder = scratchFolder();
writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, { orders: 'online' }));
test.after(() => emulator.close());

for (const args of looking) {
  test(`edict ${args.join(' ')} sends nothing and writes nothing`, async () => {
    const { code } = await edict(args, folder);
    assert.is(code, args.includes('--detailed-exitcode') ? 2 : 0);
    assert.equal(emulator.requests.all(), []);
    assert.equal(readdirSync(folder), ['edict.yaml']);
  });
}

test('apply --dry-run and run --dry-run show what plan shows', async () => {
  const shown = await Promise.all([['plan'], ['apply', '--dry-run'], ['run', '--dry-run']].map((args) => edict(args, folder)));
  assert.is(new Set(shown.map(({ stdout }) => stdout)).size, 1);
});

test('the gateway of a dry run has nothing that could send', async () => {
  const gateway = openGatewayReader({ ...gatewaySettings(), endpoint: emulator.url }, givenToken('token'));
  assert.not.ok('send' in gateway);
  await gateway.close();
});

test.run();
