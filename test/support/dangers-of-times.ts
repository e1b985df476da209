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
    name: 'something is due in a freeze',
    does: 'lets it wait and says until when',
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
    does: 'leaves what waited to the next one: what was shown as waiting is not made',
    before: allOnline,
    happens: (scene) => {
      const more = freeze(-hourMs, 1500).replace(' }]', ', environments: [test] }]');
      const text = scene.file({ apis: { ...everywhere.apis, orders: '-test release' }, more });
      scene.write(text.replace('calls: 1000', 'calls: 2'));
    },
    exit: 0,
    says: /frozen \(launch\)/,
    online: online(everywhere),
  },
  {
    name: 'a freeze is over',
    does: 'makes what waited',
    before: allOnline,
    happens: (scene) => scene.write(scene.file({ ...withoutOrders, more: freeze(-hourMs, -1000) })),
    exit: 0,
    says: /1 offline|"offline":1/,
    online: online(withoutOrders),
  },
  {
    name: 'a freeze ends before it starts',
    does: 'calls the file invalid, instead of taking it for none',
    before: allOnline,
    happens: (scene) => scene.write(scene.file({ ...withoutOrders, more: freeze(hourMs, -hourMs) })),
    exit: 3,
    says: /before it starts|"line":\d/,
  },
  {
    name: 'an API is suspended',
    does: 'lets its changes wait, and says who has said so',
    before: allOnline,
    happens: (scene) =>
      scene.write(scene.file(withoutOrders).replace('id: id-orders,', 'id: id-orders, suspend: { reason: migration, by: ada },')),
    exit: 0,
    says: /suspended by ada \(migration\)/,
  },
  {
    name: 'release is to follow test, and test is not done',
    does: 'lets release wait for its turn',
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
    does: 'leaves release as it is, and ends with exit code 5',
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
    name: 'somebody else has moved an API since the plan was saved',
    does: 'refuses the whole plan, and says what has moved',
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
    does: 'refuses the whole plan',
    before: allOnline,
    happens: saving((scene) => scene.write(scene.file(allOnline))),
    command: applying,
    exit: 1,
    says: /orders/,
  },
  {
    name: 'the file takes down more than the saved plan',
    does: 'makes what the plan has, and no more',
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
    does: 'refuses it: its checksum is another',
    before: allOnline,
    happens: saving(edited((text) => text.replaceAll('orders', 'carts'))),
    command: applying,
    exit: 1,
    says: /plan\.json/,
  },
  {
    name: 'half of a saved plan is missing',
    does: 'refuses it',
    before: allOnline,
    happens: saving(edited((text) => text.slice(0, text.length / 2))),
    command: applying,
    exit: 1,
    says: /plan\.json/,
  },
  {
    name: 'a saved plan is applied twice',
    does: 'makes it once: the second time all of it is done',
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
    name: 'the change of an undo would take an API of a protected environment offline',
    does: 'holds it: the file asks for it like for any other change',
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
    name: 'what is to be undone has moved since',
    does: 'leaves it out of the change, and says what has moved it',
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
    name: 'somebody asks for an undo',
    does: 'sends nothing, and prints the change to the file that restores what was before',
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
