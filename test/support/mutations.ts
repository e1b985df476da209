/*
 * Changed copies of texts and JSON values, for fuzzing. The same seed gives the same copies.
 */

/** Characters and tokens that parsers treat specially. */
const special = [
  ...'\0\b\t\n\r\u001b\u0085\u00a0\u061c\u200b\u202e\u2028\u2066\ufeff\ud800\uffff\u{1f4a5}',
  ...'\'"`\\/:;,.-_+*?!#%&@$~|<>=()[]{}',
  ...['\r\n', '${', '<<', '---', '...', '&a', '*a', '!!', '? ', '- ', ': ', '|', '>', '%41', '%00', '\u001b[31m', '::error::', '__proto__'],
  ...['constructor', 'null', 'true', '0x10', '1e999', '-0', 'NaN', '99999999999999999999', '2026-02-30T25:61', '\u202eevil'],
];

const weird = [
  null,
  true,
  -1,
  0,
  1.5,
  1e308,
  Number.MAX_SAFE_INTEGER,
  '',
  ' ',
  '\0',
  '\u001b[2J',
  '\u202e',
  '\ud800',
  'x'.repeat(5000),
  [],
  {},
  [[]],
  { a: {} },
];

export class Mutations {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Returns a number from 0 to `below` - 1. The generator is "mulberry32". */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[this.below(from.length)];
    if (picked === undefined && from.length === 0) throw new TypeError('nothing to pick from');
    return picked as T;
  }

  /** Returns a text of `texts` with up to six changes; parts of the others may get into it. */
  text(texts: readonly string[], tokens: readonly string[] = []): string {
    let text = this.pick(texts);
    for (let changes = 1 + this.below(6); changes > 0; changes -= 1) text = this.#change(text, texts, tokens);
    return text;
  }

  #change(text: string, texts: readonly string[], tokens: readonly string[]): string {
    const [at, length] = [this.below(text.length + 1), this.below(this.below(4) === 0 ? 400 : 12)];
    const [before, part, after] = [text.slice(0, at), text.slice(at, at + length), text.slice(at + length)];
    const token = this.pick([...special, ...tokens]);
    switch (this.below(9)) {
      case 0:
        return before + after;
      case 1:
        return before + part + part + after;
      case 2:
        return before + token + part + after;
      case 3:
        return before + token + after;
      case 4:
        return before + token.repeat(this.below(2000)) + part + after;
      case 5:
        return before + part.repeat(this.below(40)) + after;
      case 6:
        return before + String.fromCharCode(this.below(0x2100)) + text.slice(at + 1);
      case 7: {
        const other = this.pick(texts);
        return before + other.slice(this.below(other.length)) + after;
      }
      default:
        return before;
    }
  }

  /** Returns a copy of a JSON value with up to four changes in it. */
  json(value: unknown): unknown {
    let changed = value;
    for (let changes = 1 + this.below(4); changes > 0; changes -= 1) changed = this.#changeJson(changed);
    return changed;
  }

  #changeJson(value: unknown): unknown {
    if (this.below(6) === 0 || typeof value !== 'object' || value === null) return this.#replacement(value);
    const entries = Object.entries(value);
    const index = this.below(entries.length || 1);
    const [key, inner] = entries[index] ?? ['x', null];
    const how = this.below(8);
    if (Array.isArray(value)) {
      const list = [...value];
      if (how === 0) list.splice(index, 1);
      else if (how === 1) list.push(...list.slice(0, 20), ...list.slice(0, 20));
      else list[index] = this.#changeJson(inner);
      return list;
    }
    if (how === 0) entries.splice(index, 1);
    else if (how === 1) entries.push([this.pick(special), inner]);
    else entries[index] = [key, this.#changeJson(inner)];
    return Object.fromEntries(entries);
  }

  #replacement(value: unknown): unknown {
    if (typeof value === 'string' && this.below(2) === 0) return this.text([value]);
    if (typeof value === 'number' && this.below(2) === 0) return this.pick([value + 1, -value, value * 1e9, value / 3]);
    return this.pick(weird);
  }
}
