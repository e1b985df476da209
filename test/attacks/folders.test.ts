/*
 * A file of a followed folder cannot lead credentials to a new gateway, and many files cannot stop the daemon.
 *
 * Whoever may add a file to a folder that a daemon follows, or change one while no daemon runs, names the host that credentials are sent to. Until
 * a person has approved the gateway, nothing may be sent there: no call, no read, no login. Whoever adds a thousand files may not keep the daemon from
 * answering health checks, renewing its leases or stopping.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { components } from '../../generated/edict-api.d.ts';
import { parseSettings } from '../../src/app/settings.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import { approvalDigest } from '../../src/plan/policies.ts';
import { fasterClock, startLoggedDaemon, startTestDaemon, type TestDaemon } from '../support/daemon.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, killStarted, scratchFolder, secretToken, seedOf, startEdict, terminate, until } from '../support/edict-process.ts';
import { eventually } from '../support/eventually.ts';
import { isFullRun } from '../support/fast-check.ts';
import { storeEngines } from '../support/store-engines.ts';

const test = suite('attacks with a followed folder');

test.after(killStarted);

const engines = storeEngines(test);
for (const { name, make } of engines) {
  test(`author: a new or changed file that names a new gateway is held, until it is approved (${name})`, async () => {
    const folder = scratchFolder();
    const gateways = await Promise.all(
      ['one', 'two', 'three', 'four'].map((of) =>
        startEmulator({ seed: { ...seedOf(of), users: [{ name: of, password: 'p', domain: 'd' }] } }),
      ),
    );
    const [one, two, three, four] = gateways as [Emulator, Emulator, Emulator, Emulator];
    const nameOf = (emulator: Emulator): string => ['one', 'two', 'three', 'four'][gateways.indexOf(emulator)] ?? '';
    const env = { HW_USER_NAME: 'one', HW_USER_PASSWORD: 'p', HW_DOMAIN_NAME: 'd' };
    const write = (file: string, emulator: Emulator): void =>
      writeFileSync(
        join(folder, file),
        fileOf(emulator.url, { [nameOf(emulator)]: 'online' }).replace(/iam: "[^"]*"/, `iam: "${one.url}"`),
      );
    const asked = (): number[] =>
      gateways.map(({ requests }) => requests.all().filter(({ operation }) => operation !== 'createToken').length);
    const publishes = ({ requests }: Emulator): number =>
      requests.all().filter(({ operation }) => operation === 'changePublication').length;
    const state = await make();
    let events: { readonly file: string; readonly event: EdictEvent }[] = [];
    const start = (): Promise<TestDaemon> => {
      events = [];
      return startTestDaemon(parseSettings(join(folder, 'one.yaml'), { state }), {
        env,
        paths: [folder],
        // A lease of PostgreSQL is kept by its own clock.
        ...(name === 'sqlite' && { clock: fasterClock(20) }),
        logFor: (file) => (event) => void events.push({ file, event }),
      });
    };
    const heldIn = (file: string) =>
      events.flatMap((one) =>
        one.file.endsWith(file) && one.event.type === 'plan:computed' && one.event.plan.fileHeld ? [one.event.plan] : [],
      );
    const command = (...args: readonly string[]) => edict([...args, '--state', state], folder, env);

    write('one.yaml', one);
    let daemon = await start();
    await until('the files of the first start are accepted', () => publishes(one) === 1);

    write('two.yaml', two);
    await until('a new file is held', () => heldIn('two.yaml').length > 0);
    const [plan] = heldIn('two.yaml');
    assert.equal([plan?.fileHeld?.rule, plan?.changes], ['newGateway', []]);
    assert.match(plan?.fileHeld?.message ?? '', two.url);
    for (const [args, says] of [
      [['plan', 'two.yaml', '--refresh'], 'The whole file is held'],
      [['status', 'two.yaml'], 'The whole file is held'],
      [['apply', 'two.yaml', '--yes'], 'The whole file is held'],
      [['explain', 'two', 'test', 'two.yaml', '--refresh'], 'the file is held'],
      [['history', '--versions', 'two', 'test', 'two.yaml'], 'the file is held'],
      [['import', '--update', 'two.yaml'], 'the file is held'],
    ] as const) {
      const { stdout, stderr } = await command(...args);
      // Another process holds the lease.
      if (args[0] !== 'apply') assert.match(stdout + stderr, says, args.join(' '));
    }
    assert.is(asked()[1], 0, 'nothing is sent');

    daemon.stop();
    await daemon.done;
    const applied = await command('apply', 'two.yaml', '--yes');
    assert.is(applied.code, 4, applied.stdout + applied.stderr);
    write('three.yaml', three);
    writeFileSync(
      join(folder, 'three.yaml'),
      fileOf(three.url, {})
        .replace(/iam: "[^"]*"/, `iam: "${one.url}"`)
        .replace('apis: {}', 'apis:\n  three: { environments: { test: online } }'),
    );
    write('one.yaml', four);
    daemon = await start();
    await until('they are held after a restart', () => heldIn('two.yaml').length > 0);
    await until('so is one that was changed while no daemon ran', () => heldIn('one.yaml').length > 0);
    await until('names of a new one are not looked up', () => events.some(({ event }) => event.type === 'file:held'));
    assert.equal(asked().slice(1), [0, 0, 0], 'nothing is sent');

    const refusal = events.map(({ event }) => (event.type === 'file:held' ? event.message : '')).find(Boolean) ?? '';
    const [, digestOfThree = ''] = /edict approve ([0-9a-f]{12}) /.exec(refusal) ?? [];
    const digestOf = (file: string): string => approvalDigest(heldIn(file)[0] as NonNullable<typeof plan>) ?? '';
    for (const [file, digest] of [
      ['two.yaml', digestOf('two.yaml')],
      ['one.yaml', digestOf('one.yaml')],
      ['three.yaml', digestOfThree],
    ] as const) {
      const approved = await command('approve', digest, file, '--by', 'me', '--reason', 'reviewed');
      assert.is(approved.code, 0, file + approved.stderr);
    }
    for (const emulator of [two, three, four]) await until('an approval releases it', () => publishes(emulator) === 1, [], 40_000);

    daemon.stop();
    await daemon.done;
    rmSync(join(folder, 'three.yaml'));
    write('renamed.yaml', three);
    write('one.yaml', one);
    daemon = await start();
    await until('what is known stays known', () =>
      ['one', 'two', 'renamed'].every((of) =>
        events.some(({ file, event }) => file.endsWith(`${of}.yaml`) && event.type === 'reconcile:finished'),
      ),
    );
    assert.equal(
      events.filter(({ event }) => event.type === 'plan:computed' && event.plan.fileHeld?.rule === 'newGateway'),
      [],
    );
    writeFileSync(join(folder, 'iam.yaml'), fileOf(four.url, { four: 'online' }).replace(/iam: "[^"]*"/, `iam: "${two.url}"`));
    await until('another identity service is a new gateway', () => heldIn('iam.yaml').length > 0);
    daemon.stop();
    await daemon.done;
    for (const gateway of gateways) await gateway.close();
  });
}

for (const { from, to } of engines.flatMap((one) => engines.map((other) => ({ from: one, to: other })))) {
  test(`author: a file that names a new gateway is held after the operator has copied the store too (${from.name} to ${to.name})`, async () => {
    const folder = scratchFolder();
    const [known, evil] = [await startEmulator({ seed: seedOf('known') }), await startEmulator({ seed: seedOf('evil') })];
    const [state, copy] = [await from.make(), await to.make()];
    const held: string[] = [];
    const finished: string[] = [];
    const start = (store: string): Promise<TestDaemon> =>
      startTestDaemon(parseSettings(join(folder, 'known.yaml'), { state: store }), {
        env: { HW_AUTH_TOKEN: 'token' },
        paths: [folder],
        logFor: (file) => (event) => {
          if (event.type === 'plan:computed' && event.plan.fileHeld) held.push(file);
          if (event.type === 'reconcile:finished') finished.push(file);
        },
      });
    writeFileSync(join(folder, 'known.yaml'), fileOf(known.url, { known: 'online' }));
    const first = await start(state);
    await until('the files of the first start are accepted', () => finished.length > 0);
    first.stop();
    await first.done;
    assert.is((await edict(['state', 'copy', copy, '--state', state], folder)).code, 0);
    writeFileSync(join(folder, 'evil.yaml'), fileOf(evil.url, { evil: 'online' }));
    finished.length = 0;
    const second = await start(copy);
    await until('the new file is held', () => held.some((file) => file.endsWith('evil.yaml')));
    await until('the known one is not', () => finished.some((file) => file.endsWith('known.yaml')));
    assert.equal([evil.requests.all(), held.filter((file) => file.endsWith('known.yaml'))], [[], []]);
    second.stop();
    await second.done;
    await Promise.all([known.close(), evil.close()]);
  });
}

test('author: of several moves that are held, the status names the one that the file asks for now, and its digest approves it', async () => {
  const folder = scratchFolder();
  const gateways = await Promise.all(['one', 'two', 'three'].map((of) => startEmulator({ seed: seedOf(of) })));
  const [one, two, three] = gateways as [Emulator, Emulator, Emulator];
  const env = { HW_AUTH_TOKEN: secretToken };
  const write = (text: string): void => writeFileSync(join(folder, 'edict.yaml'), text);
  const named = (url: string, api: string): string =>
    fileOf(url, {}).replace('apis: {}', `apis:\n  ${api}: { environments: { test: online } }`);
  write(fileOf(one.url, { one: 'online' }));
  const daemon = await startLoggedDaemon(folder, { env, listen: { host: '127.0.0.1', port: 0 } });
  const status = async () => ((await (await fetch(`${daemon.url}/api/v1/status`)).json()) as components['schemas']['Status']).daemon;
  const shown = async (url: string) => {
    await eventually(async () => (await status()).fileHeld?.message.includes(`endpoint ${url}`) ?? false, 60_000, `${url} is shown`);
    return status();
  };
  await until('the first file is applied', () => daemon.events('reconcile:finished').length > 0);
  // The APIs of the first and the last move have no ID, so that they would be looked up at the gateway.
  write(named(two.url, 'two'));
  const first = await shown(two.url);
  write(fileOf(two.url, { two: 'online' }).replace('instance: instance', 'instance: another'));
  await until('a move without names is held', () => daemon.events('plan:computed').some(({ fileHeld }) => fileHeld === 'movedGateway'));
  write(named(three.url, 'three'));
  const last = await shown(three.url);
  assert.not.equal(last.approveCommand, first.approveCommand);
  assert.match(last.headline ?? '', 'The whole file is held');
  assert.equal(daemon.events('file:unreadable'), []);
  const held = daemon.events('file:held');
  assert.equal(
    held.map(({ fileHeld }) => fileHeld),
    ['movedGateway', 'movedGateway'],
  );
  const [, digest = ''] = /edict approve ([0-9a-f]{12}) /.exec(last.approveCommand ?? '') ?? [];
  assert.match(String(held[1]?.['approvalDigest']), digest);
  const shownByCommand = await edict(['status', 'edict.yaml'], folder, env);
  assert.match(shownByCommand.stdout, 'The whole file is held');
  assert.match(shownByCommand.stdout, digest);
  assert.not.match(shownByCommand.stdout, 'api-');
  assert.equal([two.requests.all(), three.requests.all()], [[], []], 'nothing is sent');
  const approved = await edict(['approve', digest, 'edict.yaml', '--by', 'me', '--reason', 'reviewed'], folder, env);
  assert.is(approved.code, 0, approved.stderr);
  const isPublished = () => three.requests.all().some(({ operation }) => operation === 'changePublication');
  await until('it is applied', isPublished, [], 60_000);
  await eventually(async () => (await status()).fileHeld === null, 60_000, 'nothing is held');
  await daemon.stop();
  for (const gateway of gateways) await gateway.close();
});

test('author: many new files do not delay a health check by a second, nor the end of the daemon', async () => {
  const count = isFullRun ? 1000 : 200;
  const folder = scratchFolder();
  mkdirSync(join(folder, 'files'));
  // Nothing listens there.
  const write = (name: string, port: number): void =>
    writeFileSync(join(folder, 'files', `${name}.yaml`), fileOf(`http://127.0.0.1:${port}`, { a: 'online' }));
  for (let index = 0; index < 12; index += 1) write(`first-${index}`, 1 + index);
  const daemon = startEdict(['run', 'files', '--state', 'sqlite:state.db', '--log-format', 'json', '--listen', '127.0.0.1:0'], folder);
  await until('it listens', () => daemon.events('daemon:started').length > 0, [daemon]);
  const { url } = daemon.events('daemon:started')[0] as { readonly url: string };
  let slowestMs = 0;
  const watching = new AbortController();
  const watchHealth = async (): Promise<void> => {
    while (!watching.signal.aborted) {
      const askedAtMs = performance.now();
      assert.is((await fetch(`${url}/livez`)).status, 200);
      slowestMs = Math.max(slowestMs, performance.now() - askedAtMs);
      await sleep(20);
    }
  };
  const health = watchHealth();
  // A failure below ends the daemon, and must be the one that is reported.
  health.catch(() => {});
  for (let index = 0; index < count; index += 1) write(`more-${index}`, 20 + index);
  const followed = Math.min(1000, 12 + count);
  await until('all files are read', () => daemon.events('plan:computed').length >= followed - 12, [daemon]);
  assert.equal(
    daemon.events('files:skipped').map(({ skipped }) => skipped),
    12 + count > followed ? [12 + count - followed] : [],
  );
  for (let index = 0; index < count / 2; index += 1) rmSync(join(folder, 'files', `more-${index}.yaml`));
  await until('half of them are removed', () => daemon.events('file:removed').length >= count / 2 - 12, [daemon]);
  watching.abort();
  await health;
  assert.ok(slowestMs < 1000, `a health check took ${Math.round(slowestMs)} ms`);
  const stoppedAtMs = performance.now();
  await terminate(daemon);
  // The time that Kubernetes and systemd give by default is 30 s and more.
  assert.ok(performance.now() - stoppedAtMs < 10_000, `it ended after ${Math.round(performance.now() - stoppedAtMs)} ms`);
});

test.run();
