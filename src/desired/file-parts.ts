import { InvalidFileError } from '../core/errors.ts';
import type { FilePart } from './file-part.ts';
import type { Finding } from './finding.ts';
import type { Path } from './positions.ts';
import { isMap } from './yaml-value.ts';

/** A file and those that it includes, as one: each API stands in one of them. */
export class FileParts {
  readonly #main: FilePart;
  readonly #others: readonly FilePart[];
  readonly #homeOf = new Map<string, FilePart>();
  readonly #found = new Map<FilePart, Finding[]>();

  constructor(main: FilePart, others: readonly FilePart[]) {
    this.#main = main;
    this.#others = others;
  }

  /** The paths of all files from the main one's folder on. */
  get homes(): ReadonlySet<string> {
    return new Set([this.#main, ...this.#others].map(({ home }) => home));
  }

  /** Adds to what is wrong with one file. */
  find(part: FilePart, findings: readonly Finding[]): void {
    this.#foundIn(part).push(...findings);
  }

  /**
   * Returns one value for all files: the main one's, with the APIs of all. `each` gives the value of a file, and adds what is
   * wrong with it; a file that is no YAML has none.
   */
  joined(each: (part: FilePart, found: Finding[]) => unknown): unknown {
    const values = new Map(this.#sound().map((part) => [part, each(part, this.#foundIn(part))]));
    const value = values.get(this.#main);
    if (this.#others.length === 0 || !isMap(value)) return value;
    const apis: [string, unknown][] = [];
    for (const [part, its] of values) {
      const own = isMap(its) && isMap(its['apis']) ? its['apis'] : {};
      for (const [api, setting] of Object.entries(own)) if (this.#isAtHome(part, api)) apis.push([api, setting]);
    }
    return { ...value, apis: Object.fromEntries(apis) };
  }

  #isAtHome(part: FilePart, api: string): boolean {
    const first = this.#homeOf.get(api);
    if (!first) this.#homeOf.set(api, part);
    else {
      const { file, line } = first.sourceOf(['apis', api]);
      const message = `the API \`${api}\` stands in ${file}:${line} too`;
      const hint = 'an API stands in one file; remove one of the two, or give it another name';
      this.find(part, [{ path: ['apis', api], at: 'key', rule: 'declared-twice', message, hint }]);
    }
    return !first;
  }

  /** Returns the file in which an API stands. */
  ofApi(api: string): FilePart {
    return this.#homeOf.get(api) ?? this.#main;
  }

  /** Says where a path of the joined value leads: `line 12`, or `FILE:12` where there is more than one file. */
  readonly placeOf = (path: Path): string => {
    const { file, line } = this.#partOf(path).sourceOf(path);
    return this.#others.length === 0 ? `line ${line}` : `${file}:${line}`;
  };

  /** Throws an InvalidFileError for the file `name` with all that was found, and `findings` in the joined value, if there is anything. */
  refuse(name: string, findings: readonly Finding[]): void {
    const isSound = this.#sound().length === this.#others.length + 1;
    for (const finding of isSound ? findings : []) this.find(this.#partOf(finding.path), [finding]);
    const mistakes = [this.#main, ...this.#others].flatMap((part) => [...part.problems(), ...part.mistakes(this.#found.get(part) ?? [])]);
    if (mistakes.length > 0) throw new InvalidFileError(name, mistakes);
  }

  #sound(): FilePart[] {
    return [this.#main, ...this.#others].filter(({ tree }) => tree.problems.length === 0);
  }

  #partOf([first, api]: Path): FilePart {
    return first === 'apis' && api !== undefined ? this.ofApi(api) : this.#main;
  }

  #foundIn(part: FilePart): Finding[] {
    const found = this.#found.get(part) ?? [];
    this.#found.set(part, found);
    return found;
  }
}
