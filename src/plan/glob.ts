/** A compiled pattern. */
export interface Glob {
  /** Returns whether the whole text matches. */
  matches(text: string): boolean;
  /** The work of all matches so far, in steps of a few nanoseconds. A caller that matches many texts of others limits it. */
  readonly steps: number;
}

export interface GlobOptions {
  /**
   * Whether texts are paths: wildcards stop at `/`, except `**` between two of them, and match no `.` at the start of a name. Otherwise, `/` and
   * `.` are characters like any other.
   */
  readonly isPath: boolean;
}

/** Longer patterns match nothing. */
const maxPatternLength = 1024;
/** Patterns that expand to more states match nothing. */
const maxStates = 20_000;
/** The most names that one range expands to. */
const maxRangeSize = 10_000;

/**
 * Compiles a pattern: `*`, `?`, `[…]`, `{…,…}`, `{from..to}` and `\` as in a shell, and nothing else.
 *
 * The pattern becomes a nondeterministic automaton, all of whose states are followed together. The work is proportional to the product of both
 * lengths, whatever the pattern; a backtracking regular expression takes hours for nine stars and a long name.
 */
export function compileGlob(pattern: string, { isPath }: GlobOptions): Glob {
  if (pattern.length > maxPatternLength) return { matches: () => false, steps: 0 };
  const automaton = new Automaton();
  const start = automaton.addSequence(new PatternParser(pattern, isPath).parse(), accepting);
  return automaton.isTooLarge ? { matches: () => false, steps: 0 } : new Matcher(automaton.states, start);
}

/** Returns whether a character is matched. `isNameStart`: it is the first of a name in a path. */
type CharTest = (code: number, isNameStart: boolean) => boolean;

type Item =
  | { readonly kind: 'one' | 'star'; readonly test: CharTest }
  /** Any number of names, each with a slash after it. */
  | { readonly kind: 'folders'; readonly test: CharTest }
  | { readonly kind: 'either'; readonly sequences: readonly (readonly Item[])[] };

const slash = '/'.charCodeAt(0);
const dot = '.'.charCodeAt(0);

class PatternParser {
  readonly #pattern: string;
  readonly #isPath: boolean;
  /** For each brace that opens alternatives or a range, the places of its commas and of the brace that closes it. */
  readonly #braces: ReadonlyMap<number, readonly number[]>;

  constructor(pattern: string, isPath: boolean) {
    this.#pattern = pattern;
    this.#isPath = isPath;
    this.#braces = this.#findBraces();
  }

  parse(from = 0, to = this.#pattern.length): readonly Item[] {
    const items: Item[] = [];
    for (let at = from; at < to; ) at = this.#parseItem(at, to, items);
    return items;
  }

