/*
 * The git folder asks Git who last changed a line and which commit a file is from. The checkout and its `.git` are not trusted: Git reads
 * committed objects only, and never runs a program that they name, such as a hook or a filter. It must never need Git (without it, the
 * answers are missing), pass secrets to the child process, or use the network.
 */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, realpath, stat } from 'node:fs/promises';
import { devNull } from 'node:os';
import { delimiter, dirname, isAbsolute, join, parse, relative, sep } from 'node:path';
import type { Env } from '../../model/env.ts';

/** Maximum output of one command, in bytes; blame output of 100,000 lines is smaller. */
const maxOutputBytes = 64 * 1024 * 1024;

export interface GitOptions {
  readonly env: Env;
  /** Kills Git when it is aborted. */
  readonly signal: AbortSignal;
  /** Called if the installed Git is too old to be used. */
  readonly onUnsupported: OnGitUnsupported;
}

/** Receives the version of an installed Git that is too old, such as `2.30.2`. */
export type OnGitUnsupported = (version: string) => void;

/** Commands that read committed objects, or the names in the index: none reads files, for which filters, hooks and a file monitor would be run. */
type ReadCommand = 'blame' | 'cat-file' | 'ls-files' | 'ls-tree' | 'rev-list' | 'rev-parse';

/** A checkout whose committed objects can be read. */
export interface Checkout {
  /** Returns the path of a file relative to the root, with slashes; `null` if it is not in this checkout. */
  pathOf(realPath: string): Promise<string | null>;
  /** Resolves to Git's output; `null` if it fails, for whatever reason. */
  git(command: ReadCommand, ...args: readonly string[]): Promise<string | null>;
}

/**
 * Returns the checkout that a folder belongs to, `null` if there is none or Git is missing or too old. Outside a checkout no Git is
 * started: every load of a file from a ConfigMap would cost several processes.
 */
export async function openCheckout(folder: string, { env, signal, onUnsupported }: GitOptions): Promise<Checkout | null> {
  const root = await findCheckoutRoot(folder);
  if (root === null) return null;
  const childEnv = await gitEnv(env, root);
  const run = (args: readonly string[]): Promise<string | null> => runGit(args, { env: childEnv, signal });
  const version = await run(['version']);
  if (version === null) return null;
  if (!isSupported(version)) {
    onUnsupported(/\d[\d.]*\d/.exec(version)?.[0] ?? version.trim().slice(0, 40));
    return null;
  }
  return {
    pathOf: async (realPath) =>
      (await findCheckoutRoot(dirname(realPath))) === root ? relative(root, realPath).split(sep).join('/') : null,
    git: (command, ...args) => run([...safeOptions, `--git-dir=${join(root, '.git')}`, `--work-tree=${root}`, command, ...args]),
  };
}

/** The first Git with `safe.bareRepository`. */
const minimumVersion = [2, 38] as const;

function isSupported(version: string): boolean {
  const [, major = 0, minor = 0] = /^git version (\d+)\.(\d+)/.exec(version)?.map(Number) ?? [];
  return major > minimumVersion[0] || (major === minimumVersion[0] && minor >= minimumVersion[1]);
}

/**
 * Returns the nearest folder, from `folder` upwards, that contains `.git`; `null` if there is none. A commit cannot contain a path `.git`, so
 * an author cannot make one; Git's own search would also accept any folder that looks like a bare repository.
 */
export async function findCheckoutRoot(folder: string): Promise<string | null> {
  let at = await realpath(folder).catch(() => null);
  while (at !== null) {
    const isRoot = await access(join(at, '.git')).then(
      () => true,
      () => false,
    );
    if (isRoot) return at;
    at = dirname(at) === at ? null : dirname(at);
  }
  return null;
}

/** Settings that take precedence over those of `.git`. The commands run no program even without them; they hold for future versions of Git. */
const safeOptions = [
  '--no-pager',
  '--no-replace-objects',
  '--no-optional-locks',
  ...[
    'safe.bareRepository=explicit',
    'core.fsmonitor=false',
    `core.hooksPath=${devNull}`,
    `core.attributesFile=${devNull}`,
    'blame.ignoreRevsFile=',
    'mailmap.blob=HEAD:.mailmap',
    'log.showSignature=false',
    'gpg.program=false',
    'gpg.ssh.program=false',
    'gpg.x509.program=false',
    'protocol.allow=never',
  ].flatMap((setting) => ['-c', setting]),
];

/** Every run of Git goes through here. Resolves to its output; `null` if it fails. */
function runGit(args: readonly string[], { env, signal }: { readonly env: Record<string, string>; readonly signal: AbortSignal }) {
  const options = {
    cwd: parse(process.execPath).root,
    env,
    signal,
    maxBuffer: maxOutputBytes,
    killSignal: 'SIGKILL',
    windowsHide: true,
  } as const;
  return new Promise<string | null>((resolve) => {
    execFile('git', args, options, (error, stdout) => resolve(error ? null : stdout));
  });
}

