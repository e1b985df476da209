import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { runCli } from '../../src/cli/program.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { scratchFolder } from './edict-process.ts';
import { testContext } from './streams.ts';

/** The APIs and environments of every gateway here, by ID: `id-NAME` and `env-NAME`. */
const apis = ['orders', 'carts', 'invoices', 'users', 'stock', 'prices', 'search', 'mail', 'tax', 'audit'];
const environments = ['test', 'staging', 'release'];

/** The result of a command. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A gateway, a file and a record, and the commands that use them. */
export interface Scene {
  readonly emulator: Emulator;
  readonly folder: string;
  /** Writes a file of the folder; without a name the edict file. */
  write(text: string, name?: string): void;
  /** Runs `edict COMMAND` on the file, with its own store. */
  edict(command: string, ...args: readonly string[]): Promise<Ended>;
  /** Approves the held changes of `edict plan`; `more` adds options. */
  approve(...more: readonly string[]): Promise<Ended>;
  /** Returns a file for this gateway. */
  file(content: FileContent): string;
  /** Returns what the gateway has online, as `API ENVIRONMENT`, sorted. */
  online(): string[];
}

export interface FileContent {
  /** The states of each API in its environments, as in `orders: 'test release -staging'`: a minus is offline. */
  readonly apis: Readonly<Record<string, string>>;
  /** The ID of an API, if it is not `id-NAME`. */
  readonly ids?: Readonly<Record<string, string>>;
  /** The settings of an environment instead of its ID, and further ones. */
  readonly environments?: Readonly<Record<string, string>>;
  /** Fields of the gateway besides its endpoint, instead of project and instance. */
  readonly gateway?: string;
  /** Further lines at the top level. */
  readonly more?: string;
}

/** Something that could take publications offline by accident. */
export interface Danger {
  /** The situation, in the words of a user. */
  readonly name: string;
  /** How edict prevents it; the README says the same. */
  readonly does: string;
  /** The file applied before; it matches the record and the gateway. */
  readonly before: FileContent;
  /** The steps up to the last command. */
  readonly happens: (scene: Scene) => void | Promise<void>;
  /** The last command, without its format; `apply` by default. */
  readonly command?: (scene: Scene) => readonly string[];
  /** Its exit code, in every format. */
  readonly exit: number;
  /** Its output, in every format. */
  readonly says: RegExp;
  /** The publications that are online at the end, if other than before. */
  readonly online?: readonly string[];
}

/**
 * Runs a scenario twice at the same time, with text and with JSON output, and checks the gateway.
 * Throws an AssertionError if anything else is online than expected, or the exit codes differ.
 */
export async function checkDanger(danger: Danger): Promise<void> {
  await Promise.all((['text', 'json'] as const).map((format) => checkDangerIn(format, danger)));
}

async function checkDangerIn(format: 'text' | 'json', danger: Danger): Promise<void> {
  const { before, happens, command = () => ['apply'], exit, says, online } = danger;
  await using scene = await openScene();
  scene.write(scene.file(before));
  assert.is((await scene.edict('apply')).code, 0, 'the previous file can be applied');
  const onlineBefore = scene.online();
  await happens(scene);
  const [name = '', ...args] = command(scene);
  const { code, stdout, stderr } = await scene.edict(name, ...args, '--format', format);
  assert.is(code, exit, `${format}: exit code ${code}\n${stdout}${stderr}`);
  assert.match(`${stdout}${stderr}`, says);
  assert.equal(scene.online(), online === undefined ? onlineBefore : online.toSorted(), `${format}: online at the gateway`);
}

/** Opens a gateway without publications and an empty folder. */
export async function openScene(): Promise<Scene & AsyncDisposable> {
  const named = (names: readonly string[], prefix: string) => names.map((name) => ({ id: `${prefix}-${name}`, name }));
  const emulator = await startEmulator({
    seed: { project: 'project', instance: 'instance', apis: named(apis, 'id'), environments: named(environments, 'env'), anyToken: true },
  });
  const folder = scratchFolder();
  const file = join(folder, 'edict.yaml');
  const edict: Scene['edict'] = async (command, ...args) => {
    const { context, stdout, stderr } = testContext({ HW_AUTH_TOKEN: 'token' });
    const shared = command === 'validate' ? [] : ['--state', `sqlite:${join(folder, 'state.db')}`];
    const log = command === 'apply' ? ['--log-level', 'error'] : [];
    const first = command === 'approve' || command === 'undo' ? 1 : 0;
    const code = await runCli([command, ...args.slice(0, first), file, ...args.slice(first), ...shared, ...log], context);
    return { code, stdout: stdout(), stderr: stderr() };
  };
  return {
    emulator,
    folder,
    edict,
    write(text, name = 'edict.yaml') {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    },
    async approve(...more) {
      const plan = JSON.parse((await edict('plan', '--format', 'json')).stdout) as { approvalDigest: string | null };
      return edict('approve', plan.approvalDigest ?? 'nothing is held', '--by', 'ada', '--reason', 'CHG-7', ...more);
    },
    file: (content) => fileText(emulator.url, content),
    online: () =>
      emulator.state
        .publications()
        .filter(({ effective }) => effective)
        .map(({ api, environment }) => `${api.replace('id-', '')} ${environment.replace('env-', '')}`)
        .sort(),
    [Symbol.asyncDispose]: () => emulator.close(),
  };
}

function fileText(endpoint: string, content: FileContent): string {
  const { ids = {}, gateway = 'project: project, instance: instance', more = '' } = content;
  const known = Object.fromEntries(environments.map((name) => [name, `env-${name}`]));
  const places = { ...known, ...content.environments };
  const rows = Object.entries(content.apis).map(([name, states]) => {
    const inEach = states.split(' ').map((state) => (state.startsWith('-') ? `${state.slice(1)}: offline` : `${state}: online`));
    return `  ${name}: { id: ${ids[name] ?? `id-${name}`}, environments: { ${inEach.join(', ')} } }\n`;
  });
  return [
    'edict: 1\n',
    `gateway: { endpoint: "${endpoint}", ${gateway}, limit: { calls: 1000, per: 100ms } }\n`,
    `environments: { ${Object.entries(places)
      .map(([name, setting]) => `${name}: ${setting}`)
      .join(', ')} }\n`,
    more === '' ? '' : `${more}\n`,
    rows.length === 0 ? 'apis: {}\n' : `apis:\n${rows.join('')}`,
  ].join('');
}
