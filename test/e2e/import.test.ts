import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { importGateway, readPlan } from '../../src/app.ts';
import { settingsFrom } from '../../src/config.ts';
import { isId } from '../../src/desired/allowed.ts';
import { edict, scratchFolder } from '../support/edict-process.ts';
import { listings } from '../support/gateway-listings.ts';
import { type Listed, listingServer } from '../support/listing-server.ts';

const environment = { HW_AUTH_TOKEN: 'token' };

/** Imports the gateway at `url` and returns the text and the plan over it, against a store that was never there. */
async function roundTrip(url: string, file: string) {
  const { text } = await importGateway({ endpoint: url, project: 'project', instance: 'instance' }, environment);
  writeFileSync(file, text);
  const planned = await readPlan(settingsFrom(file, { refresh: true, state: `sqlite:${file}.db` }), environment);
  return { text, ...planned };
}

function publicationsOf({ apis }: Listed): number {
  const counts = apis.map(({ apiId, publications }) => (isId(apiId) ? [...publications.keys()].filter(isId).length : 0));
  return counts.reduce((sum, count) => sum + count, 0);
}

test('whatever a gateway lists, a plan over its own file has no change', async () => {
  let listed: Listed = { apis: [], environments: [] };
  const server = await listingServer(() => listed);
  const file = join(scratchFolder(), 'edict.yaml');
  const worlds = fc.asyncProperty(listings, async (listing) => {
    listed = listing;
    const { plan, notes } = await roundTrip(server.url, file);
    assert.equal(plan.changes, []);
    assert.equal([plan.unchanged, plan.drifted.length, notes.length], [publicationsOf(listing), 0, publicationsOf(listing)]);
  });
  await fc.assert(worlds, { numRuns: 1000 });
  await server.close();
});

test('so it is on the command line', async () => {
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
