/*
 * The yaml folder turns the text of a file into a tree with the place of every key and value. It must report each violation with its
 * place, bound what aliases and nesting can cost, and know nothing of edict's keys.
 */

import { type Alias, Composer, type Document, isAlias, isMap, isScalar, isSeq, type Node, Parser, Schema, YAMLParseError } from 'yaml';
import { maxDiagnostics } from '../../model/errors.ts';

/** A scalar with its value in YAML's core schema and its text as written. */
export interface YamlScalar extends Range {
  readonly kind: 'scalar';
  readonly value: unknown;
  readonly text: string;
}

export interface YamlMap extends Range {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, YamlEntry>;
}

export interface YamlSeq extends Range {
  readonly kind: 'seq';
  readonly items: readonly YamlNode[];
}

export type YamlNode = YamlScalar | YamlMap | YamlSeq;

export interface YamlEntry {
  /** The base that is added to the offsets of this entry and everything below it. */
  readonly base: number;
  readonly key: Range;
  readonly node: YamlNode;
}

/** Offsets into the text, in UTF-16 units, end exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A violation of YAML's rules, or of edict's restrictions on YAML. */
export interface YamlProblem extends Range {
  readonly rule: 'yaml' | 'duplicate-key';
  readonly message: string;
  readonly hint: string | null;
}

type ProblemText = Pick<YamlProblem, 'message'> & Partial<Pick<YamlProblem, 'hint' | 'rule'>>;

export interface YamlTree {
  readonly root: YamlNode;
  readonly problems: readonly YamlProblem[];
}

/** A tree with measurements that a segment alone cannot check against the limits. */
export interface MeasuredTree extends YamlTree {
  /** The depth of nested maps and lists. */
  readonly depth: number;
  /** The number of aliases. */
  readonly aliases: number;
}

const schema = new Schema({ schema: 'core' });

/** Maximum number of nodes that aliases repeat. Beyond it, the file is an accident or an attack. */
const maxRepeatedNodes = 100_000;

/** Maximum length of a key or an anchor. Maps compare longer ones of equal length character by character, which takes quadratic time. */
const maxNameLength = 1024;

/**
 * Maximum number of lexemes of one text that is parsed at once: each takes up to a kilobyte of memory. A file of 100,000 publications in one line
 * has a third of them, and one with a key on each line is parsed in pieces.
 */
const maxLexemes = 3_000_000;

/** Maximum nesting depth; an edict file needs five. Functions that walk a tree may recurse, since no tree is deeper. */
export const maxDepth = 64;

const tooDeepProblem = {
  message: 'the values are nested too deeply',
  hint: `at most ${maxDepth} levels are allowed; an edict file needs five`,
};

/**
 * Returns the tree of one YAML document with the range of every node, and all its errors. Never throws.
 *
 * Duplicate keys are detected here in linear time: the yaml package's own check compares every pair of keys in a map.
 */
export function parseYaml(text: string, lexemeLimit = maxLexemes): MeasuredTree {
  try {
    return parseDocumentTree(text, lexemeLimit);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return treeWithProblems([{ rule: 'yaml', start: 0, end: 1, ...tooDeepProblem }]);
  }
}

function treeWithProblems(problems: readonly YamlProblem[]): MeasuredTree {
  return { root: emptyScalar(0, 0), problems, depth: 0, aliases: 0 };
}

function parseDocumentTree(text: string, lexemeLimit: number): MeasuredTree {
  const builder = new TreeBuilder();
  const composer = new BoundedComposer();
  let document: Document.Parsed | null = null;
  try {
    for (const parsed of composer.compose(new BoundedParser(lexemeLimit).parse(text), true, text.length)) {
      if (document) {
        document.errors.push(new YAMLParseError([parsed.range[0], parsed.range[1]], 'MULTIPLE_DOCS', ''));
        break;
      }
      document = parsed;
    }
  } catch (error) {
    if (!(error instanceof TooMuchError)) throw error;
    for (const one of [...(document?.errors ?? []), ...composer.errorsSoFar()]) builder.addError(one);
    return treeWithProblems([...builder.problems, ...error.problems]);
  }
  for (const error of document?.errors ?? []) builder.addError(error);
  const root = builder.build(document?.contents ?? null);
  return { root, problems: builder.problems, depth: builder.depth, aliases: builder.aliases };
}

