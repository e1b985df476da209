import { lstat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Env } from '../../model/env.ts';
import { StoreError } from '../../model/errors.ts';
import { quoteForShell } from '../../render/command-line.ts';
import { findTracked } from '../../source/git/tracked.ts';
import { resolvePathEntries } from '../../source/path-entries.ts';

/*
 * Whether a store may be believed. It says what a person has approved, so whoever can put one in place decides what goes offline: the author
 * of a commit, or another user of the machine.
 */

/** The database and the files that SQLite reads with it, or edict locks. */
const suffixes = ['', '-wal', '-shm', '-journal', '.lock'];

/** Why a store is not believed, and what to do. */
interface Distrust {
  readonly reason: string;
  readonly hint: string;
}

export interface StoreTrustOptions {
  /** Whether `--state` is missing: a store that the operator names may belong to others or be writable for them, as on a volume of Kubernetes. */
  readonly isDefault: boolean;
  readonly env: Env;
}

/**
 * Throws a StoreError `STORE_UNTRUSTED` if Git tracks a SQLite store or a link to it, and for one at the default path also if it is reached by
 * a symbolic link, belongs to another user, or can be written by others. A store that does not exist yet is believed.
 */
export async function assertTrustedStore(url: string, { isDefault, env }: StoreTrustOptions): Promise<void> {
  if (!url.startsWith('sqlite:')) return;
  const path = resolve(url.replace(/^sqlite:(?:\/\/)?/, ''));
  const files = suffixes.map((suffix) => `${path}${suffix}`);
  const distrust = (isDefault ? await whyNotPrivate(path, files) : null) ?? (await whyNotOwn(path, files, { isDefault, env }));
  if (distrust === null) return;
  throw new StoreError('STORE_UNTRUSTED', `the store ${path} is not used: ${distrust.reason}`, { hint: distrust.hint });
}

async function whyNotPrivate(path: string, files: readonly string[]): Promise<Distrust | null> {
  for (const file of [dirname(path), ...files]) {
    const stats = await lstat(file).catch(() => null);
    if (stats === null) continue;
    if (stats.isSymbolicLink()) return { reason: `${file} is a symbolic link`, hint: nameIt(path) };
    if (process.getuid && stats.uid !== process.getuid()) {
      return { reason: `${file} belongs to another user (${stats.uid})`, hint: nameIt(path) };
    }
    if ((stats.mode & 0o022) !== 0) {
      return { reason: `${file} can be written by other users`, hint: `if only you wrote to it: chmod go-w ${quoteForShell(file)}` };
    }
  }
  return null;
}

async function whyNotOwn(path: string, files: readonly string[], { isDefault, env }: StoreTrustOptions): Promise<Distrust | null> {
  const entries = new Set<string>();
  for (const file of files) for (const entry of await resolvePathEntries(file)) entries.add(entry);
  const existing: string[] = [];
  for (const entry of entries) {
    const stats = await lstat(entry).catch(() => null);
    if (stats?.isFile() || stats?.isSymbolicLink()) existing.push(entry);
  }
  const tracked = await findTracked(existing, env);
  if (tracked.kind === 'tracked') {
    const hint = 'delete it from the repository, or name another store with --state';
    return { reason: `Git tracks ${tracked.path}, so that a commit could approve changes`, hint };
  }
  if (tracked.kind === 'unknown' && isDefault) {
    return { reason: 'Git 2.38 or later is needed to see that it is not part of the repository', hint: nameIt(path) };
  }
  return null;
}

function nameIt(path: string): string {
  return `if you trust it, name it: --state ${quoteForShell(`sqlite:${path}`)}`;
}
