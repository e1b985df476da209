import { describeCharacter, isInvisible, meantCharacter } from './characters.ts';
import { checkFlow } from './flow-slips.ts';
import { checkQuoted } from './quote-slips.ts';
import { cut, invisible, lineEnd, quote, type Slip, spaces, unrenderedTemplate, type ValueCheck } from './slip.ts';

/*
 * Finds the slip that made a text invalid YAML, as a person does who reads it line by line. The yaml package reports where it could not go on,
 * which is often far from the slip.
 */

/** Returns the first slip in a text that is not valid YAML; `null` if there is none that is understood. */
export function findSlip(text: string): Slip | null {
  return new SlipFinder(text).find();
}

/** The maps and lists around a line. */
interface Level {
  readonly indent: number;
  readonly kind: 'map' | 'list';
  /** The last key; `-` in a list. */
  key: string;
  /** The value of the last entry, as far as it is on its line. */
  value: 'empty' | 'plain' | 'complete';
  /** The text of that value if it is plain. */
  text: string;
  /** Where the last key is. */
  keyAt: number;
  /** The key before the last one if nothing is its value. */
  emptyBefore: string | null;
  /** Whether lines below the last key are its value. */
  hasInner: boolean;
}

const word = String.raw`[\p{L}\p{N}_][\p{L}\p{N}._/-]*`;
/** A key with its colon, in quotes or not. */
const keyPattern = /^("(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*'|[^\s"'&*!|>%@`{}[\],#](?:[^:#\n]|:(?![ \t\n]|$)|(?<=\S)#)*?)[ \t]*:(?=[ \t]|$)/;
const noSpacePattern = new RegExp(`^(${word}):((?!//)[^\\s:].*)$`, 'u');
const spaceBeforePattern = new RegExp(`^(${word}) +:([^\\s:].*)$`, 'u');
const twoColonsPattern = new RegExp(`^(${word}):: `, 'u');
const otherSignPattern = new RegExp(`^(${word}) *([=;：﹕︰∶])\\s*(.*)$`, 'u');
const wordPattern = new RegExp(`^${word}$`, 'u');
const twoWordsPattern = new RegExp(`^(${word})[ \\t]+(\\S.*)$`, 'u');
const anchorPattern = /^&[^\s,[\]{}]+(?=\s|$)\s*/;
const tagPattern = /^![^\s,[\]{}]*(?=\s|$)\s*/;

/** The start of a template of Helm, Jinja or ERB. */
const templatePattern = /^(?:\{\{|\{%|\{#|<%)/;
/** A comment that was a key with its value in the lines below. */
const commentedKeyPattern = new RegExp(`^\\s*#+\\s*(${word}:)\\s*$`, 'u');
/** The keys that a publication can have besides its state. */
const publicationKeys = ['revision', 'remark', 'version', 'drift'];

/** How much of a line is looked at. Some patterns take quadratic time for a line of spaces. */
const maxContent = 2000;

class SlipFinder {
  readonly #text: string;
  readonly #levels: Level[] = [];
  /** Where the next line starts. */
  #at = 0;
  /** Set at syntax that nobody writes by accident, such as `? key`. */
  #isLost = false;

  constructor(text: string) {
    this.#text = text;
  }

  find(): Slip | null {
    const text = this.#text;
    while (this.#at < text.length && !this.#isLost) {
      const start = this.#at;
      const end = lineEnd(text, start);
      this.#at = end + 1;
      let first = start;
      while (first < end && text.charAt(first) === ' ') first += 1;
      const content = text.slice(first, Math.min(end, first + maxContent)).trimEnd();
      if (/^\s*(?:#|$)/.test(content)) continue;
      const slip = this.#checkLine(content, first, first - start);
      if (slip) return slip;
    }
    return null;
  }

  #checkLine(content: string, at: number, indent: number): Slip | null {
    const early = checkLineStart(content, at) ?? (indent > 0 ? checkEllipsis(content, at) : null);
    if (early) return early;
    if (/^(?:[?:] |[?:]$|%|\.\.\.$|---)/.test(content)) {
      this.#isLost = true;
      return null;
    }
    const isItem = /^-(?: |$)/.test(content);
    const key = isItem ? null : keyPattern.exec(content);
    const top = this.#levels.at(-1);
    if (top?.value === 'plain' && indent > top.indent && !isItem && !key) return checkKeyLike(content, at);
    return this.#place(content, { at, indent, isItem, key: key?.[1] ?? null }) ?? this.#checkContent(content, at, indent);
  }

  /** Finds the level that a line belongs to. */
  #place(
    content: string,
    { at, indent, isItem, key }: { readonly at: number; readonly indent: number; readonly isItem: boolean; readonly key: string | null },
  ): Slip | null {
    const levels = this.#levels;
    const name = isItem ? 'this list item' : `\`${key ?? /^\S+/.exec(content)?.[0] ?? ''}\``;
    const range = { start: at, end: at + (isItem ? 1 : (key ?? content).length) };
    let closed: Level | null = null;
    while ((levels.at(-1)?.indent ?? -1) > indent) closed = levels.pop() ?? null;
    const top = levels.at(-1);
    if (top && top.indent < indent) {
      if (closed) {
        const hint = `use ${top.indent} or ${spaces(closed.indent)}, as the lines above do`;
        const message = `${name} is indented by ${spaces(indent)}, between the levels of ${top.indent} and ${spaces(closed.indent)} above it`;
        return { ...range, message, hint };
      }
      if (top.value !== 'empty') {
        const list = isItem ? levels.findLast(({ kind, indent: of }) => kind === 'list' && of < indent) : undefined;
        const level = list ?? top;
        const above = level.kind === 'list' ? 'the list item above it' : `\`${level.key}\` above it`;
        const why = list || level.kind === 'list' ? `${above} starts further left` : `${above} has a value already`;
        return (
          (level === top ? this.#explainParent(top, range, { key, name, indent }) : null) ?? {
            ...range,
            message: `${name} is indented too far: ${why}`,
            hint: `use ${spaces(level.indent)}, as for ${above.replace(' above it', '')}`,
          }
        );
      }
    }
    if (top?.indent === indent) {
      if (isItem && top.kind === 'map' && top.value !== 'empty') {
        const list = levels.findLast(({ kind, indent: of }) => kind === 'list' && of < indent);
        if (list)
          return { ...range, message: 'this list item is indented too far', hint: `use ${spaces(list.indent)}, as for the items above` };
        return {
          ...range,
          message: 'a list item cannot follow a key with a value',
          hint: 'remove the `- `, or indent it below a key without a value',
        };
      }
      if (!isItem && top.kind === 'list') {
        const outer = levels.at(-2);
        if (outer?.indent === indent) levels.pop();
        else if (key === null) return { ...range, message: `a list item starts with \`- \``, hint: `write \`- ${cut(content)}\`` };
        else {
          const message = `${name} is indented too little: it is at the level of the list items above`;
          const hint = `use ${spaces(indent + 2)} to make it part of the item above; or remove the \`- \` there, if it is not a list`;
          return { ...range, message, hint };
        }
      }
    }
    const level = levels.at(-1);
    if (!level || level.indent < indent || (isItem && level.kind === 'map')) {
      if (level) level.hasInner = true;
      levels.push(newLevel(indent, isItem ? 'list' : 'map'));
    }
    return null;
  }

  /** Returns why a line is indented below a key with a value, if that is not the slip itself. */
  #explainParent(
    top: Level,
    range: { readonly start: number; readonly end: number },
    { key, name, indent }: { readonly key: string | null; readonly name: string; readonly indent: number },
  ): Slip | null {
    const text = this.#text;
    const above = text.slice(text.lastIndexOf('\n', range.start - indent - 2) + 1, range.start - indent - 1);
    const comment = commentedKeyPattern.exec(above)?.[1];
    if (comment !== undefined)
      return {
        ...range,
        message: `${name} is indented too far: the line above it, \`${cut(comment)}\`, is a comment`,
        hint: 'remove the `#` above it, or make the lines below the comment comments too',
      };
    if (top.kind !== 'map' || key === null) return null;
    if (/^(?:on|off)line$/.test(top.text) && publicationKeys.includes(key))
      return {
        ...range,
        message: `${name} is indented too far: \`${top.key}\` above it has a value already`,
        hint: `to set both, write \`${top.key}: { state: ${top.text}, ${key}: … }\``,
      };
    if (top.emptyBefore !== null)
      return {
        start: top.keyAt,
        end: top.keyAt + top.key.length,
        message: `\`${top.key}\` is not indented, so it is not part of \`${top.emptyBefore}\``,
        hint: `use ${spaces(indent)}, as for ${name} below it`,
      };
    return null;
  }

  #checkContent(content: string, at: number, indent: number): Slip | null {
    const item = /^-(?: +|$)/.exec(content)?.[0];
    if (item !== undefined) {
      const inner = content.slice(item.length);
      this.#setTop('-', inner === '' ? 'empty' : 'plain');
      if (inner === '' || inner.startsWith('#')) return null;
      const innerAt = at + item.length;
      if (keyPattern.test(inner) || /^- /.test(inner) || noSpacePattern.test(inner)) {
        this.#levels.push(newLevel(indent + item.length, /^- /.test(inner) ? 'list' : 'map'));
        return this.#checkContent(inner, innerAt, indent + item.length);
      }
      return this.#checkValue(inner, innerAt, indent);
    }
    const key = keyPattern.exec(content);
    if (!key?.[1]) return this.#checkNoKey(content, at, indent);
    const [whole, name] = key;
    this.#setTop(name, 'empty', at);
    const rest = content.slice(whole.length);
    const value = rest.trimStart();
    const glued = /^([^"'\s:]+):[{["']/.exec(name);
    if (glued?.[1]) {
      const hint = `write \`${cut(`${glued[1]}: ${content.slice(glued[1].length + 1)}`)}\``;
      return { start: at, end: at + content.length, message: `a space is missing after the colon of \`${glued[1]}\``, hint };
    }
    const odd = /^["']/.test(name) ? null : checkCharacters(name, at);
    return odd ?? this.#checkValue(value, at + whole.length + rest.length - value.length, indent);
  }

  #setTop(key: string, value: Level['value'], keyAt = -1): void {
    const top = this.#levels.at(-1);
    if (!top) return;
    const emptyBefore = top.value === 'empty' && top.key !== '' && top.key !== '-' && !top.hasInner ? top.key : null;
    Object.assign(top, { key, value, keyAt, emptyBefore, text: '', hasInner: false });
  }

  #checkNoKey(content: string, at: number, indent: number): Slip | null {
    const first = content.charAt(0);
    if (first === '"' || first === "'" || first === '{' || first === '[') {
      const slip = this.#checkValue(content, at, indent);
      if (slip || !/^\s*:/.test(this.#text.slice(this.#at - 1 - content.length))) return slip;
    }
    if (content.length === maxContent) return null;
    const keyLike = checkKeyLike(content, at);
    if (keyLike) return keyLike;
    if (wordPattern.test(content)) return missingColon(content, '', at);
    const words = twoWordsPattern.exec(content);
    if (words?.[1] && words[2]) return missingColon(words[1], words[2], at, content.length);
    return checkCharacters(content, at);
  }

  #checkValue(value: string, at: number, indent: number): Slip | null {
    const checked = checkValue(this.#text, value, at, indent);
    if ('slip' in checked) return checked.slip;
    const top = this.#levels.at(-1);
    if (top) Object.assign(top, { value: checked.kind, text: checked.kind === 'plain' ? value : '' });
    if (checked.end > this.#at) this.#at = lineEnd(this.#text, checked.end - 1) + 1;
    return null;
  }
}

/** Checks a value that starts at the offset `at`, below which lines are indented more than `indent`. */
function checkValue(text: string, value: string, at: number, indent: number): ValueCheck {
  const first = value.charAt(0);
  const complete = { kind: 'complete', end: at + value.length } as const;
  switch (first) {
    case '':
    case '#':
      return { kind: 'empty', end: at };
    case '"':
    case "'":
      return checkQuoted(text, at, indent);
    case '{':
    case '[':
      return templatePattern.test(value) ? { slip: template(value, at) } : checkFlow(text, at, indent);
    case '|':
    case '>': {
      if (!/^[|>][-+1-9]{0,2}(?:[ \t]+#.*)?$/.test(value)) return { slip: needsQuotes(value, at, first) };
      return { kind: 'complete', end: blockScalarEnd(text, at, indent) };
    }
    case '&':
    case '!': {
      const property = (first === '&' ? anchorPattern : tagPattern).exec(value)?.[0];
      if (property === undefined) return { slip: needsQuotes(value, at, first) };
      return checkValue(text, value.slice(property.length), at + property.length, indent);
    }
    case '*':
      return /^\*[\p{L}\p{N}_-]+(?:[ \t]+#.*)?$/u.test(value) ? complete : { slip: needsQuotes(value, at, '*') };
    case '@':
    case '`':
    case '%':
    case ',':
    case '}':
    case ']':
      return { slip: needsQuotes(value, at, first) };
  }
  const meant = meantCharacter(first);
  if (first !== meant && meant !== null && '{["\''.includes(meant) && meant !== ' ')
    return {
      slip: { start: at, end: at + 1, message: `${describeCharacter(first)} is not the \`${meant}\` of YAML`, hint: `write \`${meant}\`` },
    };
  if (value === '-' || /^[-?] /.test(value)) return { slip: needsQuotes(value, at, value.slice(0, 2)) };
  const plain = value.replace(/[ \t]#.*$/, '').trimEnd();
  const colon = /:(?= |$)/.exec(plain);
  if (!colon) return { kind: 'plain', end: at + value.length };
  if (first === '(') {
    const hint = `write \`{ ${cut(plain.replace(/^\(\s*|\s*\)$/g, ''))} }\``;
    return { slip: { start: at, end: at + plain.length, message: 'parentheses do not make a map', hint } };
  }
  const does = colon.index === plain.length - 1 ? 'ends with `:`' : 'contains `: `';
  const start = at + colon.index;
  return { slip: { start, end: start + 1, message: `the value ${does}, so it must be in quotes`, hint: `write \`${quote(plain)}\`` } };
}

/** Checks a text that is no `key: value` for the slips that show that it should be one. `at` is its offset. */
export function checkKeyLike(content: string, at: number): Slip | null {
  const range = { start: at, end: at + content.length };
  const noSpace = noSpacePattern.exec(content) ?? spaceBeforePattern.exec(content);
  if (noSpace?.[1] && noSpace[2])
    return {
      ...range,
      message: `a space is missing after the colon of \`${noSpace[1]}\``,
      hint: `write \`${cut(`${noSpace[1]}: ${noSpace[2]}`)}\``,
    };
  const two = twoColonsPattern.exec(content);
  if (two?.[1]) {
    const start = at + two[1].length;
    return { start, end: start + 1, message: `there is a second colon after \`${two[1]}\``, hint: 'remove one of the two' };
  }
  const other = otherSignPattern.exec(content);
  if (other?.[1] && other[2]) {
    const [, key, sign, value = ''] = other;
    const isAscii = sign === '=' || sign === ';';
    const start = isAscii ? at : at + content.indexOf(sign);
    const named = isAscii ? `\`${sign}\`` : describeCharacter(sign);
    const message = `\`${key}\` is followed by ${named} instead of a colon`;
    return { start, end: isAscii ? range.end : start + 1, message, hint: `write \`${cut(`${key}: ${value}`.trimEnd())}\`` };
  }
  return checkCharacters(content, at, (char) => isInvisible(char));
}

function missingColon(key: string, value: string, at: number, length = key.length): Slip {
  const hint =
    value === '' ? `write \`${key}:\` if the lines below belong to it, else \`${key}: VALUE\`` : `write \`${cut(`${key}: ${value}`)}\``;
  return { start: at, end: at + length, message: `a colon is missing after \`${cut(key)}\``, hint };
}

/** Checks the start of a line for what does not belong into YAML. */
function checkLineStart(content: string, at: number): Slip | null {
  const [first = ''] = content;
  const slip = (length: number, message: string, hint: string): Slip => ({ start: at, end: at + length, message, hint });
  if (first === '\t') {
    const { length } = /^\t+/.exec(content)?.[0] ?? first;
    return slip(length, 'a tab is used for indentation; YAML requires spaces', 'replace it with spaces, as in the lines around it');
  }
  if (isInvisible(first)) return invisible(first, at);
  if (/^(?:<{7}|={7}|>{7}|\|{7})(?: |$)/.test(content))
    return slip(
      content.length,
      'this line is left over from a merge conflict',
      'keep one of the two versions, and remove the lines with `<<<<<<<`, `=======` and `>>>>>>>`',
    );
  if (content.startsWith('```')) return slip(content.length, '``` is Markdown, not YAML', 'remove this line');
  if (/^(?:EOF|EOT|EOL)$/.test(content)) return slip(content.length, `\`${content}\` is left over from a shell script`, 'remove this line');
  if (/^\$ \S/.test(content)) return slip(content.length, '`$ ` starts a shell command, not YAML', 'remove this line');
  if (/^>+ /.test(content))
    return slip(
      content.length,
      '`>` at the start of the line is left over from a quoted message',
      'remove it, here and in the lines below',
    );
  if (templatePattern.test(content)) return template(content, at);
  const comment = /^(?:\/\/|\/\*|--(?!-)|;|<!--)/.exec(content)?.[0];
  if (comment) return slip(content.length, `\`${comment}\` does not start a comment in YAML`, 'comments start with `#`');
  if (first === '+' && /^\+\s*\S+:/.test(content))
    return slip(content.length, '`+` at the start of the line is left over from a diff', 'remove it');
  const reserved = /^([@`%*&|>!])([^\s:]*):(?=\s|$)/.exec(content);
  if (reserved?.[1] && reserved[2] !== undefined)
    return slip(reserved[0].length - 1, `a name cannot start with \`${reserved[1]}\``, `write \`${cut(reserved[2].replace(/`$/, ''))}:\``);
  if (first === '}' || first === ']') return slip(1, `this \`${first}\` closes nothing`, 'remove it');
  if (/^\* /.test(content))
    return slip(content.length, 'a list item starts with `- `, not with `* `', `write \`- ${cut(content.slice(2))}\``);
  if (/^-[\p{L}\p{N}"'_]/u.test(content))
    return slip(content.length, 'a space is missing after the dash', `write \`- ${cut(content.slice(1))}\``);
  if (meantCharacter(first) === '-' && first !== '-')
    return slip(1, `${describeCharacter(first)} is not the \`-\` of a list item`, `write \`- ${cut(content.slice(1).trim())}\``);
  return null;
}

/** Checks a text for characters that look like others, or like nothing. */
function checkCharacters(
  text: string,
  at: number,
  isOdd = (char: string): boolean => meantCharacter(char) !== char && char !== ' ',
): Slip | null {
  let start = at;
  for (const char of text) {
    if (char !== '\t' && isOdd(char)) return isInvisible(char) ? invisible(char, start) : oddCharacter(char, start);
    start += char.length;
  }
  return null;
}

function oddCharacter(char: string, start: number): Slip {
  const hint = `did you mean \`${meantCharacter(char)}\`?`;
  return { start, end: start + char.length, message: `${describeCharacter(char)} cannot be used here`, hint };
}

function needsQuotes(value: string, at: number, sign: string): Slip {
  const plain = value.replace(/[ \t]#.*$/, '').trimEnd();
  const percent = /^%(\d+)$/.exec(plain)?.[1];
  const code = /^`([^`]+)`$/.exec(plain)?.[1];
  if (code !== undefined)
    return { start: at, end: at + plain.length, message: 'backticks are not quotes in YAML', hint: `write \`${cut(code)}\`` };
  const variable = /^%([A-Za-z_]\w*)%$/.exec(plain)?.[1];
  if (variable !== undefined)
    return {
      start: at,
      end: at + plain.length,
      message: 'a variable is written with `$` and braces',
      hint: `write \`\${${variable}}\``,
    };
  const message = `a value that starts with \`${sign}\` must be in quotes`;
  const hint = percent === undefined ? `write \`${quote(plain)}\`` : `write \`${percent}%\` for a share`;
  const start = sign === '>' || sign === '|' ? at + value.length - value.slice(1).trimStart().length : at;
  return { start, end: at + plain.length, message, hint };
}

function template(value: string, start: number): Slip {
  const text = /^(?:\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|<%.*?%>)/.exec(value)?.[0] ?? value;
  return { start, end: start + text.length, ...unrenderedTemplate };
}

function newLevel(indent: number, kind: Level['kind']): Level {
  return { indent, kind, key: '', value: 'empty', text: '', keyAt: -1, emptyBefore: null, hasInner: false };
}

/** Returns the slip of dots that stand for omitted lines. */
function checkEllipsis(content: string, at: number): Slip | null {
  if (!/^(?:\.{3}|…)$/.test(content)) return null;
  const hint = 'write the lines that it stands for, or remove it';
  return { start: at, end: at + content.length, message: `\`${content}\` stands for nothing in YAML`, hint };
}

function blockScalarEnd(text: string, at: number, indent: number): number {
  let end = lineEnd(text, at);
  while (end < text.length) {
    const next = lineEnd(text, end + 1);
    const line = text.slice(end + 1, next);
    if (line.trim() !== '' && line.length - line.trimStart().length <= indent) break;
    end = next;
  }
  return end;
}