  /** Adds the item at a position, and returns where the next one starts. */
  #parseItem(at: number, to: number, items: Item[]): number {
    const pattern = this.#pattern;
    const char = pattern.charAt(at);
    if (char === '*') return this.#parseStars(at, to, items);
    if (char === '?') items.push({ kind: 'one', test: this.#wildcard(() => true) });
    else if (char === '[' && this.#classEnd(at) !== null) return this.#parseClass(at, items);
    else if (char === '{' && this.#braces.has(at)) return this.#parseBraces(at, items);
    else if (char === '\\' && at + 1 < to) {
      items.push(literal(pattern.charCodeAt(at + 1)));
      return at + 2;
    } else items.push(literal(pattern.charCodeAt(at)));
    return at + 1;
  }

  #parseStars(at: number, to: number, items: Item[]): number {
    const pattern = this.#pattern;
    let end = at;
    while (end < to && pattern.charAt(end) === '*') end += 1;
    const isWholeName = end - at === 2 && (at === 0 || pattern.charAt(at - 1) === '/');
    if (this.#isPath && isWholeName && pattern.charAt(end) === '/' && end < to) {
      items.push({ kind: 'folders', test: this.#wildcard(() => true) });
      return end + 1;
    }
    const isDeep = this.#isPath && isWholeName && end === pattern.length;
    items.push({ kind: 'star', test: isDeep ? (code, isNameStart) => !(code === dot && isNameStart) : this.#wildcard(() => true) });
    return end;
  }

  /** Returns where a class such as `[a-z]` ends; `null` if it does not. The first character is in it even if it is `]`. */
  #classEnd(at: number): number | null {
    const first = at + (/[!^]/.test(this.#pattern.charAt(at + 1)) ? 2 : 1);
    const end = this.#pattern.indexOf(']', first + 1);
    return end === -1 ? null : end;
  }

  #parseClass(at: number, items: Item[]): number {
    const end = this.#classEnd(at) ?? at;
    const isNegated = /[!^]/.test(this.#pattern.charAt(at + 1));
    const ranges: (readonly [number, number])[] = [];
    for (let index = at + (isNegated ? 2 : 1); index < end; ) {
      const first = this.#pattern.charCodeAt(index);
      const isRange = this.#pattern.charAt(index + 1) === '-' && index + 2 < end;
      ranges.push([first, isRange ? this.#pattern.charCodeAt(index + 2) : first]);
      index += isRange ? 3 : 1;
    }
    items.push({ kind: 'one', test: this.#wildcard((code) => ranges.some(([from, to]) => from <= code && code <= to) !== isNegated) });
    return end + 1;
  }

  #parseBraces(at: number, items: Item[]): number {
    const places = this.#braces.get(at) ?? [];
    const end = places.at(-1) ?? at;
    const range = expandRange(this.#pattern.slice(at + 1, end));
    const sequences =
      range?.map((name) => [...name].map((char) => literal(char.charCodeAt(0)))) ??
      places.map((place, index) => this.parse((places[index - 1] ?? at) + 1, place));
    items.push({ kind: 'either', sequences });
    return end + 1;
  }

  #findBraces(): ReadonlyMap<number, readonly number[]> {
    const braces = new Map<number, number[]>();
    const open: { readonly at: number; readonly commas: number[] }[] = [];
    for (let at = 0; at < this.#pattern.length; at += 1) {
      const char = this.#pattern.charAt(at);
      if (char === '\\') at += 1;
      else if (char === '[') at = this.#classEnd(at) ?? at;
      else if (char === '{') open.push({ at, commas: [] });
      else if (char === ',') open.at(-1)?.commas.push(at);
      else if (char === '}') {
        const closed = open.pop();
        const isRange = closed !== undefined && /^[^{},]+\.\.[^{},]+$/.test(this.#pattern.slice(closed.at + 1, at));
        if (closed && (closed.commas.length > 0 || isRange)) braces.set(closed.at, [...closed.commas, at]);
      }
    }
    return braces;
  }

  #wildcard(test: (code: number) => boolean): CharTest {
    if (!this.#isPath) return test;
    return (code, isNameStart) => code !== slash && !(code === dot && isNameStart) && test(code);
  }
}

function literal(expected: number): Item {
  return { kind: 'one', test: (code) => code === expected };
}

/**
 * Returns the names of `from..to`, between two numbers or two letters; none for other ranges, and for one that is too large. Returns `null` for
 * a text that is no range.
 */
function expandRange(text: string): readonly string[] | null {
  if (!/^[^{},]+\.\.[^{},]+$/.test(text)) return null;
  const [, from = '', to = ''] = /^([a-z]|\d{1,15})\.\.([a-z]|\d{1,15})$/.exec(text) ?? [];
  const areLetters = /^[a-z]$/.test(from) && /^[a-z]$/.test(to);
  if (!areLetters && !/^\d+ \d+$/.test(`${from} ${to}`)) return [];
  const ends = areLetters ? [from.charCodeAt(0), to.charCodeAt(0)] : [Number(from), Number(to)];
  const [first, last] = [Math.min(...ends), Math.max(...ends)];
  if (last - first >= maxRangeSize) return [];
  const width = /^0\d/.test(from) || /^0\d/.test(to) ? Math.max(from.length, to.length) : 0;
  return Array.from({ length: last - first + 1 }, (_, index) =>
    areLetters ? String.fromCharCode(first + index) : String(first + index).padStart(width, '0'),
  );
}

/** A state that is left when a character passes its test, or without a character if it has none. */
interface State {
  readonly test: CharTest | null;
  readonly next: number[];
}

/** The state in which the text is matched. */
const accepting = 0;

class Automaton {
  readonly states: State[] = [{ test: () => false, next: [] }];

  get isTooLarge(): boolean {
    return this.states.length > maxStates;
  }

  /** Adds states that match the items and go on to `next`; returns the first of them. */
  addSequence(items: readonly Item[], next: number): number {
    return items.reduceRight((following, item) => (this.isTooLarge ? following : this.#addItem(item, following)), next);
  }

  #addItem(item: Item, next: number): number {
    switch (item.kind) {
      case 'one':
        return this.#add(item.test, [next]);
      case 'star':
        return this.#addStar(item.test, next);
      case 'folders': {
        const before = this.#add(null, [next]);
        const rest = this.#addStar(
          item.test,
          this.#add((code) => code === slash, [before]),
        );
        this.states[before]?.next.push(this.#add(item.test, [rest]));
        return before;
      }
      case 'either':
        return this.#add(
          null,
          item.sequences.map((sequence) => this.addSequence(sequence, next)),
        );
    }
  }

  #addStar(test: CharTest, next: number): number {
    const before = this.#add(null, [next]);
    this.states[before]?.next.push(this.#add(test, [before]));
    return before;
  }

  #add(test: CharTest | null, next: number[]): number {
    this.states.push({ test, next });
    return this.states.length - 1;
  }
}

class Matcher implements Glob {
  steps = 0;
  readonly #states: readonly State[];
  readonly #start: number;
  /** For each state, the last position of a text at which it was entered. */
  readonly #enteredAt: Float64Array;
  #position = 0;

  constructor(states: readonly State[], start: number) {
    this.#states = states;
    this.#start = start;
    this.#enteredAt = new Float64Array(states.length).fill(-1);
  }

  matches(text: string): boolean {
    let current = this.#enter([this.#start]);
    let isNameStart = true;
    for (let at = 0; at < text.length && current.length > 0; at += 1) {
      const code = text.charCodeAt(at);
      const next: number[] = [];
      for (const index of current) {
        const state = this.#states[index];
        if (state?.test?.(code, isNameStart)) next.push(...state.next);
      }
      this.steps += current.length;
      current = this.#enter(next);
      isNameStart = code === slash;
    }
    return current.includes(accepting);
  }

  /** Returns the states that wait for a character, from these on. */
  #enter(indices: number[]): number[] {
    this.#position += 1;
    const waiting: number[] = [];
    for (let index = indices.pop(); index !== undefined; index = indices.pop()) {
      if (this.#enteredAt[index] === this.#position) continue;
      this.#enteredAt[index] = this.#position;
      this.steps += 1;
      const state = this.#states[index];
      if (state?.test) waiting.push(index);
      else indices.push(...(state?.next ?? []));
    }
    return waiting;
  }
}