/** Ends parsing. The errors found so far are reported, and `problems`. */
class TooMuchError extends Error {
  readonly problems: readonly YamlProblem[];

  constructor(...problems: readonly Pick<YamlProblem, 'message' | 'hint'>[]) {
    super('the text is too costly to parse');
    this.problems = problems.map((problem) => ({ rule: 'yaml', start: 0, end: 1, ...problem }));
  }
}

/** A parser that stops when a text has too many parts. */
class BoundedParser extends Parser {
  readonly #limit: number;
  #lexemes = 0;

  constructor(limit: number) {
    super();
    this.#limit = limit;
  }

  override *next(source: string): ReturnType<Parser['next']> {
    this.#lexemes += 1;
    if (this.#lexemes > this.#limit)
      throw new TooMuchError({
        message: `the file has more than ${this.#limit} parts in one value`,
        hint: 'write each API in lines of its own',
      });
    yield* super.next(source);
  }
}

/** A composer that stops when it has found more errors than are reported. */
class BoundedComposer extends Composer {
  /** What is private in the types: nothing else notices errors before the end of a document. */
  readonly #own = this as unknown as {
    readonly doc: Document.Parsed | null;
    readonly errors: readonly YAMLParseError[];
    onError: (...error: readonly unknown[]) => void;
  };

  constructor() {
    super({ schema, uniqueKeys: false, prettyErrors: false });
    const { onError } = this.#own;
    this.#own.onError = (...error) => {
      onError(...error);
      this.#checkErrors();
    };
  }

  override *next(token: Parameters<Composer['next']>[0]): ReturnType<Composer['next']> {
    yield* super.next(token);
    this.#checkErrors();
  }

  /** Returns the errors that no document has yet, or that of the last one. */
  errorsSoFar(): readonly YAMLParseError[] {
    return [...(this.#own.doc?.errors ?? []), ...this.#own.errors];
  }

  #checkErrors(): void {
    const { doc, errors } = this.#own;
    if ((doc?.errors.length ?? 0) + errors.length > maxDiagnostics) throw new TooMuchError();
  }
}

/**
 * Converts the yaml package's nodes to edict's, in the order of the text: an alias refers to the last anchor of its name
 * before it.
 */
class TreeBuilder {
  readonly problems: YamlProblem[] = [];
  depth = 0;
  aliases = 0;
  readonly #anchors = new Map<string, Node>();
  readonly #aliasTargets = new Map<Alias, Node | undefined>();
  /** The maps and lists around the current node, including those reached through aliases. */
  readonly #ancestors = new Set<Node>();
  /** The number of aliases being expanded around the current node. */
  #aliasDepth = 0;
  #repeatedNodes = 0;

  /** Whether there are more problems than are reported. */
  get isFull(): boolean {
    return this.problems.length > maxDiagnostics;
  }

  addError({ code, message, pos: [start, end] }: YAMLParseError): void {
    if (code === 'RESOURCE_EXHAUSTION') this.#report(start, end, tooDeepProblem);
    else if (code === 'MULTIPLE_DOCS')
      this.#report(start, end, { message: 'a second YAML document starts here; a file must be one document' });
    else if (code === 'TAB_AS_INDENT') this.#report(start, end, { message: 'a tab is used for indentation; YAML requires spaces' });
    else this.#report(start, end, { message: message.charAt(0).toLowerCase() + message.slice(1) });
  }