/**
 * Returns the variables of Git: its own program is found, but not in the checkout, and none of its settings come from outside `.git`. Git
 * gets no secret.
 */
async function gitEnv(env: Env, root: string): Promise<Record<string, string>> {
  const passed = Object.entries(env).filter(([name, value]) => value !== undefined && passedVariables.test(name)) as [string, string][];
  return {
    ...Object.fromEntries(passed),
    PATH: await trustedPath(env['PATH'] ?? '', [...(await checkoutsAround(root)), ...(await checkoutsAround(process.cwd()))]),
    GIT_CONFIG_GLOBAL: devNull,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOW_PROTOCOL: 'none',
    LC_ALL: 'C',
  };
}

/** Returns the absolute folders in `PATH` that are in none of the checkouts, such as a `node_modules/.bin`, wherever links lead. */
async function trustedPath(path: string, checkouts: readonly string[]): Promise<string> {
  const folders = path.split(delimiter).filter(isAbsolute);
  const real = await Promise.all(folders.map((folder) => realpath(folder).catch(() => null)));
  const isOutside = (folder: string): boolean => checkouts.every((root) => !`${folder}${sep}`.startsWith(`${root}${sep}`));
  return folders.filter((_, index) => real[index] && isOutside(real[index])).join(delimiter);
}

/** Returns the checkouts that a folder is in: that of a submodule is in another one, and npm puts the folders of both into `PATH`. */
async function checkoutsAround(folder: string): Promise<string[]> {
  const real = await realpath(folder);
  const isCheckout = await stat(join(real, '.git')).then(
    () => true,
    () => false,
  );
  const parent = dirname(real);
  return [...(isCheckout ? [real] : []), ...(parent === real ? [] : await checkoutsAround(parent))];
}

/** Git expands `~` in paths of its settings. */
const passedVariables = /^(HOME|USERPROFILE|SYSTEMROOT)$/i;

/** Timeout for reading the commit, in milliseconds: the change matters more than the commit shown beside it. */
const commitTimeoutMs = 2000;

/** A file as edict has read it. */
export interface ReadFile {
  /** Its absolute path without symbolic links. */
  readonly realPath: string;
  readonly text: string;
}

/**
 * Returns the commit that last changed one of `files`, all in one checkout; `null` if one of them differs from the newest commit, or Git does
 * not answer in time. Files that a filter of Git changes (git-crypt) have no commit. Writes nothing and uses no network.
 */
export async function readCommitId(
  files: readonly ReadFile[],
  { limitMs = commitTimeoutMs, ...options }: Omit<GitOptions, 'signal'> & { readonly limitMs?: number },
): Promise<string | null> {
  const [first] = files;
  if (first === undefined) return null;
  const checkout = await openCheckout(dirname(first.realPath), { ...options, signal: AbortSignal.timeout(limitMs) });
  if (checkout === null) return null;
  const paths: string[] = [];
  for (const { realPath } of files) {
    const path = await checkout.pathOf(realPath);
    if (path === null) return null;
    paths.push(path);
  }
  const [tree, id] = await Promise.all([
    checkout.git('ls-tree', '-z', '--full-tree', 'HEAD', '--', ...paths.map(toPathspec)),
    checkout.git('rev-list', '--max-count=1', 'HEAD', '--', ...paths.map(toPathspec)),
  ]);
  const blobs = parseTree(tree ?? '');
  const isCommitted = files.every(({ text }, index) => isBlobOf(text, blobs.get(paths[index] ?? '')));
  return isCommitted ? id?.trim() || null : null;
}

/** Returns a pathspec that matches this path alone, whatever characters it has. */
function toPathspec(path: string): string {
  return `:(top,literal)${path}`;
}

/** Returns the IDs of the regular files in the output of `git ls-tree -z`, by path. */
function parseTree(output: string): ReadonlyMap<string, string> {
  const rows = output.split('\0').map((row) => /^100\d{3} blob ([0-9a-f]+)\t(.*)$/s.exec(row));
  return new Map(rows.flatMap((row) => (row ? [[row[2] ?? '', row[1] ?? '']] : [])));
}

/** Returns whether Git has stored this text under the ID `blob`, as it is or with the line ends that `core.autocrlf` stores. */
export function isBlobOf(text: string, blob: string | undefined): boolean {
  if (blob === undefined) return false;
  const idOf = (content: string): string => {
    const bytes = Buffer.from(content);
    return createHash(blob.length === 64 ? 'sha256' : 'sha1')
      .update(`blob ${bytes.length}\0`)
      .update(bytes)
      .digest('hex');
  };
  return idOf(text) === blob || (text.includes('\r\n') && idOf(text.replaceAll('\r\n', '\n')) === blob);
}
