import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../src/cli/program.ts';
import { isFullRun } from '../support/fast-check.ts';
import { openScene, type Scene } from '../support/scenario.ts';
import { testContext } from '../support/streams.ts';

const test = suite('read-only commands');

type Args = readonly string[];

/** The arguments of a command besides its options; `null`: it makes changes or is the gateway itself, and is not tested here. */
const commands: Readonly<Record<string, ((scene: Scene) => Args) | null>> = {
  // It writes a new file: test/cli/commands/init.test.ts.
  init: null,
  doctor: ({ folder }) => [join(folder, 'edict.yaml')],
  validate: ({ folder }) => [join(folder, 'edict.yaml')],
  plan: ({ folder }) => [join(folder, 'edict.yaml')],
  apply: ({ folder }) => [join(folder, 'edict.yaml'), '--dry-run'],
  run: ({ folder }) => [join(folder, 'edict.yaml'), '--dry-run'],
  wait: ({ folder }) => [join(folder, 'edict.yaml'), '--timeout', '0s'],
  status: ({ folder }) => [join(folder, 'edict.yaml')],
  history: ({ folder }) => [join(folder, 'edict.yaml')],
  approve: ({ folder }) => [approvalDigest, join(folder, 'edict.yaml'), '--by', 'ada', '--reason', 'CHG-7'],
  // It writes the suspension: test/cli/commands/suspend.test.ts.
  suspend: null,
  resume: ({ folder }) => [join(folder, 'edict.yaml')],
  undo: ({ folder }) => ['last', join(folder, 'edict.yaml')],
  explain: ({ folder }) => ['orders', 'test', join(folder, 'edict.yaml')],
  import: ({ emulator }) => ['--endpoint', emulator.url, '--project', 'project', '--instance', 'instance'],
  emulate: null,
  state: ({ folder }) => ['show', '--state', `sqlite:${join(folder, 'state.db')}`],
  schema: () => [],
  completion: () => ['bash'],
};
let approvalDigest = '';

/** The values of each option that are tried, besides leaving it out. */
const values: Readonly<Record<string, readonly Args[]>> = {
  '--format': [['json'], ['text'], ['markdown'], ['github'], ['sarif']],
  '--api': [['orders'], ['*']],
  '--environment': [['test']],
  '--allow-include': [['.']],
  '--allow-host': [['roma.example.com']],
  '--allow-probe-host': [['probe.example.com']],
  '--emulate': [[]],
  '--refresh': [[]],
  '--no-refresh': [[]],
  '--unmanaged': [[]],
  '--yes': [[]],
  '--blame': [[]],
  '--no-blame': [],
  '--detailed-exitcode': [[]],
  '--out': [['plan.json']],
  '--plan': [['saved.json']],
  '--timeout': [],
  // It writes its request: test/app/wait.test.ts.
  '--reconcile': [],
  '--lock-timeout': [['1s']],
  '--once': [[]],
  '--dry-run': [],
  '--limit': [['2']],
  '--versions': [],
  // It ends on a signal only: test/cli/watch.test.ts.
  '--watch': [],
  '--expires': [['1m']],
  // For an invalid file: test/cli/commands/suspend.test.ts.
  '--gateway': [],
  '--debounce': [['10ms']],
  '--resync': [['1m']],
  // For the daemon alone: test/controller/history-pruner.test.ts.
  '--history-retention': [],
  '--listen': [['off']],
  '--log-level': [['silent']],
  '--log-format': [['json']],
  '--iam': [],
  '--service': [['roma']],
  // It takes the gateway from the file: test/e2e/import.test.ts.
  '--update': [],
  ...Object.fromEntries(
    ['--state', '--by', '--reason', '--endpoint', '--project', '--instance', '--help', '--version'].map((name) => [name, []]),
  ),
};

const reads = ['listApis', 'getApi', 'listEnvironments', 'listVersions', 'createToken'];

async function run(...args: Args): Promise<{ readonly code: number; readonly text: string }> {
  const { context, stdout, stderr } = testContext({ HW_AUTH_TOKEN: 'token' });
  const code = await runCli(args, context);
  return { code, text: `${stdout()}${stderr()}` };
}

