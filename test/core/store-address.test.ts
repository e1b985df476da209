import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { shownAddress } from '../../src/core/store-address.ts';

test('an address is shown without its secrets', () => {
  for (const [address, shown] of [
    ['postgres://ada:geheim@db:5432/edict?sslpassword=geheim', 'postgres://ada:***@db:5432/edict?sslpassword=***'],
    ['postgresql://ada@db/edict?password=geheim', 'postgresql://ada@db/edict?password=***'],
    ['postgres://db/edict?password_file=/run/password', 'postgres://db/edict?password_file=/run/password'],
    ['postgres://ada:ge@heim/@db:port/edict', 'postgres://***@db:port/edict'],
    ['mysql://ada:geheim@db/edict', 'mysql://***@db/edict'],
    ['sqlite:.edict/state.db', 'sqlite:.edict/state.db'],
  ] as const) {
    assert.is(shownAddress(address), shown);
  }
});

test.run();
