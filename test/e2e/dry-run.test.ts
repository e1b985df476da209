import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { openGatewayReader } from '../../src/gateway/gateway.ts';
import { givenToken } from '../support/credentials.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder, seedOf } from '../support/edict-process.ts';
import { gatewaySettings } from '../support/states.ts';

const emulator = await startEmulator({ seed: seedOf('orders') });
const folder = scratchFolder();
writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, { orders: 'online' }));
test.after(() => emulator.close());

test('apply --dry-run and run --dry-run show the same as plan', async () => {
  const shown = await Promise.all([['plan'], ['apply', '--dry-run'], ['run', '--dry-run']].map((args) => edict(args, folder)));
  assert.is(new Set(shown.map(({ stdout }) => stdout)).size, 1);
});

test('the gateway of a dry run has no way to send', async () => {
  const gateway = openGatewayReader({ ...gatewaySettings(), endpoint: emulator.url }, givenToken('token'));
  assert.not.ok('send' in gateway);
  await gateway.close();
});

test.run();
