import { visibleExtract } from '../model/visible.ts';
import { redactSecrets } from './auth/secret.ts';

/** The most characters of a server's text that are processed. */
const maxInputLength = 4096;

/** The most characters in which secrets are looked for: no form of a secret at the end of what is processed is longer than the rest. */
const maxRedactedLength = maxInputLength + 64 * 1024;

/** Returns a server's text without `secrets` as one short line that is safe to print, of at most `length` characters. */
export function sanitize(text: string, secrets: readonly string[], length?: number): string {
  return visibleExtract(redactSecrets(text.slice(0, maxRedactedLength), secrets).slice(0, maxInputLength), length);
}

/** Returns the text of an HTML page, such as a proxy's error page, without markup and sanitized. */
export function sanitizePage(page: string, secrets: readonly string[]): string {
  const text = redactSecrets(page.slice(0, maxRedactedLength), secrets)
    .slice(0, maxInputLength)
    .replace(/<(style|script)\b.*?<\/\1>/gis, ' ')
    .replace(/<[^>]*>/g, ' ');
  return sanitize(text, secrets);
}
