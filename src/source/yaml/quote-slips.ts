import { cut, lineEnd, quote, type Slip, type ValueCheck } from './slip.ts';

const escapePattern = /\\(?:[0abtnvfre "/\\N_LP\t\r\n]|x[\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|U[\dA-Fa-f]{8})/y;

/** Checks a value in quotes that starts at `at`, below a key that is indented by `indent`. */
export function checkQuoted(text: string, at: number, indent: number): ValueCheck {
  const mark = text.charAt(at);
  const end = closingQuote(text, at, indent);
  if (typeof end !== 'number') return end;
  if (end === -1) return { slip: notClosed(text, at) };
  const rest = text.slice(end + 1, lineEnd(text, end));
  const isMultiLine = text.slice(at, end).includes('\n');
  if (/^\s*$|^\s+#/.test(rest)) return { kind: 'complete', end: end + 1 };
  if (isMultiLine) return { slip: notClosed(text, at) };
  const start = end + 1 + rest.length - rest.trimStart().length;
  const whole = text.slice(at, lineEnd(text, at)).trimEnd();
  const inner = whole.replace(/^["']|["']$/g, '');
  const hint =
    mark === "'"
      ? `write '' for an apostrophe, or put the whole value in double quotes: \`"${cut(inner)}"\``
      : `put the whole value in single quotes: \`'${cut(inner)}'\``;
  const isText =
    /^\s/.test(rest) &&
    !whole
      .slice(1)
      .slice(end - at)
      .includes(mark);
  return {
    slip: {
      start,
      end: start + rest.trim().length,
      message: 'there is text after the closing quote of the value',
      hint: isText ? `put the whole value in quotes: \`${quote(whole.replaceAll(mark, ''))}\`` : hint,
    },
  };
}

/** Returns the slip of a backslash that starts no escape sequence; `null` if it does. */
export function checkEscape(text: string, start: number): Slip | null {
  escapePattern.lastIndex = start;
  if (escapePattern.test(text)) return null;
  const shown = text.slice(start, start + 2);
  return {
    start,
    end: start + 2,
    message: `\`${shown}\` is not an escape sequence of double quotes`,
    hint: `write \`\\${shown}\`, or put the value in single quotes`,
  };
}

/** Returns the offset of the quote that closes the one at `at`; -1 if there is none; or the slip of an unknown escape. */
function closingQuote(text: string, at: number, indent: number): number | { readonly slip: Slip } {
  const mark = text.charAt(at);
  let badEscape: Slip | null = null;
  for (let index = at + 1; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (char === '\n' && !isContinued(text, index + 1, indent)) return -1;
    if (mark === '"' && char === '\\') {
      badEscape ??= checkEscape(text, index);
      index += 1;
    } else if (char === mark) {
      if (mark === "'" && text.charAt(index + 1) === "'") index += 1;
      else return badEscape ? { slip: badEscape } : index;
    }
  }
  return -1;
}

/** Returns whether a value may go on in the line at `start`: it is blank or indented more than the key. */
function isContinued(text: string, start: number, indent: number): boolean {
  const line = text.slice(start, lineEnd(text, start));
  return line.trim() === '' || line.length - line.trimStart().length > indent;
}

function notClosed(text: string, at: number): Slip {
  const mark = text.charAt(at);
  const line = text.slice(at + 1, lineEnd(text, at)).trimEnd();
  const value = /^[^,}\]]*/.exec(line)?.[0].trimEnd() ?? line;
  const whole = line.endsWith(':') ? line.slice(0, -1) : /[{[]/.test(text.slice(text.lastIndexOf('\n', at) + 1, at)) ? value : line;
  return { start: at, end: at + 1, message: 'the quote that opens here is not closed', hint: `write \`${mark}${cut(whole)}${mark}\`` };
}
