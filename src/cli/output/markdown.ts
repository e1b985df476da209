import { type EdictError, InvalidFileError } from '../../model/errors.ts';
import { visible } from '../../model/visible.ts';
import { repositoryPath } from '../repository-path.ts';

/** One less than GitHub's limit for a comment; GitLab's is higher. Counted in UTF-16 units, which are never fewer than characters. */
export const maxCommentLength = 65_535;

/** Returns the first line of the comment about a file, by which a job finds its comment again: each file has its own, with or without a plan. */
export function commentMarker(file: string): string {
  const path = repositoryPath(file) ?? file;
  return `<!-- edict plan ${path.replaceAll(/[^\w./]+|-+/g, '-')} -->`;
}

/** A section of a text with a length limit. */
export interface Section {
  /** The shortest text of the section. */
  readonly minimum: string;
  /** Returns the longest text of at most `maxLength` characters; `minimum` if nothing fits. */
  readonly render: (maxLength: number) => string;
}

/** Returns a section that never varies in length. */
export function fixedSection(text: string): Section {
  return { minimum: text, render: () => text };
}

/** Joins sections into at most `limit` characters; earlier sections use the available length first. */
export function fitSections(parts: readonly Section[], limit: number): string {
  const nonEmpty = parts.filter(({ minimum }) => minimum !== '');
  let left = limit - nonEmpty.reduce((sum, { minimum }) => sum + minimum.length + separator.length, 0);
  const texts = nonEmpty.map(({ minimum, render }) => {
    const text = left > 0 ? render(minimum.length + left) : minimum;
    left -= text.length - minimum.length;
    return text;
  });
  return `${texts.join(separator)}\n`;
}

const separator = '\n\n';

/** Returns the first of `texts` that fits, or the last one; each is rendered only when the ones before it do not fit. */
export function firstFitting(texts: readonly [...(() => string)[], () => string], maxLength: number): string {
  let text = '';
  for (const render of texts) {
    text = render();
    if (text.length <= maxLength) break;
  }
  return text;
}

/** Rows under a heading. */
export interface Table {
  readonly heading: string;
  readonly columns: readonly string[];
  /** The number of rows; `row` renders the cells of one, and is called only for rows that fit. */
  readonly rowCount: number;
  readonly row: (index: number) => readonly string[];
}

/** Returns the whole table, whatever its length. */
export function renderTable(table: Table): string {
  return `${table.heading}\n\n${tableHead(table)}\n${tableRows(table, { from: 0, maxLength: Number.POSITIVE_INFINITY }).lines.join('\n')}`;
}

/**
 * Returns a table that shows the first `open` rows and collapses further ones, as many as fit. `rest` says where to find the others and
 * is the minimum. A table without rows is an empty section.
 */
export function collapsibleTable(table: Table, open: number, rest: string): Section {
  if (table.rowCount === 0) return fixedSection('');
  const minimum = `${table.heading}\n\n${rest}`;
  const render = (maxLength: number): string => {
    const head = tableHead(table);
    // The length without rows: the heading, the table head twice, the collapsible block and the note about the remaining rows.
    const collapsible = `\n\n<details><summary>${table.rowCount} more</summary>\n\n${head}\n\n\n</details>\n\n`;
    const fixedText = `${table.heading}\n\n${head}\n${collapsible}And ${table.rowCount} more. ${rest}`;
    const maxRowsLength = maxLength - fixedText.length;
    const shown = tableRows(table, { from: 0, maxLength: maxRowsLength, most: open });
    if (shown.lines.length === 0) return minimum;
    const collapsed = tableRows(table, { from: shown.lines.length, maxLength: maxRowsLength - shown.length });
    const shownRows = shown.lines.length + collapsed.lines.length;
    return [
      table.heading,
      `${head}\n${shown.lines.join('\n')}`,
      ...(collapsed.lines.length > 0
        ? [`<details><summary>${collapsed.lines.length} more</summary>`, `${head}\n${collapsed.lines.join('\n')}`, '</details>']
        : []),
      ...(shownRows < table.rowCount ? [`And ${table.rowCount - shownRows} more. ${rest}`] : []),
    ].join(separator);
  };
  return { minimum, render };
}

