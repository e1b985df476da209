import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { openContext, violations } from '../support/browser.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, killStarted, type Running, scratchFolder, secretToken, seedOf, startEdict, until } from '../support/edict-process.ts';
import { recordEmptyGatewayIn } from '../support/observed-gateway.ts';

/*
 * The page of a real daemon with the emulator, in a real browser.
 */
const test = suite('page of the daemon');

const names = ['orders', 'carts', 'users', 'tax'];
let emulator: Emulator;
let folder: string;
/** Serves every test, since a test that changes something writes the file anew. */
let daemon: Running;
let page: Page;
let url = '';

const write = (states: Readonly<Record<string, string>>): void =>
  writeFileSync(join(folder, 'edict.yaml'), `${fileOf(emulator.url, states)}refresh: never\n`);
const allOnline = Object.fromEntries(names.map((name) => [name, 'online']));

const actToken = 'act-token-that-nobody-may-see';

async function startDaemon(port = '0'): Promise<void> {
  const args = ['run', '--log-format', 'json', '--log-level', 'debug', '--debounce', '50ms', '--listen', `127.0.0.1:${port}`];
  daemon = startEdict(args, folder, { HW_AUTH_TOKEN: secretToken, EDICT_TOKEN: actToken });
  await until('the daemon runs', () => daemon.events('daemon:started').length + daemon.events('plan:computed').length > 1);
  url = String(daemon.events('daemon:started')[0]?.['url']);
}

const isRunning = (): boolean => daemon.child.exitCode === null && daemon.child.signalCode === null;

async function stopDaemon(): Promise<void> {
  daemon.child.kill('SIGTERM');
  await daemon.finished;
}

const cell = (api: string) => page.getByRole('row', { name: api }).getByRole('gridcell').first();

test.before(async () => {
  folder = scratchFolder();
  emulator = await startEmulator({ seed: seedOf(...names) });
  await recordEmptyGatewayIn(folder, emulator.url);
  write(allOnline);
  await startDaemon();
});
test.after(async () => {
  await killStarted();
  await emulator.close();
});
test.before.each(async () => {
  write(allOnline);
  if (!isRunning()) await startDaemon();
  page = await (await openContext({ viewport: { width: 1280, height: 800 } })).newPage();
  await page.goto(url);
  for (const name of names) await cell(name).getByText('✓ online').waitFor();
  await page.getByText('nothing pending').waitFor();
});
test.after.each(() => page.context().close());

test('follows an edit of the file', async () => {
  assert.is((await cell('orders').innerText()).trim(), '✓ online');
  write({ ...allOnline, orders: 'offline' });
  await cell('orders').getByText('offline').waitFor();
  await page.getByText('file change: 1 offline').waitFor();
});

test('shows where a file is invalid while the last valid one stays in force, until it is fixed', async () => {
  writeFileSync(join(folder, 'edict.yaml'), 'edict: 1\ngateways: {}\n');
  const alert = page.getByRole('alert');
  await alert.getByText('edict.yaml:2:1').waitFor();
  assert.match(await alert.innerText(), 'The key is not allowed here');
  assert.is((await cell('orders').innerText()).trim(), '✓ online');
  write(allOnline);
  await alert.waitFor({ state: 'detached' });
});

test('outlives the daemon: reports the lost connection, and continues with the next daemon', async () => {
  const { port } = new URL(url);
  await stopDaemon();
  await page.getByText('connection lost').waitFor();
  write({ ...allOnline, carts: 'offline' });
  await startDaemon(port);
  await page.getByText('connected', { exact: true }).waitFor();
  await cell('carts').getByText('offline').waitFor();
});

test('shows held changes, with the command that approves them, and their release', async () => {
  writeFileSync(
    join(folder, 'edict.yaml'),
    `${fileOf(emulator.url, { ...allOnline, tax: 'offline' })}refresh: never\n`.replace(
      'test: env-test',
      'test: { id: env-test, protected: true }',
    ),
  );
  const notice = page.locator('.notice');
  await notice.getByText('1 change is held').waitFor();
  assert.is((await cell('tax').innerText()).trim().replace(/\s+/g, ' '), '■ held online → offline');
  const [, ...args] = (await notice.locator('code').innerText()).replace('NAME', 'ada').replace('TEXT', 'CHG-7').split(' ');
  assert.is((await edict(args, folder)).code, 0);
  await cell('tax').getByText('✓').waitFor();
  await notice.waitFor({ state: 'detached' });
});

