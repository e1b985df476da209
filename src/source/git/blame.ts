import { realpath } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { Env } from '../../model/env.ts';
import type { Commit, CommitLookup, SourceLocation } from '../../model/publication.ts';
import { createGit } from './git.ts';

/** How long all questions together may take, in milliseconds: a plan is worth more than the names beside it. */
const blameTimeoutMs = 10_000;

/** So many ranges of lines fit on a command line with ease; of more than that the whole file is asked for. */
const maxRanges = 200;

/** The last moment that there is a date for, in milliseconds since 1970: a commit can claim any. */
const maxDateMs = 8.64e15;

/**
 * Returns who has written the lines at `sources`, as Git says: one `git blame` per file, all in at most `limitMs`. Nothing is
 * known of a file in no checkout, of a line from before a shallow clone begins, without Git, or when the time is over; that
 * is no error. Writes nothing and reaches for no network.
 */
export async function blame(sources: readonly SourceLocation[], environment: Env, limitMs: number = blameTimeoutMs): Promise<CommitLookup> {
  const known = new Map<string, Commit>();
  const signal = AbortSignal.timeout(limitMs);
  for (const [file, places] of Map.groupBy(sources, (source) => source.file)) {
    const lines = [...new Set(places.map(({ line }) => line))].sort((a, b) => a - b);
    for (const [line, commit] of await blameFile(file, lines, environment, signal)) known.set(`${line} ${file}`, commit);
  }
  return ({ file, line }) => known.get(`${line} ${file}`) ?? null;
}

async function blameFile(
  file: string,
  lines: readonly number[],
  environment: Env,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, Commit>> {
  // Git would blame a symbolic link for where it leads to.
  const path = await realpath(resolve(file)).catch(() => null);
  if (path === null) return new Map();
  const git = createGit(dirname(path), environment, signal);
  const text = await git('blame', '--porcelain', '--encoding=UTF-8', ...toRangeArguments(lines), '--', basename(path));
  const blamed = text === null ? [] : parsePorcelain(text);
  const hasEdge = blamed.some(({ isBoundary }) => isBoundary);
  // Where history begins, a line is that commit's own; where it is only cut off, the line may be older.
  const isShallow = hasEdge && (await git('rev-parse', '--is-shallow-repository'))?.trim() !== 'false';
  return new Map(blamed.filter(({ isBoundary }) => !(isBoundary && isShallow)).map(({ line, commit }) => [line, commit]));
}

function toRangeArguments(lines: readonly number[]): string[] {
  const ranges: [number, number][] = [];
  for (const line of lines) {
    const last = ranges.at(-1);
    if (last && line === last[1] + 1) last[1] = line;
    else ranges.push([line, line]);
  }
  return ranges.length > maxRanges ? [] : ranges.flatMap(([from, to]) => ['-L', `${from},${to}`]);
}

interface BlamedLine {
  readonly line: number;
  readonly commit: Commit;
  /** Git has seen nothing before this commit. */
  readonly isBoundary: boolean;
}

/** Returns what an answer of `git blame --porcelain` says of each line. Of a commit it tells only the first time. */
export function parsePorcelain(text: string): BlamedLine[] {
  const blamed: BlamedLine[] = [];
  const told = new Map<string, { author: string; atMs: number; isEdge: boolean }>();
  let at: { readonly id: string; readonly line: number } | null = null;
  for (const row of text.split('\n')) {
    const head = /^([0-9a-f]{40,64}) \d+ (\d+)/.exec(row);
    if (at === null) {
      if (!head) continue;
      at = { id: head[1] ?? '', line: Number(head[2]) };
      if (!told.has(at.id)) told.set(at.id, { author: '', atMs: 0, isEdge: false });
      continue;
    }
    const commit = told.get(at.id);
    if (commit && row.startsWith('author ')) commit.author = row.slice('author '.length);
    if (commit && row.startsWith('author-time ')) commit.atMs = Math.min(Number(row.slice('author-time '.length)) * 1000 || 0, maxDateMs);
    if (commit && row === 'boundary') commit.isEdge = true;
    if (!commit || !row.startsWith('\t')) continue;
    const { isEdge: isBoundary, ...rest } = commit;
    const isUncommitted = /^0+$/.test(at.id);
    blamed.push({ line: at.line, isBoundary, commit: isUncommitted ? { kind: 'uncommitted' } : { kind: 'committed', id: at.id, ...rest } });
    at = null;
  }
  return blamed;
}
