import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import picomatch from 'picomatch';
import { isAbsence, whyUnreadable } from './read-text.ts';
import { expandRange } from './target-patterns.ts';

/** Where an entry of `include` leads. */
export interface Expanded {
  /** Absolute paths of the files that it means, as they are reached: links are not resolved. */
  readonly files: readonly string[];
  /** Absolute paths of the directories in which a new entry could be meant, too. */
  readonly directories: readonly string[];
  /** What is wrong with it; `null` if nothing is. */
  readonly problem: { readonly message: string; readonly hint: string | null } | null;
}

/** A pattern that leads through more is most likely wrong, and to follow it would cost too much. */
const maxDirectories = 1000;

/**
 * Returns what an entry of `include` in a file in `directory` means. A text that is a path letter by letter is that path.
 * `*`, `?`, `[…]`, `{…,…}` stop at `/`, `**` does not, and neither means what begins with a dot, such as the folders behind
 * a ConfigMap: that must be written. Links are followed.
 */
export async function expandPattern(directory: string, pattern: string): Promise<Expanded> {
  const path = resolve(directory, pattern);
  const there = await kindOf(path);
  if (there.kind === 'file') return { files: [path], directories: [], problem: null };
  const { base, glob, isGlob } = picomatch.scan(pattern, { nonegate: true });
  if (!isGlob || there.kind !== 'absent') return { files: [path], directories: [], problem: problemOf(there, pattern) };

  const walk = new Walk(glob);
  try {
    await walk.through(resolve(directory, base), '', []);
  } catch (error) {
    if (!(error instanceof WalkError)) throw error;
    return { files: [], directories: walk.directories, problem: error };
  }
  return { files: walk.files, directories: walk.directories, problem: null };
}

type Kind = { readonly kind: 'file' | 'directory' | 'absent' | 'other' } | { readonly kind: 'unreadable'; readonly why: string };

async function kindOf(path: string): Promise<Kind> {
  try {
    const stats = await stat(path);
    return { kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other' };
  } catch (error) {
    return isAbsence(error) ? { kind: 'absent' } : { kind: 'unreadable', why: whyUnreadable(error) };
  }
}

function problemOf(there: Kind, pattern: string): Expanded['problem'] {
  const name = JSON.stringify(pattern);
  switch (there.kind) {
    case 'absent':
      return { message: `${name} does not exist`, hint: "paths are relative to this file's folder" };
    case 'directory':
      return { message: `${name} is a directory`, hint: `write "${pattern.replace(/\/+$/, '')}/*.yaml" for the files in it` };
    case 'unreadable':
      return { message: `${name} cannot be read: ${there.why}`, hint: null };
    case 'file':
    case 'other':
      return { message: `${name} is not a regular file`, hint: null };
  }
}

class WalkError extends Error {
  readonly hint: string | null;

  constructor(message: string, hint: string | null = null) {
    super(message);
    this.hint = hint;
  }
}

/** One walk through the directories that a pattern may mean. */
class Walk {
  readonly files: string[] = [];
  readonly directories: string[] = [];
  readonly #isMeant: (path: string) => boolean;
  readonly #depth: number;
  readonly #hasHidden: boolean;

  constructor(glob: string) {
    this.#isMeant = picomatch(glob, { windows: false, nonegate: true, noextglob: true, expandRange });
    this.#depth = glob.includes('**') ? Number.POSITIVE_INFINITY : glob.split('/').length;
    this.#hasHidden = /(?:^|[/{,])\\?\./.test(glob);
  }

  /** `below` is the way from the pattern's base; `above` are the resolved directories on it, where a link must not lead back to. */
  async through(directory: string, below: string, above: readonly string[]): Promise<void> {
    this.directories.push(directory);
    if (this.directories.length > maxDirectories) {
      throw new WalkError(`the pattern leads through more than ${maxDirectories} directories`, 'name the folders in which the files are');
    }
    const entries = await listed(directory);
    if (entries === null || above.includes(entries.real)) return;
    for (const entry of entries.list) {
      if (entry.name.startsWith('.') && !this.#hasHidden) continue;
      const path = join(directory, entry.name);
      const relative = below === '' ? entry.name : `${below}/${entry.name}`;
      const isDirectory = entry.isSymbolicLink() ? (await kindOf(path)).kind === 'directory' : entry.isDirectory();
      if (!isDirectory) {
        if (this.#isMeant(relative)) this.files.push(path);
      } else if (relative.split('/').length < this.#depth) await this.through(path, relative, [...above, entries.real]);
    }
  }
}

/** Returns what a directory holds; `null` if it is not there, or not a directory. */
async function listed(directory: string): Promise<{ readonly list: readonly Dirent[]; readonly real: string } | null> {
  try {
    return { list: await readdir(directory, { withFileTypes: true }), real: await realpath(directory) };
  } catch (error) {
    if (isAbsence(error)) return null;
    throw new WalkError(`${directory} cannot be looked through: ${whyUnreadable(error)}`);
  }
}
