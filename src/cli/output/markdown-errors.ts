import { type EdictError, InvalidFileError } from '../../model/errors.ts';
import { collapsibleTable, commentMarker, escapeText, fitSections, fixedSection, inlineCode, maxCommentLength } from './markdown.ts';

/*
 * The comment on a pull request for which there is no plan.
 */

/** The rows shown of the errors; further rows are collapsed. */
const maxOpenRows = 20;

/**
 * Returns an error as the comment that replaces the plan of `file`. It has the messages of an invalid file's errors, as annotations have, but no lines
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
