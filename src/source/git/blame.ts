import { dirname } from 'node:path';
import type { Commit, CommitLookup, SourceLocation } from '../../model/desired-state.ts';
import { readSourceFile } from '../include-reader.ts';
import type { SourceFolder } from '../source-folder.ts';
import { type Checkout, type GitOptions, isBlobOf, openCheckout } from './git.ts';
import { type LineMapping, mapLines } from './line-mapping.ts';

/** Timeout for all Git commands together, in milliseconds: the plan matters more than the authors shown beside it. */
const blameTimeoutMs = 10_000;

/** Maximum number of line ranges on a command line. With more, the whole file is blamed. */
const maxRanges = 200;

/** The latest valid date, in milliseconds since 1970. A commit can claim any time. */
const maxDateMs = 8.64e15;

export interface BlameOptions extends Omit<GitOptions, 'signal'> {
  /** The folder of the main file. */
  readonly folder: SourceFolder;
  /** Default: 10 s. */
  readonly limitMs?: number;
}

/**
 * Returns the commits that last changed the lines at `sources`: one `git blame` per file, all in at most `limitMs`. Files
 * outside a checkout, lines from before a shallow clone begins, a missing Git and a timeout give no commit, without an error.
 * Writes nothing and uses no network.
 */
export async function blame(
  sources: readonly SourceLocation[],
  { limitMs = blameTimeoutMs, ...options }: BlameOptions,
): Promise<CommitLookup> {
  const known = new Map<string, Commit>();
  const signal = AbortSignal.timeout(limitMs);
  for (const [file, locations] of Map.groupBy(sources, (source) => source.file)) {
    const lines = [...new Set(locations.map(({ line }) => line))];
    for (const [line, commit] of await blameFile(file, lines, { ...options, signal })) known.set(`${line} ${file}`, commit);
  }
  return ({ file, line }) => known.get(`${line} ${file}`) ?? null;
}

/**
 * Blames the newest commit, not the file: Git would run the filters of the checkout on the file. The lines of the file are mapped to those of
 * the commit here.
 */
async function blameFile(
  file: string,
  lines: readonly number[],
  { folder, ...options }: GitOptions & Pick<BlameOptions, 'folder'>,
): Promise<ReadonlyMap<number, Commit>> {
  const read = await readSourceFile(folder, file);
  if (read?.kind !== 'read') return new Map();
  // The commit has the file that a symbolic link leads to.
  const { realPath } = read;
  const checkout = await openCheckout(dirname(realPath), options);
  const path = (await checkout?.pathOf(realPath)) ?? null;
  if (checkout === null || path === null) return new Map();

  const [head, blob] = (await checkout.git('rev-parse', 'HEAD', `HEAD:${path}`))?.trim().split('\n') ?? [];
  if (head === undefined || blob === undefined) return new Map();
  const committed = isBlobOf(read.text, blob) ? read.text : await checkout.git('cat-file', 'blob', blob);
  if (committed === null) return new Map();
  const existing = lines.filter((line) => line <= read.text.split('\n').length);
  const toCommitted: LineMapping = committed === read.text ? (line) => line : mapLines(committed, read.text);
  const wanted = existing.flatMap((line) => toCommitted(line) ?? []);
  const commits = wanted.length === 0 ? new Map<number, Commit>() : await blameCommit(checkout, { head, path, lines: wanted });
  return new Map(
    existing.flatMap((line) => {
      const earlier = toCommitted(line);
      const commit = earlier === null ? ({ kind: 'uncommitted' } as const) : commits.get(earlier);
      return commit ? [[line, commit]] : [];
    }),
  );
}

async function blameCommit(
  checkout: Checkout,
  { head, path, lines }: { readonly head: string; readonly path: string; readonly lines: readonly number[] },
): Promise<ReadonlyMap<number, Commit>> {
  const ranges = toRangeArguments([...lines].sort((a, b) => a - b));
  const text = await checkout.git('blame', '--porcelain', '--encoding=UTF-8', '--no-textconv', ...ranges, head, '--', path);
  const blamed = text === null ? [] : parsePorcelain(text);
  const hasEdge = blamed.some(({ isBoundary }) => isBoundary);
  // In a complete history, a boundary commit wrote the line. In a shallow clone, the line may be older.
  const isShallow = hasEdge && (await checkout.git('rev-parse', '--is-shallow-repository'))?.trim() !== 'false';
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
  /** Git knows no commit before this one. */
  readonly isBoundary: boolean;
}

/** Parses the output of `git blame --porcelain`, which gives the details of a commit only the first time. */
export function parsePorcelain(text: string): BlamedLine[] {
  const blamed: BlamedLine[] = [];
  const commits = new Map<string, { author: string; atMs: number; isEdge: boolean }>();
  let at: { readonly id: string; readonly line: number } | null = null;
  for (const row of text.split('\n')) {
    const head = /^([0-9a-f]{40,64}) \d+ (\d+)/.exec(row);
    if (at === null) {
      if (!head) continue;
      at = { id: head[1] ?? '', line: Number(head[2]) };
      if (!commits.has(at.id)) commits.set(at.id, { author: '', atMs: 0, isEdge: false });
      continue;
    }
    const commit = commits.get(at.id);
    if (commit && row.startsWith('author ')) commit.author = row.slice('author '.length);
    if (commit && row.startsWith('author-time ')) commit.atMs = Math.min(Number(row.slice('author-time '.length)) * 1000 || 0, maxDateMs);
    if (commit && row === 'boundary') commit.isEdge = true;
    if (!commit || !row.startsWith('\t')) continue;
    const { isEdge: isBoundary, ...rest } = commit;
    blamed.push({ line: at.line, isBoundary, commit: { kind: 'committed', id: at.id, ...rest } });
    at = null;
  }
  return blamed;
}
