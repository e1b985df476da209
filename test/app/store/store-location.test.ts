import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { locateStore, type StoreLocationOptions } from '../../../src/app/store/store-location.ts';
import { EdictError } from '../../../src/model/errors.ts';
import { scratchFolder } from '../../support/edict-process.ts';

const test = suite('store location');
const isRoot = process.getuid?.() === 0;

/** Returns a folder with `gateways/edict.yaml` and a link `linked` to `gateways`. */
function checkout(): string {
  const folder = scratchFolder();
  mkdirSync(join(folder, 'gateways'));
  writeFileSync(join(folder, 'gateways/edict.yaml'), '');
  symlinkSync('gateways', join(folder, 'linked'));
  symlinkSync('edict.yaml', join(folder, 'gateways/link.yaml'));
  return folder;
}

/** Returns where the store of a command is, or the message and hint of the error. */
async function locate(
  paths: readonly string[],
  { options = {}, env = {}, ...location }: Partial<StoreLocationOptions> & { options?: object; env?: object } = {},
): Promise<{ url: string; emulate: boolean; notice: string | null } | string> {
  try {
    const { settings, notice } = await locateStore(options, env as Record<string, string>, {
      paths,
      isWriting: true,
      findsEmulated: 'never',
      ...location,
    });
    return { url: settings.storeUrl, emulate: settings.emulate, notice };
  } catch (error) {
    assert.instance(error, EdictError);
    return `${(error as EdictError).code}: ${(error as EdictError).message}; ${(error as EdictError).hint}`;
  }
}

test('is beside the edict file, wherever the command is run', async () => {
  const file = join(checkout(), 'gateways/edict.yaml');
  assert.equal(await locate([file]), { url: `sqlite:${join(file, '../.edict/state.db')}`, emulate: false, notice: null });
  const emulated = await locate([file], { options: { emulate: true } });
  assert.equal(emulated, { url: `sqlite:${join(file, '../.edict/emulated.db')}`, emulate: true, notice: null });
  assert.equal(await locate([]), { url: 'sqlite:.edict/state.db', emulate: false, notice: null });
});

test('a file that does not exist yet has a place, unless its folder is missing too', async () => {
  const folder = checkout();
  assert.type(await locate([join(folder, 'new.yaml')]), 'object');
  assert.match(String(await locate([join(folder, 'no/new.yaml')])), /does not exist or is not writable/);
  assert.type(await locate([join(folder, 'no/new.yaml')], { isWriting: false }), 'object');
});

for (const isWriting of [true, false]) {
  const kind = isWriting ? 'writes' : 'reads';
  test(`a command that ${kind} needs --state for a folder, several files and a symbolic link, and gets it to paste`, async () => {
    const folder = checkout();
    const expected = (reason: string): string =>
      `STATE_REQUIRED: there is no default place for the store: ${reason}; name the store, such as --state sqlite:${process.cwd()}/.edict/state.db`;
    const gateways = join(folder, 'gateways');
    assert.is(await locate([gateways], { isWriting }), expected(`${gateways} is a folder`));
    assert.is(await locate([join(gateways, 'edict.yaml'), 'b.yaml'], { isWriting }), expected('several files are given'));
    for (const path of ['gateways/link.yaml', 'linked/edict.yaml']) {
      const file = join(folder, path);
      assert.is(await locate([file], { isWriting }), expected(`${file} is reached through a symbolic link`));
      const given = await locate([file], { isWriting, options: { state: 'sqlite:x.db' } });
      assert.equal(given, { url: 'sqlite:x.db', emulate: false, notice: null });
    }
  });
}

test('a folder that cannot be written is no place for a new store, but for reading one', async () => {
  if (isRoot) return;
  const folder = checkout();
  const file = join(folder, 'gateways/edict.yaml');
  chmodSync(join(folder, 'gateways'), 0o500);
  assert.match(String(await locate([file])), /is not writable/);
  assert.type(await locate([file], { isWriting: false }), 'object');
  chmodSync(join(folder, 'gateways'), 0o700);
});

test('a device is no place for a store', async () => {
  assert.match(String(await locate(['/dev/null'])), /\/dev\/null is not a regular file/);
});

test('a command that reads finds the store of an emulated gateway if it is the only one, and says so', async () => {
  const file = join(checkout(), 'gateways/edict.yaml');
  const store = (name: string): string => join(file, '../.edict', name);
  mkdirSync(store(''));
  writeFileSync(store('emulated.db'), '');
  const reading = { isWriting: false, findsEmulated: 'always' } as const;
  const found = { url: `sqlite:${store('emulated.db')}`, emulate: true };
  const notice = `using the store of the emulated gateway, ${store('emulated.db')}: there is no other one beside ${file}`;
  assert.equal(await locate([file], reading), { ...found, notice });
  const real = { url: `sqlite:${store('state.db')}`, emulate: false, notice: null };
  assert.equal(await locate([file]), real);
  const careful = { ...reading, findsEmulated: 'without-credentials' } as const;
  assert.equal(await locate([file], careful), { ...found, notice });
  for (const name of ['HW_AUTH_TOKEN', 'HW_ACCESS_KEY_FILE'])
    assert.equal(await locate([file], { ...careful, env: { [name]: 'x' } }), real);
  writeFileSync(store('state.db'), '');
  assert.equal(await locate([file], reading), real);
});

test.run();
