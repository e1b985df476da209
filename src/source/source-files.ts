import { InvalidFileError, maxDiagnostics } from '../model/errors.ts';
import { type CausedDiagnostic, mergeRepeated } from './checks/repeated.ts';
import type { PathDiagnostic } from './path-diagnostic.ts';
import type { SourceFile } from './source-file.ts';
import type { KeyPath } from './yaml/source-ranges.ts';
import { isMap } from './yaml/value.ts';

/** A file and its included files as one value. Each API is declared in exactly one of them. */
export class SourceFiles {
  readonly #main: SourceFile;
  readonly #included: readonly SourceFile[];
  readonly #fileByApi = new Map<string, SourceFile>();
  readonly #diagnostics = new Map<SourceFile, PathDiagnostic[]>();
  #count = 0;

  constructor(main: SourceFile, included: readonly SourceFile[]) {
    this.#main = main;
    this.#included = included;
  }

  /** The paths of all files relative to the main file's folder. */
  get relativePaths(): ReadonlySet<string> {
    return new Set([this.#main, ...this.#included].map(({ relativePath }) => relativePath));
  }

  /** Whether there are more diagnostics than are reported. No further check is needed then. */
  get isFull(): boolean {
    return this.#count > maxDiagnostics;
  }

  /** Adds diagnostics for one file, until there are more than are reported. */
  report(file: SourceFile, diagnostics: readonly PathDiagnostic[]): void {
    const known = this.#diagnostics.get(file) ?? [];
    this.#diagnostics.set(file, known);
    for (const diagnostic of diagnostics) {
      if (this.isFull) return;
      known.push(diagnostic);
      this.#count += 1;
    }
  }

  /**
   * Merges all files into one value: that of the main file, with the APIs of all. `each` returns the value of a file and reports
   * its diagnostics. Files that are not valid YAML are skipped.
   */
  mergeValues(each: (file: SourceFile) => unknown): unknown {
    const values = new Map(this.#wellFormed().map((file) => [file, this.isFull ? null : each(file)]));
    const value = values.get(this.#main);
    if (this.#included.length === 0 || !isMap(value)) return value;
    const apis: [string, unknown][] = [];
    for (const [file, fileValue] of values) {
      const own = isMap(fileValue) && isMap(fileValue['apis']) ? fileValue['apis'] : {};
      for (const [api, setting] of Object.entries(own)) if (this.#isFirstDeclaration(file, api)) apis.push([api, setting]);
    }
    return { ...value, apis: Object.fromEntries(apis) };
  }

  #isFirstDeclaration(file: SourceFile, api: string): boolean {
    const first = this.#fileByApi.get(api);
    if (!first) this.#fileByApi.set(api, file);
    else {
      const source = first.sourceOf(['apis', api]);
      const message = `the API \`${api}\` is also declared in ${source.file}:${source.line}`;
      const hint = 'remove one of the two, or rename one of them';
      this.report(file, [{ path: ['apis', api], target: 'key', rule: 'duplicate-declaration', message, hint }]);
    }
    return !first;
  }

  /** Returns the file that declares an API. */
  fileOfApi(api: string): SourceFile {
    return this.#fileByApi.get(api) ?? this.#main;
  }

  /** Describes the position of a path in the merged value: `line 12`, or `FILE:12` with more than one file. */
  readonly describeLocation = (path: KeyPath): string => {
    const { file, line } = this.#fileAt(path).sourceOf(path);
    return this.#included.length === 0 ? `line ${line}` : `${file}:${line}`;
  };

  /** Throws an InvalidFileError for the file `name` if there are any diagnostics, including `diagnostics` in the merged value. */
  throwIfInvalid(name: string, diagnostics: readonly PathDiagnostic[]): void {
    const isWellFormed = this.#wellFormed().length === this.#included.length + 1;
    for (const diagnostic of isWellFormed && !this.isFull ? diagnostics : []) this.report(this.#fileAt(diagnostic.path), [diagnostic]);
    const all: CausedDiagnostic[] = [];
    for (const file of [this.#main, ...this.#included]) {
      if (all.length > maxDiagnostics) break;
      all.push(...file.yamlDiagnostics(), ...file.toDiagnostics(this.#diagnostics.get(file) ?? []));
    }
    if (all.length > 0) throw new InvalidFileError(name, mergeRepeated(all));
  }

  #wellFormed(): SourceFile[] {
    return [this.#main, ...this.#included].filter(({ isWellFormed }) => isWellFormed);
  }

  #fileAt([first, api]: KeyPath): SourceFile {
    return first === 'apis' && api !== undefined ? this.fileOfApi(api) : this.#main;
  }
}
