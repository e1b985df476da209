import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { fileOf, type Running, scratchFolder, seedOf, startEdict, until } from '../support/edict-process.ts';

/*
 * Compares the metrics that examples/monitoring uses with those of a real daemon, with the tools of Prometheus.
 */
interface Target {
  readonly expr: string;
}
interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly Target[] }[];
}

const examples = resolve(import.meta.dirname, '../../examples/monitoring');
const read = (name: string): string => readFileSync(join(examples, name), 'utf8');
const dashboard = JSON.parse(read('dashboard.json')) as Dashboard;
const expressions = dashboard.panels.flatMap(({ title, targets }) => (targets ?? []).map(({ expr }) => ({ title, expr })));
/** The variables that Grafana fills in. */
const filledIn = (expr: string): string => expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '5s');

const test = suite('monitoring');
let emulator: Emulator;
let daemon: Running;
let url = '';
let scraped = '';

test.before(async () => {
  const folder = scratchFolder();
  const users = [{ name: 'ada', password: 'right', domain: 'acme' }];
  emulator = await startEmulator({ seed: { ...seedOf('orders', 'invoices'), anyToken: false, users } });
  emulator.faults.add({ times: 1, apiId: 'api-orders', status: 500, errorCode: 'APIG.9999', errorMsg: 'oh' });
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, { orders: 'online', invoices: 'online' }));
  const env = { HW_USER_NAME: 'ada', HW_USER_PASSWORD: 'right', HW_DOMAIN_NAME: 'acme' };
  daemon = startEdict(['run', '--log-format', 'json', '--listen', '127.0.0.1:0'], folder, env);
  await until('the daemon is in sync', () => daemon.events('reconcile:finished').some(({ failed }) => failed === 0));
  url = String(daemon.events('daemon:started')[0]?.['url']);
  scraped = await (await fetch(new URL('/metrics', url))).text();
});
test.after(async () => {
  daemon.child.kill('SIGTERM');
  await daemon.finished;
  await emulator.close();
});

/** Returns the names of the metrics in `text`; those of a histogram without the suffixes of Prometheus. */
function namesIn(text: string): Set<string> {
  const names = text.match(/\b(?:edict|process|nodejs)_[a-z0-9_]+/g) ?? [];
  return new Set(names.map((name) => name.replace(/_(?:bucket|sum|count)$/, '')));
}

test('a daemon exports every metric that an alert or a panel uses', () => {
  const exported = namesIn([...scraped.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name).join('\n'));
  const asked = namesIn(
    `${read('alerts.yaml').replace(/^ *(?:description|summary):.*$/gm, '')}\n${expressions.map(({ expr }) => expr).join('\n')}`,
  );
  assert.equal(
    [...asked].filter((name) => !exported.has(name)),
    [],
  );
  const own = [...exported].filter((name) => name.startsWith('edict_'));
  assert.equal(
    own.filter((name) => !asked.has(name)),
    [],
    'a metric that neither an alert nor a panel shows',
  );
});

const alertTests = ['alerts.test.yaml', 'alerts-after-a-day.test.yaml'];

test('every alert is tested', () => {
  const names = [...read('alerts.yaml').matchAll(/- alert: (\S+)/g)].map(([, name]) => String(name));
  assert.ok(names.length > 10);
  for (const name of names) assert.match(alertTests.map(read).join(''), new RegExp(`alertname(="|: )${name}\\b`));
});

const isThere = (command: string): boolean => spawnSync(command, ['--version']).error === undefined;

function promtool(args: readonly string[], input = ''): SpawnSyncReturns<string> {
  return spawnSync('promtool', args, { cwd: examples, encoding: 'utf8', input });
}

if (isThere('promtool')) {
  for (const args of ['check rules alerts.yaml', `test rules ${alertTests.join(' ')}`, 'check config prometheus.yaml']) {
    test(`promtool ${args}`, () => {
      const { status, stdout, stderr } = promtool(args.split(' '));
      assert.is(status, 0, stdout + stderr);
    });
  }

  test('promtool accepts the metrics of a daemon without a warning', () => {
    const { status, stdout, stderr } = promtool(['check', 'metrics'], scraped.replace(/^.*\bnodejs_.*\n/gm, ''));
    assert.equal([status, stdout, stderr], [0, '', '']);
  });
} else {
  process.stdout.write(
    'note: promtool is not here (Debian: apt-get install prometheus): the alert rules and the metrics were not checked by it\n',
  );
}

if (isThere('prometheus')) {
  test('Prometheus, set up as in the example, has data for every panel', async () => {
    const folder = scratchFolder();
    cpSync(examples, folder, { recursive: true });
    const config = read('prometheus.yaml').replaceAll('15s', '500ms').replace('127.0.0.1:9470', new URL(url).host);
    writeFileSync(join(folder, 'prometheus.yaml'), config);
    const address = `127.0.0.1:${await freePort()}`;
    const args = ['--config.file=prometheus.yaml', '--storage.tsdb.path=data', `--web.listen-address=${address}`];
    const prometheus = spawn('prometheus', args, { cwd: folder, stdio: 'ignore' });
    const ended = once(prometheus, 'exit');
    try {
      const silent = new Set(expressions);
      for (const deadline = Date.now() + 30_000; silent.size > 0 && Date.now() < deadline; await sleep(200)) {
        for (const one of silent) if (await hasAnswer(address, filledIn(one.expr))) silent.delete(one);
      }
      assert.equal([...silent], []);
      const firing = await answer(address, 'ALERTS{alertstate="firing"}');
      assert.equal(firing, [], 'no alert fires for a healthy daemon');
    } finally {
      prometheus.kill('SIGKILL');
      await ended;
    }
  });
} else {
  process.stdout.write('note: prometheus is not here (Debian: apt-get install prometheus): the panels were not asked of it\n');
}

async function answer(address: string, query: string): Promise<readonly unknown[]> {
  const response = await fetch(`http://${address}/api/v1/query?${new URLSearchParams({ query })}`);
  const body = (await response.json()) as {
    readonly status: string;
    readonly error?: string;
    readonly data?: { readonly result: unknown[] };
  };
  if (body.status !== 'success' || !body.data) throw new Error(`${query}: ${body.error}`);
  return body.data.result;
}

/** Resolves to whether `query` has results; not yet while Prometheus starts. */
async function hasAnswer(address: string, query: string): Promise<boolean> {
  try {
    return (await answer(address, query)).length > 0;
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) return false;
    throw error;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

test.run();
