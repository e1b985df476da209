import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmulator } from '../../../src/emulator/emulator.ts';
import { edict } from '../../support/edict-command.ts';
import { scratchFolder, secretToken, seedOf } from '../../support/edict-process.ts';

const seed = { ...seedOf('orders'), publications: [{ api: 'api-orders', environment: 'env-test' }] };

test('without a gateway it writes an example that validate accepts, and says the next three commands', async () => {
  for (const [args, env, service] of [
    [[], {}, 'roma'],
    [['--service', 'apig'], { HW_AUTH_TOKEN: secretToken }, 'apig'],
  ] as const) {
    const folder = scratchFolder();
    const { code, stdout, stderr } = await edict(['init', ...args], folder, env);
    assert.equal([code, stdout], [0, '']);
    assert.is(
      stderr,
      `Written to edict.yaml, an example: replace what is in capital letters. Next:\n  edict validate\n  edict doctor\n  edict plan\n`,
    );
    assert.equal(readdirSync(folder), ['edict.yaml']);
    const text = readFileSync(join(folder, 'edict.yaml'), 'utf8');
    assert.match(
      text,
      `  service: ${service}\n  endpoint: https://${service}.cn-north-4.myhuaweicloud.com\n  project: \${HW_PROJECT_ID}\n`,
    );
    assert.ok(text.split('\n').every((line) => line.length <= 120));
    const valid = await edict(['validate'], folder, {});
    assert.equal([valid.code, valid.stdout], [0, 'Valid. edict.yaml declares 1 publication in 2 environments.\n']);
  }
});

test('what is known of the gateway is in the example, as text', async () => {
  const folder = scratchFolder();
  const known = ['--instance', '123', '--project', 'p1', '--iam', 'https://iam.example.com', '--endpoint', 'https://roma.example.com'];
  const { code, stderr } = await edict(['init', 'my shop.yaml', ...known], folder, {});
  assert.is(code, 0);
  assert.match(stderr, "\n  edict doctor 'my shop.yaml' --allow-host roma.example.com --allow-host iam.example.com\n");
  const text = readFileSync(join(folder, 'my shop.yaml'), 'utf8');
  assert.match(text, 'endpoint: https://roma.example.com\n  iam: https://iam.example.com\n  project: p1\n  instance: "123"\n');
  assert.is((await edict(['validate', 'my shop.yaml'], folder, {})).code, 0);
});

test('a region in the environment is the endpoint, and the project stays a variable', async () => {
  const folder = scratchFolder();
  await edict(['init'], folder, { HW_REGION_NAME: 'ap-southeast-1', HW_PROJECT_ID: 'p-of-mine' });
  const text = readFileSync(join(folder, 'edict.yaml'), 'utf8');
  assert.match(text, `endpoint: https://roma.ap-southeast-1.myhuaweicloud.com\n  project: \${HW_PROJECT_ID}\n`);
  assert.not.match(text, 'p-of-mine');
});

test('with credentials and a whole gateway it writes what import writes', async () => {
  const emulator = await startEmulator({ seed });
  const folder = scratchFolder();
  const gateway = ['--endpoint', emulator.url, '--project', 'project', '--instance', 'instance'];
  const { code, stdout, stderr } = await edict(['init', ...gateway], folder);
  assert.equal([code, stdout], [0, '']);
  assert.is(stderr, `Written to edict.yaml, from ${emulator.url}. Next:\n  edict doctor\n  edict plan --refresh\n  edict run\n`);
  assert.is(readFileSync(join(folder, 'edict.yaml'), 'utf8'), (await edict(['import', ...gateway], folder)).stdout);
  assert.match(readFileSync(join(folder, 'edict.yaml'), 'utf8'), 'orders');
  assert.ok(emulator.requests.all().every(({ action }) => action === undefined || action === null));
  await emulator.close();
});

test('it never overwrites anything, and a failure leaves nothing behind', async () => {
  const emulator = await startEmulator({ seed: { ...seed, anyToken: false } });
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), 'mine');
  symlinkSync('nowhere', join(folder, 'link.yaml'));
  const live = ['--endpoint', emulator.url, '--project', 'project', '--instance', 'instance'];
  for (const more of [[], live]) {
    for (const file of ['edict.yaml', 'link.yaml']) {
      const { code, stderr } = await edict(['init', file, ...more], folder);
      assert.is(code, 1);
      assert.match(stderr, `edict: ${file} exists already, and init does not overwrite it\n`);
    }
  }
  assert.is(readFileSync(join(folder, 'edict.yaml'), 'utf8'), 'mine');
  assert.is(emulator.requests.all().length, 0);
  const missing = await edict(['init', 'none/edict.yaml'], folder, {});
  assert.is(missing.code, 1);
  assert.match(missing.stderr, 'none/edict.yaml cannot be written: there is no folder none\n  name another file: edict init FILE\n');
  const refused = await edict(['init', 'new.yaml', ...live], folder);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, "the gateway's environments cannot be read");
  const invalid = await edict(['init', 'new.yaml', '--instance', 'a b'], folder, {});
  assert.is(invalid.code, 1);
  assert.match(invalid.stderr, '--instance');
  assert.not(existsSync(join(folder, 'new.yaml')));
  await emulator.close();
});

test.run();
