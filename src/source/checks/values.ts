import { describeCharacter, isInvisible, meantCharacter, meantText } from '../yaml/characters.ts';
import { quote } from '../yaml/slip.ts';
import { checkKeyLike } from '../yaml/slips.ts';
import type { KeyPath } from '../yaml/source-ranges.ts';
import { isMap } from '../yaml/value.ts';
import { closestDuration } from './durations.ts';
import type { NamedSchema, Schema } from './levels.ts';
import { closestValue } from './spelling.ts';

/** The error in a value, and how to correct it. */
export interface ValueError {
  readonly message: string;
  readonly hint: string | null;
}

/** A value that the schema does not allow. */
export interface WrongValue extends NamedSchema {
  readonly path: KeyPath;
  readonly data: unknown;
  /** Whether the key cannot be left out. */
  readonly isRequired: boolean;
  /** The value as written, to the end of its last line; and a comment that follows it. */
  readonly written: string;
  /** The parameter of the schema's rule, such as the limit of a length. */
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** How many characters of a text are looked at. */
const maxDescribed = 300;

/** Returns what is wrong with a value. */
export function describeWrongValue(whole: WrongValue): ValueError {
  // A text that is far too long must not cost more than a short one.
  const wrong = typeof whole.data === 'string' ? { ...whole, data: whole.data.slice(0, maxDescribed) } : whole;
  const { path, data, name, schema, written, keyword, params } = wrong;
  const place = formatPath(path);
  const last = `\`${/^\d+$/.test(path.at(-1) ?? '0') ? path.join('.') : path.at(-1)}\``;
  if (keyword === 'minItems') return { message: `${place} needs at least ${String(params['limit'])} entries`, hint: null };
  if (keyword === 'maxItems')
    return {
      message: `${place} has ${Array.isArray(data) ? data.length : 0} entries; at most ${String(params['limit'])} are allowed`,
      hint: null,
    };
  if (keyword === 'minProperties') return { message: `${path.at(-1)} is empty; at least one entry is required`, hint: null };
  if (data === null) return describeEmpty(wrong, path.length === 0 ? 'the file' : last);
  if (typeof data === 'string') {
    const slip = expects(schema, 'object') || written.includes('\n') ? keyLikeLine(written) : null;
    if (slip) return slip;
  }
  if (path[0] === 'refresh' && data === false) return { message: `\`false\` is not allowed for ${place}`, hint: 'did you mean `never`?' };
  if (name === 'Threshold' || name === 'Share') return describeThreshold(wrong, place);
  if (schema.type === 'boolean') {
    const hint =
      typeof data === 'string' && /^(?:true|false)$/.test(data)
        ? `remove the quotes: \`${data}\``
        : didYouMean(closestValue(String(data), ['true', 'false']));
    return { message: `${place} is ${describeType(data)}; expected true or false`, hint };
  }
  if (schema.type === 'integer') return describeInteger(wrong, place);
  if (schema.const !== undefined) {
    const hint = String(data) === String(schema.const) ? 'remove the quotes' : null;
    return { message: `${formatValue(data)} is not allowed for ${place}; expected ${String(schema.const)}`, hint };
  }
  const choices = schema.enum ?? choicesOf(name);
  if (choices) {
    const comma =
      typeof data === 'string' && /\w[,;]$/.test(data) ? `: it has a ${data.endsWith(',') ? 'comma' : 'semicolon'} at its end` : '';
    const message = `${formatValue(data)} is not allowed for ${place}${comma}; expected ${choices.join(' or ')}`;
    if (isMap(data) || Array.isArray(data)) return { message, hint: null };
    return { message, hint: withOddCharacter(String(data), didYouMean(closestValue(meantText(String(data)), choices))) };
  }
  if (typeof data !== 'string' || expects(schema, 'object') || schema.type === 'array') return describeWrongKind(wrong, place);
  if (keyword === 'maxLength')
    return {
      message: `${last.slice(1, -1)} has ${[...String(whole.data)].length} characters; at most ${params['limit']} are allowed`,
      hint: null,
    };
  if (data === '' && keyword === 'minLength') return { message: `${last} is empty`, hint: 'set a value or remove the key' };
  return describeWrongText(wrong, data, place);
}

function expects(schema: Schema, type: string): boolean {
  return schema.type === type;
}

/** Returns the allowed words of a value that is a word or a map. */
function choicesOf(name: string | null): readonly string[] | null {
  return name === 'Publication' ? ['online', 'offline'] : null;
}

/** Returns the slip in a text that was meant as a key with a value. */
function keyLikeLine(written: string): ValueError | null {
  if (/^["'|>]/.test(written)) return null;
  for (const line of written.split('\n')) {
    const slip = checkKeyLike(line.trim(), 0);
    if (slip) return { message: slip.message, hint: slip.hint };
  }
  return null;
}

const firstFile = '`edict import` writes a first file from a gateway';

function describeEmpty({ name, schema, path, written, isRequired }: WrongValue, last: string): ValueError {
  const remedy = isRequired ? 'set a value: the key is required' : 'set a value or remove the key';
  const comment = /^\s*(#\S.*)$/.exec(written)?.[1];
  if (comment !== undefined)
    return {
      message: `${last} is empty: \`#\` starts a comment`,
      hint: `write \`${quote(comment)}\` if this is the value, else ${remedy}`,
    };
  if (name === 'Publication')
    return { message: `${last} has no state; expected online or offline`, hint: 'write `online` or `offline` after the colon' };
  if (name === 'Environment')
    return { message: `${last} has no ID`, hint: 'write its ID at the gateway, or `{}` to look it up by its name' };
  const isWord = /^(?:null|Null|NULL)/.test(written);
  const hint = isWord
    ? 'write `"null"` in quotes if this is the text, else set a value or remove the key'
    : 'set a value or remove the key';
  return {
    message: `${last} is empty; expected ${describeExpected(name, schema)}`,
    hint: path.length === 0 ? firstFile : hint,
  };
}

function describeExpected(name: string | null, schema: Schema): string {
  if (name === 'Threshold') return thresholdForms;
  if (name === 'Id') return 'an ID';
  if (schema.const !== undefined) return String(schema.const);
  if (schema.enum) return schema.enum.join(' or ');
  if (schema.type === 'object' && schema.required) return `a map with ${joinWords(schema.required.map((key) => `\`${key}\``))}`;
  return typeNames[schema.type ?? ''] ?? 'a value';
}

const typeNames: Readonly<Record<string, string>> = {
  object: 'a map (`key: value`)',
  string: 'a string',
  integer: 'an integer',
  boolean: 'true or false',
  array: 'a list',
};

const thresholdForms = 'a count such as `5`, a share such as `20%`, or both as `{ count: 5, share: 20% }`';

function describeThreshold({ name, data, path }: WrongValue, place: string): ValueError {
  const message = `${formatValue(data)} is not allowed for ${place}; expected ${name === 'Share' ? 'a percentage such as `20%`' : thresholdForms}`;
  const text = typeof data === 'string' || typeof data === 'number' ? String(data).trim() : '';
  if (name === 'Threshold' && typeof data === 'string' && /^\d+$/.test(text)) return { message, hint: `remove the quotes: \`${text}\`` };
  const number = /^(\d+(?:\.\d+)?)\s*(?:%|percent|per cent|pct)?$/i.exec(text)?.[1];
  if (number === undefined)
    return { message, hint: path.at(-1) === 'share' ? null : Array.isArray(data) ? 'write `{ count: 5, share: 20% }`' : null };
  const share = typeof data === 'number' && data > 0 && data < 1 ? Math.round(data * 100) : Number(number);
  if (share > 100) return { message, hint: 'a share is at most `100%`' };
  if (!Number.isInteger(share)) return { message, hint: `a share is a whole number of percent, such as \`${Math.ceil(share)}%\`` };
  return { message, hint: `did you mean \`${share}%\`?` };
}

