import type { SourceLocation } from '../model/desired-state.ts';
import type { Diagnostic, DiagnosticRule } from '../model/errors.ts';
import { explainDuplicates } from './checks/duplicates.ts';
import type { CausedDiagnostic } from './checks/repeated.ts';
import type { SourceText } from './include-reader.ts';
import type { PathDiagnostic } from './path-diagnostic.ts';
import { explainProblems } from './yaml/explain.ts';
import { type KeyPath, LineIndex, locate, type SourceRange } from './yaml/source-ranges.ts';
import type { YamlTree } from './yaml/tree.ts';
import { toPlainValue } from './yaml/value.ts';

/** One of the files that declare a desired state: its value, and the position of everything in it. */
export class SourceFile {
  readonly file: string;
  /** Its path relative to the main file's folder; empty for the main file. */
  readonly relativePath: string;
  readonly tree: YamlTree;
  /** The plain value of the file; `null` if the YAML has errors. */
  readonly value: unknown;
  readonly #text: string;
  readonly #lines: LineIndex;

  constructor({ file, relativePath, text }: SourceText, tree: YamlTree) {
    this.file = file;
    this.relativePath = relativePath;
    this.tree = tree;
    this.value = tree.problems.length > 0 ? null : toPlainValue(tree.root);
    this.#text = text;
    this.#lines = new LineIndex(text);
  }

  /** Returns the position of the key at `path`. */
  sourceOf(path: KeyPath): SourceLocation {
    const range = locate(this.tree.root, path);
    return { file: this.file, ...this.#lines.positionAt((range.key ?? range.value).start) };
  }

  /** Returns the text of the value at `path`, to the end of its last line. */
  textAt(path: KeyPath): string {
    const { value } = locate(this.tree.root, path);
    const end = this.#text.indexOf('\n', value.end);
    return this.#text.slice(value.start, end === -1 ? undefined : end).replace(/^:\s*/, '');
  }

  /** Returns the errors in the YAML itself. */
  yamlDiagnostics(): readonly CausedDiagnostic[] {
    return sortUnique(
      explainDuplicates(
        this.tree.root,
        explainProblems(this.#text, this.tree.problems),
        (offset) => this.#lines.positionAt(offset).line,
      ).map(({ rule, start, end, message, hint }) => ({
        diagnostic: this.#toDiagnostic(rule, { start, end }, { message, hint }),
        cause: message,
      })),
    );
  }

  /** Adds positions to diagnostics and returns them in the order of the file. */
  toDiagnostics(diagnostics: readonly PathDiagnostic[]): readonly CausedDiagnostic[] {
    return sortUnique(
      diagnostics.map((diagnostic) => {
        const { start, end } = targetRange(diagnostic, locate(this.tree.root, diagnostic.path));
        return {
          diagnostic: this.#toDiagnostic(diagnostic.rule ?? 'invalid-value', { start, end }, diagnostic),
          cause: diagnostic.cause ?? diagnostic.message,
        };
      }),
    );
  }

  #toDiagnostic(
    rule: DiagnosticRule,
    { start, end }: SourceRange['value'],
    { message, hint }: { readonly message: string; readonly hint: string | null },
  ): Diagnostic {
    const { line, column } = this.#lines.positionAt(start);
    const text = this.#lines.lineText(line);
    const length = Math.max(1, Math.min(end - start, text.length - column + 1));
    return { rule, file: this.file, line, column, length, message, hint, text };
  }
}

function targetRange({ target }: PathDiagnostic, { key, value }: SourceRange): SourceRange['value'] {
  if (target === 'key' && key) return key;
  return value.end > value.start ? value : (key ?? value);
}

/** Sorts diagnostics by position and removes duplicates: a value that aliases repeat is wrong only where it is written. */
function sortUnique(diagnostics: readonly CausedDiagnostic[]): readonly CausedDiagnostic[] {
  const once = new Map<string, CausedDiagnostic>();
  for (const caused of diagnostics) {
    const { line, column } = caused.diagnostic;
    const key = `${line}:${column} ${caused.cause}`;
    if (!once.has(key)) once.set(key, caused);
  }
  return [...once.values()].sort(({ diagnostic: a }, { diagnostic: b }) => a.line - b.line || a.column - b.column);
}
