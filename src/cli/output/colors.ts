import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Colours text for one stream. */
export type Colorize = (style: Style, text: string) => string;

/** Returns a colorizer for `stream`; it adds no colors if `stream` is not a terminal or NO_COLOR is set (see no-color.org). */
export function colorizerFor(stream: NodeJS.WriteStream): Colorize {
  return (style, text) => styleText(style, text, { stream });
}

/** Adds no colors. */
export const noColor: Colorize = (_style, text) => text;
