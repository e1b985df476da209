import type { SourceLocation } from '../model/desired-state.ts';
import { type Diagnostic, type DiagnosticRule, excerptAt } from '../model/errors.ts';
import { explainDuplicates } from './checks/duplicates.ts';
import type { CausedDiagnostic } from './checks/repeated.ts';
import { closestKey } from './checks/spelling.ts';
import type { SourceText } from './include-reader.ts';
import type { PathDiagnostic } from './path-diagnostic.ts';
import { findControlCharacters } from './yaml/control-characters.ts';
import { explainProblems } from './yaml/explain.ts';
import { type KeyPath, LineIndex, locate, type SourceRange } from './yaml/source-ranges.ts';
import type { YamlNode, YamlProblem, YamlTree } from './yaml/tree.ts';
import { toPlainValue } from './yaml/value.ts';

/**
 * Maximum number of values in one API, and in everything that is not an API: the schema check compares the errors of a map with those of all maps
 * in it. An API needs five for each environment.
 */
const maxValues = 10_000;

/** Maximum length of a message and a hint: both show keys and values of the file. */
const maxMessageLength = 300;
const maxHintLength = 500;

/** Maximum length of the text of a value that a check sees. */
const maxTextLength = 2000;

/** One of the files that declare a desired state: its value, and the position of everything in it. */
export class SourceFile {
  readonly file: string;
  /** Its path relative to the main file's folder; empty for the main file. */
  readonly relativePath: string;
  readonly tree: YamlTree;
  /** The plain value of the file; `null` if the text has errors. */
  readonly value: unknown;
  readonly #text: string;
  readonly #lines: LineIndex;
  readonly #problems: readonly YamlProblem[];

  constructor({ file, relativePath, text }: SourceText, tree: YamlTree) {
    this.file = file;
    this.relativePath = relativePath;
    this.tree = tree;
    this.#text = text;
    this.#problems = [...(tree.problems.length > 0 ? tree.problems : checkSize(tree.root)), ...findControlCharacters(text)];
    this.value = this.isWellFormed ? toPlainValue(tree.root) : null;
    this.#lines = new LineIndex(text);
  }

  /** Whether the text itself has no errors. */
  get isWellFormed(): boolean {
    return this.#problems.length === 0;
  }

  /** Returns the position of the key at `path`. */
  sourceOf(path: KeyPath): SourceLocation {
    const range = locate(this.tree.root, path);
    return { file: this.file, ...this.#lines.positionAt((range.key ?? range.value).start) };
  }

  /** Returns the start of the text of the value at `path`, to the end of its last line. */
  textAt(path: KeyPath): string {
    const { value } = locate(this.tree.root, path);
    const end = this.#text.indexOf('\n', value.end);
    return this.#text.slice(value.start, Math.min(value.start + maxTextLength, end === -1 ? this.#text.length : end)).replace(/^:\s*/, '');
  }

  /** Returns the errors in the text itself: in its YAML, and characters that no file may have. */
  yamlDiagnostics(): readonly CausedDiagnostic[] {
    const lineOf = (offset: number): number => this.#lines.positionAt(offset).line;
    const problems = explainDuplicates(this.tree.root, explainProblems(this.#text, this.#problems), lineOf);
    return sortUnique(
      problems.map(({ rule, start, end, message, hint, others }) => ({
        diagnostic: this.#toDiagnostic(rule, { start, end }, { message, hint }),
        cause: message,
        others: { count: others?.count ?? 0, places: (others?.starts ?? []).map((other) => ({ file: this.file, line: lineOf(other) })) },
      })),
    );
  }

  /** Adds positions to diagnostics and returns them in the order of the file. */
  toDiagnostics(diagnostics: readonly PathDiagnostic[]): readonly CausedDiagnostic[] {
    return sortUnique(
      diagnostics.map((diagnostic) => {
        const { start, end } = targetRange(diagnostic.target, locate(this.tree.root, diagnostic.path));
        const { others = { count: 0, paths: [] }, target } = diagnostic;
        const places = others.paths.map((path) => this.#lines.positionAt(targetRange(target, locate(this.tree.root, path)).start));
        return {
          diagnostic: this.#toDiagnostic(diagnostic.rule ?? 'invalid-value', { start, end }, diagnostic),
          cause: diagnostic.cause ?? diagnostic.message,
          others: { count: others.count, places: places.map(({ line }) => ({ file: this.file, line })) },
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
    return {
      rule,
      file: this.file,
      line,
      column,
      length: Math.max(1, Math.min(end - start, text.length - column + 1)),
      message: cut(message, maxMessageLength),
      hint: hint === null ? null : cut(hint, maxHintLength),
      excerpt: excerptAt(text, column),
    };
  }
}

function cut(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength - 1).toWellFormed()}…` : text;
}

/** Returns a problem for each API with too many values, and one if everything else has. */
function checkSize(root: YamlNode): YamlProblem[] {
  if (root.kind !== 'map') return [];
  const apis = root.entries.get('apis')?.node;
  const parts = apis?.kind === 'map' ? [...apis.entries] : [];
  const base = root.entries.get('apis')?.base ?? 0;
  const problems = parts.flatMap(([name, { node, key, base: offset }]) =>
    countValues(node, maxValues) > maxValues ? [tooManyValues(`the API \`${name}\``, base + offset + key.start)] : [],
  );
  let others = 0;
  for (const [name, { node, key, base: offset }] of root.entries) {
    if (name === 'apis' && apis?.kind === 'map') continue;
    const count = countValues(node, maxValues - others);
    others += count;
    // Only the APIs have so many values.
    if (others > maxValues) {
      const isApis = closestKey(name, ['apis']) === 'apis' && name !== 'apis';
      const wrongName = { message: `unknown key \`${name}\` in the file`, hint: 'did you mean `apis`?', end: offset + key.end };
      return [...problems, { ...tooManyValues('the part outside `apis`', offset + key.start), ...(isApis && wrongName) }];
    }
  }
  return problems;
}

function tooManyValues(part: string, start: number): YamlProblem {
  return {
    rule: 'yaml',
    kind: 'limit',
    start,
    end: start + 1,
    message: `${part} has more than ${maxValues} values`,
    hint: 'an edict file needs far fewer',
  };
}

/** Returns the number of scalars, lists and maps in a node; any number above `limit` if there are more. */
function countValues(node: YamlNode, limit: number): number {
  let count = 1;
  if (node.kind === 'seq') {
    for (const item of node.items) {
      if (count > limit) break;
      count += countValues(item, limit - count);
    }
  } else if (node.kind === 'map') {
    for (const { node: value } of node.entries.values()) {
      if (count > limit) break;
      count += countValues(value, limit - count);
    }
  }
  return count;
}

function targetRange(target: PathDiagnostic['target'], { key, value }: SourceRange): SourceRange['value'] {
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
