/** How many characters of a foreign text a comment shows. */
const maxCommentLength = 200;

/**
 * Returns a foreign text in quotes as it may stand in a comment or on a terminal: on one line, whatever it holds. Control
 * characters, line ends and what turns the direction of writing are shown by their numbers, a longer text loses its end.
 */
export function quoteForComment(text: string): string {
  const characters = [...text.slice(0, 2 * maxCommentLength + 1)];
  const shown = characters.length <= maxCommentLength ? characters : [...characters.slice(0, maxCommentLength), '…'];
  return JSON.stringify(shown.join('')).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
