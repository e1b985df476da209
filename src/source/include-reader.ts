import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import type { SourceLocation } from '../model/desired-state.ts';
import { describeNotYaml, describeOutside, type ExpandedPattern, expandPattern, WalkBudget } from './include-pattern.ts';
import type { PathDiagnostic } from './path-diagnostic.ts';
import { type SourceFileResult, SourceFolder } from './source-folder.ts';
import { describeReadError } from './text-file.ts';
import { TimeLimit } from './time-limit.ts';
import type { YamlNode, YamlTree } from './yaml/tree.ts';

/** Maximum size of all files together. The files of a full instance are far smaller; beyond it, the path is most likely wrong. */
const maxSourceBytes = 32 * 1024 * 1024;
/** Maximum number of lines of all files together. */
const maxSourceLines = 1_000_000;
/** The maximum size of all files together, in words. */
export const maxSourceSize = '32 MB or 1,000,000 lines';

/** Maximum number of entries of `include`; `maxItems` in spec/edict.schema.json. */
const maxIncludes = 1000;

/** Maximum number of files that one file may include. */
export const maxIncludedFiles = 1000;

/** The text of a file, with its name in messages and plans. */
export interface SourceText {
  readonly file: string;
  /** Its path relative to the main file's folder, which is the same on every machine; empty for the main file. */
  readonly relativePath: string;
  readonly text: string;
}

/** A file and its included files, as one read found them. */
export interface FileSet {
  readonly main: SourceFileResult;
  /** Whether a path led elsewhere while the files were read, so that they may be from two checkouts. */
  readonly isSwapped: boolean;
  /** Whether the file has an `include`. */
  readonly hasIncludes: boolean;
  /** In the order of their paths, by code units. */
  readonly included: readonly SourceText[];
  /** Errors in the entries of `include`. */
  readonly diagnostics: readonly PathDiagnostic[];
  /** The paths of all files read, with links resolved. */
  readonly realPaths: readonly string[];
  /** Absolute paths of the files that the set depends on, and of the directories in which a new file may belong to it. */
  readonly paths: readonly string[];
  readonly directories: readonly string[];
}

/** How many files are read concurrently. */
const readConcurrency = 8;

export interface ReadFileSetOptions {
  /** Returns the `include` entries of the main file's text. */
  readonly includesOf: (text: string) => Promise<readonly IncludeEntry[]>;
  /** See `SourceFolder`. */
  readonly allowedFolders: readonly string[];
}

/** Reads the file at `path` and its included files. Rejects only as `includesOf` does. */
export async function readFileSet(path: string, { includesOf, allowedFolders }: ReadFileSetOptions): Promise<FileSet> {
  const read = await readMainFile(path, allowedFolders);
  return readIncludedFiles(read, read.main.kind === 'read' ? await includesOf(read.main.text) : []);
}

/** A main file, and where it was found. */
export interface MainFile {
  readonly path: string;
  readonly folder: SourceFolder;
  readonly main: SourceFileResult;
  readonly realPath: string;
}

/** Reads the main file at `path`. Never rejects. */
export async function readMainFile(path: string, allowedFolders: readonly string[]): Promise<MainFile> {
  const folder = await SourceFolder.open(path, allowedFolders);
  const main = limitLines(await folder.read(resolve(path), maxSourceBytes));
  const realPath = main.kind === 'read' ? main.realPath : await resolveRealPath(folder, resolve(path));
  return { path, folder, main, realPath };
}

/**
 * Reads the included files of a main file. Each file is read once, however many patterns and links lead to it, and the main file never
 * includes itself. Never rejects.
 */
export async function readIncludedFiles({ path, folder, main, realPath }: MainFile, includes: readonly IncludeEntry[]): Promise<FileSet> {
  const reader = new IncludeReader(
    folder,
    realPath,
    main.kind === 'read' ? { bytes: main.bytes, lines: countLines(main.text) } : { bytes: 0, lines: 0 },
  );
  for (const entry of includes) await reader.expand(entry);
  await reader.read();
  const { diagnostics, directories, included } = reader;
  return {
    main,
    isSwapped: main.kind === 'swapped' || reader.isSwapped || !(await folder.isUnchanged()),
    hasIncludes: includes.length > 0,
    included: included.map(({ file, relativePath, text }) => ({ file, relativePath, text })),
    diagnostics,
    realPaths: [realPath, ...included.map((one) => one.realPath)],
    paths: [resolve(path), ...reader.paths],
    directories: [...directories],
  };
}

/** Reads one of the files again, for example to show a line of it. Resolves to `null` if its file system does not answer. */
export function readSourceFile(folder: SourceFolder, path: string): Promise<SourceFileResult | null> {
  return new TimeLimit().run(() => folder.read(resolve(path), maxSourceBytes));
}