test('by keyboard alone: filter, move, timeline, back', async () => {
  await page.keyboard.press('/');
  await page.keyboard.type('users');
  await page.getByText('1 of 4 APIs').waitFor();
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'users' });
  await dialog.getByText('· attempt').waitFor();
  assert.match(await dialog.innerText(), /▲ online, new: succeeded\s+version [0-9a-f]{32} · attempt \d+/);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await page.keyboard.press('/');
  await page.keyboard.press('Escape');
  await page.getByText('4 APIs', { exact: true }).waitFor();
});

test('shows that the gateway is unreachable, the failures, and the recovery', async () => {
  const { port } = new URL(emulator.url);
  await emulator.close();
  write({ ...allOnline, orders: 'offline', carts: 'offline' });
  await cell('orders').getByText('failed').waitFor();
  emulator = await startEmulator({ seed: seedOf(...names), port: Number(port) });
  daemon.child.kill('SIGHUP');
  await cell('orders').getByText('✓').waitFor({ timeout: 20_000 });
});

test('accepts actions over HTTP with the token, and none without it', async () => {
  const resync = (token: string) => fetch(`${url}/api/v1/resync`, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  assert.is((await resync('guess')).status, 401);
  assert.is((await resync(actToken)).status, 202);
  await until('it has reconciled', () => daemon.events('reconcile:started').some(({ cause }) => cause === 'requested'));
  const texts = [daemon.output.stderr, await (await fetch(`${url}/api/v1/status`)).text(), await (await fetch(`${url}/metrics`)).text()];
  for (const text of texts) assert.not.match(text, /that-nobody-may-see/);
});

test('a suspension over HTTP stops every call, shows everywhere and outlives the daemon, until it is resumed', async () => {
  const ask = (method: string, body?: object) =>
    fetch(`${url}/api/v1/suspension`, {
      method,
      headers: { authorization: `Bearer ${actToken}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
  assert.is((await ask('PUT', { by: 'ada', reason: 'INC-7' })).status, 204);
  await page.getByText('Suspended: no calls are made').waitFor();
  const before = emulator.requests.all().length;
  write({ ...allOnline, orders: 'offline' });
  await cell('orders').getByText('deferred').waitFor();
  assert.match((await edict(['plan'], folder)).stdout, /No calls are made: suspended by ada since \S+Z \(INC-7\)\./);
  assert.match((await edict(['status'], folder)).stdout, /No calls are made: suspended by ada since \S+Z \(INC-7\)\./);
  await stopDaemon();
  assert.is((await edict(['apply'], folder)).code, 0);
  await startDaemon();
  await page.goto(url);
  await cell('orders').getByText('deferred').waitFor();
  assert.is(emulator.requests.all().length, before, 'nothing was sent');
  assert.is((await ask('DELETE')).status, 204);
  await cell('orders').getByText('✓').waitFor();
  assert.match((await edict(['plan'], folder)).stdout, /^(?:In sync|No changes)/);
});

test('the history has the commit behind each attempt', async () => {
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=a@example.com', ...args], { cwd: folder, encoding: 'utf8' });
  git('init', '--quiet');
  write({ ...allOnline, orders: 'offline' });
  git('add', 'edict.yaml');
  git('commit', '--quiet', '--message', 'orders go');
  const id = git('rev-parse', 'HEAD').trim();
  await stopDaemon();
  // Ignores what the daemon sends automatically between the write and the commit.
  write({ ...allOnline, orders: 'offline', carts: 'offline' });
  git('commit', '--quiet', '--all', '--message', 'carts go');
  const last = git('rev-parse', 'HEAD').trim();
  assert.not.equal(id, last);
  await startDaemon();
  await page.goto(url);
  await page.getByText('nothing pending').waitFor();
  await cell('carts').click();
  await page
    .getByRole('dialog')
    .getByText(`commit ${last.slice(0, 10)}`)
    .waitFor();
  assert.match((await edict(['history', '--limit', '1'], folder)).stdout, `commit ${last.slice(0, 10)}`);
});

test('axe finds nothing wrong, light or dark', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    assert.equal(await violations(page), [], colorScheme);
  }
});

test.run();
