import { redactSecrets } from './auth/secret.ts';

/** How much of a foreign text is shown to people. */
const maxLength = 300;

/** More than this is never worth reading to find `longest` characters. */
const maxInputLength = 4096;

/**
 * Returns a text that came from a server as one short line that is safe to print: without `secrets`, control
 * characters and line breaks.
 */
export function sanitize(text: string, secrets: readonly string[], length: number = maxLength): string {
  const line = redactSecrets(text, secrets)
    .slice(0, maxInputLength)
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  return line.length <= length ? line : `${line.slice(0, length - 1).trimEnd()}…`;
}

/** Returns what a page such as a proxy's error page says, without its markup, else like `readable`. */
export function sanitizePage(page: string, secrets: readonly string[]): string {
  const words = redactSecrets(page, secrets)
    .slice(0, maxInputLength)
    .replace(/<(style|script)\b.*?<\/\1>/gis, ' ')
    .replace(/<[^>]*>/g, ' ');
  return sanitize(words, secrets);
}
