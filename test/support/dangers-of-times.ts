import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gitApplied } from './git-apply.ts';
import type { Danger, FileContent, Scene } from './scenario.ts';

const six = ['orders', 'carts', 'invoices', 'users', 'stock', 'prices'];
const allOnline: FileContent = { apis: Object.fromEntries(six.map((api) => [api, 'test'])) };
const everywhere: FileContent = { apis: Object.fromEntries(six.map((api) => [api, 'test release'])) };
const withoutOrders: FileContent = { apis: { ...allOnline.apis, orders: '-test' } };
const online = (content: FileContent): string[] =>
  Object.entries(content.apis).flatMap(([api, states]) =>
    states.split(' ').flatMap((state) => (state.startsWith('-') ? [] : [`${api} ${state}`])),
  );

/** The time in which a scenario has run and been checked, in milliseconds. */
const hourMs = 3_600_000;
const moment = (fromNowMs: number): string => new Date(Date.now() + fromNowMs).toISOString().replace(/\.\d+Z$/, 'Z');
const freeze = (fromMs: number, toMs: number): string => `freeze: [{ name: launch, from: "${moment(fromMs)}", to: "${moment(toMs)}" }]`;
const saved = (scene: Scene): string => join(scene.folder, 'plan.json');

/** Saves a plan that takes orders offline in `test`; `then` is what happens after. */
const saving =
  (then: (scene: Scene) => void | Promise<void>) =>
  async (scene: Scene): Promise<void> => {
    scene.write(scene.file(withoutOrders));
    const { code, stderr } = await scene.edict('plan', '--out', saved(scene));
    if (code !== 0) throw new Error(stderr);
    await then(scene);
  };
const applying = (scene: Scene): string[] => ['apply', '--plan', saved(scene)];
const edited = (edit: (text: string) => string) => (scene: Scene) => writeFileSync(saved(scene), edit(readFileSync(saved(scene), 'utf8')));

