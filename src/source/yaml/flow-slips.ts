import { describeCharacter, meantCharacter } from './characters.ts';
import { checkEscape } from './quote-slips.ts';
import { cut, lineEnd, quote, type Slip, spaces, unrenderedTemplate, type ValueCheck } from './slip.ts';

/** Checks a `{…}` or `[…]` that starts at `at`, below a key that is indented by `indent`. */
export function checkFlow(text: string, at: number, indent: number): ValueCheck {
  return new FlowFinder(text, indent).check(at);
}

interface Open {
  readonly char: string;
  readonly at: number;
}

/** How much of an entry is looked at. */
const maxContent = 500;

const closers: Readonly<Record<string, string>> = { '{': '}', '[': ']' };

class FlowFinder {
  readonly #text: string;
  readonly #indent: number;
  readonly #open: Open[] = [];
  /** Where the current entry starts. */
  #entry = 0;
  /** Where the last `: ` of the current entry is; -1: none. */
  #colon = -1;
  /** The last character that is not a space. */
  #last = '';

  constructor(text: string, indent: number) {
    this.#text = text;
    this.#indent = indent;
  }

  check(at: number): ValueCheck {
    const text = this.#text;
    for (let index = at; index < text.length; index += 1) {
      const char = text.charAt(index);
      const slip = this.#step(char, index);
      if (slip && 'slip' in slip) return slip;
      if (slip) index = slip.end - 1;
      if (this.#open.length === 0) return this.#checkRest(at, index + 1);
    }
    return { slip: this.#notClosed() };
  }

  #step(char: string, index: number): { readonly slip: Slip } | { readonly end: number } | null {
    const text = this.#text;
    switch (char) {
      case '\n':
        return this.#newLine(index + 1);
      case ' ':
      case '\t':
      case '\r':
        return null;
      case '#':
        if (/\s/.test(text.charAt(index - 1))) return { end: lineEnd(text, index) };
        break;
      case '"':
      case "'":
        if (this.#isEntryStart()) return this.#quoted(char, index);
        break;
      case '{':
      case '[': {
        if (!this.#isEntryStart()) return { slip: this.#bracketInText(char, index) };
        if (text.startsWith('{{', index) && index > 0 && this.#open.length > 0)
          return { slip: { start: index, end: templateEnd(text, index), ...unrenderedTemplate } };
        this.#open.push({ char, at: index });
        this.#startEntry(index + 1);
        return null;
      }
      case '}':
      case ']': {
        const slip = this.#checkEntry(index);
        if (slip) return { slip };
        const open = this.#open.pop();
        if (open && closers[open.char] !== char) {
          const message = `\`${char}\` cannot close the \`${open.char}\` that opens ${this.#where(open.at, index)}`;
          return { slip: { start: index, end: index + 1, message, hint: `write \`${closers[open.char]}\`` } };
        }
        this.#last = char;
        return null;
      }
      case ',': {
        const slip = this.#checkEntry(index);
        if (slip) return { slip };
        if (this.#last === ',' || this.#last === '')
          return { slip: { start: index, end: index + 1, message: 'there is no entry before this comma', hint: 'remove the comma' } };
        this.#startEntry(index + 1);
        this.#last = ',';
        return null;
      }
      case ':':
        if (/[\s,{}[\]]|^$/.test(text.charAt(index + 1)) || this.#last === '"') {
          if (this.#colon !== -1) return { slip: this.#missingComma(index) };
          this.#colon = index;
          this.#last = ':';
          return null;
        }
        break;
    }
    this.#last = char === '"' ? 'x' : char;
    return null;
  }

  #isEntryStart(): boolean {
    return this.#last === '' || this.#last === ',' || this.#last === ':';
  }

  #startEntry(at: number): void {
    this.#entry = at;
    this.#colon = -1;
    this.#last = '';
  }

  #newLine(start: number): { readonly slip: Slip } | null {
    const text = this.#text;
    const line = text.slice(start, lineEnd(text, start));
    const content = line.trim();
    if (content === '' || content.startsWith('#') || /^[}\]]/.test(content)) return null;
    const indent = line.length - line.trimStart().length;
    if (indent <= this.#indent || (this.#open[0]?.at !== 0 && start === 0)) return { slip: this.#notClosed() };
    const isEntry = /^(?:"[^"]*"|'[^']*'|[^\s"'{}[\],]+)\s*:(?:\s|$)/.test(content);
    if (isEntry && this.#last !== ',' && this.#last !== '' && this.#last !== ':') {
      const name = /^(?:"[^"]*"|'[^']*'|[^\s:]+)/.exec(content)?.[0] ?? '';
      return { slip: missingComma(name, start + indent) };
    }
    return null;
  }

  #quoted(mark: string, at: number): { readonly slip: Slip } | { readonly end: number } {
    const text = this.#text;
    let end = at + 1;
    let badEscape: Slip | null = null;
    while (end < text.length && text.charAt(end) !== mark && text.charAt(end) !== '\n') {
      const isEscape = mark === '"' && text.charAt(end) === '\\';
      if (isEscape) badEscape ??= checkEscape(text, end);
      end += isEscape ? 2 : 1;
    }
    if (text.charAt(end) !== mark) {
      const value = /^[^,}\]\n]*/.exec(text.slice(at + 1, lineEnd(text, at)))?.[0].trimEnd() ?? '';
      const hint = `write \`${mark}${cut(value)}${mark}\``;
      return { slip: { start: at, end: at + 1, message: 'the quote that opens here is not closed', hint } };
    }
    if (badEscape) return { slip: badEscape };
    this.#last = '"';
    return { end: end + 1 };
  }

  #checkEntry(end: number): Slip | null {
    const entry = this.#text.slice(this.#entry, Math.min(end, this.#entry + maxContent));
    const other = /^\s*([\w.-]+) *= *(\S.*?)\s*$/.exec(entry);
    if (this.#colon !== -1 || !other?.[1] || this.#open.at(-1)?.char !== '{') return null;
    const start = this.#entry + entry.length - entry.trimStart().length;
    const hint = `write \`${other[1]}: ${cut(other[2] ?? '')}\``;
    return { start, end: start + entry.trim().length, message: `\`${other[1]}\` is followed by \`=\` instead of a colon`, hint };
  }

  #missingComma(colon: number): Slip {
    const value = this.#text.slice(this.#colon + 1, colon);
    for (const [index, char] of [...value].entries()) {
      if (char === ';') return wrongComma('`;`', this.#colon + 1 + index);
      if (meantCharacter(char) === ',' && char !== ',') return wrongComma(describeCharacter(char), this.#colon + 1 + index);
    }
    const name = /(?:"[^"]*"|'[^']*'|[^\s"']+)\s*$/.exec(value)?.[0] ?? '';
    return missingComma(name.trim(), colon - name.length);
  }

  #bracketInText(char: string, index: number): Slip {
    const text = this.#text;
    const isVariable = char === '{' && text.charAt(index - 1) === '$';
    const from = this.#colon === -1 ? this.#entry : this.#colon + 1;
    const before = text.slice(from, index);
    const start = from + before.length - before.trimStart().length;
    const rest = text.slice(start, lineEnd(text, start));
    const value = (isVariable ? /^[^}]*\}[^\s,}\]]*/ : /^[^,]*?[}\]]/).exec(rest)?.[0] ?? rest.trim();
    const message = `a value with \`${char}\` inside \`${this.#open.at(-1)?.char}…${closers[this.#open.at(-1)?.char ?? '']}\` must be in quotes`;
    return { start, end: start + value.length, message, hint: `write \`${quote(value)}\`` };
  }

  #where(at: number, from: number): string {
    const text = this.#text;
    return text.slice(at, from).includes('\n') ? 'above' : `at column ${at - text.lastIndexOf('\n', at)}`;
  }

  #notClosed(): Slip {
    const { char, at } = this.#open.at(-1) ?? { char: '{', at: 0 };
    const closer = closers[char];
    const hint = `add \`${closer}\` at its end; lines inside must be indented by more than ${spaces(this.#indent)}`;
    return { start: at, end: at + 1, message: `the \`${char}\` that opens here is not closed`, hint };
  }

  #checkRest(at: number, end: number): ValueCheck {
    const text = this.#text;
    const rest = text.slice(end, lineEnd(text, end));
    const start = end + rest.length - rest.trimStart().length;
    const first = rest.trim().charAt(0);
    if (first === '' || (first === '#' && /^\s/.test(rest))) return { kind: 'complete', end };
    if (first === '}' || first === ']')
      return { slip: { start, end: start + 1, message: `this \`${first}\` closes nothing`, hint: 'remove it' } };
    if (rest.trim() === ',')
      return {
        slip: { start, end: start + 1, message: `there is a comma after the closing \`${text.charAt(end - 1)}\``, hint: 'remove it' },
      };
    const lineStart = text.lastIndexOf('\n', at) + 1;
    const isKey = first === ':' && text.slice(lineStart, at).trim() === '';
    const whole = text
      .slice(at, Math.min(lineEnd(text, at), at + maxContent))
      .replace(/\s+#.*$/, '')
      .trimEnd();
    if (isKey)
      return {
        slip: { start: at, end, message: 'the key is in brackets; a key is a name', hint: 'remove the brackets, or put the key in quotes' },
      };
    const link = /^\[.*\]\((https?:[^)]*)\)$/.exec(whole)?.[1];
    if (link !== undefined)
      return { slip: { start: at, end: at + whole.length, message: 'this is a link in Markdown', hint: `write \`${cut(link)}\`` } };
    const message = `there is text after the closing \`${text.charAt(end - 1)}\``;
    return {
      slip: { start, end: start + rest.trim().length, message, hint: `if all of it is one value, write it in quotes: \`${quote(whole)}\`` },
    };
  }
}

/** Returns the offset behind a template in braces. */
function templateEnd(text: string, at: number): number {
  const end = text.slice(at, lineEnd(text, at)).indexOf('}}');
  return end === -1 ? at + 2 : at + end + 2;
}

function missingComma(name: string, start: number): Slip {
  return { start, end: start + name.length, message: `a comma is missing before \`${name}\``, hint: 'separate the entries with commas' };
}

function wrongComma(named: string, start: number): Slip {
  return { start, end: start + 1, message: `${named} is not the comma that separates entries`, hint: 'write `, `' };
}