/** Resolves to the text of the line at `source`; `null` if the line no longer exists. */
export async function readSourceLine(folder: SourceFolder, { file, line }: SourceLocation): Promise<string | null> {
  const read = await readSourceFile(folder, file);
  return read?.kind === 'read' ? (read.text.split(/\r\n|\r|\n/)[line - 1] ?? null) : null;
}

/** Stands for the files at `path` while their file system does not answer. */
export function unansweredFileSet(path: string): FileSet {
  const main: SourceFileResult = { kind: 'unreadable', reason: 'its file system does not answer', cause: null };
  return { main, isSwapped: false, hasIncludes: false, included: [], diagnostics: [], realPaths: [path], paths: [path], directories: [] };
}

/** Returns whether two reads found the same texts and the same errors. */
export function hasSameContent(a: FileSet, b: FileSet): boolean {
  return (
    JSON.stringify(withoutText(a.main)) === JSON.stringify(withoutText(b.main)) &&
    textOf(a.main) === textOf(b.main) &&
    a.included.length === b.included.length &&
    a.included.every(({ file, text }, index) => file === b.included[index]?.file && text === b.included[index]?.text) &&
    JSON.stringify(a.diagnostics) === JSON.stringify(b.diagnostics)
  );
}

/** Returns a fingerprint that changes when the content changes or a path leads elsewhere. */
export function fingerprintFileSet({ main, included, diagnostics, realPaths }: FileSet): string {
  const hash = createHash('sha256').update(JSON.stringify([withoutText(main), diagnostics, realPaths]));
  for (const { file, text } of [{ file: '', text: textOf(main) }, ...included]) hash.update(`\0${file}\0${text.length}\0`).update(text);
  return hash.digest('base64');
}

/** Returns a path for display: relative below the working directory, otherwise as given. */
export function toDisplayPath(path: string): string {
  const fromHere = relative('', path);
  return fromHere === '' || fromHere.startsWith('..') ? path : fromHere;
}

function textOf(main: SourceFileResult): string {
  return main.kind === 'read' ? main.text : '';
}

function withoutText(main: SourceFileResult): unknown {
  return main.kind === 'unreadable' ? [main.kind, main.reason] : [main.kind];
}

/** A file that an entry of `include` matches, with the first such entry. */
interface IncludeCandidate extends IncludeEntry {
  readonly path: string;
}

interface ResolvedCandidate extends IncludeCandidate {
  readonly realPath: string;
}

/** One read of a file's included files. */
class IncludeReader {
  readonly diagnostics: PathDiagnostic[] = [];
  readonly paths = new Set<string>();
  readonly directories = new Set<string>();
  included: (SourceText & { readonly realPath: string })[] = [];
  isSwapped = false;
  /** By path relative to the directory, so that the order is the same on every machine. */
  readonly #candidates = new Map<string, IncludeCandidate>();
  readonly #folder: SourceFolder;
  readonly #directory: string;
  readonly #mainRealPath: string;
  readonly #budget = new WalkBudget();
  #bytes: number;
  #lines: number;

  constructor(folder: SourceFolder, mainRealPath: string, main: { readonly bytes: number; readonly lines: number }) {
    this.#folder = folder;
    this.#directory = folder.directory;
    this.#mainRealPath = mainRealPath;
    this.#bytes = main.bytes;
    this.#lines = main.lines;
  }

