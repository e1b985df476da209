/*
 * The store is believed only if it is ours.
 *
 * The store says what edict has published and what a person has approved. Whoever can put a store in place decides both: the author of a pull
 * request by committing one, another user of the machine by writing one. Each payload below has an approval that takes a protected API
 * offline. No command may use it, and the API must stay online.
 */
import { chmodSync, chownSync, copyFileSync, cpSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { edict } from '../support/edict-command.ts';
import { scratchFolder, seedOf, startEdict, until } from '../support/edict-process.ts';
import { type GitRepository, gitRepository } from '../support/git-repository.ts';

const test = suite('attacks on the store');
const isRoot = process.getuid?.() === 0;

const emulator = await startEmulator({ seed: seedOf('orders') });
test.after(() => emulator.close());

/** Returns a file with the API in the protected environment. */
function fileWith(state: 'online' | 'offline'): string {
  const gateway = `gateway: { endpoint: "${emulator.url}", project: project, instance: instance, limit: { calls: 1000, per: 100ms } }`;
  const apis = `apis:\n  orders: { id: api-orders, environments: { release: ${state} } }\n`;
  return `edict: 1\n${gateway}\nenvironments: { release: { id: env-release, protected: true } }\n${apis}`;
}

/** The files of a store from before and after the approval, and the log that has it. */
interface Payload {
  readonly before: string;
  readonly after: string;
  readonly log: string;
}

/** Makes a store as the operator does: the API is online, the file says offline, and a person has approved that. */
async function makePayload(): Promise<Payload> {
  const folder = scratchFolder();
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('edict.yaml'), fileWith('online'));
  const applied = await edict(['apply'], folder);
  assert.is(applied.code, 0, applied.stderr + applied.stdout);
  copyFileSync(at('.edict/state.db'), at('before.db'));
  writeFileSync(at('edict.yaml'), fileWith('offline'));
  const plan = JSON.parse((await edict(['plan', '--format', 'json'], folder)).stdout) as { readonly approvalDigest: string };
  using db = new DatabaseSync(at('.edict/state.db'), { readOnly: true });
  db.prepare('SELECT count(*) FROM approval').get();
  const approved = await edict(['approve', plan.approvalDigest, '--by', 'eve', '--reason', 'x'], folder);
  assert.is(approved.code, 0, approved.stderr);
  copyFileSync(at('.edict/state.db-wal'), at('approval.wal'));
  db.close();
  using writable = new DatabaseSync(at('.edict/state.db'));
  writable.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  copyFileSync(at('.edict/state.db'), at('after.db'));
  return { before: at('before.db'), after: at('after.db'), log: at('approval.wal') };
}

const payload = await makePayload();

interface Attack {
  readonly title: string;
  /** Options of every command. */
  readonly options?: readonly string[];
  readonly isSkipped?: boolean;
  place(repository: GitRepository): void;
}

/** Copies a file to a path in the checkout, readable by its owner only as edict creates it. */
function put(from: string, repository: GitRepository, path: string): void {
  mkdirSync(join(repository.folder, path, '..'), { recursive: true, mode: 0o700 });
  copyFileSync(from, join(repository.folder, path));
  chmodSync(join(repository.folder, path), 0o600);
}

/** Commits everything in the checkout. */
function commitAll(repository: GitRepository): void {
  repository.git('add', '--force', '--', '.');
  repository.git('commit', '--quiet', '--message', 'x');
}

