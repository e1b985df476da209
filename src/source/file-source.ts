// Reads, watches, parses and checks the YAML files that declare the desired state, and exports or patches them as text.
// Nothing here may call the gateway or the store: names are resolved through a callback. An invalid file never yields a
// desired state.

import { dirname, resolve } from 'node:path';
import type { DesiredState } from '../model/desired-state.ts';
import { EdictError, exitCodes } from '../model/errors.ts';
import type { GatewaySettings } from '../model/gateway.ts';
import type { NameRef, NameResolutions } from '../model/name-ref.ts';
import { quoteForShell } from '../render/command-line.ts';
import {
  type FileSet,
  fingerprintFileSet,
  hasSameContent,
  type IncludeEntry,
  maxSourceSize,
  readIncludedFiles,
  readMainFile,
  toDisplayPath,
  unansweredFileSet,
} from './include-reader.ts';
import type { DesiredSource } from './interface.ts';
import type { PathWatch } from './path-watcher.ts';
import type { UnreadSourceFile } from './source-folder.ts';
import { localParser, type SourceParser } from './source-parser.ts';
import { TimeLimit } from './time-limit.ts';
import type { OnUnsetVariable, Variables } from './variables.ts';

/** Maximum number of reads until two in a row are equal. A checkout may be swapped during one read, rarely during two. */
const maxReads = 5;

/** Resolves a file's names to IDs at its gateway. Rejects with an EdictError if the gateway cannot be read. */
export type ResolveNames = (gateway: GatewaySettings, names: readonly NameRef[], signal: AbortSignal) => Promise<NameResolutions>;

/** Returns the commit of files as they were read; `null` if there is none or it is unknown. Never rejects. */
export type ReadCommitId = (files: readonly { readonly realPath: string; readonly text: string }[]) => Promise<string | null>;

const neverAborted = new AbortController().signal;

export interface FileSourceOptions {
  /** Folders besides that of the file from which it may include files. Default: none. */
  readonly allowedFolders?: readonly string[];
  readonly variables: Variables;
  /** Called for an allowed variable that is not set, and its value is then a placeholder. Default: it is an error. */
  readonly onUnsetVariable?: OnUnsetVariable;
  readonly resolveNames: ResolveNames;
  /** Called whenever the content changes; by default, no commit is read. */
  readonly readCommitId?: ReadCommitId;
  /** Its own. Default: one that parses in this thread. */
  readonly parser?: SourceParser | undefined;
}

/** A YAML file and its included files as the source of the desired state. */
export class FileSource implements DesiredSource {
  readonly #path: string;
  readonly #displayPath: string;
  readonly #allowedFolders: readonly string[];
  readonly #variables: Variables;
  readonly #onUnsetVariable: OnUnsetVariable | undefined;
  readonly #resolveNames: ResolveNames;
  readonly #readCommitId: ReadCommitId;
  readonly #parser: SourceParser;
  readonly #timeLimit = new TimeLimit();
  #lastIncludes: { readonly text: string; readonly entries: readonly IncludeEntry[] } | null = null;
  #last: { readonly files: FileSet; readonly desired: DesiredState } | null = null;

  constructor(
    path: string,
    {
      allowedFolders = [],
      variables,
      onUnsetVariable,
      resolveNames,
      readCommitId = async () => null,
      parser = localParser(),
    }: FileSourceOptions,
  ) {
    this.#path = resolve(path);
    this.#displayPath = toDisplayPath(path);
    this.#allowedFolders = allowedFolders;
    this.#variables = variables;
    this.#onUnsetVariable = onUnsetVariable;
    this.#resolveNames = resolveNames;
    this.#readCommitId = readCommitId;
    this.#parser = parser;
  }

  /**
   * Returns the desired state of the file: the same object as before while its text and that of its included files are
   * unchanged.
   *
   * @throws InvalidFileError with every error
   * @throws EdictError `FILE_NOT_FOUND`, `FILE_UNREADABLE`, and the errors of resolving names
   */
  async load(signal: AbortSignal = neverAborted): Promise<DesiredState> {
    const files = await this.#readConsistent(signal);
    const { main, included, diagnostics } = files;
    if (main.kind !== 'read') throw toReadError(main, this.#displayPath);
    if (!this.#last || !hasSameContent(this.#last.files, files)) {
      const { text } = main;
      // Git runs while the file is parsed.
      const commitId = this.#readCommitId(
        [text, ...included.map((one) => one.text)].map((one, index) => ({ realPath: files.realPaths[index] ?? '', text: one })),
      );
      const [file, variables, onUnsetVariable] = [this.#displayPath, this.#variables, this.#onUnsetVariable];
      const parsed = await this.#parser.parse(
        { text, file, variables, onUnsetVariable, included, includeDiagnostics: diagnostics },
        signal,
      );
      const resolutions: NameResolutions =
        parsed.nameRefs.length > 0 ? await this.#resolveNames(parsed.gateway, parsed.nameRefs, signal) : new Map();
      const desired = { ...(await parsed.toDesiredState(resolutions, signal)), commitId: await commitId };
      // A load that was abandoned must not replace the result of a later one.
      signal.throwIfAborted();
      this.#last = { files, desired };
    }
    return this.#last.desired;
  }

