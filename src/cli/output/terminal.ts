import { stripVTControlCharacters, styleText } from 'node:util';
import type { EdictEvent, Emit } from '../../model/events.ts';
import type { Settings } from '../../model/settings.ts';

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

/** Adds no colors. */
export const noColor: Colorize = (_style, text) => text;

/** Returns rows of cells as lines with aligned columns. Color codes do not count towards the width. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
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
      stderr.write(`\r\u001B[2K${formatReadProgress(event)}`);
      isShown = true;
    },
    clear: () => {
      if (isShown) stderr.write('\r\u001B[2K');
      isShown = false;
    },
  };
}

/** Returns how much of a list was read. */
export function formatReadProgress({ readCount, totalCount }: Extract<EdictEvent, { readonly type: 'gateway:page_read' }>): string {
  return `Reading the gateway: ${readCount} of ${totalCount} entries`;
}