  async expand(entry: IncludeEntry): Promise<void> {
    const expanded = await expandPattern(this.#folder, entry.pattern, this.#budget);
    for (const directory of expanded.directories) this.directories.add(directory);
    for (const path of expanded.files) this.paths.add(path);
    const problem = expanded.problem ?? (await this.#checkNotEmpty(entry, expanded));
    if (problem) this.#report(entry, problem.message, problem.hint);
    else for (const path of expanded.files) this.#add(relative(this.#directory, path), { ...entry, path });
  }

  #add(key: string, candidate: IncludeCandidate): void {
    if (!this.#candidates.has(key)) this.#candidates.set(key, candidate);
  }

  /** A pattern that matches nothing is an error. Otherwise, deleting files would look like removing their APIs. */
  async #checkNotEmpty({ pattern }: IncludeEntry, { files, directories }: ExpandedPattern): Promise<ExpandedPattern['problem']> {
    const [first, second] = files;
    const name = JSON.stringify(pattern);
    if (first === undefined) return { message: `${name} matches no file`, hint: "patterns are relative to this file's folder" };
    const isMainAlone =
      second === undefined && directories.length > 0 && (await resolveRealPath(this.#folder, first)) === this.#mainRealPath;
    return isMainAlone ? { message: `${name} matches only this file`, hint: 'match the files with more APIs, or remove the entry' } : null;
  }

  get #isFull(): boolean {
    return this.#bytes > maxSourceBytes || this.#lines > maxSourceLines;
  }

  async read(): Promise<void> {
    const found = await this.#distinctFiles();
    const tooMany = found[maxIncludedFiles];
    if (tooMany) this.#report(tooMany, `more than ${maxIncludedFiles} files are included`, 'merge some of them, or include fewer');
    const first = found.slice(0, maxIncludedFiles);
    for (let at = 0; at < first.length && !this.#isFull; at += readConcurrency) {
      const batch = first.slice(at, at + readConcurrency);
      const reads = await Promise.all(batch.map(({ path }) => this.#folder.read(path, maxSourceBytes - this.#bytes)));
      for (const [index, candidate] of batch.entries()) if (reads[index]) this.#addFile(candidate, reads[index]);
    }
  }

  /** Returns the distinct files found, in order; at most one more than may be included. */
  async #distinctFiles(): Promise<ResolvedCandidate[]> {
    const sorted = [...this.#candidates].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, candidate]) => candidate);
    const byRealPath = new Map<string, ResolvedCandidate>();
    for (let at = 0; at < sorted.length && byRealPath.size <= maxIncludedFiles; at += readConcurrency) {
      const batch = sorted.slice(at, at + readConcurrency);
      for (const resolved of await Promise.all(
        batch.map(async (one) => ({ ...one, realPath: await resolveRealPath(this.#folder, one.path) })),
      )) {
        if (resolved.realPath !== this.#mainRealPath && !byRealPath.has(resolved.realPath)) byRealPath.set(resolved.realPath, resolved);
      }
    }
    return [...byRealPath.values()];
  }

  #addFile(candidate: ResolvedCandidate, read: SourceFileResult): void {
    if (this.#isFull) return;
    const file = toDisplayPath(candidate.path);
    if (read.kind === 'swapped') this.isSwapped = true;
    this.#bytes += read.kind === 'read' ? read.bytes : read.kind === 'too large' ? maxSourceBytes + 1 : 0;
    this.#lines += read.kind === 'read' ? countLines(read.text) : 0;
    const problem = this.#isFull ? unreadable(file, tooLargeReason) : describeProblem(file, read);
    if (problem !== null) this.#report(candidate, problem.message, problem.hint);
    else if (read.kind === 'read')
      this.included.push({ file, relativePath: relative(this.#directory, candidate.path), text: read.text, realPath: read.realPath });
  }

  #report({ index }: IncludeEntry, message: string, hint: string | null): void {
    this.diagnostics.push({ path: ['include', String(index)], target: 'value', message, hint });
  }
}

const tooLargeReason = `all files together have more than ${maxSourceSize}`;

/** Returns the error in an entry of `include` for a file that was not read. */
function describeProblem(file: string, read: SourceFileResult): ExpandedPattern['problem'] {
  switch (read.kind) {
    case 'read':
      return null;
    case 'too large':
      return unreadable(file, tooLargeReason);
    case 'unreadable':
      return unreadable(file, read.reason);
    case 'no text':
      return unreadable(file, 'it is not UTF-8 text');
    case 'absent':
      return unreadable(file, 'it does not exist');
    case 'swapped':
      return unreadable(file, 'it was replaced while it was read');
    case 'not yaml':
      return describeNotYaml(file);
    case 'outside':
      return describeOutside(file);
  }
}

function unreadable(file: string, reason: string): ExpandedPattern['problem'] {
  return { message: `${file} cannot be read: ${reason}`, hint: null };
}

async function resolveRealPath(folder: SourceFolder, path: string): Promise<string> {
  return realpath(folder.locate(path)).catch((error: unknown) => `${path}: ${describeReadError(error)}`);
}

/** One entry of `include`. */
export interface IncludeEntry {
  /** Its position in the list. */
  readonly index: number;
  readonly pattern: string;
}

/** `maxLength` of an entry in spec/edict.schema.json. */
const maxIncludeLength = 1024;

/** Returns the entries of a file's `include` that can be expanded. The schema check reports errors in the others. */
export function parseIncludes({ root }: YamlTree): IncludeEntry[] {
  const list = root.kind === 'map' ? root.entries.get('include')?.node : undefined;
  if (list?.kind !== 'seq') return [];
  return list.items.slice(0, maxIncludes).flatMap((item, index) => {
    const pattern = patternText(item);
    // Variables are rejected outside the gateway block, and no path contains NUL.
    const isPath = pattern !== '' && pattern.length <= maxIncludeLength && !pattern.includes('${') && !pattern.includes('\0');
    return isPath ? [{ index, pattern }] : [];
  });
}

function limitLines(read: SourceFileResult): SourceFileResult {
  return read.kind === 'read' && countLines(read.text) > maxSourceLines ? { kind: 'too large' } : read;
}

/** Returns the number of lines of a text, as YAML counts them. */
function countLines(text: string): number {
  let lines = 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines += 1;
  for (let at = text.indexOf('\r'); at !== -1; at = text.indexOf('\r', at + 1)) if (text.charAt(at + 1) !== '\n') lines += 1;
  return lines;
}

function patternText(item: YamlNode): string {
  if (item.kind !== 'scalar') return '';
  if (typeof item.value === 'string') return item.value;
  return typeof item.value === 'number' ? item.text : '';
}
