import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Seed } from '../../src/emulator/seed.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A token that must not appear anywhere. */
export const secretToken = 'token-that-nobody-may-see';

/** The result of a finished command. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running `edict`. */
export interface Running {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  /** Resolves to the log records (`--log-format json`) so far with this event. */
  events(event: string): readonly Readonly<Record<string, unknown>>[];
  /** Resolves when it has ended. */
  readonly finished: Promise<Finished>;
}

const started = new Set<Running>();

/** Kills every `edict` that is still running, and resolves when all have ended: for the end of a test. */
export async function killStarted(): Promise<void> {
  for (const { child } of started) child.kill('SIGKILL');
  await Promise.all([...started].map(({ finished }) => finished));
}

const { PATH, NODE_COMPILE_CACHE } = process.env;

/**
 * The variables of this process that every `edict` of the tests inherits. `main.ts` enables a cache of compiled modules itself, but its own types
 * have been stripped by then, and loading what strips types is a fifth of a start.
 */
export const inheritedEnv: NodeJS.ProcessEnv = { PATH, NO_COLOR: '1', ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }) };

/** Starts `edict ARGS` in `cwd` with no settings of this process, but with the token and `env`. A daemon serves no page unless asked. */
export function startEdict(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = { HW_AUTH_TOKEN: secretToken },
): Running {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { ...inheritedEnv, EDICT_LISTEN: 'off', ...env },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk;
  });
  const records: Record<string, unknown>[] = [];
  let parsedTo = 0; // a test polls every few milliseconds
  const events = (event: string) => {
    const end = output.stderr.lastIndexOf('\n') + 1;
    const lines = output.stderr.slice(parsedTo, end).split('\n');
    parsedTo = end;
    for (const line of lines) if (line.startsWith('{') && line.endsWith('}')) records.push(JSON.parse(line) as Record<string, unknown>);
    return records.filter((record) => record['event'] === event);
  };
  const finished = once(child, 'close').then(([code]) => {
    started.delete(running);
    return { code: code as number | null, ...output };
  });
  const running: Running = { child, output, events, finished };
  started.add(running);
  return running;
}

/** Runs `edict ARGS` to its end. */
export function edict(args: readonly string[], cwd: string, env?: Readonly<Record<string, string>>): Promise<Finished> {
  return startEdict(args, cwd, env).finished;
}

/** Resolves when `condition` holds. Rejects after two minutes with `what` and the end of the log of each `of`: no test hangs. */
export async function until(what: string, condition: () => boolean, of: readonly Running[] = [], withinMs = 120_000): Promise<void> {
  for (const deadline = Date.now() + withinMs; !condition(); await sleep(10)) {
    if (Date.now() <= deadline) continue;
    const logs = of.map(({ output }) => `\n\n${output.stderr.split('\n').slice(-40).join('\n')}`);
    throw new Error(`waited in vain until ${what}${logs.join('')}`);
  }
}

/** Ends it with SIGTERM. Rejects like `until` if it does not end. */
export async function terminate(running: Running): Promise<void> {
  const { child, finished } = running;
  child.kill('SIGTERM');
  await until('it ends on SIGTERM', () => child.exitCode !== null || child.signalCode !== null, [running]);
  await finished;
}

const scratch = mkdtempSync(join(tmpdir(), 'edict-test-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** Returns a new empty folder that is deleted when the process exits. */
export function scratchFolder(): string {
  return mkdtempSync(join(scratch, 'folder-'));
}

/** Returns a seed with the APIs `api-NAME` and the environments `env-test` and `env-release`; every token is accepted. */
export function seedOf(...names: readonly string[]): Seed {
  return {
    project: 'project',
    instance: 'instance',
    apis: names.map((name) => ({ id: `api-${name}`, name })),
    environments: ['test', 'release'].map((name) => ({ id: `env-${name}`, name })),
    anyToken: true,
  };
}

/** Returns a file for the gateway at `endpoint`, without guards; `states` are those of the APIs in `test`, by name. */
export function fileOf(endpoint: string, states: Readonly<Record<string, string>>, limit = '{ calls: 1000, per: 100ms }'): string {
  const apis = Object.entries(states).map(([name, state]) => `  ${name}: { id: api-${name}, environments: { test: ${state} } }\n`);
  const gateway = `gateway: { endpoint: "${endpoint}", iam: "${endpoint}", project: project, instance: instance, limit: ${limit}, propagationDelay: 300ms, timeout: 3s }\n`;
  return `edict: 1\n${gateway}environments: { test: env-test, release: { id: env-release, protected: true } }\nguards: { maxOffline: 100%, maxRemoved: 100% }\napis:${apis.length > 0 ? `\n${apis.join('')}` : ' {}\n'}`;
}