  build(node: Node | null): YamlNode {
    const start = node?.range?.[0] ?? 0;
    const end = node?.range?.[1] ?? start;
    if (this.#aliasDepth > 0) this.#repeatedNodes += 1;
    if (isAlias(node)) return this.#resolveAlias(node, start, end);
    this.#recordAnchor(node);
    if (isScalar(node)) return { kind: 'scalar', value: node.value, text: node.source ?? String(node.value), start, end };
    if (!isMap(node) && !isSeq(node)) return emptyScalar(start, end);
    if (this.#ancestors.size >= maxDepth) {
      this.#report(start, end, tooDeepProblem);
      return emptyScalar(start, end);
    }
    this.#ancestors.add(node);
    this.depth = Math.max(this.depth, this.#ancestors.size);
    const built: YamlNode = isMap(node)
      ? { kind: 'map', entries: this.#entries(node.items as readonly Pair[]), start, end }
      : { kind: 'seq', items: node.items.map((item) => this.build(item as Node | null)), start, end };
    this.#ancestors.delete(node);
    return built;
  }

  #entries(pairs: readonly Pair[]): ReadonlyMap<string, YamlEntry> {
    const entries = new Map<string, YamlEntry>();
    for (const { key, value } of pairs) {
      const start = key?.range?.[0] ?? 0;
      const end = key?.range?.[1] ?? start;
      this.#recordAnchor(key);
      const node = value === null ? emptyScalar(end, end) : this.build(value);
      if (!isScalar(key)) {
        this.#report(start, end, { message: 'the key is not a string', hint: 'write `name: value`' });
        continue;
      }
      const name = typeof key.value === 'string' ? key.value : (key.source ?? '');
      if (name.length > maxNameLength) this.#report(start, end, { message: `the key has more than ${maxNameLength} characters` });
      else if (entries.has(name))
        this.#report(start, end, {
          message: `the key "${shorten(name)}" is already defined in this map`,
          hint: 'remove one of the two',
          rule: 'duplicate-key',
        });
      else entries.set(name, { base: 0, key: { start, end }, node });
    }
    return entries;
  }

  #resolveAlias(alias: Alias, start: number, end: number): YamlNode {
    const name = shorten(alias.source);
    this.aliases += 1;
    if (!this.#aliasTargets.has(alias)) this.#aliasTargets.set(alias, this.#anchors.get(alias.source));
    const target = this.#aliasTargets.get(alias);
    if (target === undefined) {
      this.#report(start, end, {
        message: `the alias *${name} has no anchor before it`,
        hint: `write &${name} before the value that it repeats`,
      });
      return emptyScalar(start, end);
    }
    if (this.#ancestors.has(target)) {
      this.#report(start, end, { message: `the alias *${name} contains itself` });
      return emptyScalar(start, end);
    }
    if (this.#repeatedNodes > maxRepeatedNodes) {
      this.#report(start, end, {
        message: `the aliases up to *${name} repeat more than ${maxRepeatedNodes} values`,
        hint: 'use fewer aliases',
      });
      return emptyScalar(start, end);
    }
    this.#aliasDepth += 1;
    const built = this.build(target);
    this.#aliasDepth -= 1;
    return built;
  }

  /** Records a node's anchor where it is written, not where an alias repeats it. */
  #recordAnchor(node: Node | null): void {
    if (this.#aliasDepth > 0 || !(isScalar(node) || isMap(node) || isSeq(node)) || !node.anchor) return;
    if (node.anchor.length <= maxNameLength) this.#anchors.set(node.anchor, node);
    else this.#report(node.range?.[0] ?? 0, 0, { message: `the anchor has more than ${maxNameLength} characters` });
  }

  #report(start: number, end: number, { message, hint = null, rule = 'yaml' }: ProblemText): void {
    if (!this.isFull) this.problems.push({ rule, start, end: Math.max(end, start + 1), message, hint });
  }
}

/** Cuts a name for a message. */
function shorten(name: string): string {
  return name.length > 60 ? `${name.slice(0, 59)}…` : name;
}

function emptyScalar(start: number, end: number): YamlScalar {
  return { kind: 'scalar', value: null, text: '', start, end };
}

interface Pair {
  readonly key: Node | null;
  readonly value: Node | null;
}
