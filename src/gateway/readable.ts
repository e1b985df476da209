import { scrub } from './secret.ts';

/** How much of a foreign text is shown to people. */
const longest = 300;

/** More than this is never worth reading to find `longest` characters. */
const worthReading = 4096;

/**
 * Returns a text that came from a server as one short line that is safe to print: without `secrets`, control
 * characters and line breaks.
 */
export function readable(text: string, secrets: readonly string[], length: number = longest): string {
  const line = scrub(text, secrets)
    .slice(0, worthReading)
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  return line.length <= length ? line : `${line.slice(0, length - 1).trimEnd()}…`;
}

/** Returns what a page such as a proxy's error page says, without its markup, else like `readable`. */
export function readablePage(page: string, secrets: readonly string[]): string {
  const words = scrub(page, secrets)
    .slice(0, worthReading)
    .replace(/<(style|script)\b.*?<\/\1>/gis, ' ')
    .replace(/<[^>]*>/g, ' ');
  return readable(words, secrets);
}