function tableHead({ columns }: Table): string {
  return `| ${columns.join(' | ')} |\n|${'---|'.repeat(columns.length)}`;
}

/** Returns the lines of the rows from index `from`, at most `most` rows and `maxLength` characters. */
function tableRows(
  { rowCount, row }: Table,
  { from, maxLength, most = rowCount }: { readonly from: number; readonly maxLength: number; readonly most?: number },
): { readonly lines: string[]; readonly length: number } {
  const lines: string[] = [];
  let length = 0;
  for (let index = from; index < rowCount && lines.length < most; index += 1) {
    const line = `| ${row(index).join(' | ')} |`;
    if (length + line.length + 1 > maxLength) break;
    lines.push(line);
    length += line.length + 1;
  }
  return { lines, length };
}

/*
 * Escaping of untrusted text for comments at GitHub and GitLab: it cannot break a table, inject HTML or mention anyone.
 */

/** The most characters shown of a name; names in the file are shorter. */
const maxCodeLength = 300;

/** The most characters shown of a sentence. */
const maxTextLength = 600;

/**
 * Returns a text as inline code, in which no mentions, links or emoji are recognized. Invisible characters are shown as `\u{…}`, and a
 * long text is truncated in the middle.
 */
export function inlineCode(text: string): string {
  const shown = truncateMiddle(visible(text), maxCodeLength);
  if (shown === '') return '';
  // A `|` inside backticks ends a table cell; an entity inside <code> does not.
  const isPlain = !/[`|\\<>&]/.test(shown) && shown.trim() === shown;
  return isPlain ? `\`${shown}\`` : `<code>${encodeEntities(shown)}</code>`;
}

/** Escapes a text for use in a sentence. */
export function escapeText(text: string): string {
  // Mentions and references are recognized after entities are decoded, so they must be broken by a zero-width space.
  const parts = truncateMiddle(visible(text), maxTextLength).split(/(?<=[@#!~%$^&])(?=[\p{L}\p{N}_"{[(])|(?<=:)(?=[a-z+-])/u);
  return parts.map(encodeEntities).join('&#8203;');
}

/** Cuts a text to at most `most` characters; replaces the middle with `…`. */
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

/** Punctuation that has no meaning in Markdown or HTML within a sentence. */
const safeCharacters = new Set(['(', ')', ':', ';', '=', '?', "'", '"', '%', '+', ',']);

/** The rows shown of the errors; further rows are collapsed. */
const maxOpenRows = 20;

/**
 * Returns an error as the comment on a pull request that replaces the plan of `file`. It has the messages of an invalid file's errors, as annotations have, but no lines
 * of the file. `complete` completes the commands in a text.
 */
export function renderMarkdownError(error: EdictError, file: string, complete: (text: string) => string): string {
  const head = (title: string): string => `${commentMarker(file)}\n### edict: no plan: ${title}`;
  if (error instanceof InvalidFileError) {
    const row = (index: number): readonly string[] => {
      const { file: of = '', line = 0, column = 0, message = '', hint = null } = error.diagnostics[index] ?? {};
      return [inlineCode(`${of}:${line}:${column}`), escapeText(hint === null ? message : `${message}; ${hint}`)];
    };
    const table = { heading: `**Errors** (${error.count})`, columns: ['where', 'what'], rowCount: error.diagnostics.length, row };
    const invalid = `${head(`${escapeText(error.message)}.`)}\n\nNo changes are made until the file is fixed.`;
    return fitSections([fixedSection(invalid), collapsibleTable(table, maxOpenRows, '`edict validate` shows all.')], maxCommentLength);
  }
  const { message, hint } = error;
  const todo = hint === null ? [] : [fixedSection(escapeText(`To do: ${complete(hint)}.`))];
  return fitSections([fixedSection(head(`${escapeText(complete(message))}.`)), ...todo], maxCommentLength);
}
