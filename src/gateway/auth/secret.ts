import { inspect } from 'node:util';

/** A secret value: printed, logged or serialized, it is `***`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** Returns the value itself, for the one place that sends it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }

  [inspect.custom](): string {
    return '***';
  }
}

/** Returns `text` with each of `secrets` replaced by `***`, also in its JSON-escaped and URL-encoded forms. */
export function redactSecrets(text: string, secrets: readonly string[]): string {
  let redacted = text;
  for (const secret of secrets) {
    if (secret === '' || secret.length > text.length) continue;
    const escaped = JSON.stringify(secret).slice(1, -1);
    for (const form of new Set([secret, escaped, escaped.replaceAll('/', '\\/'), encodeURIComponent(secret)])) {
      redacted = redacted.replaceAll(form, '***');
    }
  }
  return redacted;
}
