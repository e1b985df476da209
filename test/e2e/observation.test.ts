import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ApplyResult, applyOnce } from '../../src/app/apply.ts';
import { createAppContext } from '../../src/app/context.ts';
import { type PlanReport, readHistory, readPlan, readStatus, readVersions } from '../../src/app/reports.ts';
import { parseSettings } from '../../src/app/settings.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import type { Seed } from '../../src/emulator/seed.ts';
import { InvalidFileError } from '../../src/model/errors.ts';
import type { RefreshMode, Settings } from '../../src/model/settings.ts';
import { scratchFolder, seedOf } from '../support/edict-process.ts';
import { recordEmptyGatewayAt } from '../support/observed-gateway.ts';

/*
 * Observation end to end: a real file, the emulator over HTTP, a real store.
 */

const env = { HW_AUTH_TOKEN: 'any' };

interface Scene extends AsyncDisposable {
  readonly emulator: Emulator;
  /** Writes the file: `rest` follows the gateway block, whose settings `more` adds to. */
  write(rest: string, more?: string): void;
  plan(refresh?: RefreshMode): Promise<PlanReport>;
  apply(refresh?: RefreshMode): Promise<ApplyResult>;
  readonly settings: Settings;
  /** Returns the operations since the last call. */
  operations(): string[];
}

async function scene(seed: Seed): Promise<Scene> {
  const emulator = await startEmulator({ seed });
  const folder = scratchFolder();
  const storeUrl = `sqlite:${join(folder, 'state.db')}`;
  const settings = parseSettings(join(folder, 'edict.yaml'), { state: storeUrl });
  await recordEmptyGatewayAt(storeUrl, emulator.url, { project: seed.project ?? '', instance: seed.instance ?? '' });
  const write: Scene['write'] = (rest, more = '') => {
    const gateway = `endpoint: "${emulator.url}", project: ${seed.project}, instance: ${seed.instance}, limit: { calls: 1000, per: 100ms }, propagationDelay: 1ms`;
    writeFileSync(settings.file, `edict: 1\ngateway: { ${gateway}${more} }\n${rest}${rest.includes('refresh:') ? '' : 'refresh: never\n'}`);
  };
  let seen = 0;
  return {
    emulator,
    write,
    settings,
    plan: (refresh = 'always') => readPlan(createAppContext({ ...settings, refresh }, env)),
    apply: (refresh = 'due') => applyOnce(createAppContext({ ...settings, refresh }, env)),
    operations: () => {
      const all = emulator.requests.since(seen);
      seen += all.length;
      return all.map(({ operation }) => operation);
    },
    [Symbol.asyncDispose]: () => emulator.close(),
  };
}

const oneApi = (publication: string, api = 'id: api-orders') =>
  `environments: { test: env-test }\napis:\n  orders: { ${api}, environments: { test: ${publication} } }\n`;
const short = ({ plan: { changes } }: PlanReport): string[] => changes.map(({ api, action, reason }) => `${action} ${api} ${reason}`);

test('a full instance in sync is observed in as many reads as it has pages', async () => {
  const names = Array.from({ length: 5000 }, (_, index) => `a${index}`);
  const environments = ['one', 'two', 'three'];
  const publications = names.flatMap((name) => environments.map((place) => ({ api: `api-${name}`, environment: `env-${place}` })));
  const places = environments.map((name) => ({ id: `env-${name}`, name }));
  await using at = await scene({ ...seedOf(...names), environments: places, publications });
  const apis = names.map((name) => `  ${name}: { id: api-${name}, environments: { one: online, two: online, three: online } }\n`);
  at.write(`environments: { one: env-one, two: env-two, three: env-three }\napis:\n${apis.join('')}`);
  const { plan, notices } = await at.plan();
  assert.equal([plan.changes.length, plan.unchanged, notices.length], [0, 15_000, 15_000]);
  assert.equal(at.operations(), Array(10).fill('listApis'));
});

test('an API that is online already is adopted without a call, and stays adopted', async () => {
  await using at = await scene({ ...seedOf('orders'), publications: [{ api: 'api-orders', environment: 'env-test' }] });
  at.write(oneApi('online'));
  assert.equal(short(await at.plan('due')), ['online orders new']);
  const { summary, plan } = await at.apply('always');
  assert.equal([summary.online, plan.changes.length], [0, 0]);
  assert.equal(short(await at.plan('due')), []);
  assert.equal(at.operations(), ['listApis']);
});

test('drift is reported with `report` and corrected with `correct`, and the history has the reason', async () => {
  await using at = await scene(seedOf('orders'));
  at.write(oneApi('online'));
  await at.apply();
  at.emulator.state.changeManually('api-orders', 'env-test', 'offline');
  const reported = await at.plan();
  assert.equal([short(reported), reported.plan.drifted.length], [[], 1]);
  await at.apply('always');
  assert.is((await readStatus(createAppContext(at.settings, env))).plan.drifted.length, 1);
  at.write(oneApi('{ state: online, drift: correct }'));
  assert.equal(short(await at.plan('due')), ['online orders drift']);
  await at.apply();
  assert.equal(short(await at.plan()), []);
  assert.equal(
    (await readHistory(createAppContext(at.settings, env), 9)).attempts.map(({ action, reason }) => `${action} ${reason}`),
    ['online drift', 'online new'],
  );
});

