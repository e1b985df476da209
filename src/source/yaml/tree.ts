/*
 * The yaml folder turns the text of a file into a tree with the place of every key and value. It must report each violation with its
 * place, bound what aliases and nesting can cost, and know nothing of edict's keys.
 */

import {
  type Alias,
  Composer,
  type Document,
  type ErrorCode,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  Parser,
  Schema,
  YAMLParseError,
} from 'yaml';
import { maxDiagnostics } from '../../model/errors.ts';
import { findEncodingSlip, unrenderedTemplate } from './slip.ts';

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

/** Further places of a problem: how many there are, and the first of them. */
export interface OtherOffsets {
  count: number;
  readonly starts: number[];
}

/** How many further places of a problem are remembered. */
const maxStarts = 3;

/** A violation of YAML's rules, or of edict's restrictions on YAML. */
export interface YamlProblem extends Range {
  readonly rule: 'yaml' | 'duplicate-key';
  /** `syntax`: the text is not YAML, so that the tree is a guess; `limit`: the text costs too much; `character`: a character that no file may have; `alias`: an alias without an anchor; `value`: anything else. */
  readonly kind: 'syntax' | 'limit' | 'character' | 'alias' | 'value';
  readonly message: string;
  readonly hint: string | null;
  /** Where the key of a duplicate is defined first. */
  readonly first?: number;
  /** Where else the same problem is. */
  readonly others?: OtherOffsets;
}

type ProblemText = Pick<YamlProblem, 'message'> & Partial<Pick<YamlProblem, 'first' | 'hint' | 'kind' | 'rule'>>;

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
  kind: 'limit',
  message: 'the values are nested too deeply',
  hint: `at most ${maxDepth} levels are allowed; an edict file needs five`,
} as const;

/**
 * Returns the tree of one YAML document with the range of every node, and all its errors. Never throws.
 *
 * Duplicate keys are detected here in linear time: the yaml package's own check compares every pair of keys in a map.
 */
export function parseYaml(text: string, lexemeLimit = maxLexemes): MeasuredTree {
  const slip = text.includes('\0') ? findEncodingSlip(text) : null;
  if (slip) return treeWithProblems([{ rule: 'yaml', kind: 'value', ...slip }]);
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
  const builder = new TreeBuilder(text);
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
  for (const { code, pos } of document?.warnings ?? []) if (code === 'TAG_RESOLVE_FAILED') builder.addUnknownTag(...pos);
  const root = builder.build(document?.contents ?? null);
  return { root, problems: builder.problems, depth: builder.depth, aliases: builder.aliases };
}

/** Ends parsing. The errors found so far are reported, and `problems`. */
class TooMuchError extends Error {
  readonly problems: readonly YamlProblem[];