function describeInteger({ data, keyword, params }: WrongValue, place: string): ValueError {
  if (keyword === 'minimum' || keyword === 'maximum')
    return {
      message: `${formatValue(data)} is not allowed for ${place}; expected a number ${params['comparison']} ${params['limit']}`,
      hint: null,
    };
  const message = `${place} is ${describeType(data)}; expected an integer`;
  if (typeof data !== 'string') return { message, hint: null };
  if (/^\d+$/.test(data)) return { message, hint: `remove the quotes: \`${data}\`` };
  const digits = /^(\d[\d_,' ]*)(?:$|\s*\/|\s*[a-z]+$)/i.exec(meantText(data))?.[1]?.replace(/\D/g, '');
  return { message, hint: digits === undefined ? null : withOddCharacter(data, `did you mean \`${digits}\`?`) };
}

/** An example of a map or list, by the name of its definition. */
const mapExamples: Readonly<Record<string, (data: string) => string>> = {
  Limit: (data) => `write \`{ calls: ${/\d+/.exec(data)?.[0] ?? '10'}, per: 1s }\``,
  Suspend: (data) => `write \`{ reason: ${data === 'true' || data === '' ? 'migration' : data} }\``,
  Api: (data) => `write \`{ id: ${data || 'ID'}, environments: { … } }\``,
  Gateway: () => 'write `endpoint:`, `project:` and `instance:` in the lines below it',
};

function describeWrongKind({ path, data, name, schema, written }: WrongValue, place: string): ValueError {
  const keys =
    schema.type === 'object' && schema.properties && name === 'Limit'
      ? ` of ${joinWords(Object.keys(schema.properties).map((key) => `\`${key}\``))}`
      : '';
  const message = `${place} is ${describeType(data)}; expected ${typeNames[schema.type ?? ''] ?? 'a string or a map'}${keys}`;
  const text = typeof data === 'string' || typeof data === 'boolean' || typeof data === 'number' ? String(data) : '';
  if (schema.type === 'array') {
    if (isMap(data)) return { message, hint: 'start each entry with `- `' };
    return {
      message,
      hint: written.includes('\n') ? 'write each entry in a line of its own that starts with `- `' : `write \`[${text}]\``,
    };
  }
  if (schema.type === 'object') {
    const isStates = path[0] === 'apis' && path.at(-1) === 'environments';
    const names = Array.isArray(data) ? data.filter((item) => typeof item === 'string') : text === '' ? [] : text.split(/[\s,]+/);
    if (isStates && names.length > 0 && names.length <= 3)
      return { message, hint: `write \`{ ${names.map((one) => `${one}: online`).join(', ')} }\`` };
    if (path.length === 0) return { message, hint: firstFile };
    if (Array.isArray(data)) return { message, hint: 'write `NAME:` in place of each `- `' };
    return { message, hint: mapExamples[name ?? '']?.(text) ?? null };
  }
  if (typeof data === 'boolean' || typeof data === 'number')
    return { message, hint: `put it in quotes: \`"${written.split(/[\s,}\]]/)[0]}"\`` };
  return { message, hint: null };
}