const attacks: readonly Attack[] = [
  {
    title: 'author: a committed .edict/state.db',
    place: (repository) => {
      put(payload.after, repository, '.edict/state.db');
      commitAll(repository);
    },
  },
  {
    title: 'author: a committed store that the operator names',
    options: ['--state', 'sqlite:data/store.db'],
    place: (repository) => {
      put(payload.after, repository, 'data/store.db');
      commitAll(repository);
    },
  },
  {
    title: 'author: a store that is added but not committed, as a job that merges leaves it',
    place: (repository) => {
      put(payload.after, repository, '.edict/state.db');
      repository.git('add', '--force', '--', '.edict/state.db');
    },
  },
  {
    title: 'author: a store that is committed but no longer added, as a job that resets the index leaves it',
    place: (repository) => {
      put(payload.after, repository, '.edict/state.db');
      commitAll(repository);
      repository.git('rm', '--quiet', '--cached', '--', '.edict/state.db');
    },
  },
  {
    title: 'author: a committed write-ahead log beside the store of the operator',
    place: (repository) => {
      put(payload.before, repository, '.edict/state.db');
      put(payload.log, repository, '.edict/state.db-wal');
      repository.git('add', '--force', '--', '.edict/state.db-wal');
      repository.git('commit', '--quiet', '--message', 'x');
    },
  },
  {
    title: 'author: .edict as a committed link to a committed folder',
    place: (repository) => {
      put(payload.after, repository, 'innocent/state.db');
      symlinkSync('innocent', join(repository.folder, '.edict'));
      commitAll(repository);
    },
  },
  {
    title: 'author: a committed link to a committed store that the operator names',
    options: ['--state', 'sqlite:data/store.db'],
    place: (repository) => {
      put(payload.after, repository, 'innocent/store.db');
      symlinkSync('innocent', join(repository.folder, 'data'));
      commitAll(repository);
    },
  },
  {
    title: 'author: .edict as a committed link to the store of another gateway on the machine',
    place: (repository) => {
      const other = scratchFolder();
      copyFileSync(payload.after, join(other, 'state.db'));
      symlinkSync(other, join(repository.folder, '.edict'));
      commitAll(repository);
    },
  },
  {
    title: 'author: .edict/state.db as a committed link to the store of another gateway, named by the operator',
    options: ['--state', 'sqlite:.edict/state.db'],
    place: (repository) => {
      const other = scratchFolder();
      copyFileSync(payload.after, join(other, 'state.db'));
      mkdirSync(join(repository.folder, '.edict'));
      symlinkSync(join(other, 'state.db'), join(repository.folder, '.edict/state.db'));
      commitAll(repository);
    },
  },
  {
    title: 'another user: a store of theirs at the default path',
    isSkipped: !isRoot,
    place: (repository) => {
      put(payload.after, repository, '.edict/state.db');
      chownSync(join(repository.folder, '.edict/state.db'), 12_345, 12_345);
    },
  },
  {
    title: 'another user: a folder of theirs at the default path',
    isSkipped: !isRoot,
    place: (repository) => {
      put(payload.after, repository, '.edict/state.db');
      chownSync(join(repository.folder, '.edict'), 12_345, 12_345);
    },
  },
  ...[0o770, 0o707, 0o777].map((mode) => ({
    title: `another user: a folder for the store that others can write to (${mode.toString(8)})`,
    place: (repository: GitRepository) => {
      put(payload.after, repository, '.edict/state.db');
      chmodSync(join(repository.folder, '.edict'), mode);
    },
  })),
  ...['state.db', 'state.db-wal'].map((name) => ({
    title: `another user: a ${name} that others can write to`,
    place: (repository: GitRepository) => {
      put(name === 'state.db' ? payload.after : payload.before, repository, '.edict/state.db');
      if (name !== 'state.db') put(payload.log, repository, `.edict/${name}`);
      chmodSync(join(repository.folder, '.edict', name), 0o666);
    },
  })),
];

const commands: readonly (readonly [string, ...string[]])[] = [
  ['apply'],
  ['plan', '--format', 'json'],
  ['status'],
  ['history'],
  ['suspend', '--by', 'ada', '--reason', 'x'],
  ['state', 'show'],
];

/** Returns whether the API is online at the gateway. */
function isOnline(): boolean {
  return emulator.state.publications().some(({ effective }) => effective);
}

for (const { title, options = [], isSkipped = false, place } of attacks) {
  const add = isSkipped ? test.skip : test;
  add(title, async () => {
    const repository = gitRepository();
    repository.commit('edict.yaml', fileWith('offline'));
    place(repository);
    if (!isOnline()) emulator.state.changeManually('api-orders', 'env-release', 'online');
    for (const [command, ...more] of commands) {
      const { code, stderr } = await edict([command, ...more, ...options], repository.folder);
      assert.ok(isOnline(), 'taken offline by someone else’s approval');
      assert.match(stderr, /the store .* is not used: /, command);
      assert.is(code, 1, command);
    }
    const daemon = startEdict(['run', '--log-format', 'json', ...options], repository.folder);
    await until('the daemon has ended', () => daemon.child.exitCode !== null, [daemon]);
    assert.is((await daemon.finished).code, 1);
    assert.ok(isOnline(), 'taken offline by someone else’s approval');
  });
}

/** Returns a checkout with the operator's own store, from before the approval. */
function ownStore(): GitRepository {
  const repository = gitRepository();
  repository.commit('edict.yaml', fileWith('online'));
  put(payload.before, repository, '.edict/state.db');
  return repository;
}

test('operator: a store of their own in a checkout is used', async () => {
  const { folder } = ownStore();
  const { code, stderr } = await edict(['apply'], folder);
  assert.is(code, 0, stderr);
});

test('operator: a group-writable store is used where --state names it, as on a volume of Kubernetes', async () => {
  const { folder } = ownStore();
  chmodSync(join(folder, '.edict'), 0o2770);
  chmodSync(join(folder, '.edict/state.db'), 0o660);
  const { code, stderr } = await edict(['status', '--state', 'sqlite:.edict/state.db'], folder);
  assert.is(code, 0, stderr);
});

test('operator: where Git cannot say whether the store is committed, the one at the default path is not used', async () => {
  const { folder } = ownStore();
  const env = { HW_AUTH_TOKEN: 'token', PATH: scratchFolder() };
  const refused = await edict(['status'], folder, env);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /the store .* is not used: .*Git/);
  const named = await edict(['status', '--state', 'sqlite:.edict/state.db'], folder, env);
  assert.is(named.code, 0, named.stderr);
  // A store outside the checkout needs no Git.
  const outside = scratchFolder();
  cpSync(join(folder, '.edict'), join(outside, '.edict'), { recursive: true });
  renameSync(join(folder, 'edict.yaml'), join(outside, 'edict.yaml'));
  assert.is((await edict(['status'], outside, env)).code, 0);
});

test('operator: a new store is created where none is', async () => {
  const { folder } = ownStore();
  rmSync(join(folder, '.edict'), { recursive: true });
  const { code, stderr } = await edict(['apply'], folder);
  assert.is(code, 0, stderr);
  assert.ok(existsSync(join(folder, '.edict/state.db')));
});

test.run();
