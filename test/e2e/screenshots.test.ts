import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { openContext } from '../support/browser.ts';
import { edict } from '../support/edict-command.ts';
import { scratchFolder, secretToken, startEdict, until } from '../support/edict-process.ts';

/*
 * The screenshots of the README, with everything that can happen in one day. `npm run screenshots` writes them into examples/.
 */
const test = suite('screenshots');

const names = [
  'catalog-prices',
  'catalog-products',
  'catalog-search',
  'catalog-stock',
  'checkout-carts',
  'checkout-orders',
  'checkout-payments',
]
  .concat(['customers-accounts', 'customers-addresses', 'customers-consents', 'shipping-labels', 'shipping-rates', 'shipping-tracking'])
  .concat(['billing-invoices', 'billing-refunds', 'billing-tax']);
const environments = ['test', 'staging', 'production'];

/** Returns a file in which every API is online everywhere, except as `over` says. */
function fileWith(endpoint: string, calls: number, over: Readonly<Record<string, string>>): string {
  const everywhere = environments.map((name) => `${name}: online`).join(', ');
  const apis = [...names, ...Object.keys(over).filter((name) => !names.includes(name))].map(
    (name) => `  ${name}: { id: id-${name}, ${over[name] ?? `environments: { ${everywhere} }`} }`,
  );
  return [
    'edict: 1',
    `gateway: { endpoint: "${endpoint}", project: shop, instance: f0fa1789-3b76-433b-a787-9892951c620e, limit: { calls: ${calls}, per: 1s }, propagationDelay: 100ms }`,
    'environments: { test: env-test, staging: env-staging, production: { id: env-production, protected: true } }',
    ...['refresh: 1m', 'apis:', ...apis, ''],
  ].join('\n');
}

test('everything that can happen in one day', async () => {
  const folder = scratchFolder();
  const out = process.env['EDICT_SCREENSHOTS'] ? fileURLToPath(new URL('../../examples/page/', import.meta.url)) : folder;
  mkdirSync(out, { recursive: true });
  const named = (list: readonly string[], prefix: string) => list.map((name) => ({ id: `${prefix}-${name}`, name }));
  const emulator = await startEmulator({
    seed: {
      project: 'shop',
      instance: 'f0fa1789-3b76-433b-a787-9892951c620e',
      apis: named(names, 'id'),
      environments: named(environments, 'env'),
      anyToken: true,
    },
  });
  const env = { HW_AUTH_TOKEN: secretToken };
  const write = (calls: number, over: Readonly<Record<string, string>>): void =>
    writeFileSync(join(folder, 'edict.yaml'), fileWith(emulator.url, calls, over));
  write(1000, {});
  assert.is((await edict(['apply'], folder, env)).code, 0);
  const takenDown = await fetch(`${emulator.url}/v2/shop/apic/instances/f0fa1789-3b76-433b-a787-9892951c620e/apis/action`, {
    method: 'POST',
    headers: { 'x-auth-token': 'somebody', 'content-type': 'application/json' },
    body: JSON.stringify({ action: 'offline', api_id: 'id-catalog-search', env_id: 'env-staging' }),
  });
  assert.ok(takenDown.ok);
  const online = 'test: online, staging: online, production: online';
  write(1, {
    'billing-refunds': 'environments: { test: online, staging: online, production: offline }',
    'catalog-stock': `revision: 2026-11-23, environments: { ${online} }`,
    'customers-accounts': `revision: 2026-11-23, environments: { ${online} }`,
    'customers-addresses': `revision: 2026-11-23, environments: { ${online} }`,
    'shipping-tracking': `revision: 2026-11-23, environments: { ${online} }`,
    'checkout-vouchers': 'environments: { test: online }',
    'shipping-rates': `suspend: { reason: tariffs under review, by: ada }, revision: 2026-11-23, environments: { ${online} }`,
  });
  const daemon = startEdict(['run', '--log-format', 'json', '--listen', '127.0.0.1:0'], folder, env);
  const context = await openContext({ viewport: { width: 1280, height: 860 }, colorScheme: 'light', reducedMotion: 'reduce' });
  try {
    await until('the daemon runs', () => daemon.events('daemon:started').length === 1);
    const page = await context.newPage();
    await page.goto(String(daemon.events('daemon:started')[0]?.['url']));
    for (const status of ['failed', 'held', 'pending', 'deferred', 'drifted', 'unchanged']) {
      await page.getByRole('button', { name: new RegExp(`\\d ${status}$`) }).waitFor();
    }
    const shot = async (name: string): Promise<void> => {
      const image = await page.screenshot({ path: join(out, `${name}.png`) });
      assert.ok(image.length > 30_000, `${name}: ${image.length} bytes`);
    };
    await shot('matrix-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await shot('matrix-dark');
    await page.getByRole('row', { name: 'catalog-search' }).getByRole('gridcell').first().click();
    await page.getByRole('dialog').getByText('· attempt').first().waitFor();
    await page.emulateMedia({ colorScheme: 'light' });
    await shot('timeline');
    await page.keyboard.press('Escape');
    writeFileSync(join(folder, 'edict.yaml'), fileWith(emulator.url, 1, {}).replace('refresh: ', 'refrehs: '));
    await page.getByRole('alert').getByText('The key is not allowed here').first().waitFor();
    await page.setViewportSize({ width: 390, height: 844 });
    await shot('phone');
  } finally {
    await context.close();
    daemon.child.kill('SIGTERM');
    await daemon.finished;
    await emulator.close();
  }
});

test.run();
