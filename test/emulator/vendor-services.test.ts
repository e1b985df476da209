import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { smallSeed } from './emulated-call.ts';
import { sendByVendor } from './vendor-client.ts';

const permanent = { access: 'AK', secret: 'SK' };
const temporary = { access: 'AKT', secret: 'SKT', securityToken: 'temporary token' };

async function withService(service: 'roma' | 'apig', use: (emulator: Emulator) => Promise<void>): Promise<void> {
  const emulator = await startEmulator({ seed: { ...smallSeed, service, keys: [permanent, temporary] } });
  try {
    await use(emulator);
  } finally {
    await emulator.close();
  }
}

for (const [service, segment, other] of [
  ['roma', 'apic', 'apigw'],
  ['apig', 'apigw', 'apic'],
] as const) {
  const instance = `/v2/p/${segment}/instances/i`;
  for (const [what, key] of [
    ['permanent', permanent],
    ['temporary', temporary],
  ] as const) {
    test(`the client of the vendor publishes, lists, switches and takes offline at ${service} with a ${what} key`, async () => {
      await withService(service, async (emulator) => {
        const effective = (): string | undefined => emulator.state.publications()[0]?.effective?.versionId;
        const send = (method: string, path: string, more: { queryParams?: Record<string, unknown>; data?: Record<string, unknown> } = {}) =>
          sendByVendor(emulator, key, { method, url: `${instance}${path}`, ...more });

        const first = await send('POST', '/apis/action', { data: { action: 'online', api_id: 'a', env_id: 'e' } });
        assert.is(first['httpStatusCode'], 201);
        await send('POST', '/apis/publish', { queryParams: { action: 'online' }, data: { apis: ['a'], env_id: 'e' } });
        assert.is.not(effective(), first['version_id']);

        const listed = await send('GET', '/apis', { queryParams: { limit: 500 } });
        assert.is((listed['apis'] as { run_env_id: string }[])[0]?.run_env_id, 'e');
        assert.is((await send('GET', '/envs'))['total'], 1);
        const versions = await send('GET', '/apis/publish/a', { queryParams: { env_id: 'e' } });
        assert.is(versions['total'], 2);

        await send('PUT', '/apis/publish/a', { data: { version_id: first['version_id'] } });
        assert.is(effective(), first['version_id']);
        await send('POST', '/apis/action', { data: { action: 'offline', api_id: 'a', env_id: 'e' } });
        assert.is(effective(), undefined);
        assert.is((await send('GET', '/apis/publish/a'))['total'], 2);
      });
    });
  }

  test(`the path of the other service does not exist at ${service}`, async () => {
    await withService(service, async (emulator) => {
      const error = await sendByVendor(emulator, permanent, { method: 'GET', url: `/v2/p/${other}/instances/i/apis` }).catch(
        (thrown: Record<string, unknown>) => thrown,
      );
      assert.is(error['httpStatusCode'], 404);
      assert.match(String(error['errorCode']), /0101$/);
    });
  });
}

test.run();
