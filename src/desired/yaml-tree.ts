import { type Document, isAlias, isMap, isScalar, isSeq, type Node, parseDocument, Schema } from 'yaml';

/** A scalar with the value that YAML's core schema gives it, and its text as written. */
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
  /** Where the offsets of this entry and all below it count from, beyond what lies above. */
  readonly base: number;
  readonly key: Range;
  readonly node: YamlNode;
}

/** Offsets into the text, in UTF-16 units, end exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Something that YAML itself, or edict's use of it, does not allow. */
export interface YamlProblem extends Range {
  readonly message: string;
  readonly hint: string | null;
}

export interface YamlTree {
  readonly root: YamlNode;
  readonly problems: readonly YamlProblem[];
}

const schema = new Schema({ schema: 'core' });

/** An alias repeats what its anchor names; past so many repeated nodes the file is an accident or an attack. */
const maxAliasedNodes = 100_000;

/**
 * Returns the tree of one YAML document with the place of every node, and everything wrong with it. Never throws.
 *
 * Duplicate keys are found here, in linear time: the yaml package's own check compares every key of a map with every other.
 */
export function parseYaml(text: string): YamlTree {
  try {
    return parseDocumentTree(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const problem = { start: 0, end: 1, message: 'the values are nested too deeply', hint: 'an edict file needs five levels' };
    return { root: { kind: 'scalar', value: null, text: '', start: 0, end: 0 }, problems: [problem] };
  }
}

function parseDocumentTree(text: string): YamlTree {
  const document = parseDocument(text, { schema, uniqueKeys: false, prettyErrors: false });
  const builder = new TreeBuilder(document);
  for (const error of document.errors) builder.problem(error.pos[0], error.pos[1], explain(error.code, error.message));
  const root = builder.build(document.contents);
  return { root, problems: builder.problems };
}

function explain(code: string, message: string): string {
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here; one file is one document';
  if (code === 'TAB_AS_INDENT') return 'a tab is used for indentation; YAML wants spaces';
  return message.charAt(0).toLowerCase() + message.slice(1);
}

class TreeBuilder {
  readonly problems: YamlProblem[] = [];
  readonly #document: Document.Parsed;
  readonly #resolving = new Set<Node>();
  #aliasedNodes = 0;

  constructor(document: Document.Parsed) {
    this.#document = document;
  }

  problem(start: number, end: number, message: string, hint: string | null = null): void {
    this.problems.push({ start, end: Math.max(end, start + 1), message, hint });
  }

  build(node: Node | null): YamlNode {
    const start = node?.range?.[0] ?? 0;
    const end = node?.range?.[1] ?? start;
    if (this.#resolving.size > 0) this.#aliasedNodes += 1;
    if (isScalar(node)) return { kind: 'scalar', value: node.value, text: node.source ?? String(node.value), start, end };
    if (isMap(node)) return { kind: 'map', entries: this.#entries(node.items as readonly Pair[]), start, end };
    if (isSeq(node)) return { kind: 'seq', items: node.items.map((item) => this.build(item as Node | null)), start, end };
    if (isAlias(node)) return this.#alias(node.source, node.resolve(this.#document), start, end);
    return { kind: 'scalar', value: null, text: '', start, end };
  }

  #entries(pairs: readonly Pair[]): ReadonlyMap<string, YamlEntry> {
    const entries = new Map<string, YamlEntry>();
    for (const { key, value } of pairs) {
      const start = key?.range?.[0] ?? 0;
      const end = key?.range?.[1] ?? start;
      if (!isScalar(key)) {
        this.problem(start, end, 'this key is not a text', 'write `name: value`');
        continue;
      }
      const name = typeof key.value === 'string' ? key.value : (key.source ?? '');
      if (entries.has(name)) this.problem(start, end, `the key "${name}" stands twice in this map`, 'remove one of the two');
      else entries.set(name, { base: 0, key: { start, end }, node: this.#valueOf(value, end) });
    }
    return entries;
  }

  #valueOf(value: Node | null, keyEnd: number): YamlNode {
    return value === null ? { kind: 'scalar', value: null, text: '', start: keyEnd, end: keyEnd } : this.build(value);
  }

  #alias(name: string, target: Node | undefined, start: number, end: number): YamlNode {
    const nothing: YamlNode = { kind: 'scalar', value: null, text: '', start, end };
    if (target === undefined) {
      this.problem(start, end, `the alias *${name} has no anchor before it`, `write &${name} before the value that it repeats`);
      return nothing;
    }
    if (this.#resolving.has(target)) {
      this.problem(start, end, `the alias *${name} contains itself`);
      return nothing;
    }
    if (this.#aliasedNodes > maxAliasedNodes) {
      this.problem(start, end, `the aliases up to *${name} repeat more than ${maxAliasedNodes} values`, 'write them out, or use fewer');
      return nothing;
    }
    this.#resolving.add(target);
    const built = this.build(target);
    this.#resolving.delete(target);
    return built;
  }
}

interface Pair {
  readonly key: Node | null;
  readonly value: Node | null;
}
