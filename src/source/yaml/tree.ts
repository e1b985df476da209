/*
 * The yaml folder turns the text of a file into a tree with the place of every key and value. It must report each violation with its
 * place, bound what aliases and nesting can cost, and know nothing of edict's keys.
 */

import { type Alias, type Document, type ErrorCode, isAlias, isMap, isScalar, isSeq, type Node, parseDocument, Schema } from 'yaml';
import { findEncodingSlip } from './slip.ts';

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
  /** `syntax`: the text is not YAML, so that the tree is a guess; `limit`: the text costs too much; `alias`: an alias without an anchor; `value`: anything else. */
  readonly kind: 'syntax' | 'limit' | 'alias' | 'value';
  readonly message: string;
  readonly hint: string | null;
  /** Where the key of a duplicate is defined first. */
  readonly first?: number;
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
export function parseYaml(text: string): MeasuredTree {
  const slip = text.includes('\0') ? findEncodingSlip(text) : null;
  if (slip) return { root: emptyScalar(0, 0), problems: [{ rule: 'yaml', kind: 'value', ...slip }], depth: 0, aliases: 0 };
  try {
    return parseDocumentTree(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { root: emptyScalar(0, 0), problems: [{ rule: 'yaml', start: 0, end: 1, ...tooDeepProblem }], depth: 0, aliases: 0 };
  }
}

function parseDocumentTree(text: string): MeasuredTree {
  const document = parseDocument(text, { schema, uniqueKeys: false, prettyErrors: false });
  const builder = new TreeBuilder(text);
  for (const error of document.errors) builder.addError(error);
  for (const { code, pos } of document.warnings) if (code === 'TAG_RESOLVE_FAILED') builder.addUnknownTag(...pos);
  const root = builder.build(document.contents);
  return { root, problems: builder.problems, depth: builder.depth, aliases: builder.aliases };
}

/**
 * Converts the yaml package's nodes to edict's, in the order of the text: an alias refers to the last anchor of its name
 * before it.
 */
class TreeBuilder {
  readonly problems: YamlProblem[] = [];
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

  constructor(text: string) {
    this.#text = text;
  }

  addError({ code, message, pos: [start, end] }: Document.Parsed['errors'][number]): void {
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
        if (this.#text.startsWith('{{', start - 1))
          this.#report(start - 1, end, {
            message: 'a template is not replaced here',
            hint: 'replace it before edict reads the file, or put it in quotes',
          });
        else
          this.#report(start, end, {
            message: 'the key is not a name',
            hint: 'write `name: value`; a name with brackets or braces must be in quotes',
          });
        continue;
      }
      const name = typeof key.value === 'string' ? key.value : (key.source ?? '');
      if (name === '' && key.source === '' && key.type === 'PLAIN')
        this.#report(start, end, { kind: 'syntax', message: 'a name is missing before this colon', hint: 'write `name: value`' });
      if (name === '<<' && key.type === 'PLAIN') merged.push(...this.#mapsToMerge(node));
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
      message: `the key \`${name}\` is already defined`,
      hint: 'keep the one that is right, and remove or rename the other',
      rule: 'duplicate-key',
      first,
    });
  }

  #resolveAlias(alias: Alias, start: number, end: number): YamlNode {
    const name = alias.source;
    this.aliases += 1;
    if (!this.#aliasTargets.has(alias)) this.#aliasTargets.set(alias, this.#anchors.get(name));
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
    if (this.#aliasDepth === 0 && (isScalar(node) || isMap(node) || isSeq(node)) && node.anchor) this.#anchors.set(node.anchor, node);
  }

  #report(start: number, end: number, { hint = null, rule = 'yaml', kind = 'value', ...problem }: ProblemText): void {
    this.problems.push({ rule, kind, start, end: Math.max(end, start + 1), hint, ...problem });
  }
}

/** What the yaml package's errors mean for somebody who writes an edict file, by their code. */
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