function describeWrongText({ path, name, schema, written }: WrongValue, data: string, place: string): ValueError {
  const shown = `${formatValue(data)} is not allowed for ${place}`;
  const expected = `expected: ${lowerFirst(schema.description ?? 'another text')}`;
  const variable = path[0] === 'gateway' ? variableIn(data) : null;
  if (variable) return { message: `${shown}: a variable is written with \`$\` and braces`, hint: `write \`\${${variable}}\`` };
  if (name === 'Duration' || path[0] === 'refresh') return describeDuration(data, { shown, expected, isRefresh: path[0] === 'refresh' });
  if (name === 'Endpoint' || name === 'ProbeUrl' || path.at(-1) === 'probe') return describeUrl(data, { shown, expected, path });
  if (name === 'Id' || name === 'Environment') return describeId(data, { shown, path });
  if (name === 'Name' || name === 'RolloutStep')
    return { message: `${shown}: ${describeOddPart(data, nameCharacters) ?? 'it is too long'}`, hint: expected };
  return { message: shown, hint: written === '' ? null : expected };
}

/** Returns the name of a variable that is written as other tools do, without `$` or without braces. */
function variableIn(text: string): string | null {
  if (/\$\{[^}]*\}/.test(text)) return null;
  const match = /^(?:\$\{?\(?|\{\{\s*\.?|%)([A-Za-z_]\w*)\s*(?:\}{0,2}|\)|%)$/.exec(text);
  return match?.[1] ?? null;
}

function describeDuration(
  data: string,
  { shown, expected, isRefresh }: { readonly shown: string; readonly expected: string; readonly isRefresh: boolean },
): ValueError {
  const text = meantText(data);
  const never = isRefresh && closestValue(text, ['never']) === 'never';
  if (never) return { message: shown, hint: 'did you mean `never`?' };
  if (/^\d+$/.test(text) && Number(text) > 0)
    return { message: `${shown}: it has no unit`, hint: `write \`${text}${isRefresh ? 'm' : 's'}\`, or another unit: ms, s, m, h` };
  const closest = closestDuration(text);
  if (closest !== null && closest !== data) return { message: shown, hint: withOddCharacter(data, `did you mean \`${closest}\`?`) };
  if (isRefresh) return { message: shown, hint: 'expected: `never`, or a duration with a unit from `100ms` to `24h`' };
  return { message: shown, hint: /^0+\w*$/.test(text) ? 'expected: a duration with a unit, at least `1ms`' : expected.replace(/\.$/, '') };
}

function describeUrl(
  data: string,
  { shown: unsafe, expected, path }: { readonly shown: string; readonly expected: string; readonly path: KeyPath },
): ValueError {
  // A user may have a password.
  const shown = unsafe.replace(/\/\/[^/\s]*@/, '//***@');
  const isProbe = path.at(-1) === 'probe' || path.at(-1) === 'url';
  if (isProbe && path[0] === 'apis') {
    const word = closestValue(data, ['none']);
    if (word !== null) return { message: shown, hint: 'did you mean `none`?' };
  }
  if (/\s/.test(data)) return { message: `${shown}: it contains a space`, hint: expected };
  const odd = [...data].find((char) => isInvisible(char));
  if (odd !== undefined) return { message: `${shown}: it contains ${describeCharacter(odd)}`, hint: 'delete it' };
  const url = /^(?:[a-z]+:\/*)?((?:[^/?#@\s]+@)?)([^/?#@\s]+\.[^/?#@\s]+|localhost(?::\d+)?)(.*)$/i.exec(data);
  if (url?.[1] !== '') return { message: shown, hint: expected };
  const [, , host = '', rest = ''] = url;
  const extra =
    isProbe || rest === '' || rest === '/' ? null : rest.startsWith('/') ? 'a path' : rest.startsWith('?') ? 'a query' : 'a fragment';
  const scheme = /^http:\/\//.test(data) ? 'http' : 'https';
  return {
    message: extra === null ? shown : `${shown}: it has ${extra}`,
    hint: `did you mean \`${scheme}://${host}${isProbe ? rest : ''}\`? (${expected})`,
  };
}

const idCharacters = /[A-Za-z0-9._-]/;
const nameCharacters = /[\p{L}\p{N}._/-]/u;

function describeId(data: string, { shown, path }: { readonly shown: string; readonly path: KeyPath }): ValueError {
  const expected = 'an ID has letters, digits, `.`, `_` and `-`';
  if (/^<.*>$/.test(data)) return { message: `${shown}: it is a placeholder`, hint: 'write the ID itself, as the console shows it' };
  const end = /^[\w.-]+([,"'])$/.exec(data)?.[1];
  if (end === ',') return { message: `${shown}: it has a comma at its end`, hint: 'remove it' };
  if (end !== undefined) return { message: `${shown}: it has a quote at its end and no opening quote`, hint: 'remove it' };
  const isNamed = / /.test(data.trim()) && path.at(-1) === 'id';
  const hint = isNamed ? `${expected}; if this is its name, write \`name:\` instead of \`id:\`` : expected;
  return {
    message: `${shown}: ${describeOddPart(data, idCharacters) ?? (data === '' ? 'it is empty' : 'it is too long')}`,
    hint: quotesHint(data) ?? hint,
  };
}

/** Describes the first character of a text that is not allowed; `null` if all are. */
export function describeOddPart(text: string, allowed: RegExp): string | null {
  const odd = [...text].find((char) => !allowed.test(char));
  if (odd === undefined) return /^[.-]/.test(text) ? `it starts with \`${text.charAt(0)}\`` : null;
  if (odd === ' ') return text.trim() === text ? 'it contains a space' : 'it starts or ends with a space';
  return `it contains ${describeCharacter(odd)}`;
}

/** Returns a hint if the text has typographic quotes. */
function quotesHint(text: string): string | null {
  return /[\u2018-\u201F]/.test(text) ? 'use straight quotes (`"`), or none' : null;
}

/** Adds to a hint that a text has a character which looks like another or like nothing. */
export function withOddCharacter(text: string, hint: string | null): string | null {
  const odd = [...text.normalize('NFC')].find((char) => char !== ' ' && meantCharacter(char) !== char);
  if (odd === undefined) return hint;
  const quotes = quotesHint(text);
  return [`it contains ${describeCharacter(odd)}`, ...(quotes === null ? [] : [quotes]), ...(hint === null ? [] : [hint])].join('; ');
}

function didYouMean(word: string | null): string | null {
  return word === null ? null : `did you mean \`${word}\`?`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Formats a path for a message. */
export function formatPath(path: KeyPath): string {
  return path.length === 0 ? 'the file' : `\`${path.join('.')}\``;
}

/** Joins words as in a sentence. */
export function joinWords(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

function formatValue(value: unknown): string {
  if (typeof value !== 'string') return isMap(value) || Array.isArray(value) ? describeType(value) : `\`${String(value)}\``;
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
}

function describeType(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (isMap(value)) return 'a map';
  return typeof value === 'string' ? 'a string' : `the ${typeof value} ${String(value)}`;
}
