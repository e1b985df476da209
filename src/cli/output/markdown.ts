/** A part of a text that has only so much room. */
export interface Section {
  /** What it says at least. */
  readonly minimum: string;
  /** Returns the most that it can say in `room` characters; `least` if even that is more. */
  readonly render: (room: number) => string;
}

/** Returns a part that says the same however much room there is. */
export function fixedSection(text: string): Section {
  return { minimum: text, render: () => text };
}

/** Returns parts, one below the other, in at most `limit` characters; the first ones have the first choice of the room. */
export function fitSections(parts: readonly Section[], limit: number): string {
  const told = parts.filter(({ minimum }) => minimum !== '');
  let left = limit - told.reduce((sum, { minimum }) => sum + minimum.length + separator.length, 0);
  const texts = told.map(({ minimum, render }) => {
    const text = left > 0 ? render(minimum.length + left) : minimum;
    left -= text.length - minimum.length;
    return text;
  });
  return `${texts.join(separator)}\n`;
}

const separator = '\n\n';

/** Returns the first of `texts` that has room, each made only if it is needed; the last one if none has. */
export function firstFitting(texts: readonly [...(() => string)[], () => string], room: number): string {
  let text = '';
  for (const make of texts) {
    text = make();
    if (text.length <= room) break;
  }
  return text;
}

/** Rows under a heading. */
export interface Table {
  readonly heading: string;
  readonly columns: readonly string[];
  /** How many rows there are, and the cells of each, made only as far as there is room. */
  readonly rowCount: number;
  readonly row: (index: number) => readonly string[];
}

/** Returns the whole table, however long it is. */
export function renderTable(table: Table): string {
  return `${table.heading}\n\n${tableHead(table)}\n${tableRows(table, 0, Number.POSITIVE_INFINITY).lines.join('\n')}`;
}

/**
 * Returns a table whose first `open` rows are shown and whose others are folded, as many as there is room for. `rest` says
 * where the others are; at least that is said. A table without rows is an empty part.
 */
export function collapsibleTable(table: Table, open: number, rest: string): Section {
  if (table.rowCount === 0) return fixedSection('');
  const minimum = `${table.heading}\n\n${rest}`;
  const render = (room: number): string => {
    const head = tableHead(table);
    // Beside the rows: the heading, the head twice, the fold, and the word about what is left.
    const fold = `\n\n<details><summary>${table.rowCount} more</summary>\n\n${head}\n\n\n</details>\n\n`;
    const aside = `${table.heading}\n\n${head}\n${fold}And ${table.rowCount} more. ${rest}`;
    const roomForRows = room - aside.length;
    const shown = tableRows(table, 0, roomForRows, open);
    if (shown.lines.length === 0) return minimum;
    const folded = tableRows(table, shown.lines.length, roomForRows - shown.length);
    const told = shown.lines.length + folded.lines.length;
    return [
      table.heading,
      `${head}\n${shown.lines.join('\n')}`,
      ...(folded.lines.length > 0
        ? [`<details><summary>${folded.lines.length} more</summary>`, `${head}\n${folded.lines.join('\n')}`, '</details>']
        : []),
      ...(told < table.rowCount ? [`And ${table.rowCount - told} more. ${rest}`] : []),
    ].join(separator);
  };
  return { minimum, render };
}

function tableHead({ columns }: Table): string {
  return `| ${columns.join(' | ')} |\n|${'---|'.repeat(columns.length)}`;
}

/** Returns the lines of the rows from `from` on, as many as `room` and `most` allow. */
function tableRows(
  { rowCount, row }: Table,
  from: number,
  room: number,
  most: number = rowCount,
): { readonly lines: string[]; readonly length: number } {
  const lines: string[] = [];
  let length = 0;
  for (let index = from; index < rowCount && lines.length < most; index += 1) {
    const line = `| ${row(index).join(' | ')} |`;
    if (length + line.length + 1 > room) break;
    lines.push(line);
    length += line.length + 1;
  }
  return { lines, length };
}

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
