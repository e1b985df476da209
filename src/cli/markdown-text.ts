/*
 * Texts that others have written, made harmless for a comment at a forge: whatever stands in them, they break no table,
 * become no HTML, and call nobody.
 */

/** The most characters that are shown of a name; names in the file are shorter. */
const maxCodeLength = 300;

/** The most characters that are shown of a sentence. */
const maxTextLength = 600;

/**
 * Returns a text as code, so that forges find no mentions, links or emoji in it. What cannot be seen is shown as `\u{…}`.
 * Longer ones lose their middle.
 */
export function inlineCode(text: string): string {
  const shown = truncateMiddle(escapeInvisible(text), maxCodeLength);
  if (shown === '') return '';
  // Code between backticks ends a table's cell at a bar; entities in HTML never do.
  const isPlain = !/[`|\\<>&]/.test(shown) && shown.trim() === shown;
  return isPlain ? `\`${shown}\`` : `<code>${encodeEntities(shown)}</code>`;
}

/** Returns a text as part of a sentence. */
export function escapeText(text: string): string {
  // A forge looks for mentions and references after it has decoded entities, so that only something between helps.
  const parts = truncateMiddle(escapeInvisible(text), maxTextLength).split(/(?<=[@#!~%$^&])(?=[\p{L}\p{N}_"{[(])|(?<=:)(?=[a-z+-])/u);
  return parts.map(encodeEntities).join('&#8203;');
}

/** Returns a text in which everything can be seen: no line ends, no marks that turn the direction of what follows. */
export function escapeInvisible(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (mark) => `\\u{${(mark.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Returns a text of at most `most` characters, of which the middle is left out where there are more. */
export function truncateMiddle(text: string, most: number): string {
  if (text.length <= most) return text;
  const characters = [...text];
  if (characters.length <= most) return text;
  const half = Math.floor((most - 1) / 2);
  return `${characters.slice(0, half).join('')}…${characters.slice(-half).join('')}`;
}

function encodeEntities(text: string): string {
  return text.replace(/[!"#$%&'()*+:;<=>?@[\\\]^_`{|}~]/g, (mark) => (safeCharacters.has(mark) ? mark : `&#${mark.charCodeAt(0)};`));
}

/** What means nothing inside a sentence. */
const safeCharacters = new Set(['(', ')', ':', ';', '=', '?', "'", '"', '%', '+', ',']);
