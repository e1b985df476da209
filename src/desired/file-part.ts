import type { Mistake, MistakeRule } from '../core/errors.ts';
import type { Source } from '../core/publication.ts';
import type { NamedText } from './file-set.ts';
import type { Finding } from './finding.ts';
import { LineIndex, locate, type Path, type Place } from './positions.ts';
import type { YamlTree } from './yaml-tree.ts';
import { toValue } from './yaml-value.ts';

/** One of the files that make up a desired state: its value, and where everything in it stands. */
export class FilePart {
  readonly file: string;
  /** Its path from the main file's folder on; of the main file itself empty. */
  readonly home: string;
  readonly tree: YamlTree;
  /** The plain value of the file; of no use where the tree has problems. */
  readonly value: unknown;
  readonly #lines: LineIndex;

  constructor({ file, home, text }: NamedText, tree: YamlTree) {
    this.file = file;
    this.home = home;
    this.tree = tree;
    this.value = tree.problems.length > 0 ? null : toValue(tree.root);
    this.#lines = new LineIndex(text);
  }

  /** Returns where the key at `path` stands. */
  sourceOf(path: Path): Source {
    const place = locate(this.tree.root, path);
    return { file: this.file, ...this.#lines.at((place.key ?? place.value).start) };
  }

  /** Returns what YAML itself does not allow. */
  problems(): readonly Mistake[] {
    return ordered(this.tree.problems.map(({ rule, start, end, message, hint }) => this.#mistake(rule, start, end, message, hint)));
  }

  /** Returns findings with their places, in the order of the file. */
  mistakes(findings: readonly Finding[]): readonly Mistake[] {
    return ordered(
      findings.map((finding) => {
        const { start, end } = rangeOf(finding, locate(this.tree.root, finding.path));
        return this.#mistake(finding.rule ?? 'value', start, end, finding.message, finding.hint);
      }),
    );
  }

  #mistake(rule: MistakeRule, start: number, end: number, message: string, hint: string | null): Mistake {
    const { line, column } = this.#lines.at(start);
    const text = this.#lines.textOf(line);
    const length = Math.max(1, Math.min(end - start, text.length - column + 1));
    return { rule, file: this.file, line, column, length, message, hint, text };
  }
}

function rangeOf({ at }: Finding, { key, value }: Place): Place['value'] {
  if (at === 'key' && key) return key;
  return value.end > value.start ? value : (key ?? value);
}

/** In the order of the file, and once each: a value that aliases repeat is wrong only where it is written. */
function ordered(mistakes: readonly Mistake[]): readonly Mistake[] {
  const once = new Map(mistakes.map((mistake) => [`${mistake.line}:${mistake.column} ${mistake.message}`, mistake]));
  return [...once.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}
