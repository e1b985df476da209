import { createHash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import type { Finding } from './finding.ts';
import type { IncludeEntry } from './include-entries.ts';
import { type Expanded, expandPattern } from './include-pattern.ts';
import { readText, type TextRead, whyUnreadable } from './read-text.ts';

/** No edict files of a full instance come near; beyond it the path is most likely wrong. All files together. */
export const maxBytes = 64 * 1024 * 1024;

/** The most files that one file may include. */
export const maxIncluded = 1000;

/** The text of a file under the name that it has in messages and plans. */
export interface NamedText {
  readonly file: string;
  /** Its path from the main file's folder on, which is the same on every machine; of the main file itself empty. */
  readonly home: string;
  readonly text: string;
}

/** A file and all that it includes, as one look found them. */
export interface FileSet {
  readonly main: TextRead;
  /** Whether the file has an `include`. */
  readonly hasIncludes: boolean;
  /** In the order of their paths, by code units. */
  readonly included: readonly NamedText[];
  /** What is wrong with the entries of `include`. */
  readonly findings: readonly Finding[];
  /** Where all this was read, links resolved. */
  readonly places: readonly string[];
  /** Absolute paths of the files on which the set depends, and of the directories where a new file may belong to it. */
  readonly paths: readonly string[];
  readonly directories: readonly string[];
}

/** How many files are read at one time. */
const together = 8;

/**
 * Reads the file at `path` and what it includes; `includesOf` returns the entries that its text has. Each file is read once,
 * however many patterns and links lead to it, and the file itself is never one of its own. Never rejects.
 */
export async function readFileSet(path: string, includesOf: (text: string) => readonly IncludeEntry[]): Promise<FileSet> {
  const main = await readText(path, maxBytes);
  const place = await placeOf(path);
  const includes = main.kind === 'read' ? includesOf(main.text) : [];
  const reading = new Reading(dirname(path), place, main.kind === 'read' ? main.bytes : 0);
  for (const entry of includes) await reading.find(entry);
  await reading.read();
  const { findings, directories, included } = reading;
  return {
    main,
    hasIncludes: includes.length > 0,
    included: included.map(({ file, home, text }) => ({ file, home, text })),
    findings,
    places: [place, ...included.map((one) => one.place)],
    paths: [resolve(path), ...reading.paths],
    directories: [...directories],
  };
}

/** Returns whether two looks found the same texts, and the same to be wrong. */
export function isSameContent(a: FileSet, b: FileSet): boolean {
  return (
    JSON.stringify(withoutText(a.main)) === JSON.stringify(withoutText(b.main)) &&
    textOf(a.main) === textOf(b.main) &&
    a.included.length === b.included.length &&
    a.included.every(({ file, text }, index) => file === b.included[index]?.file && text === b.included[index]?.text) &&
    JSON.stringify(a.findings) === JSON.stringify(b.findings)
  );
}

/** Returns a text that differs when the content differs, or a path leads elsewhere. */
export function fingerprintOf({ main, included, findings, places }: FileSet): string {
  const hash = createHash('sha256').update(JSON.stringify([withoutText(main), findings, places]));
  for (const { file, text } of [{ file: '', text: textOf(main) }, ...included]) hash.update(`\0${file}\0${text.length}\0`).update(text);
  return hash.digest('base64');
}

/** Returns a path as people would name the file: short below the working directory, otherwise as it is given. */
export function shortName(path: string): string {
  const fromHere = relative('', path);
  return fromHere === '' || fromHere.startsWith('..') ? path : fromHere;
}

function textOf(main: TextRead): string {
  return main.kind === 'read' ? main.text : '';
}

function withoutText(main: TextRead): unknown {
  return main.kind === 'unreadable' ? [main.kind, main.why] : [main.kind];
}

/** A file that some entry of `include` means, and the first that does. */
interface Candidate extends IncludeEntry {
  readonly path: string;
}

interface Located extends Candidate {
  readonly place: string;
}

/** One look at what a file includes. */
class Reading {
  readonly findings: Finding[] = [];
  readonly paths = new Set<string>();
  readonly directories = new Set<string>();
  included: (NamedText & { readonly place: string })[] = [];
  /** By path from the directory, so that their order is the same on every machine. */
  readonly #candidates = new Map<string, Candidate>();
  readonly #directory: string;
  readonly #mainPlace: string;
  #bytes: number;

  constructor(directory: string, mainPlace: string, bytes: number) {
    this.#directory = directory;
    this.#mainPlace = mainPlace;
    this.#bytes = bytes;
  }

  async find(entry: IncludeEntry): Promise<void> {
    const expanded = await expandPattern(this.#directory, entry.pattern);
    for (const directory of expanded.directories) this.directories.add(directory);
    for (const path of expanded.files) this.paths.add(path);
    const wrong = expanded.problem ?? (await this.#emptiness(entry, expanded));
    if (wrong) this.#wrong(entry, wrong.message, wrong.hint);
    else for (const path of expanded.files) this.#add(relative(this.#directory, path), { ...entry, path });
  }

  #add(key: string, candidate: Candidate): void {
    if (!this.#candidates.has(key)) this.#candidates.set(key, candidate);
  }

  /** A pattern whose files have vanished must not mean that their APIs have left the file. */
  async #emptiness({ pattern }: IncludeEntry, { files, directories }: Expanded): Promise<Expanded['problem']> {
    const [first, second] = files;
    const name = JSON.stringify(pattern);
    if (first === undefined) return { message: `${name} matches no file`, hint: "patterns are relative to this file's folder" };
    const isMainAlone = second === undefined && directories.length > 0 && (await placeOf(first)) === this.#mainPlace;
    return isMainAlone ? { message: `${name} matches no file but this one`, hint: 'name the files with more APIs, or remove it' } : null;
  }

  async read(): Promise<void> {
    const found = await this.#distinct();
    const tooMany = found[maxIncluded];
    if (tooMany) this.#wrong(tooMany, `more than ${maxIncluded} files are included`, 'put some of them together, or name fewer');
    const first = found.slice(0, maxIncluded);
    for (let at = 0; at < first.length && this.#bytes <= maxBytes; at += together) {
      const some = first.slice(at, at + together);
      const reads = await Promise.all(some.map(({ path }) => readIncluded(path, maxBytes - this.#bytes)));
      for (const [index, candidate] of some.entries()) if (reads[index]) this.#take(candidate, reads[index]);
    }
  }

  /** Returns what different files were found, in order; one more than may be included at most. */
  async #distinct(): Promise<Located[]> {
    const sorted = [...this.#candidates].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, candidate]) => candidate);
    const byPlace = new Map<string, Located>();
    for (let at = 0; at < sorted.length && byPlace.size <= maxIncluded; at += together) {
      const some = sorted.slice(at, at + together);
      for (const located of await Promise.all(some.map(async (one) => ({ ...one, place: await placeOf(one.path) })))) {
        if (located.place !== this.#mainPlace && !byPlace.has(located.place)) byPlace.set(located.place, located);
      }
    }
    return [...byPlace.values()];
  }

  #take(candidate: Located, read: TextRead): void {
    if (this.#bytes > maxBytes) return;
    const file = shortName(candidate.path);
    this.#bytes += read.kind === 'read' ? read.bytes : read.kind === 'too large' ? maxBytes + 1 : 0;
    const why = this.#bytes > maxBytes ? `it has more than ${maxBytes} bytes, together with those before it` : whyNot(read);
    if (why !== null) this.#wrong(candidate, `${file} cannot be read: ${why}`, null);
    else if (read.kind === 'read')
      this.included.push({ file, home: relative(this.#directory, candidate.path), text: read.text, place: candidate.place });
  }

  #wrong({ index }: IncludeEntry, message: string, hint: string | null): void {
    this.findings.push({ path: ['include', String(index)], at: 'value', message, hint });
  }
}

function whyNot(read: TextRead): string | null {
  if (read.kind === 'unreadable') return read.why;
  if (read.kind === 'no text') return 'it is not UTF-8 text';
  return read.kind === 'absent' ? 'nothing is there' : null;
}

/** Anything but a regular file may wait for ever, such as a pipe. */
async function readIncluded(path: string, maxBytes: number): Promise<TextRead> {
  try {
    if (!(await stat(path)).isFile()) return { kind: 'unreadable', why: 'it is not a regular file', cause: null };
  } catch {
    // what is wrong, reading says
  }
  return readText(path, maxBytes);
}

async function placeOf(path: string): Promise<string> {
  return realpath(path).catch((error: unknown) => `${resolve(path)}: ${whyUnreadable(error)}`);
}
