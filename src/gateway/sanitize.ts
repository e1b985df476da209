import { visible } from '../model/visible.ts';
import { redactSecrets } from './auth/secret.ts';

/** The most characters of a server's text that are shown. */
const maxLength = 300;

/** The most characters of a server's text that are processed. */
const maxInputLength = 4096;

/** The most characters in which secrets are looked for: no form of a secret at the end of what is processed is longer than the rest. */
const maxRedactedLength = maxInputLength + 64 * 1024;

/**
 * Returns a server's text as one short line that is safe to print: without `secrets`, with spaces for line breaks, and with other control
 * characters made visible.
 */
export function sanitize(text: string, secrets: readonly string[], length: number = maxLength): string {
  const folded = redactSecrets(text.slice(0, maxRedactedLength), secrets)
    .slice(0, maxInputLength)
    .replace(/[\s\p{Z}]+/gu, ' ')
    .trim();
  const line = visible(folded);
  return line.length <= length
    ? line
    : `${line
        .slice(0, length - 1)
        .toWellFormed()
        .trimEnd()}…`;
}

/** Returns the text of an HTML page, such as a proxy's error page, without markup and sanitized. */
export function sanitizePage(page: string, secrets: readonly string[]): string {
  const text = redactSecrets(page.slice(0, maxRedactedLength), secrets)
    .slice(0, maxInputLength)
    .replace(/<(style|script)\b.*?<\/\1>/gis, ' ')
    .replace(/<[^>]*>/g, ' ');
  return sanitize(text, secrets);
}
