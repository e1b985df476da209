import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createAppContext } from '../../src/app/context.ts';
import { importGateway } from '../../src/app/edits/import.ts';
import { readPlan } from '../../src/app/reports.ts';
import { parseSettings } from '../../src/app/settings.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import type { GatewayState } from '../../src/emulator/gateway-state.ts';
import type { Seed } from '../../src/emulator/seed.ts';
import { isValidId } from '../../src/source/export/identifiers.ts';
import { edict } from '../support/edict-command.ts';
import { scratchFolder } from '../support/edict-process.ts';
import { fc, runs } from '../support/fast-check.ts';
import { listings } from '../support/gateway-listings.ts';
import { type Listed, listingServer } from '../support/listing-server.ts';

const env = { HW_AUTH_TOKEN: 'token' };

/** Imports the gateway at `url` and returns the text and its plan, with a new store. */
async function roundTrip(url: string, file: string) {
  const context = createAppContext(parseSettings(file, { refresh: true, state: `sqlite:${file}.db` }), env);
  const { text } = await importGateway(context, { endpoint: url, project: 'project', instance: 'instance' });
  writeFileSync(file, text);
  const planned = await readPlan(context);
  return { text, ...planned };
}

function publicationsOf({ apis }: Listed): number {
  const counts = apis.map(({ apiId, publications }) => (isValidId(apiId) ? [...publications.keys()].filter(isValidId).length : 0));
  return counts.reduce((sum, count) => sum + count, 0);
}

test('the plan of an imported file has no changes, whatever the gateway lists', async () => {
  let listed: Listed = { apis: [], environments: [] };
  const server = await listingServer(() => listed);
  const file = join(scratchFolder(), 'edict.yaml');
  const property = fc.asyncProperty(listings, async (listing) => {
    listed = listing;
    const { plan, notices } = await roundTrip(server.url, file);
    assert.equal(plan.changes, []);
    assert.equal([plan.unchanged, plan.drifted.length, notices.length], [publicationsOf(listing), 0, publicationsOf(listing)]);
  });
  await fc.assert(property, { numRuns: runs(300) });
  await server.close();
});

const kinds = ['publish', 'publish', 'take offline', 'edit', 'hide', 'delete', 'switch'] as const;
interface Action {
  readonly kind: (typeof kinds)[number];
  /** The index of the API and environment, modulo their number. */
  readonly api: number;
  readonly environment: number;
}
const actions: fc.Arbitrary<Action[]> = fc.array(fc.record({ kind: fc.constantFrom(...kinds), api: fc.nat(11), environment: fc.nat(7) }), {
  maxLength: 15,
});

/** Makes the kinds of changes to the emulated gateway that teams make to a real one. */
function act(state: GatewayState, { apis, environments }: Listed, { kind, api: which, environment: where }: Action): void {
  const api = apis[which % apis.length]?.apiId;
  const environment = environments[where % environments.length]?.id;
  if (api === undefined || environment === undefined) return;
  switch (kind) {
    case 'publish':
      return void state.publish(api, environment, 'by hand');
    case 'take offline':
      return void state.takeOffline(api, environment);
    case 'edit':
      return void state.catalog.updateApi(api, { edited: true });
    case 'hide':
      return void state.catalog.updateApi(api, { hidden: 'list' });
    case 'delete':
      return void state.deleteApi(api);
    case 'switch': {
      const versions = state.versions(api);
      const version = 'status' in versions ? undefined : versions.at(-1)?.version.versionId;
      return void (version !== undefined && state.switchVersion(api, version));
    }
  }
}

function seedOf({ apis, environments }: Listed): Seed {
  const known = new Set(environments.map(({ id }) => id));
  const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  return {
    project: 'project',
    instance: 'instance',
    anyToken: true,
    environments,
    apis: apis.map(({ apiId: id, name, group, editedAtMs }) => {
      const editedAt = iso(editedAtMs);
      return { id, name, ...(group !== '' && { group }), ...(editedAt !== null && { editedAt }) };
    }),
    publications: apis.flatMap(({ apiId: api, publications }) =>
      [...publications]
        .filter(([id]) => known.has(id))
        .map(([environment, { publishedAtMs }]) => {
          const publishedAt = iso(publishedAtMs);
          return { api, environment, ...(publishedAt !== null && { publishedAt }) };
        }),
    ),
  };
}

test('the plan of a file imported from any emulated gateway has no changes', async () => {
  const file = join(scratchFolder(), 'edict.yaml');
  let publications = 0;
  const property = fc.asyncProperty(listings, actions, async (listing, done) => {
    await using emulator = disposable(await startEmulator({ seed: seedOf(listing) }));
    const { state } = emulator;
    for (const action of done) act(state, listing, action);
    const shown = new Set(state.catalog.listApis().map(({ id }) => id));
    const online = state
      .publications()
      .filter(({ api, environment, effective }) => effective && shown.has(api) && isValidId(api) && isValidId(environment));
    const before = state.changes;
    const { plan } = await roundTrip(emulator.url, file);
    assert.equal(plan.changes, []);
    assert.equal([plan.unchanged, plan.drifted.length], [online.length, 0]);
    assert.is(state.changes, before);
    publications += online.length;
  });
  await fc.assert(property, { numRuns: runs(1000) });
  assert.ok(publications > runs(1000) * 1.5, `only ${publications} publications were tried`);
});

function disposable(emulator: Emulator): Emulator & AsyncDisposable {
  return { ...emulator, [Symbol.asyncDispose]: () => emulator.close() };
}

test('the same holds on the command line', async () => {
  for (const listed of fc.sample(listings, { numRuns: 3, seed: 4 })) {
    const server = await listingServer(() => listed);
    const folder = scratchFolder();
    const imported = await edict(['import', '--endpoint', server.url, '--project', 'project', '--instance', 'instance'], folder);
    assert.is(imported.code, 0, imported.stderr);
    writeFileSync(join(folder, 'edict.yaml'), imported.stdout);
    const planned = await edict(['plan', '--refresh', '--detailed-exitcode', '--format', 'json'], folder);
    assert.is(planned.code, 0, planned.stderr);
    const { changes, summary } = JSON.parse(planned.stdout) as { changes: unknown[]; summary: { unchanged: number } };
    assert.equal([changes.length, summary.unchanged], [0, publicationsOf(listed)]);
    await server.close();
  }
});

test.run();