  constructor(...problems: readonly Pick<YamlProblem, 'message' | 'hint'>[]) {
    super('the text is too costly to parse');
    this.problems = problems.map((problem) => ({ rule: 'yaml', kind: 'limit', start: 0, end: 1, ...problem }));
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
  /** A part that is private in the types: nothing else notices errors before the end of a document. */
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
  /** Each problem once. */
  readonly problems: YamlProblem[] = [];
  readonly #others = new Map<string, OtherOffsets>();
  readonly #text: string;
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

  constructor(text: string) {
    this.#text = text;
  }

  addError({ code, message, pos: [start, end] }: YAMLParseError): void {
    if (code === 'RESOURCE_EXHAUSTION') this.#report(start, end, tooDeepProblem);
    else this.#report(start, end, { kind: 'syntax', message: describeError(code, message), hint: hints[code] ?? null });
  }

  /** Reports a tag that is not part of YAML's core schema. Its value would be read as if it had none. */
  addUnknownTag(start: number, end: number): void {
    const tag = this.#text.slice(start, end);
    const rest = /^[^\n]*/.exec(this.#text.slice(end))?.[0].trim() ?? '';
    const hint = /^[^"'{[]/.test(rest)
      ? `remove it; if it is part of the value, put all of it in quotes: \`"${tag} ${rest}"\``
      : 'remove it';
    this.#report(start, end, { message: `the tag \`${tag}\` is not supported`, hint });
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
    const merged: YamlMap[] = [];
    for (const { key, value } of pairs) {
      const start = key?.range?.[0] ?? 0;
      const end = key?.range?.[1] ?? start;
      this.#recordAnchor(key);
      const node = value === null ? emptyScalar(end, end) : this.build(value);
      if (!isScalar(key)) {
        if (this.#text.startsWith('{{', start - 1)) this.#report(start - 1, end, unrenderedTemplate);
        else
          this.#report(start, end, {
            message: 'the key is not a name',
            hint:
              isMap(key) && value === null && pairs.length === 1
                ? 'remove one of the two pairs of braces'
                : 'write `name: value`; a name with brackets or braces must be in quotes',
          });
        continue;
      }
      const name = typeof key.value === 'string' ? key.value : (key.source ?? '');
      if (name === '' && key.source === '' && key.type === 'PLAIN')
        this.#report(start, end, { kind: 'syntax', message: 'a name is missing before this colon', hint: 'write `name: value`' });
      if (name === '<<' && key.type === 'PLAIN') merged.push(...this.#mapsToMerge(node));
      else if (name.length > maxNameLength) this.#report(start, end, { message: `the key has more than ${maxNameLength} characters` });
      else if (entries.has(name)) this.#reportDuplicate(name, start, end, entries.get(name)?.key.start ?? 0);
      else entries.set(name, { base: 0, key: { start, end }, node });
    }
    for (const map of merged) for (const [name, entry] of map.entries) if (!entries.has(name)) entries.set(name, entry);
    return entries;
  }

  /** Returns the maps that the value of a merge key `<<` stands for. Their keys count unless the map has them itself. */
  #mapsToMerge(node: YamlNode): readonly YamlMap[] {
    const nodes = node.kind === 'seq' ? node.items : [node];
    return nodes.flatMap((one) => {
      if (one.kind === 'map') return [one];
      const isReported = this.problems.some(({ start }) => start === one.start);
      const name = one.kind === 'scalar' && /^[\w-]+$/.test(one.text) ? one.text : 'defaults';
      const hint = `write \`<<: *${name}\`, with \`&${name}\` before the map that it repeats`;
      if (!isReported) this.#report(one.start, one.end, { message: '`<<` needs an alias of a map', hint });
      return [];
    });
  }

  #reportDuplicate(name: string, start: number, end: number, first: number): void {
    this.#report(start, end, {
      message: `the key \`${shorten(name)}\` is already defined`,
      hint: 'keep the one that is right, and remove or rename the other',
      rule: 'duplicate-key',
      first,
    });
  }

  #resolveAlias(alias: Alias, start: number, end: number): YamlNode {
    const name = shorten(alias.source);
    this.aliases += 1;
    if (!this.#aliasTargets.has(alias)) this.#aliasTargets.set(alias, this.#anchors.get(alias.source));
    const target = this.#aliasTargets.get(alias);
    if (target === undefined) {
      const isName = /^[\p{L}\p{N}_-]+$/u.test(name);
      if (!isName)
        this.#report(start, end, {
          kind: 'alias',
          message: 'a value that starts with `*` must be in quotes',
          hint: `write \`"*${name}"\``,
        });
      else
        this.#report(start, end, {
          message: `the alias *${name} has no anchor before it`,
          hint: `write &${name} before the value that it repeats, or "*${name}" in quotes if it is text`,
          kind: 'alias',
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
        kind: 'limit',
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

  #report(start: number, end: number, { hint = null, rule = 'yaml', kind = 'value', ...problem }: ProblemText): void {
    const cause = `${problem.message} ${problem.first}`;
    const known = this.#others.get(cause);
    if (known) {
      known.count += 1;
      if (known.starts.length < maxStarts) known.starts.push(start);
    } else if (!this.isFull) {
      const others = { count: 0, starts: [] };
      this.#others.set(cause, others);
      this.problems.push({ rule, kind, start, end: Math.max(end, start + 1), hint, others, ...problem });
    }
  }
}

/** Cuts a name for a message. */
function shorten(name: string): string {
  return name.length > 60 ? `${name.slice(0, 59)}…` : name;
}

/** The meaning of the yaml package's errors for the author of an edict file, by their code. */
const descriptions: Readonly<Partial<Record<ErrorCode, string>>> = {
  BAD_INDENT: 'this line is indented differently from the lines that it belongs to',
  BLOCK_AS_IMPLICIT_KEY: 'there is a second `: ` in this line',
  BLOCK_IN_FLOW: 'this cannot be inside `{…}` or `[…]`',
  KEY_OVER_1024_CHARS: 'a key has at most 1024 characters',
  MULTILINE_IMPLICIT_KEY: 'the key goes over several lines; probably a colon, or the space after it, is missing',
  MULTIPLE_ANCHORS: 'the value has two anchors',
  MULTIPLE_DOCS: 'a second YAML document starts here; a file must be one document',
  MULTIPLE_TAGS: 'the value has two tags',
  TAB_AS_INDENT: 'a tab is used for indentation; YAML requires spaces',
  UNEXPECTED_TOKEN: 'this does not belong here',
};

const hints: Readonly<Partial<Record<ErrorCode, string>>> = {
  BAD_INDENT: 'align it with the keys of the same level',
  BLOCK_AS_IMPLICIT_KEY: 'put a value with `: ` in quotes, and each key on a line of its own',
  BLOCK_IN_FLOW: 'write the entries as `key: value`, separated by commas',
  MULTILINE_IMPLICIT_KEY: 'write `key: value` or `key:`',
  MULTIPLE_DOCS: 'remove the line `---` and all below it, or make two files',
  UNEXPECTED_TOKEN: 'look for a missing quote, colon or comma before it',
};

function describeError(code: ErrorCode, message: string): string {
  return descriptions[code] ?? message.charAt(0).toLowerCase() + message.slice(1);
}

function emptyScalar(start: number, end: number): YamlScalar {
  return { kind: 'scalar', value: null, text: '', start, end };
}

interface Pair {
  readonly key: Node | null;
  readonly value: Node | null;
}
