import { describeCharacter, meantCharacter } from './characters.ts';

/** A slip in a text: its place, what is wrong, and how to correct it. */
export interface Slip {
  /** Offsets into the text, end exclusive. */
  readonly start: number;
  readonly end: number;
  readonly message: string;
  readonly hint: string | null;
}

/** The kind of value on a line: nothing, text that may go on in the next lines, or something that has ended at the offset `end`. */
export type ValueCheck = { readonly slip: Slip } | { readonly kind: 'empty' | 'plain' | 'complete'; readonly end: number };

/** Returns the slip of an invisible character. */
export function invisible(char: string, start: number): Slip {
  const hint = meantCharacter(char) === ' ' ? 'replace it with an ordinary space' : 'delete it';
  return { start, end: start + char.length, message: `there is an invisible character here: ${describeCharacter(char)}`, hint };
}

/** Returns the offset of the line break that ends the line at `at`, or the end of the text. */
export function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}

/** Formats a number of spaces. */
export function spaces(count: number): string {
  return count === 1 ? '1 space' : `${count} spaces`;
}

/** The message and hint for a template, wherever it is. */
export const unrenderedTemplate = {
  message: 'this is a template, which edict does not evaluate',
  hint: 'render it first, and have edict read the result',
} as const;

/** The message and hint for the number of a line that was copied with it. */
export const lineNumber = {
  message: 'this line starts with its number, as an editor or a pager shows it',
  hint: 'remove the numbers at the start of the lines',
} as const;

/** Cuts a text for a message. */
export function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** Returns a text in quotes. */
export function quote(text: string): string {
  return text.includes('"') || text.includes('\\') ? `'${cut(text.replaceAll("'", "''"))}'` : `"${cut(text)}"`;
}

/** Returns the slip of a text that was not decoded as it was encoded, or has line ends of its own. */
export function findEncodingSlip(text: string): Slip | null {
  const start = text.startsWith('\uFEFF') ? 1 : 0;
  if (/^(?:[^\0]\0){4}|^(?:\0[^\0]){4}/.test(text))
    return { start, end: start + 1, message: 'the file is encoded in UTF-16', hint: 'save it as UTF-8' };
  if (text.charAt(start) === '\uFEFF') return invisible('\uFEFF', start);
  const carriageReturn = /\r(?!\n)/.exec(text);
  if (carriageReturn && !text.includes('\n'))
    return {
      start: carriageReturn.index,
      end: carriageReturn.index + 1,
      message: 'the lines end with a carriage return alone',
      hint: 'save the file with the line ends of Unix (LF) or Windows (CRLF)',
    };
  return null;
}