  /** Calls `hint` whenever the content of the files, or the targets of their paths, may have changed, until closed. */
  async watch(hint: () => void): Promise<PathWatch> {
    const { watchPaths } = await import('./path-watcher.ts');
    const takeSnapshot = async () => {
      // A file that costs too much to be parsed may be replaced by a better one.
      const files = await this.#read(neverAborted).catch(() => unansweredFileSet(this.#path));
      return { fingerprint: fingerprintFileSet(files), paths: files.paths, directories: files.directories };
    };
    return watchPaths(takeSnapshot, hint);
  }

  async #read(signal: AbortSignal): Promise<FileSet> {
    // The time limit is for file systems: what it takes to parse the file has its own.
    const read = await this.#timeLimit.run(() => readMainFile(this.#path, this.#allowedFolders), signal);
    const includes = read?.main.kind === 'read' ? await this.#includesOf(read.main.text, signal) : [];
    const files = read && (await this.#timeLimit.run(() => readIncludedFiles(read, includes), signal));
    return files ?? unansweredFileSet(this.#path);
  }

  /** The file is read several times for each change. */
  async #includesOf(text: string, signal: AbortSignal): Promise<readonly IncludeEntry[]> {
    if (this.#lastIncludes?.text === text) return this.#lastIncludes.entries;
    const entries = await this.#parser.includesOf(this.#displayPath, text, signal);
    this.#lastIncludes = { text, entries };
    return entries;
  }

  /**
   * Reads until no path was swapped and, with included files, two reads are equal. Otherwise a checkout in progress could mix two states, and
   * publications would look removed.
   */
  async #readConsistent(signal: AbortSignal): Promise<FileSet> {
    let files = await this.#read(signal);
    for (let reads = 1; reads < maxReads; reads += 1) {
      if (!files.isSwapped && !files.hasIncludes) return files;
      const next = await this.#read(signal);
      if (!next.isSwapped && hasSameContent(files, next)) return next;
      files = next;
    }
    if (!files.isSwapped && !files.hasIncludes) return files;
    throw new EdictError('FILE_UNREADABLE', `${this.#displayPath} and its included files change faster than they can be read`, {
      hint: 'retry when nothing writes to them anymore',
      exitCode: exitCodes.invalidFile,
    });
  }
}

function toReadError(read: UnreadSourceFile, name: string): EdictError {
  const exitCode = exitCodes.invalidFile;
  if (read.kind === 'outside') {
    return new EdictError('FILE_UNREADABLE', `${name} cannot be read: it is a symbolic link that leads out of its folder`, {
      hint: `if you trust the place: --allow-include ${quoteForShell(dirname(read.realPath))}`,
      exitCode,
    });
  }
  if (read.kind === 'not yaml') {
    const hint = 'link to a file that is named *.yaml or *.yml';
    return new EdictError('FILE_UNREADABLE', `${name} cannot be read: it is a symbolic link to a file that is not named as YAML`, {
      hint,
      exitCode,
    });
  }
  if (read.kind === 'swapped') return new EdictError('FILE_UNREADABLE', `${name} changes faster than it can be read`, { exitCode });
  if (read.kind === 'absent') {
    return new EdictError('FILE_NOT_FOUND', `${name} does not exist`, {
      hint: 'pass the path of the file: edict <command> FILE',
      exitCode,
      cause: read.cause,
    });
  }
  if (read.kind === 'too large') {
    const hint = 'check the path: edict files are far smaller';
    return new EdictError('FILE_UNREADABLE', `${name} has more than ${maxSourceSize}`, { hint, exitCode });
  }
  if (read.kind === 'no text') {
    return new EdictError('FILE_UNREADABLE', `${name} is not UTF-8 text`, { hint: 'save it as UTF-8', exitCode, cause: read.cause });
  }
  return new EdictError('FILE_UNREADABLE', `${name} cannot be read: ${read.reason}`, { exitCode, cause: read.cause });
}
