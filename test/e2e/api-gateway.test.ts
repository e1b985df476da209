import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder, seedOf } from '../support/edict-process.ts';

const key = { access: 'AK', secret: 'SK' };
const temporary = { access: 'TEMP', secret: 'SKT', securityToken: 'temporary' };
const users = [{ id: 'user-1', name: 'ada', password: 'right', domain: 'acme' }];
let emulator: Emulator;
let folder: string;

test.before.each(async () => {
  const seed = { ...seedOf('a', 'b', 'c'), anyToken: false, tokens: [{ value: 'good' }], keys: [key, temporary], users };
  emulator = await startEmulator({ seed: { ...seed, service: 'apig' } });
  folder = scratchFolder();
});
test.after.each(() => emulator.close());

function write(states: Readonly<Record<string, string>>, gateway = 'service: apig, '): void {
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, states).replace('gateway: { ', `gateway: { ${gateway}`));
}

const online = (): string[] =>
  emulator.state
    .publications()
    .filter(({ effective }) => effective !== null)
    .map(({ api }) => api);

for (const [what, env] of [
  ['a token', { HW_AUTH_TOKEN: 'good' }],
  ['a key', { HW_ACCESS_KEY: 'AK', HW_SECRET_KEY: 'SK' }],
  ['a temporary key', { HUAWEICLOUD_SDK_AK: 'TEMP', HUAWEICLOUD_SDK_SK: 'SKT', HUAWEICLOUD_SDK_SECURITY_TOKEN: 'temporary' }],
  ['a login', { HW_USER_NAME: 'ada', HW_USER_PASSWORD: 'right', HW_DOMAIN_NAME: 'acme' }],
  ['a login by ID', { HW_USER_ID: 'user-1', HW_USER_PASSWORD: 'right' }],
] as const) {
  test(`an instance of API Gateway is published to, imported and taken offline from with ${what}`, async () => {
    write({ a: 'online', b: 'online', c: 'online' }, 'service: apig, batch: 10, ');
    assert.is((await edict(['apply'], folder, env)).code, 0);
    assert.equal(online(), ['api-a', 'api-b', 'api-c']);

    const gateway = ['--endpoint', emulator.url, '--iam', emulator.url, '--project', 'project', '--instance', 'instance'];
    const { code, stdout, stderr } = await edict(['import', '--service', 'apig', ...gateway], folder, env);
    assert.is(code, 0, stderr);
    assert.match(stdout, '\n  service: apig\n');

    write({ a: 'online', b: 'online', c: 'offline' });
    assert.is((await edict(['apply'], folder, env)).code, 0);
    assert.equal(online(), ['api-a', 'api-b']);
  });
}

test('a file that names the other service is told where to look', async () => {
  write({ a: 'online' }, '');
  const { code, stderr } = await edict(['apply'], folder, { HW_AUTH_TOKEN: 'good' });
  assert.is.not(code, 0);
  assert.match(stderr, 'check gateway.endpoint and gateway.service');
  assert.equal(online(), []);
});

test('an endpoint of the vendor that belongs to the other service is an error in the file', async () => {
  for (const [service, endpoint, add] of [
    ['apig', 'https://roma.cn-north-4.myhuaweicloud.com', 'service: roma'],
    ['roma', 'https://apig.cn-north-4.myhuaweicloud.com', 'service: apig'],
  ] as const) {
    writeFileSync(join(folder, 'edict.yaml'), fileOf(endpoint, { a: 'online' }).replace('gateway: { ', `gateway: { service: ${service}, `));
    const { code, stdout } = await edict(['validate'], folder);
    assert.is(code, 3);
    assert.match(stdout, add);
  }
});

test('--emulate emulates the service of the file', async () => {
  write({ a: 'online' });
  assert.is((await edict(['apply', '--emulate'], folder)).code, 0);
});

test('import asks the endpoint of the service in the region, whose host names the service', async () => {
  const env = { HW_AUTH_TOKEN: 'good', HW_REGION_NAME: 'nowhere-1', HW_PROJECT_ID: 'project', HTTPS_PROXY: 'http://127.0.0.1:9' };
  for (const [options, host] of [
    [[], 'roma.nowhere-1'],
    [['--service', 'apig'], 'apig.nowhere-1'],
  ] as const) {
    const { code, stderr } = await edict(['import', '--instance', 'i', ...options], folder, env);
    assert.is(code, 1);
    assert.match(stderr, host);
  }
});

test.run();
