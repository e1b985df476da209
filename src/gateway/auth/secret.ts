import { inspect } from 'node:util';

/** A value that must not be seen: printed, logged or serialised it is `***`. */
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

/** Returns `text` with every one of `secrets` replaced by `***`, also where it is escaped as in JSON or in an address. */
export function redactSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret === '' || secret.length > text.length) continue;
    const escaped = JSON.stringify(secret).slice(1, -1);
    for (const form of new Set([secret, escaped, escaped.replaceAll('/', '\\/'), encodeURIComponent(secret)])) {
      clean = clean.replaceAll(form, '***');
    }
  }
  return clean;
}
