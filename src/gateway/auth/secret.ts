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

/** A shorter piece of base64 may be in any text. */
const minBase64Length = 10;

/** Returns `text` with each of `secrets` replaced by `***`, also in JSON, in HTML, in a URL, in base64, and in one of these within another. */
export function redactSecrets(text: string, secrets: readonly string[]): string {
  let redacted = text;
  for (const secret of secrets) {
    if (secret === '' || secret.length > text.length) continue;
    for (const form of knownFormsOf(secret)) redacted = redacted.replaceAll(form, '***');
  }
  return redacted;
}

/** The forms of the secrets of this process, of which there are few at a time: a list has thousands of fields. */
const knownForms = new Map<string, readonly string[]>();
const maxKnownSecrets = 16;

function knownFormsOf(secret: string): readonly string[] {
  const known = knownForms.get(secret);
  if (known) return known;
  if (knownForms.size >= maxKnownSecrets) knownForms.clear();
  const forms = formsOf(secret);
  knownForms.set(secret, forms);
  return forms;
}

/** Returns the texts in which a server may repeat a secret, the longest first, so that no form is found within another. */
function formsOf(secret: string): string[] {
  const escaped = jsonEscaped(secret);
  const html = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
  const texts = new Set([secret, escaped, escaped.replaceAll('/', '\\/'), jsonEscaped(escaped), html, html.replaceAll('&quot;', '&#34;')]);
  const forms = new Set<string>();
  for (const form of texts) {
    const encoded = encodeURIComponent(form.toWellFormed());
    for (const one of [form, encoded, encodeURIComponent(encoded), ...base64Forms(form)]) {
      forms.add(one);
      forms.add(one.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase()));
    }
  }
  return [...forms].sort((a, b) => b.length - a.length);
}

function jsonEscaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Returns the part of a text in base64 that does not depend on the bytes around it, for each place of the text in a group of three bytes. */
function base64Forms(text: string): string[] {
  const forms = [0, 1, 2].map((shift) => {
    const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)]);
    const whole = bytes.subarray(0, bytes.length - (bytes.length % 3)).toString('base64');
    return shift === 0 ? whole : whole.slice(4);
  });
  return forms.filter(({ length }) => length >= minBase64Length).flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')]);
}
