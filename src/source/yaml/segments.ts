import { maxDepth, parseYaml, type Range, type YamlEntry, type YamlMap, type YamlTree } from './tree.ts';

/** Parsed segments, by their own text. Offsets count from a segment's first character, so a segment is valid wherever it occurs. */
export type SegmentCache = Map<string, Segment>;

/** One `key: value`. Its range is that of a map with only this entry. */
interface Segment extends Range, Pick<YamlEntry, 'key' | 'node'> {
  readonly name: string;
}

/**
 * Returns the same tree as `parseYaml`, several times faster for a large file and with far less memory: a block-style map is
 * split into its entries, and the yaml package parses each distinct segment once, however often it occurs in the file.
 *
 * The splits are sound because in a valid document, a line with exactly the indentation of a map's first key can only start
 * its next key. A segment that is not one clean `key: value` is parsed as part of a larger one, in the end as the whole text,
 * by `parseYaml`, which also reports the errors.
 *
 * `cache` holds the segments of the last parse, and afterwards those of this one: a changed file costs only its changes.
 */
export function parseYamlInSegments(text: string, cache: SegmentCache): YamlTree {
  const parser = new SegmentParser(text, cache);
  const root = documentMarkers.test(text) ? null : parser.parseMap(0, text.length, 0);
  cache.clear();
  if (!root) return parseYaml(text);
  for (const [segment, parsed] of parser.used) cache.set(segment, parsed);
  return { root, problems: [] };
}

/** A byte order mark, a directive, a document marker, a lone carriage return, or a NUL: such texts are left to the yaml package. */
const documentMarkers = /^(?:\uFEFF|%|---|\.\.\.)|\r(?!\n)|\0/m;

/** `name:` with nothing after it, so that its value is in the lines below. */
const bareKey = /^ *([A-Za-z_][\w.-]{0,999}):[ ]*\r?\n/;

/**
 * Longer segments are not cached, but their parts are. V8 hashes longer strings by their length alone, so that a map with many segments of equal
 * length would compare them all.
 */
const maxCachedLength = 16_000;

/** Deeper than any edict file. Deeper levels are parsed as one segment. */
const maxSegmentDepth = 8;

class SegmentParser {
  readonly used: SegmentCache = new Map();
  readonly #text: string;
  readonly #cache: SegmentCache;
  /** Set for aliases and deep nesting: only the whole text can resolve aliases and check the limits of depth and repetition. */
  #needsWholeText = false;

  constructor(text: string, cache: SegmentCache) {
    this.#text = text;
    this.#cache = cache;
  }

  /** Returns the block map between two line starts, with offsets relative to `from`; `null` if it is not one. */
  parseMap(from: number, to: number, depth: number): YamlMap | null {
    const starts = this.#entryStarts(from, to);
    if (!starts) return null;
    const entries = new Map<string, YamlEntry>();
    let first = 0;
    let last = 0;
    for (const [index, start] of starts.entries()) {
      const segment = this.#segment(start, starts[index + 1] ?? to, depth);
      if (!segment || entries.has(segment.name)) return null;
      entries.set(segment.name, { base: start - from, key: segment.key, node: segment.node });
      if (index === 0) first = start - from + segment.start;
      last = start - from + segment.end;
    }
    return { kind: 'map', entries, start: first, end: last };
  }

  /** Returns the start of each line that starts an entry; `null` if the lines are not a block map. */
  #entryStarts(from: number, to: number): number[] | null {
    const text = this.#text;
    const starts: number[] = [];
    let indent = -1;
    let at = from;
    while (at < to) {
      let first = at;
      while (text.charCodeAt(first) === 32) first += 1;
      const char = text.charAt(first);
      if (char === '\t') return null;
      const isContent = first < to && char !== '\n' && char !== '\r' && char !== '#';
      if (isContent) {
        if (indent === -1) indent = first - at;
        if (first - at < indent) return null;
        if (first - at === indent) {
          // `? key` and `: value` are two lines of one entry.
          if (char === '?' || char === ':') return null;
          starts.push(at);
        }
      }
      at = text.indexOf('\n', first) + 1 || to;
    }
    return starts.length > 0 ? starts : null;
  }

  #segment(from: number, to: number, depth: number): Segment | null {
    const text = this.#text.slice(from, to);
    if (text.length > maxCachedLength) return this.#parseNested(text, from, to, depth) ?? this.#parse(text);
    const known = this.used.get(text) ?? this.#cache.get(text) ?? this.#parseNested(text, from, to, depth) ?? this.#parse(text);
    if (known) this.used.set(text, known);
    return known;
  }

  #parseNested(text: string, from: number, to: number, depth: number): Segment | null {
    const head = depth < maxSegmentDepth ? bareKey.exec(text) : null;
    const name = head?.[1];
    if (!head || !name) return null;
    const map = this.parseMap(from + head[0].length, to, depth + 1);
    if (!map) return null;
    const start = head[0].indexOf(name);
    const node = shiftMap(map, head[0].length);
    return { name, start, end: node.end, key: { start, end: start + name.length }, node };
  }

  /**
   * Returns the one entry of a segment; `null` if it has more or fewer, does not start with its key, or needs the whole text.
   *
   * The yaml package gets a copy of the text. Otherwise the short strings that it slices would keep the whole file in memory
   * for as long as the segment is cached.
   */
  #parse(text: string): Segment | null {
    if (this.#needsWholeText) return null;
    const { root, problems, depth, aliases } = parseYaml(Buffer.from(text, 'utf16le').toString('utf16le'));
    this.#needsWholeText = aliases > 0 || depth > maxDepth - maxSegmentDepth;
    if (this.#needsWholeText || problems.length > 0 || root.kind !== 'map' || root.entries.size !== 1) return null;
    const { start, end } = root;
    for (const [name, { key, node }] of root.entries) return key.start === text.search(/[^ ]/) ? { name, start, end, key, node } : null;
    return null;
  }
}

/** Shifts a map made by `SegmentParser.parseMap`, whose entries have their own base. */
function shiftMap(map: YamlMap, by: number): YamlMap {
  const entries = new Map<string, YamlEntry>();
  for (const [name, entry] of map.entries) entries.set(name, { ...entry, base: entry.base + by });
  return { kind: 'map', entries, start: map.start + by, end: map.end + by };
}
