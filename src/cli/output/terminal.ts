import { stripVTControlCharacters, styleText } from 'node:util';
import { EdictError } from '../../model/errors.ts';
import type { EdictEvent, Emit } from '../../model/events.ts';
import type { Settings } from '../../model/settings.ts';
import { hasRunnerCommand, visibleLine, visibleLines } from '../../model/visible.ts';

type Style = Parameters<typeof styleText>[0];

/** Colours text for one stream. */
export type Colorize = (style: Style, text: string) => string;

/** How the result of a command is written. */
export interface RenderOptions {
  /** Repeated in the commands that the text suggests. */
  readonly settings: Settings;
  readonly format: 'text' | 'json';
  readonly paint: Colorize;
}

/** Returns a colorizer for `stream`; it adds no colors if `stream` is not a terminal or NO_COLOR is set (see no-color.org). */
export function colorizerFor(stream: NodeJS.WriteStream): Colorize {
  return (style, text) => styleText(style, text, { stream });
}

function hasColors(stream: NodeJS.WriteStream): boolean {
  return colorizerFor(stream)('red', ' ') !== ' ';
}

/** The columns of what is not a terminal, where nothing says how wide a line may be: a file, or the log of a CI system. */
export const defaultWidth = 120;

/** Returns the columns of a terminal; `defaultWidth` if the stream is not one. */
export function widthOfStream({ isTTY, columns }: NodeJS.WriteStream): number {
  return isTTY && columns > 0 ? columns : defaultWidth;
}

/** Adds no colors. */
export const noColor: Colorize = (_style, text) => text;

/** Writes text for people, or JSON: the only way of a string to stdout and stderr, see model/visible.ts. */
export function writeText(stream: NodeJS.WriteStream, text: string): void {
  stream.write(visibleLines(text, hasColors(stream)));
}

/** Writes the result of a command. Annotations for GitHub are commands, and escape what is foreign themselves. */
export function writeFormatted(stream: NodeJS.WriteStream, format: string, text: string): void {
  if (format === 'github') writeExact(stream, text);
  else writeText(stream, text);
}

/**
 * Writes a patch, in which no byte may be changed. A file with control characters is invalid, so that a patch has none; throws an EdictError
 * `PATCH_UNSAFE` if the CI system that reads the output would take one of its lines for a command.
 */
export function writePatch(stream: NodeJS.WriteStream, patch: string): void {
  if (hasRunnerCommand(patch)) {
    throw new EdictError('PATCH_UNSAFE', 'the patch has a line of the file that a CI system takes for a command, with :: or ##[', {
      hint: 'change that line of the file',
    });
  }
  writeExact(stream, patch);
}

/** Writes what a program reads byte by byte: a patch, a file, a script, or the control sequences of a progress line. */
export function writeExact(stream: NodeJS.WriteStream, text: string): void {
  stream.write(text);
}

/** Returns lines as a text. A line break within one of them is foreign, and shown. */
export function joinLines(lines: readonly string[]): string {
  return lines.map(visibleLine).join('\n');
}

/** Writes one line for people, with a line break at its end alone. */
export function writeLine(stream: NodeJS.WriteStream, line: string): void {
  writeText(stream, `${visibleLine(line)}\n`);
}

/** Clears the line of a terminal, and goes to its start. */
const clearLine = '\r\u001B[2K';

/** Replaces the current line of a terminal, without a line break. */
export function drawLine(stream: NodeJS.WriteStream, line: string): void {
  stream.write(`${clearLine}${visibleLines(line, hasColors(stream))}`);
}

/** Returns rows of cells as lines with aligned columns. Color codes do not count towards the width. */
export function formatTable(cells: readonly (readonly string[])[]): string[] {
  const rows = cells.map((row) => row.map(visibleLine));
  const widths: number[] = [];
  const width = (cell: string): number => stripVTControlCharacters(cell).length;
  for (const row of rows) for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, width(cell));
  return rows.map((row) =>
    row
      .map((cell, index) => cell + ' '.repeat((widths[index] ?? 0) - width(cell)))
      .join('  ')
      .trimEnd(),
  );
}

/** A progress line on a terminal. */
export interface Progress {
  readonly emit: Emit;
  /** Erases the line. */
  clear(): void;
}

/** Returns a line on stderr that shows how much of the gateway was read; nothing if stderr is no terminal. */
export function openReadProgress({ stderr }: { readonly stderr: NodeJS.WriteStream }): Progress {
  let isShown = false;
  return {
    emit: (event) => {
      if (event.type !== 'gateway:page_read' || !stderr.isTTY) return;
      drawLine(stderr, formatReadProgress(event));
      isShown = true;
    },
    clear: () => {
      if (isShown) drawLine(stderr, '');
      isShown = false;
    },
  };
}

/** Returns how much of a list was read. */
export function formatReadProgress({ readCount, totalCount }: Extract<EdictEvent, { readonly type: 'gateway:page_read' }>): string {
  return `Reading the gateway: ${readCount} of ${totalCount} entries`;
}
