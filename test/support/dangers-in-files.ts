import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Danger, FileContent, Scene } from './scenario.ts';

const three: FileContent = { apis: { orders: 'test release', carts: 'test release', invoices: 'test release' }, more: 'prune: true' };
const ten: FileContent = {
  apis: Object.fromEntries(
    ['orders', 'carts', 'invoices', 'users', 'stock', 'prices', 'search', 'mail', 'tax', 'audit'].map((api) => [api, 'test']),
  ),
  more: 'prune: true',
};
const without = ({ apis, ...rest }: FileContent, ...names: readonly string[]): FileContent => ({
  ...rest,
  apis: Object.fromEntries(Object.entries(apis).filter(([api]) => !names.includes(api))),
});
const writing = (content: FileContent) => (scene: Scene) => scene.write(scene.file(content));
const edited =
  (edit: (text: string) => string, before = three) =>
  (scene: Scene) =>
    scene.write(edit(scene.file(before)));

/** Dangers in a file. */
export const dangersInFiles: readonly Danger[] = [
  {
    name: 'the file is emptied',
    does: 'rejects it as invalid: an empty file does not mean "no APIs"',
    before: three,
    happens: ({ write }) => write(''),
    exit: 3,
    says: /edict\.yaml/,
  },
  {
    name: 'only comments are left in the file',
    does: 'rejects it as invalid',
    before: three,
    happens: ({ write }) => write('# under construction\n'),
    exit: 3,
    says: /edict\.yaml/,
  },
  {
    name: 'the file says `apis: {}`',
    does: 'holds the whole file, with or without `prune: true`',
    before: three,
    happens: writing({ apis: {}, more: 'prune: true' }),
    exit: 4,
    says: /the file declares no publications; the last one declared carts in release, carts in test, invoices in release and 3 more/,
  },
  {
    name: 'the file says `apis: {}`, with `prune: false`',
    does: 'still holds the file, since the next one would be compared with it',
    before: { ...three, more: '' },
    happens: writing({ apis: {} }),
    exit: 4,
    says: /the file declares no publications/,
  },
  {
    name: 'half of the file is missing, truncated within a line',
    does: 'rejects it as invalid',
    before: three,
    happens: edited((text) => text.slice(0, text.indexOf('release: online', text.indexOf('carts')) + 9)),
    exit: 3,
    says: /edict\.yaml:\d+|"line":\d+/,
  },
  {
    name: 'half of the file is missing, truncated between two lines',
    does: 'holds the whole file: more was removed than `guards.maxRemoved` allows',
    before: three,
    happens: edited((text) => text.slice(0, text.indexOf('  carts'))),
    exit: 4,
    says: /the file no longer declares 4 of the 6 publications of the last one: carts in release/,
  },
  {
    name: 'the file is deleted',
    does: 'reports it as missing, which is not the same as empty',
    before: three,
    happens: ({ folder }) => rmSync(join(folder, 'edict.yaml')),
    exit: 3,
    says: /does not exist|FILE_NOT_FOUND/,
  },
  {
    name: 'the file is replaced by a folder',
    does: 'reports that it cannot be read',
    before: three,
    happens: ({ folder }) => {
      rmSync(join(folder, 'edict.yaml'));
      mkdirSync(join(folder, 'edict.yaml'));
    },
    exit: 3,
    says: /edict\.yaml/,
  },
  {
    name: 'a merge leaves conflict markers in the file',
    does: 'rejects it as invalid',
    before: three,
    happens: edited((text) =>
      text.replace('  carts', '<<<<<<< HEAD\n  carts').replace('  invoices', '=======\n>>>>>>> theirs\n  invoices'),
    ),
    exit: 3,
    says: /edict\.yaml:\d+|"line":\d+/,
  },
  {
    name: 'an included file disappears, and its pattern matches others',
    does: 'holds the whole file, however few publications were in it',
    before: ten,
    happens: async (scene) => {
      const { apis, ...rest } = ten;
      const part = (names: readonly string[]): string =>
        `apis:\n${names.map((name) => `  ${name}: { id: id-${name}, environments: { test: online } }\n`).join('')}`;
      scene.write(scene.file({ ...rest, apis: {} }).replace('apis: {}', 'include: [apis/*.yaml]'));
      scene.write(part(Object.keys(apis).slice(0, 9)), 'apis/shop.yaml');
      scene.write(part(['audit']), 'apis/audit.yaml');
      await scene.edict('apply');
      rmSync(join(scene.folder, 'apis/audit.yaml'));
    },
    exit: 4,
    says: /apis\/audit\.yaml is no longer included, which removes audit in test/,
  },
  {
    name: 'an include pattern no longer matches anything',
    does: 'rejects the file as invalid',
    before: three,
    happens: edited((text) => text.replace('apis:\n', 'include: [apis/*.yaml]\napis:\n')),
    exit: 3,
    says: /matches no file/,
  },
  {
    name: 'an included file is half-written',
    does: 'rejects it as invalid and names the line: no changes are made for the whole file',
    before: three,
    happens: (scene) => {
      scene.write('apis:\n  tax: { id: id-tax, environ', 'apis/tax.yaml');
      scene.write(scene.file({ ...three, more: 'include: [apis/*.yaml]' }));
    },
    exit: 3,
    says: /apis\/tax\.yaml/,
  },
  {
    name: 'two teams declare one API in two files',
    does: 'rejects it as invalid and names both places',
    before: three,
    happens: (scene) => {
      scene.write('apis:\n  orders: { id: id-orders, environments: { test: offline } }\n', 'apis/orders.yaml');
      scene.write(scene.file({ ...three, more: 'include: [apis/*.yaml]' }));
    },
    exit: 3,
    says: /the API `orders` is also declared in .*edict\.yaml:\d+/,
  },
  {
    name: 'an API is declared twice in the file',
    does: 'rejects it as invalid and shows both places, instead of using the last one',
    before: three,
    happens: edited((text) => `${text}  orders: { id: id-orders, environments: { test: offline } }\n`),
    exit: 3,
    says: /orders/,
  },
  {
    name: 'the ID of an API is also declared under a second name',
    does: 'rejects it as invalid: it is ambiguous which of the two is meant',
    before: three,
    happens: writing({ apis: { ...three.apis, 'orders-v2': '-test' }, ids: { 'orders-v2': 'id-orders' } }),
    exit: 3,
    says: /id-orders|orders-v2/,
  },
  {
    name: 'the IDs of two APIs are swapped',
    does: 'holds both: each API is recorded under the name that the other one has now',
    before: { apis: { orders: 'test', carts: 'test', stock: 'test', users: '-test' } },
    happens: async (scene) => {
      scene.write(scene.file({ apis: { orders: 'test', carts: '-test', stock: 'test', users: '-test' } }));
      await scene.edict('apply');
      scene.write(scene.file({ apis: { orders: 'test', carts: '-test', stock: 'test' }, ids: { orders: 'id-carts', carts: 'id-orders' } }));
    },
    exit: 4,
    says: /id-orders was orders and is carts now, and orders is id-carts: the IDs look mixed up/,
    online: ['orders test', 'stock test'],
  },
  {
    name: 'an environment is renamed',
    does: 'nothing: only its ID counts',
    before: three,
    happens: edited((text) => text.replaceAll('release', 'production').replace('env-production', 'env-release')),
    exit: 0,
    says: /In sync|No changes|"online":0,"offline":0/,
  },
  {
    name: 'an environment gets the ID of another one',
    does: 'rejects it as invalid',
    before: three,
    happens: writing({ ...three, environments: { release: 'env-test' } }),
    exit: 3,
    says: /env-test/,
  },
  {
    name: 'an environment gets an ID that does not exist',
    does: 'holds the whole file: everything in the previous environment seems to be removed',
    before: three,
    happens: writing({ ...three, environments: { release: 'env-relaese' } }),
    exit: 4,
    says: /the file no longer declares 3 of the 6 publications/,
  },
  {
    name: 'an environment is removed with everything in it',
    does: 'holds the whole file',
    before: three,
    happens: edited((text) => text.replaceAll(', release: online', '').replace(', release: env-release', '')),
    exit: 4,
    says: /the file no longer declares 3 of the 6 publications/,
  },
  {
    name: 'an API is removed together with its environment',
    does: 'holds it: the `protected` setting of the environment is gone',
    before: { apis: { ...ten.apis, orders: 'test release' }, more: 'prune: true' },
    happens: edited((text) => text.replace(', release: online', '').replace(', release: env-release', ''), {
      apis: { ...ten.apis, orders: 'test release' },
      more: 'prune: true',
    }),
    exit: 4,
    says: /environment release was removed from the file/,
  },
  {
    name: 'the project is changed',
    does: 'holds the whole file: its APIs belong to another gateway',
    before: three,
    happens: writing({ ...three, gateway: 'project: another, instance: instance' }),
    exit: 4,
    says: /3 of the file's 3 APIs belong to another gateway/,
  },
  {
    name: 'the instance is changed',
    does: 'holds the whole file',
    before: three,
    happens: writing({ ...three, gateway: 'project: project, instance: another', more: 'refresh: never' }),
    exit: 4,
    says: /3 of the file's 3 APIs belong to another gateway/,
  },
  {
    name: 'the endpoint is changed',
    does: 'holds the whole file',
    before: three,
    happens: edited((text) => text.replace('127.0.0.1', 'localhost')),
    exit: 4,
    says: /3 of the file's 3 APIs belong to another gateway/,
  },
  {
    name: 'the file is replaced by that of another gateway',
    does: 'holds the whole file',
    before: without(ten, 'tax', 'audit'),
    happens: writing({ apis: { tax: 'test', audit: 'test' }, more: 'prune: true' }),
    exit: 4,
    says: /the file no longer declares 8 of the 8 publications/,
  },
  {
    name: 'a state is mistyped',
    does: 'rejects it as invalid',
    before: three,
    happens: edited((text) => text.replace('release: online', 'release: onlin')),
    exit: 3,
    says: /online/,
  },
  {
    name: 'a key is mistyped, so that its value would be ignored',
    does: 'rejects it as invalid and suggests the right key',
    before: three,
    happens: edited((text) => text.replace('carts: { id: id-carts, environments', 'carts: { id: id-carts, enviroments')),
    exit: 3,
    says: /environments/,
  },
  {
    name: 'a block is indented too little, so that it would belong elsewhere',
    does: 'rejects it as invalid',
    before: three,
    happens: edited((text) => text.replace('  carts:', 'carts:')),
    exit: 3,
    says: /invoices: \{|"line":/,
  },
  {
    name: 'a variable of the gateway is not set',
    does: 'rejects it as invalid, instead of calling a wrong gateway',
    before: three,
    happens: writing({ ...three, gateway: 'project: "$' + '{HW_PROJECT_ID}", instance: instance' }),
    exit: 3,
    says: /HW_PROJECT_ID/,
  },
  {
    name: 'one of ten APIs is removed from the file on purpose',
    does: 'takes it offline: guards hold only changes that look unintended',
    before: ten,
    happens: writing(without(ten, 'audit')),
    exit: 0,
    says: /1 offline|"offline":1/,
    online: Object.keys(ten.apis)
      .filter((api) => api !== 'audit')
      .map((api) => `${api} test`),
  },
];