test('an edited API is outdated; with `republish: edited` it is published again, once', async () => {
  await using at = await scene(seedOf('orders'));
  at.write(oneApi('online'));
  await at.apply();
  at.emulator.state.catalog.updateApi('api-orders', { editedAt: new Date(Date.now() + 60_000).toISOString() });
  const stale = await at.plan();
  assert.equal([short(stale), stale.plan.outdated.length], [[], 1]);
  at.write(`republish: edited\n${oneApi('online')}`);
  assert.equal(short(await at.plan()), ['online orders edited']);
  at.emulator.state.catalog.updateApi('api-orders', { editedAt: new Date(Date.now() - 60_000).toISOString() });
  await at.apply('always');
  assert.equal(short(await at.plan()), []);
});

test('a pinned version is switched to and kept, without a new one', async () => {
  await using at = await scene(seedOf('orders'));
  at.write(oneApi('{ state: online, revision: r1 }'));
  await at.apply();
  at.write(oneApi('{ state: online, revision: r2 }'));
  await at.apply();
  const listed = await readVersions(createAppContext(at.settings, env), { api: 'orders', environment: 'test' });
  const good = listed.versions.find(({ isEffective }) => !isEffective)?.versionId ?? '';
  at.write(oneApi(`{ state: online, revision: r3, version: ${good}, drift: correct }`));
  assert.equal(short(await at.plan('due')), ['online orders version']);
  at.operations();
  await at.apply();
  assert.equal(at.operations(), ['switchVersion']);
  const effective = (): string | undefined => at.emulator.state.publications()[0]?.effective?.versionId;
  assert.is(effective(), good);
  assert.equal(short(await at.plan()), []);

  at.emulator.state.publish('api-orders', 'env-test', 'by hand');
  assert.equal(short(await at.plan()), ['online orders drift']);
  await at.apply('always');
  assert.is(effective(), good);
  assert.is(at.emulator.state.publications()[0]?.versions.length, 3, 'two by edict, one by hand');
  at.write(oneApi('{ state: online, revision: r3 }'));
  assert.equal(short(await at.plan()), ['online orders revision'], 'the change that was deferred for the pin');
});

test('names are looked up once and recorded; an API recreated under its name is reported', async () => {
  await using at = await scene(seedOf('orders', 'carts'));
  const named = (api: string): string =>
    `environments: { test: { name: test } }\napis:\n  ${api}: { environments: { test: online } }\n  c: { name: carts, environments: { test: online } }\n`;
  at.write(named('ordres'));
  const invalid = await at.plan('due').catch((error: unknown) => error);
  assert.instance(invalid, InvalidFileError);
  assert.match(JSON.stringify((invalid as InvalidFileError).diagnostics), 'did you mean `id: api-orders`');
  at.write(named('orders'));
  at.operations();
  await at.apply();
  assert.equal(at.operations().sort(), ['changePublication', 'changePublication', 'listApis', 'listEnvironments']);
  await at.apply();
  assert.equal(at.operations(), [], 'nothing to do, nothing to read');

  at.emulator.state.deleteApi('api-orders');
  at.emulator.state.catalog.addApi({ id: 'api-anew', name: 'orders' });
  const { plan, notices } = await at.plan();
  assert.equal(
    notices.map(({ kind, api, replacementId }) => [kind, api, replacementId]),
    [['apiDeleted', 'orders', 'api-anew']],
  );
  assert.equal(plan.changes, []);
});

test('the failed changes of a batch are read and retried individually, with few calls', async () => {
  const names = Array.from({ length: 25 }, (_, index) => `a${index}`);
  await using at = await scene(seedOf(...names));
  const apis = names.map((name) => `  ${name}: { id: api-${name}, environments: { test: online } }\n`).join('');
  at.write(`environments: { test: env-test }\napis:\n${apis}`, ', batch: 10');
  const fault = { status: 409, errorCode: 'APIC.7701', errorMsg: 'busy' };
  at.emulator.faults.add({ kind: 'answer', ...fault, operation: 'changePublications', apiId: 'api-a3', times: 1 });
  const { summary } = await at.apply();
  assert.equal([summary.online, summary.failed], [25, 0]);
  const sizes = at.emulator.requests.all().map(({ apis: batch, api }) => batch?.length ?? (api === undefined ? 0 : 1));
  // On a busy machine it may be retried before the last of the others.
  assert.equal(
    sizes.toSorted((a, b) => b - a),
    [10, 10, 5, 1],
    'the busy one again, alone',
  );
  assert.ok(at.emulator.state.publications().every(({ versions }) => versions.length === 1));
  assert.equal(short(await at.plan()), []);
});

test('the changes of a batch whose response is lost are read API by API, and nothing is published twice', async () => {
  const names = ['a', 'b', 'c', 'd'];
  await using at = await scene(seedOf(...names));
  const apis = names.map((name) => `  ${name}: { id: api-${name}, environments: { test: online } }\n`).join('');
  at.write(`environments: { test: env-test }\napis:\n${apis}`, ', batch: 10');
  at.emulator.faults.add({ kind: 'cut', operation: 'changePublications', applied: true, times: 1 });
  const { summary } = await at.apply();
  assert.equal([summary.online, summary.failed], [4, 0]);
  assert.ok(at.emulator.state.publications().every(({ versions }) => versions.length === 1));
  assert.equal(at.operations().sort(), ['changePublications', ...Array(4).fill('listVersions')]);
});

test('a batch with an API that does not exist publishes the others', async () => {
  await using at = await scene(seedOf('a', 'b', 'c'));
  const apis = ['a', 'b', 'c', 'x'].map((name) => `  ${name}: { id: api-${name}, environments: { test: online } }\n`).join('');
  at.write(`environments: { test: env-test }\napis:\n${apis}`, ', batch: 10');
  const { summary } = await at.apply();
  assert.equal([summary.online, summary.failed], [3, 1]);
  const { plan } = await at.plan();
  assert.equal([plan.changes, plan.drifted.map(({ api }) => api)], [[], ['x']], 'once the gateway was asked');
});

test.run();
