import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Danger, FileContent, Scene } from './scenario.ts';

const six = ['orders', 'carts', 'invoices', 'users', 'stock', 'prices'];
const allOnline: FileContent = { apis: Object.fromEntries(six.map((api) => [api, 'test'])) };
/** Takes these offline in `test`. */
const down = (...names: readonly string[]): FileContent => ({
  apis: Object.fromEntries(six.map((api) => [api, names.includes(api) ? '-test' : 'test'])),
});
const rest = (...names: readonly string[]): string[] => six.filter((api) => !names.includes(api)).map((api) => `${api} test`);
const protectedRelease = { release: '{ id: env-release, protected: true }' };
const writing = (content: FileContent) => (scene: Scene) => scene.write(scene.file(content));
const tooMany = /2 of 6 would go offline at once, and guards\.maxOffline allows 1/;

/** Dangers of a plan and its approval. */
export const dangersOfPlans: readonly Danger[] = [
  {
    name: 'an API of a protected environment goes offline',
    does: 'holds it',
    before: { apis: { orders: 'release', carts: 'release', stock: 'release' }, environments: protectedRelease },
    happens: writing({ apis: { orders: '-release', carts: 'release', stock: 'release' }, environments: protectedRelease }),
    exit: 4,
    says: /environment release is protected: nothing goes offline there/,
  },
  {
    name: 'two of three publications go offline at once',
    does: 'holds both: a share works for three publications as for three thousand',
    before: { apis: { orders: 'test', carts: 'test', stock: 'test' } },
    happens: writing({ apis: { orders: '-test', carts: '-test', stock: 'test' } }),
    exit: 4,
    says: /2 of 3 would go offline at once, and guards\.maxOffline allows 1/,
  },
  {
    name: 'more than the allowed thirty go offline at once',
    does: 'holds all of them, even if the share would allow more',
    before: {
      apis: Object.fromEntries(six.map((api) => [api, 'test staging release'])),
      more: 'guards: { maxOffline: { count: 2, share: 50% } }',
    },
    happens: writing({
      apis: Object.fromEntries(
        six.map((api) => [api, ['orders', 'carts', 'stock'].includes(api) ? 'test staging -release' : 'test staging release']),
      ),
      more: 'guards: { maxOffline: { count: 2, share: 50% } }',
    }),
    exit: 4,
    says: /3 of 18 would go offline at once, and guards\.maxOffline allows 2/,
  },
  {
    name: 'an environment allows less than the whole file',
    does: 'holds the changes to offline there, and makes the rest',
    before: {
      apis: Object.fromEntries(six.map((api) => [api, 'test release'])),
      environments: { release: '{ id: env-release, maxOffline: 0 }' },
    },
    happens: writing({
      apis: { ...Object.fromEntries(six.map((api) => [api, 'test release'])), orders: '-test -release' },
      environments: { release: '{ id: env-release, maxOffline: 0 }' },
    }),
    exit: 4,
    says: /1 of 6 would go offline in release at once, and maxOffline of release allows 0/,
    online: [...six.map((api) => `${api} release`), ...rest('orders')],
  },
  {
    name: 'a new revision is given to every API at once',
    does: 'holds all of them if they are more than `guards.maxRepublish` allows: each would make a version, and the gateway keeps ten',
    before: { ...allOnline, more: 'guards: { maxRepublish: 5 }' },
    happens: (scene) =>
      scene.write(scene.file({ ...allOnline, more: 'guards: { maxRepublish: 5 }' }).replaceAll('{ id:', '{ revision: r2, id:')),
    exit: 4,
    says: /6 of 6 would be published again at once, and guards\.maxRepublish allows 5/,
  },
  {
    name: 'some changes are held and others are not',
    does: 'makes the others, and exits with code 4',
    before: { ...allOnline, apis: { ...allOnline.apis, mail: '-test' } },
    happens: writing({ apis: { ...down('orders', 'carts').apis, mail: 'test' } }),
    exit: 4,
    says: tooMany,
    online: [...rest(), 'mail test'],
  },
  {
    name: 'a targeted part of a held plan is applied',
    does: 'holds it too: targets cannot bypass a guard',
    before: allOnline,
    happens: writing(down('orders', 'carts')),
    command: () => ['apply', '--api', 'orders'],
    exit: 4,
    says: tooMany,
  },
  {
    name: 'held changes are approved',
    does: 'makes them once, and records who approved them',
    before: allOnline,
    happens: async (scene) => {
      scene.write(scene.file(down('orders', 'carts')));
      await scene.approve();
    },
    exit: 0,
    says: /2 offline|"offline":2/,
    online: rest('orders', 'carts'),
  },
  {
    name: 'a file that lost most of its publications is approved',
    does: 'applies the file, once',
    before: { ...allOnline, more: 'prune: true' },
    happens: async (scene) => {
      scene.write(scene.file({ apis: { orders: 'test', carts: 'test' }, more: 'prune: true' }));
      await scene.approve();
    },
    exit: 0,
    says: /4 offline|"offline":4/,
    online: ['orders test', 'carts test'],
  },
  {
    name: 'an approval has expired',
    does: 'holds the plan as before',
    before: allOnline,
    happens: async (scene) => {
      scene.write(scene.file(down('orders', 'carts')));
      await scene.approve('--expires', '1ms');
    },
    exit: 4,
    says: tooMany,
  },
  {
    name: 'the file takes more offline than was approved',
    does: 'holds all of it: a different plan has a different digest',
    before: allOnline,
    happens: async (scene) => {
      scene.write(scene.file(down('orders', 'carts')));
      await scene.approve();
      scene.write(scene.file(down('orders', 'carts', 'stock')));
    },
    exit: 4,
    says: /3 of 6 would go offline at once/,
  },
  {
    name: 'the file takes something else offline than was approved',
    does: 'holds it',
    before: allOnline,
    happens: async (scene) => {
      scene.write(scene.file(down('orders', 'carts')));
      await scene.approve();
      scene.write(scene.file(down('orders', 'stock')));
    },
    exit: 4,
    says: tooMany,
  },
  {
    name: 'the digest of an older plan is approved',
    does: 'rejects it, and prints the digest of what is held now',
    before: allOnline,
    happens: writing(down('orders', 'carts')),
    command: () => ['approve', `sha256:${'0'.repeat(64)}`, '--by', 'ada', '--reason', 'CHG-7'],
    exit: 1,
    says: /does not match what is held now: sha256:[0-9a-f]{64}/,
  },
  {
    name: 'an approval is given while nothing is held',
    does: 'rejects it',
    before: allOnline,
    happens: () => {},
    command: () => ['approve', `sha256:${'0'.repeat(64)}`, '--by', 'ada', '--reason', 'CHG-7'],
    exit: 1,
    says: /nothing is held/,
  },
  {
    name: 'two people approve the same plan',
    does: 'makes the changes once, and tells the second person who approved first',
    before: allOnline,
    happens: async (scene) => {
      scene.write(scene.file(down('orders', 'carts')));
      await scene.approve();
      const second = await scene.approve();
      if (second.code !== 1) throw new Error(`the second approval ended with ${second.code}`);
    },
    exit: 0,
    says: /2 offline|"offline":2/,
    online: rest('orders', 'carts'),
  },
  {
    name: 'an approved and applied plan comes back',
    does: 'holds it: an approval releases each change once',
    before: allOnline,
    happens: async (scene) => {
      scene.write(scene.file(down('orders', 'carts')));
      await scene.approve();
      await scene.edict('apply');
      scene.write(scene.file(allOnline));
      await scene.edict('apply');
      scene.write(scene.file(down('orders', 'carts')));
    },
    exit: 4,
    says: tooMany,
  },
  {
    name: 'an approval has no name',
    does: 'rejects it: an approval needs a name and a reason',
    before: allOnline,
    happens: writing(down('orders', 'carts')),
    command: () => ['approve', `sha256:${'0'.repeat(64)}`, '--by', ' ', '--reason', 'CHG-7'],
    exit: 1,
    says: /--by needs a text/,
  },
  {
    name: 'a held plan is shown with `--detailed-exitcode`',
    does: 'exits with 4 and sends nothing',
    before: allOnline,
    happens: writing(down('orders', 'carts')),
    command: () => ['plan', '--detailed-exitcode'],
    exit: 4,
    says: tooMany,
  },
  {
    name: 'a held file that needs no call is shown with `--detailed-exitcode`',
    does: 'exits with 4 and does not report it as in sync',
    before: allOnline,
    happens: writing({ apis: {} }),
    command: () => ['plan', '--detailed-exitcode'],
    exit: 4,
    says: /the file declares no publications/,
  },
  {
    name: 'an approved plan is only shown',
    does: 'sends nothing: a dry run cannot send',
    before: allOnline,
    happens: async (scene) => {
      scene.write(scene.file(down('orders', 'carts')));
      await scene.approve();
    },
    command: () => ['apply', '--dry-run'],
    exit: 0,
    says: /Approved by ada|"by": ?"ada"/,
  },
  {
    name: 'the record is lost, and the file declares an API offline',
    does: 'holds it until a person approves: at first contact it may be in use',
    before: allOnline,
    happens: (scene) => {
      rmSync(join(scene.folder, 'state.db'));
      scene.write(scene.file({ apis: { orders: '-test' } }));
    },
    exit: 4,
    says: /the file declares it offline, and it was online when the gateway was first observed/,
  },
  {
    name: 'the record is lost, and the gateway is observed first',
    does: 'adopts the online publications without a call',
    before: allOnline,
    happens: ({ folder }) => rmSync(join(folder, 'state.db')),
    command: () => ['apply', '--refresh'],
    exit: 0,
    says: /In sync|No changes|"online":0,"offline":0/,
  },
  {
    name: 'the record is lost, and somebody has taken a publication offline by hand',
    does: 'holds it until a person approves: the versions that the gateway keeps show that it was online before',
    before: allOnline,
    happens: ({ folder, emulator }) => {
      rmSync(join(folder, 'state.db'));
      emulator.state.changeManually('id-orders', 'env-test', 'offline');
    },
    online: rest('orders'),
    exit: 4,
    says: /it was online before \(last published .*\): somebody took it offline, or the record was lost/,
  },
  {
    name: 'the record is lost, and the file declares many online APIs offline',
    does: 'holds all of them until a person approves, also with `--refresh`',
    before: allOnline,
    happens: (scene) => {
      rmSync(join(scene.folder, 'state.db'));
      scene.write(scene.file(down('orders', 'carts', 'stock', 'users', 'invoices', 'prices')));
    },
    command: () => ['apply', '--refresh'],
    exit: 4,
    says: /the file declares it offline, and it was online when the gateway was first observed/,
  },
];
