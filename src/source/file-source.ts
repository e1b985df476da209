import { resolve } from 'node:path';
import { EdictError, exitCodes } from '../model/errors.ts';
import type { NameRef, NameResolutions } from '../model/name-ref.ts';
import type { DesiredSource } from '../model/ports.ts';
import type { DesiredState, GatewaySettings } from '../model/publication.ts';
import {
  type FileSet,
  fingerprintFileSet,
  hasSameContent,
  maxSourceBytes,
  parseIncludes,
  readFileSet,
  toDisplayPath,
} from './include-reader.ts';
import { parseFile } from './parser.ts';
import type { PathWatch } from './path-watcher.ts';
import type { TextFileResult } from './text-file.ts';
import type { Variables } from './variables.ts';
import { ParseCache } from './yaml/parse-cache.ts';

/** How often files are read until two looks in a row are the same: a checkout is swapped in the middle of one, rarely of two. */
const maxReads = 5;

/** Finds out what names of a file mean at its gateway. Rejects with an EdictError if the gateway cannot be asked. */
export type ResolveNames = (gateway: GatewaySettings, names: readonly NameRef[]) => Promise<NameResolutions>;

/** Finds out which commit files are of, by their paths; `null` if none, or if nobody knows. Never rejects. */
export type ReadCommitId = (paths: readonly string[]) => Promise<string | null>;

/** A YAML file, with what it includes, as the source of the desired state. */
export class FileSource implements DesiredSource {
  readonly #path: string;
  readonly #displayPath: string;
  readonly #variables: Variables;
  readonly #resolveNames: ResolveNames;
  readonly #readCommitId: ReadCommitId;
  readonly #parseCache = new ParseCache();
  #last: { readonly files: FileSet; readonly desired: DesiredState } | null = null;

  /** `commitOf` is asked for each new content; left out, nobody is. */
  constructor(path: string, variables: Variables, lookUp: ResolveNames, commitOf: ReadCommitId = async () => null) {
    this.#path = resolve(path);
    this.#displayPath = toDisplayPath(path);
    this.#variables = variables;
    this.#resolveNames = lookUp;
    this.#readCommitId = commitOf;
  }

  /**
   * Returns what the file declares now: the same object as before while its text, and that of what it includes, is the same.
   *
   * @throws InvalidFileError with every mistake
   * @throws EdictError `FILE_NOT_FOUND`, `FILE_UNREADABLE`, and what the gateway's names throw
   */
  async load(): Promise<DesiredState> {
    const files = await this.#readConsistent();
    const { main, included, diagnostics } = files;
    if (main.kind !== 'read') throw toReadError(main, this.#displayPath);
    if (!this.#last || !hasSameContent(this.#last.files, files)) {
      const { text } = main;
      const [file, variables, parseCache] = [this.#displayPath, this.#variables, this.#parseCache];
      // Git is asked while the file is parsed.
      const asked = this.#readCommitId(files.realPaths);
      const parsed = parseFile({ text, file, variables, included, includeDiagnostics: diagnostics, parseCache });
      const meanings: NameResolutions = parsed.nameRefs.length > 0 ? await this.#resolveNames(parsed.gateway, parsed.nameRefs) : new Map();
      this.#last = { files, desired: { ...parsed.toDesiredState(meanings), commitId: await asked } };
    }
    return this.#last.desired;
  }

  /** Calls `hint` whenever the content of the files or the places that their paths lead to may have changed, until closed. */
  async watch(hint: () => void): Promise<PathWatch> {
    const { watchPaths } = await import('./path-watcher.ts');
    const look = async () => {
      const files = await this.#read();
      return { fingerprint: fingerprintFileSet(files), paths: files.paths, directories: files.directories };
    };
    return watchPaths(look, hint);
  }

  #read(): Promise<FileSet> {
    return readFileSet(this.#path, (text) => parseIncludes(this.#parseCache.parse(this.#displayPath, text)));
  }

  /** Several files are of one state of the checkout only if a second look finds the same: half of it must not look removed. */
  async #readConsistent(): Promise<FileSet> {
    let files = await this.#read();
    if (!files.hasIncludes) return files;
    for (let looks = 1; looks < maxReads; looks += 1) {
      const again = await this.#read();
      if (hasSameContent(files, again)) return again;
      files = again;
    }
    throw new EdictError('FILE_UNREADABLE', `${this.#displayPath} and what it includes change faster than they can be read`, {
      hint: 'try again when nothing writes to them any more',
      exitCode: exitCodes.invalidFile,
    });
  }
}

function toReadError(read: Exclude<TextFileResult, { readonly kind: 'read' }>, name: string): EdictError {
  const exitCode = exitCodes.invalidFile;
  if (read.kind === 'absent') {
    return new EdictError('FILE_NOT_FOUND', `${name} does not exist`, {
      hint: 'name the file: edict <command> FILE',
      exitCode,
      cause: read.cause,
    });
  }
  if (read.kind === 'too large') {
    const hint = 'name an edict file; none comes near this size';
    return new EdictError('FILE_UNREADABLE', `${name} has more than ${maxSourceBytes} bytes`, { hint, exitCode });
  }
  if (read.kind === 'no text') {
    return new EdictError('FILE_UNREADABLE', `${name} is not UTF-8 text`, { hint: 'save it as UTF-8', exitCode, cause: read.cause });
  }
  return new EdictError('FILE_UNREADABLE', `${name} cannot be read: ${read.reason}`, { exitCode, cause: read.cause });
}