/** A store never mixes a real gateway's record with an emulated one's. */
const stateOf = ({ folder }: Scene, args: Args): string => join(folder, args.includes('--emulate') ? 'emulated.db' : 'state.db');

/** How many options are combined; all of them in the full run, which for some commands are more than a thousand combinations. */
const together = isFullRun ? Infinity : 2;

/** Returns every combination of at most `together` of the options with one value each; `values` knows each. */
function combinations(options: readonly string[]): Args[] {
  let all: { readonly args: Args; readonly given: number }[] = [{ args: [], given: 0 }];
  for (const option of options) {
    const more = all.filter(({ given }) => given < together);
    const ways = (values[option] ?? []).map((value) => [option, ...value]);
    all = [...all, ...more.flatMap(({ args, given }) => ways.map((way) => ({ args: [...args, ...way], given: given + 1 })))];
  }
  return all.map(({ args }) => args);
}

/** A gateway with changes to online, to offline and held ones, and a saved plan of them. */
async function openWork(): Promise<Scene & AsyncDisposable> {
  const scene = await openScene();
  const environments = { release: '{ id: env-release, protected: true }' };
  scene.write(scene.file({ apis: { orders: 'test release', carts: 'test', stock: 'test', users: 'test', tax: 'test' }, environments }));
  await scene.edict('apply');
  scene.write(
    scene.file({ apis: { orders: '-test -release', carts: 'test', stock: 'test', users: 'test', tax: 'test release' }, environments }),
  );
  const { stdout } = await scene.edict('plan', '--format', 'json', '--out', join(scene.folder, 'saved.json'));
  approvalDigest = (JSON.parse(stdout) as { approvalDigest: string }).approvalDigest;
  return scene;
}

/** Makes this process the lease holder of the gateways of a store. */
function holdLease(path: string): void {
  const db = new DatabaseSync(path);
  db.prepare('UPDATE gateway SET controller_status = ?').run(JSON.stringify({ pid: process.pid, paused: null }));
  db.close();
}

test('the test knows every command and option', async () => {
  const { text } = await run('--help');
  const named = [...text.slice(text.indexOf('Commands:')).matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name ?? '');
  assert.equal(named.filter((name) => name !== 'help').sort(), Object.keys(commands).sort());
  for (const name of named)
    for (const option of await optionsOf(name)) assert.ok(commands[name] === null || option in values, `${name} ${option}`);
});

async function optionsOf(command: string): Promise<string[]> {
  return [...(await run(command, '--help')).text.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, name]) => name ?? '');
}

for (const [command, given] of Object.entries(commands)) {
  if (!given) continue;
  test(`edict ${command} sends no change, with any option`, async () => {
    await using scene = await openWork();
    const state = join(scene.folder, 'state.db');
    if (command === 'wait') holdLease(state);
    const [record, before] = [readFileSync(state), scene.emulator.requests.all().length];
    let done = 0;
    const known = await optionsOf(command);
    for (const options of combinations(known)) {
      const args = options.map((word) => (word.endsWith('.json') ? join(scene.folder, word) : word));
      rmSync(join(scene.folder, 'plan.json'), { force: true });
      const store = known.includes('--state') ? ['--state', `sqlite:${stateOf(scene, options)}`] : [];
      const { code, text } = await run(command, ...given(scene), ...args, ...store);
      assert.not.match(text, 'this is a bug in edict', `${command} ${options.join(' ')}`);
      if (code !== 1) done += 1;
      const sent = scene.emulator.requests.all().slice(before);
      assert.equal(
        sent.filter(({ operation }) => operation === null || !reads.includes(operation)),
        [],
        `${command} ${options.join(' ')}`,
      );
      if (command === 'approve') writeFileSync(state, record);
      else assert.ok(record.equals(readFileSync(state)), `${command} ${options.join(' ')} wrote the record`);
      assert.not.ok(existsSync(join(scene.folder, 'emulated.db')), `${command} ${options.join(' ')} made a record`);
    }
    assert.ok(done > 0, 'some changes can be made');
  });
}

test.run();