/** Dangers of the time at which something is done. */
export const dangersOfTimes: readonly Danger[] = [
  {
    name: 'a change is due in a freeze',
    does: 'defers it and shows until when',
    before: allOnline,
    happens: (scene) => scene.write(scene.file({ ...withoutOrders, more: freeze(-hourMs, hourMs) })),
    exit: 0,
    says: /frozen \(launch\)/,
  },
  {
    name: 'a held change is approved during a freeze',
    does: 'still defers it: an approval does not lift a freeze',
    before: allOnline,
    happens: async (scene) => {
      scene.write(scene.file({ apis: { ...withoutOrders.apis, carts: '-test' }, more: freeze(-hourMs, hourMs) }));
      await scene.approve();
    },
    exit: 0,
    says: /frozen \(launch\)/,
  },
  {
    name: 'a freeze ends during an apply',
    does: 'leaves the deferred changes to the next apply: a change shown as deferred is not made',
    before: allOnline,
    happens: (scene) => {
      const more = freeze(-hourMs, 1500).replace(' }]', ', environments: [test] }]');
      const text = scene.file({ apis: { ...everywhere.apis, orders: '-test release' }, more });
      scene.write(text.replace('calls: 1000, per: 100ms', 'calls: 2, per: 1s'));
    },
    exit: 0,
    says: /frozen \(launch\)/,
    online: online(everywhere),
  },
  {
    name: 'a freeze is over',
    does: 'makes the deferred changes',
    before: allOnline,
    happens: (scene) => scene.write(scene.file({ ...withoutOrders, more: freeze(-hourMs, -1000) })),
    exit: 0,
    says: /1 offline|"offline":1/,
    online: online(withoutOrders),
  },
  {
    name: 'a freeze ends before it starts',
    does: 'rejects the file as invalid, instead of ignoring the freeze',
    before: allOnline,
    happens: (scene) => scene.write(scene.file({ ...withoutOrders, more: freeze(hourMs, -hourMs) })),
    exit: 3,
    says: /before it starts|"line":\d/,
  },
  {
    name: 'an API is suspended',
    does: 'defers its changes, and shows who suspended it',
    before: allOnline,
    happens: (scene) =>
      scene.write(scene.file(withoutOrders).replace('id: id-orders,', 'id: id-orders, suspend: { reason: migration, by: ada },')),
    exit: 0,
    says: /suspended by ada \(migration\)/,
  },
  {
    name: 'release follows test in the rollout, and test is not in sync',
    does: 'defers release',
    before: { ...everywhere, environments: { test: '{ id: env-test, protected: true }' }, more: 'rollout: [test, release]' },
    happens: (scene) =>
      scene.write(
        scene.file({
          apis: { ...everywhere.apis, orders: '-test -release' },
          environments: { test: '{ id: env-test, protected: true }' },
          more: 'rollout: [test, release]',
        }),
      ),
    exit: 4,
    says: /environment test is protected/,
  },
  {
    name: 'the probe between test and release fails',
    does: 'leaves release as it is, and exits with code 5',
    before: { apis: { orders: 'test' }, more: 'rollout: [{ environment: test, probe: "http://127.0.0.1:1/health" }, release]' },
    happens: (scene) =>
      scene.write(
        scene.file({
          apis: { orders: 'test release' },
          more: 'rollout: [{ environment: test, probe: "http://127.0.0.1:1/health" }, release]',
        }),
      ),
    exit: 5,
    says: /127\.0\.0\.1:1\/health/,
  },
  {
    name: 'an API was changed outside edict since the plan was saved',
    does: 'rejects the whole plan, and lists the stale changes',
    before: allOnline,
    happens: saving(async (scene) => {
      scene.write(scene.file(withoutOrders));
      await scene.edict('apply');
      scene.write(scene.file(allOnline));
      await scene.edict('apply');
      scene.write(scene.file(withoutOrders));
    }),
    command: applying,
    exit: 1,
    says: /orders/,
  },
  {
    name: 'the file has changed since the plan was saved',
    does: 'rejects the whole plan',
    before: allOnline,
    happens: saving((scene) => scene.write(scene.file(allOnline))),
    command: applying,
    exit: 1,
    says: /orders/,
  },
  {
    name: 'the file takes more offline than the saved plan',
    does: 'makes the changes of the plan, and no more',
    before: allOnline,
    happens: saving((scene) =>
      scene.write(scene.file({ apis: { ...withoutOrders.apis, carts: '-test' }, more: 'guards: { maxOffline: 100% }' })),
    ),
    command: applying,
    exit: 0,
    says: /1 offline|"offline":1/,
    online: online(withoutOrders),
  },
  {
    name: 'a saved plan was edited',
    does: 'rejects it: its checksum does not match',
    before: allOnline,
    happens: saving(edited((text) => text.replaceAll('orders', 'carts'))),
    command: applying,
    exit: 1,
    says: /plan\.json/,
  },
  {
    name: 'half of a saved plan is missing',
    does: 'rejects it',
    before: allOnline,
    happens: saving(edited((text) => text.slice(0, text.length / 2))),
    command: applying,
    exit: 1,
    says: /plan\.json/,
  },
  {
    name: 'a saved plan is applied twice',
    does: 'makes its changes once: the second time all of them are done',
    before: allOnline,
    happens: saving(async (scene) => {
      await scene.edict('apply', '--plan', saved(scene));
    }),
    command: applying,
    exit: 0,
    says: /./,
    online: online(withoutOrders),
  },
  {
    name: 'an undo would take an API of a protected environment offline',
    does: 'holds it, like any other change to the file',
    before: { ...allOnline, environments: { release: '{ id: env-release, protected: true }' } },
    happens: async (scene) => {
      const apis = { ...allOnline.apis, orders: 'test release' };
      const text = scene.file({ apis, environments: { release: '{ id: env-release, protected: true }' } });
      scene.write(text);
      await scene.edict('apply');
      scene.write(gitApplied(text, (await scene.edict('undo', 'last')).stdout, 'edict.yaml'));
    },
    exit: 4,
    says: /environment release is protected/,
    online: [...online(allOnline), 'orders release'],
  },
  {
    name: 'a publication was changed since the apply that is undone',
    does: 'leaves it out of the patch, and says what changed it',
    before: allOnline,
    happens: async (scene) => {
      for (const content of [withoutOrders, allOnline]) {
        scene.write(scene.file(content));
        await scene.edict('apply');
      }
    },
    command: () => ['undo', `${six.length + 1}`],
    exit: 0,
    says: /attempt 8 has changed it since/,
  },
  {
    name: 'an undo is requested',
    does: 'sends nothing, and prints a patch to the file that restores the previous state',
    before: allOnline,
    happens: async (scene) => {
      scene.write(scene.file(withoutOrders));
      await scene.edict('apply');
    },
    command: () => ['undo', 'last'],
    exit: 0,
    says: /\+\+\+ b\/edict\.yaml/,
    online: online(withoutOrders),
  },
];
