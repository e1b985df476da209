import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { edict, fileOf, scratchFolder } from '../support/edict-process.ts';

interface StatusJson {
  readonly summary: Readonly<Record<string, number>>;
  readonly publications: readonly {
    readonly api: string;
    readonly desired: { readonly state: string } | null;
    readonly recorded: { readonly state: string; readonly versionId: string } | null;
    readonly next: { readonly action: string; readonly reason: string } | null;
    readonly lastAttempt: { readonly outcome: string } | null;
  }[];
}

test('shows what is desired, recorded and next, of what left the file too', async () => {
  const folder = scratchFolder();
  const write = (states: Readonly<Record<string, string>>): void =>
    writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', states));
  write({ orders: 'online', carts: 'online' });
  await edict(['apply', '--emulate'], folder);
  write({ orders: 'offline', invoices: 'online' });

  const { stdout } = await edict(['status', '--emulate', '--format', 'json'], folder);
  const { publications, summary } = JSON.parse(stdout) as StatusJson;
  assert.equal(
    publications.map(({ api, desired, recorded, next, lastAttempt }) => [
      api,
      desired?.state,
      recorded?.state,
      next?.action,
      lastAttempt?.outcome,
    ]),
    [
      ['orders', 'offline', 'online', 'offline', 'succeeded'],
      ['invoices', 'online', undefined, 'online', undefined],
      ['carts', undefined, 'online', undefined, 'succeeded'],
    ],
  );
  assert.equal([summary['online'], summary['offline'], summary['held']], [1, 1, 0]);
  assert.match(publications[0]?.recorded?.versionId ?? '', /^[0-9a-f]{32}$/);

  const text = (await edict(['status', '--emulate'], folder)).stdout;
  assert.match(text, /^orders +test +offline +online +\S+Z +offline: the file says offline, the record online$/m);
  assert.match(text, /^carts +test +not in file +online/m);
  assert.match(text, /^API +test$/m);
  assert.match(text, /^orders +▼ going offline$/m);
  assert.match(text, 'To do: 1 online, 1 offline.');
});

test('shows only what is targeted, and counts only that', async () => {
  const folder = scratchFolder();
  const states = { 'shop-a': 'online', 'shop-b': 'offline', users: 'online' };
  writeFileSync(join(folder, 'edict.yaml'), fileOf('https://roma.example.com', states));
  const { stdout } = await edict(['status', '--emulate', '--format', 'json', '--api', 'shop-*'], folder);
  const { publications, summary, targets } = JSON.parse(stdout) as StatusJson & { targets: unknown };
  assert.equal(
    publications.map(({ api }) => api),
    ['shop-a', 'shop-b'],
  );
  assert.equal(
    [summary['online'], summary['unchanged'], summary['untargeted'], targets],
    [1, 1, 1, { apis: ['shop-*'], environments: [] }],
  );
  const text = (await edict(['status', '--emulate', '--api', 'shop-*', '--environment', 'test'], folder)).stdout;
  assert.not.match(text, 'users');
  assert.match(text, '2 in the file. To do: 1 online, 0 offline. Only --api shop-*, --environment test: 1 change left out.');
  const wrong = await edict(['status', '--emulate', '--environment', 'tset'], folder);
  assert.equal([wrong.code, wrong.stdout], [1, '']);
  assert.match(wrong.stderr, '--environment "tset" matches nothing in the file or the record\n  nearest to "tset": test, ');
});

test.run();
