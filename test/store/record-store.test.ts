import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { postgres } from '../../generated/store-queries.js';
import type { NewApproval } from '../../src/model/approval.ts';
import type { ControllerStatus } from '../../src/model/controller-status.ts';
import type { GatewayIdentity } from '../../src/model/gateway.ts';
import { nameKey } from '../../src/model/name-ref.ts';
import type { Database, Statement } from '../../src/store/database.ts';
import { openReadonly, openStore } from '../../src/store/open.ts';
import { RecordStore } from '../../src/store/record-store.ts';
import { writeApproval } from '../../src/store/requests.ts';
import type { SqlRow } from '../../src/store/rows.ts';
import type { Leases } from '../../src/store/sqlite/leases.ts';
import { change, gatewaySettings, lastObservation, recorded, savedObservation } from '../support/states.ts';
import { storeContract } from '../support/store-contract.ts';
import { storeEngines } from '../support/store-engines.ts';

const test = suite('record store');
const gateway = gatewaySettings();

for (const { name, make } of storeEngines(test)) {
  storeContract(test, name, async () => {
    const url = await make();
    return {
      open: () => openStore({ url, isEmulated: false }),
      openRecord: () => openReadonly({ url }),
      approve: (of: GatewayIdentity, approval: NewApproval) => writeApproval({ url, isEmulated: false }, of, approval),
    };
  });

  test(`${name}: an attempt that had started has an unknown outcome after its process was killed`, async () => {
    const url = await make();
    const source = `
      import { openStore } from ${JSON.stringify(import.meta.resolve('../../src/store/open.ts'))};
      import { change, gatewaySettings, newAttempt } from ${JSON.stringify(import.meta.resolve('../support/states.ts'))};
      const store = await openStore({ url: ${JSON.stringify(url)}, isEmulated: false });
      await store.acquire(gatewaySettings(), 1);
      await store.beginAttempt(gatewaySettings(), change('orders', 'test'), newAttempt());
      process.kill(process.pid, 'SIGKILL');`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', source], { stdio: ['ignore', 'ignore', 'pipe'] });
    const complaint = text(child.stderr);
    const [, signal] = await once(child, 'exit');
    assert.is(signal, 'SIGKILL', await complaint);
    const store = await openStore({ url, isEmulated: false });
    assert.ok((await store.readPublication(gateway, change('orders', 'test').key))?.unknownAttempt);
    await store.close();
  });
}

test('no transaction writes more than 2,000 rows, or more statements than a few, however large the gateway is', async () => {
  const transactions: { readonly statements: number; readonly rows: number }[] = [];
  const rowsIn = ({ query, values }: Statement): number => {
    const json = values[query.parameters.indexOf('rows')];
    return typeof json === 'string' ? (JSON.parse(json) as unknown[]).length : 1;
  };
  const write = async (statements: readonly Statement[]) => {
    transactions.push({ statements: statements.length, rows: statements.reduce((sum, statement) => sum + rowsIn(statement), 0) });
    return [];
  };
  const leases: Leases = {
    acquire: () => Promise.reject(new Error('not used')),
    watch: () => Promise.reject(new Error('not used')),
    fenceOf: () => 1,
    write: (_, statements) => write(statements),
    release: async () => undefined,
    close: async () => undefined,
  };
  const all = Array.from({ length: 100_000 }, (_, index) => recorded(`a${index}`, 'test'));
  const stored: Readonly<Record<string, readonly SqlRow[]>> = {
    declared: all.map(({ apiId, environmentId }) => ({ api_id: apiId, environment_id: environmentId, source_file: 'removed.yaml' })),
    names: all.map(({ api }) => ({ name: api, id: api })),
    approvals: [],
  };
  const queryNames = new Map(Object.entries(postgres).map(([name, query]) => [query.sql, name]));
  const database: Database = {
    displayUrl: '',
    queries: postgres,
    read: async ({ query }) => stored[queryNames.get(query.sql) ?? ''] ?? [{ id: 1 }],
    write,
    leaseHolder: async () => null,
    close: async () => undefined,
  };
  const store = new RecordStore(database, leases);
  const largest = async (save: () => Promise<void>) => {
    transactions.splice(0);
    await save();
    const most = (field: 'statements' | 'rows'): number => Math.max(...transactions.map((one) => one[field]));
    return { transactions: transactions.length, statements: most('statements'), rows: most('rows') };
  };
  const sourceFiles = (count: number) => new Map(all.slice(0, count).map(({ key }) => [key, '']));
  await store.saveStatus(gateway, {} as ControllerStatus);
  assert.equal(await largest(() => store.saveObservation(gateway, savedObservation(all, lastObservation(1)))), {
    transactions: 51,
    statements: 1,
    rows: 2000,
  });
  assert.equal(await largest(() => store.saveDeclared(gateway, { sourceFiles: sourceFiles(100_000), digest: 'd', approvalId: 1 })), {
    transactions: 51,
    statements: 2,
    rows: 2000,
  });
  assert.equal(await largest(() => store.saveDeclared(gateway, { sourceFiles: new Map(), digest: 'd', approvalId: 1 })), {
    transactions: 101,
    statements: 2,
    rows: 2000,
  });
  assert.equal(await largest(() => store.saveNames(gateway, new Map())), { transactions: 50, statements: 1, rows: 2000 });
  const names = new Map(all.map(({ key }) => [nameKey({ kind: 'api', name: key, group: null }), 'id']));
  assert.equal(await largest(() => store.saveNames(gateway, names)), { transactions: 100, statements: 1, rows: 2000 });
});

test.run();
