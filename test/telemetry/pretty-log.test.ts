import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder, seedOf, startEdict, until } from '../support/edict-process.ts';
import { everyEvent } from '../support/every-event.ts';

test('people read what was done, why it failed and what to do', async () => {
  const emulator = await startEmulator({ seed: seedOf('orders', 'secret') });
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, { orders: 'online', secret: 'online' }));
  emulator.faults.add({ times: 1, status: 503, errorCode: 'APIG.3500', errorMsg: 'not now', apiId: 'api-orders' });
  emulator.faults.add({ status: 403, errorCode: 'APIG.1005', errorMsg: 'No permissions', share: 1, apiId: 'api-secret' });
  const { stderr } = await edict(['apply', '--log-format', 'pretty'], folder);
  await emulator.close();
  const shown = stderr.replaceAll(/^\[\d\d:\d\d:\d\d\] +/gm, '').replaceAll(/\d+ ms|[0-9a-f]{32}|\d\.\d s/g, '…');
  for (const line of [
    'INFO: plan computed: 2 going online, 0 unchanged',
    'ERROR: + online  secret in test: APIG.1005 No permissions (give the user of these credentials the right to publish APIs of this instance, or use the credentials of one who has it)',
    'WARN: + online  orders in test: APIG.3500 not now',
    'INFO: + online  orders in test: retry scheduled in …',
    'INFO: + online  orders in test (new, …, version …)',
    'WARN: reconciliation finished with failures: 1 online, 1 failed, 0 unchanged',
  ]) {
    assert.ok(shown.includes(line), `${line}\nin\n${shown}`);
  }
});

test('an invalid file is shown with the place of the error, and a missing one by its name', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', { orders: 'onlin' }));
  const daemons = ['edict.yaml', 'nowhere.yaml'].map((file) =>
    startEdict(['run', file, '--emulate', '--log-format', 'pretty', '--state', `sqlite:${file}.db`], folder),
  );
  const [broken, absent] = daemons;
  await until('both have reported it', () => daemons.every((daemon) => /ERROR|WARN/.test(daemon.output.stderr)));
  for (const daemon of daemons) daemon.child.kill('SIGTERM');
  await Promise.all(daemons.map((daemon) => daemon.finished));
  assert.match(broken?.output.stderr ?? '', /edict\.yaml:6:\d+ "onlin" is not allowed/);
  assert.match(absent?.output.stderr ?? '', 'nowhere.yaml does not exist');
});

test('every event is one sentence, and all start in one column', async () => {
  const script = `import { openLogger, logEvents } from '${new URL('../../src/telemetry/log.ts', import.meta.url)}';
    import { everyEvent } from '${new URL('../support/every-event.ts', import.meta.url)}';
    const emit = logEvents(await openLogger({ level: 'debug', format: 'pretty' }));
    for (const event of Object.values(everyEvent).flat()) emit(event);`;
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env: { NO_COLOR: '1' } });
  const lines = stderr.trimEnd().split('\n');
  assert.ok(lines.length >= Object.values(everyEvent).flat().length);
  for (const line of lines) assert.match(line, /^\[\d\d:\d\d:\d\d\] ( INFO|ERROR| WARN|DEBUG): \S.*\S$/);
  assert.not.match(stderr, /undefined|null|NaN|\[object/);
  assert.not.match(stderr, /\b1 (?:\w+ )?(?:APIs|publications|states|changes|calls|errors|attempts)\b/);
  for (const sentence of [
    'reconciliation started: startup',
    'rate changed: 5 of 10 calls in 1 s',
    'notification not delivered: x r, 1 dropped',
    'orders in test: superseded',
    'stopped: SIGTERM',
  ]) {
    assert.ok(
      lines.some((line) => line.endsWith(sentence)),
      sentence,
    );
  }
});

test('with several files each line names its own', () => {
  const script = `import { openLogger, logEvents } from '${new URL('../../src/telemetry/log.ts', import.meta.url)}';
    import { everyEvent } from '${new URL('../support/every-event.ts', import.meta.url)}';
    const logger = await openLogger({ level: 'debug', format: 'pretty' });
    const emit = logEvents(logger.child({ file: 'gateways/shop.yaml' }), { approveCommand: () => 'edict approve 1 gateways/shop.yaml --by NAME' });
    for (const event of Object.values(everyEvent).flat()) emit(event);`;
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env: { NO_COLOR: '1' } });
  const lines = stderr.trimEnd().split('\n');
  for (const line of lines) assert.match(line, /^\[\d\d:\d\d:\d\d\] ( INFO|ERROR| WARN|DEBUG): gateways\/shop\.yaml \S/);
  assert.match(stderr, 'gateways/shop.yaml reconciliation started: startup\n');
  assert.match(stderr, /; to approve: edict approve 1 gateways\/shop\.yaml --by NAME/);
});

test.run();
