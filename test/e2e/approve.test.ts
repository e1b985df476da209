import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder, seedOf, startEdict, until } from '../support/edict-process.ts';

const test = suite('approve');
const apis = ['a', 'b', 'c', 'd', 'e', 'f'];
const guarded = (text: string): string => text.replace('guards: { maxOffline: 100%, maxRemoved: 100% }\n', '');

test('an approval releases held changes of a running daemon once, and the history names the person', async () => {
  const emulator = await startEmulator({ seed: seedOf(...apis) });
  const folder = scratchFolder();
  const online = (): string =>
    emulator.state
      .publications()
      .filter(({ effective }) => effective)
      .map(({ api }) => api.slice(-1))
      .sort()
      .join('');
  const write = (...offline: readonly string[]): void =>
    writeFileSync(
      join(folder, 'edict.yaml'),
      guarded(fileOf(emulator.url, Object.fromEntries(apis.map((api) => [api, offline.includes(api) ? 'offline' : 'online'])))),
    );
  write();
  const daemon = startEdict(['run', '--log-format', 'json', '--log-level', 'debug', '--listen', '127.0.0.1:0'], folder);
  try {
    await until('all are online', () => online() === 'abcdef');
    write('a', 'b', 'c');
    await until('it is held', () => daemon.events('plan:computed').some(({ held }) => held === 3));
    const metrics = async (): Promise<string> => (await fetch(`${String(daemon.events('daemon:started')[0]?.['url'])}/metrics`)).text();
    assert.match(await metrics(), /^edict_publications\{status="held",.*\} 3$/m);
    const digest = String(daemon.events('plan:computed').at(-1)?.['approvalDigest']);
    const other = await edict(['approve', `sha256:${'0'.repeat(64)}`, '--by', 'eve', '--reason', 'no reason'], folder);
    assert.is(other.code, 1);
    assert.match(other.stderr, digest);
    await sleep(1500);
    assert.is(online(), 'abcdef');
    const approved = await edict(['approve', digest, '--by', 'ada', '--reason', 'CHG-7'], folder);
    assert.is(approved.code, 0, approved.stderr);
    assert.match(approved.stdout, /Approved until \S+: 3 changes, by ada: CHG-7/);
    await until('it is made', () => online() === 'def');
    assert.match(await metrics(), /^edict_publications\{status="held",.*\} 0$/m);
    write();
    await until('they are online again', () => online() === 'abcdef');
    write('a', 'b', 'c');
    const plans = daemon.events('plan:computed').length;
    await until('it is held again', () =>
      daemon
        .events('plan:computed')
        .slice(plans)
        .some(({ held }) => held === 3),
    );
    await sleep(1500);
    assert.is(online(), 'abcdef');
    const status = await edict(['status'], folder);
    assert.match(status.stdout, `To approve what is held: edict approve ${digest.slice(7, 19)} --by`);
    const { attempts, approvals } = JSON.parse((await edict(['history', '--format', 'json'], folder)).stdout) as {
      attempts: { api: string; action: string; approval: unknown }[];
      approvals: { by: string; reason: string; entries: number; used: number }[];
    };
    const withApproval = attempts.filter(({ approval }) => approval !== null);
    assert.equal(withApproval.map(({ api, action }) => `${api} ${action}`).sort(), ['a offline', 'b offline', 'c offline']);
    assert.equal(withApproval[0]?.approval, { by: 'ada', reason: 'CHG-7' });
    assert.equal(
      approvals.map(({ by, reason, entries, used }) => ({ by, reason, entries, used })),
      [{ by: 'ada', reason: 'CHG-7', entries: 3, used: 3 }],
    );
  } finally {
    daemon.child.kill('SIGTERM');
    assert.is((await daemon.finished).code, 0);
    await emulator.close();
  }
});

test('an approval of what is held for the emulated gateway is none for the real one', async () => {
  const emulator = await startEmulator({
    seed: { ...seedOf('orders'), publications: [{ api: 'api-orders', environment: 'env-release' }] },
  });
  const folder = scratchFolder();
  const write = (state: string): void =>
    writeFileSync(
      join(folder, 'edict.yaml'),
      fileOf(emulator.url, {}).replace('apis: {}', `apis: { orders: { id: api-orders, environments: { release: ${state} } } }`),
    );
  write('online');
  assert.is((await edict(['apply', '--emulate'], folder)).code, 0);
  write('offline');
  const held = await edict(['apply', '--emulate'], folder);
  assert.is(held.code, 4);
  const digest = /edict approve ([0-9a-f]{12}) /.exec(held.stdout)?.[1] ?? '';
  const approved = await edict(['approve', digest, '--by', 'ada', '--reason', 'CHG-1'], folder);
  assert.equal([approved.code, approved.stderr.includes('does not match what is held now')], [1, true], approved.stdout);
  await emulator.close();
});

test.run();
