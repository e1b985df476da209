import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Colours text for one stream. */
export type Colorize = (style: Style, text: string) => string;

/** Returns a painter for `stream`: plain where it is no terminal or NO_COLOR is set (see no-color.org). */
export function colorizerFor(stream: NodeJS.WriteStream): Colorize {
  return (style, text) => styleText(style, text, { stream });
}

/** Leaves text as it is. */
export const noColor: Colorize = (_style, text) => text;
