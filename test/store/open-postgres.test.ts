import { suite } from 'uvu';
import type { NewApproval } from '../../src/core/guards.ts';
import type { GatewayIdentity } from '../../src/core/publication.ts';
import { openRecord, openStore } from '../../src/store/open-store.ts';
import { writeApproval } from '../../src/store/write-approval.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';
import { storeContract } from '../support/store-contract.ts';

const test = suite('PostgreSQL');
let server: PostgresServer;
test.before(async () => {
  server = await postgresServer();
});
test.after(() => server.close());

storeContract(test, 'postgres', async () => {
  const url = await server.database();
  return {
    open: () => openStore({ url, emulated: false }),
    openRecord: () => openRecord({ url }),
    approve: (of: GatewayIdentity, approval: NewApproval) => writeApproval(url, of, approval),
  };
});

test.run();
