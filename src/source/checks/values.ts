import { describeCharacter, isInvisible, meantCharacter, meantText } from '../yaml/characters.ts';
import { quote, unrenderedTemplate } from '../yaml/slip.ts';
import { checkKeyLike } from '../yaml/slips.ts';
import type { KeyPath } from '../yaml/source-ranges.ts';
import { isMap } from '../yaml/value.ts';
import { closestDuration, isTooLong } from './durations.ts';
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
  if (keyword === 'minItems')
    return {
      message: `${place} needs at least ${String(params['limit'])} entries`,
      hint: path[0] === 'rollout' ? 'list the environments in their order, or remove `rollout`' : null,
    };
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
    const isVariable = path[0] === 'gateway' && variableIn(data) !== null;
    if (!isVariable && /\{\{.*\}\}|\{%.*%\}|<%.*%>/.test(data)) return unrenderedTemplate;
  }
  if (path[0] === 'refresh' && data === false) return { message: `\`false\` is not allowed for ${place}`, hint: 'did you mean `never`?' };
  if (name === 'Threshold' || name === 'Share') return describeThreshold(wrong, place);
  if (schema.type === 'boolean') {
    const hint =
      typeof data === 'string' && /^(?:true|false)$/.test(data)
        ? `remove the quotes: \`${data}\``
        : didYouMean(pruneValue(path, data) ?? closestValue(String(data), ['true', 'false']));
    return { message: `${place} is ${describeType(data)}; expected true or false`, hint };
  }
  if (schema.type === 'integer') return describeInteger(wrong, place);
  if (schema.const !== undefined) {
    const hint = String(data) === String(schema.const) ? 'remove the quotes' : `write \`${path.at(-1)}: ${String(schema.const)}\``;
    return { message: `${formatValue(data)} is not allowed for ${place}; expected ${String(schema.const)}`, hint };
  }
  const choices = schema.enum ?? choicesOf(name);
  if (choices) {
    const comma =
      typeof data === 'string' && /\w[,;]$/.test(data) ? `: it has a ${data.endsWith(',') ? 'comma' : 'semicolon'} at its end` : '';
    const comment = typeof data === 'string' ? commentIn(data) : null;
    const cause = comment === null ? comma : `: ${comment.problem}`;
    const message = `${formatValue(data)} is not allowed for ${place}${cause}; expected ${choices.join(' or ')}`;
    if (isMap(data) || Array.isArray(data)) return { message, hint: scalarHint(data) };
    if (comment) return { message, hint: comment.hint };
    return { message, hint: withOddCharacter(String(data), didYouMean(closestValue(meantText(String(data)), choices))) };
  }
  if (typeof data !== 'string' || expects(schema, 'object') || schema.type === 'array') return describeWrongKind(wrong, place);
  if (keyword === 'maxLength')
    return {
      message: `${last} has ${[...String(whole.data)].length} characters; at most ${params['limit']} are allowed`,
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
    return {
      message,
      hint: path.at(-1) === 'share' ? null : Array.isArray(data) ? 'write `{ count: 5, share: 20% }`' : 'to allow any number, write `100%`',
    };
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
  Api: (data) =>
    /^(?:on|off)line$/.test(data)
      ? `write \`{ environments: { NAME: ${data} } }\`, with the name of the environment`
      : `write \`{ id: ${data || 'ID'}, environments: { … } }\``,
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
    if (isMap(data) && name === null && path.at(-1) === 'rollout')
      return { message, hint: 'write each environment in a line of its own that starts with `- `, in their order' };
    if (isMap(data)) return { message, hint: 'start each entry with `- `' };
    const listed = text.replace(/\s*(?:->|=>|→|>)\s*/g, ', ');
    return {
      message,
      hint: written.includes('\n') ? 'write each entry in a line of its own that starts with `- `' : `write \`[${listed}]\``,
    };
  }
  if (schema.type === 'object') {
    const isStates = path[0] === 'apis' && path.at(-1) === 'environments';
    const names = Array.isArray(data) ? data.filter((item) => typeof item === 'string') : text === '' ? [] : text.split(/[\s,]+/);
    if (isStates && names.length > 0 && names.length <= 3)
      return {
        message,
        hint: `write \`{ ${names.map((one) => (/=/.test(one) ? one.replace(/\s*=\s*/, ': ') : `${one}: online`)).join(', ')} }\``,
      };
    if (path.length === 0) return { message, hint: firstFile };
    if (Array.isArray(data)) return { message, hint: listHint(data, { hasNames: schema.properties === undefined, isStates, written }) };
    return { message, hint: mapExamples[name ?? '']?.(text) ?? null };
  }
  if (typeof data === 'boolean' || typeof data === 'number')
    return { message, hint: `put it in quotes: \`"${written.split(/[\s,}\]]/)[0]}"\`` };
  return { message, hint: scalarHint(data) };
}

/** Returns how to write a list as the map that it should be. */
function listHint(
  data: readonly unknown[],
  { hasNames, isStates, written }: { readonly hasNames: boolean; readonly isStates: boolean; readonly written: string },
): string {
  const [first] = data;
  const name = isMap(first) && typeof first['name'] === 'string' ? first['name'] : null;
  const isPairs = data.every(
    (item) => isMap(item) && Object.keys(item).length === 1 && Object.values(item).every((value) => !isMap(value)),
  );
  if (hasNames && name !== null) {
    const state = isMap(first) && isStates ? first['state'] : undefined;
    return state === undefined
      ? `write \`${name}:\` in place of \`- name: ${name}\`, and so for each item`
      : `write \`${name}: ${String(state)}\` in place of \`- name: ${name}\` and its \`state\`, and so for each item`;
  }
  if (isPairs) return written.startsWith('[') ? 'write `{…}` in place of `[…]`' : 'remove the `- ` of each line';
  if (hasNames && typeof first === 'string') return `write \`${first}: ID\` in place of \`- ${first}\`, and so for each item`;
  return hasNames ? 'write `NAME:` in place of each `- `' : 'remove the `- `';
}

/** Returns how to write the one value that a list or a map was written for; `null` if that is not known. */
function scalarHint(data: unknown): string | null {
  const items = Array.isArray(data) ? data : isMap(data) ? Object.values(data) : [];
  const [key] = isMap(data) ? Object.keys(data) : [];
  const [only] = items;
  if (items.length !== 1) return 'write one value in the line of the key';
  if (key !== undefined && only === null) return `write \`${key}\` without the braces`;
  return typeof only === 'string' ? `write the value alone: \`${only}\`` : 'write one value in the line of the key';
}

/** Returns the value of `prune` for a word that describes the treatment of removed publications, such as `keep`. */
function pruneValue(path: KeyPath, data: unknown): string | null {
  if (path[0] !== 'prune') return null;
  return data === 'keep' ? 'false' : data === 'offline' || data === 'remove' || data === 'delete' ? 'true' : null;
}

/** Returns what is wrong with a comment that YAML takes for a part of the value; `null` if there is none. */
function commentIn(text: string): { readonly problem: string; readonly hint: string } | null {
  const sign = /\s(\/\/|--|\/\*)\s?\S/.exec(text)?.[1];
  if (sign !== undefined) return { problem: `\`${sign}\` does not start a comment in YAML`, hint: 'comments start with ` #`' };
  const [, value] = /^([\w.-]+)#/.exec(text) ?? [];
  return value === undefined
    ? null
    : { problem: 'it contains `#` with no space before it', hint: `write \`${value} #\` if a comment starts here` };
}

function describeWrongText({ path, name, schema, written }: WrongValue, data: string, place: string): ValueError {
  const shown = `${formatValue(data)} is not allowed for ${place}`;
  const expected = `expected: ${lowerFirst(schema.description ?? 'another text').replace(/\.$/, '')}`;
  const variable = path[0] === 'gateway' ? variableIn(data) : null;
  if (variable) return { message: `${shown}: a variable is written with \`$\` and braces`, hint: `write \`\${${variable}}\`` };
  if (name === 'Duration' || path[0] === 'refresh') return describeDuration(data, { shown, expected, isRefresh: path[0] === 'refresh' });
  if (name === 'Endpoint' || name === 'ProbeUrl' || path.at(-1) === 'probe') return describeUrl(data, { shown, expected, path });
  if (name === 'Id' || name === 'Environment') return describeId(data, { shown, path });
  if (name === 'Name' || name === 'RolloutStep')
    return { message: `${shown}: ${describeOddPart(data, nameCharacters) ?? 'it is too long'}`, hint: expected };
  if (name === 'Remark' && data.trim().includes('\n')) return { message: `${shown}: it has several lines`, hint: 'write it in one line' };
  if (name === 'Remark' && data.endsWith('\n'))
    return {
      message: `${shown}: it ends with a line break`,
      hint: `write it in the line of the key, or \`${written.charAt(0)}-\` in place of \`${written.charAt(0)}\``,
    };
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
    return {
      message: `${shown}: it has no unit`,
      hint: `write \`${text}${isRefresh && Number(text) < 60 ? 'm' : 's'}\`, or another unit: ms, s, m, h`,
    };
  const closest = closestDuration(text);
  if (closest !== null && closest !== data) return { message: shown, hint: withOddCharacter(data, `did you mean \`${closest}\`?`) };
  if (isTooLong(text)) return { message: `${shown}: it is longer than 24 hours`, hint: 'write `24h` or less' };
  if (isRefresh) return { message: shown, hint: 'expected: `never`, or a duration with a unit from `100ms` to `24h`' };
  return { message: shown, hint: /^0+\w*$/.test(text) ? 'expected: a duration with a unit, at least `1ms`' : expected };
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
  const linked = /^<(https?:[^>]+)>$|^\[.*\]\((https?:[^)]+)\)$/.exec(data);
  if (linked) return { message: shown, hint: `write the URL alone: \`${linked[1] ?? linked[2]}\`` };
  if (shown !== unsafe)
    return {
      message: `${shown}: it has a user name or a password`,
      hint: isProbe ? 'remove it' : 'remove it; credentials are read from variables only',
    };
  if (data.startsWith('/'))
    return { message: `${shown}: it has no host`, hint: `write the whole URL, such as \`https://HOST${isProbe ? data : ''}\`` };
  const url = /^(?:[a-z]+:\/*)?((?:[^/?#@\s]+@)?)([^/?#@\s]+\.[^/?#@\s]+|localhost(?::\d+)?)(.*)$/i.exec(data);
  if (url?.[1] !== '') return { message: shown, hint: expected };
  const [, , host = '', rest = ''] = url;
  const extra =
    isProbe || rest === '' || rest === '/' ? null : rest.startsWith('/') ? 'a path' : rest.startsWith('?') ? 'a query' : 'a fragment';
  const scheme = /^http:\/\//.test(data) ? 'http' : 'https';
  return {
    message: extra === null ? (data.includes(':/') ? shown : `${shown}: it has no \`https://\``) : `${shown}: it has ${extra}`,
    hint: `did you mean \`${scheme}://${host}${isProbe ? rest : ''}\`? (${expected})`,
  };
}

const idCharacters = /[A-Za-z0-9._-]/;
const nameCharacters = /[\p{L}\p{N}._/-]/u;

function describeId(data: string, { shown, path }: { readonly shown: string; readonly path: KeyPath }): ValueError {
  const expected = 'an ID has letters, digits, `.`, `_` and `-`';
  if (/^<.*>$|^(?:\.{3}|…)$/.test(data))
    return { message: `${shown}: it is a placeholder`, hint: 'write the ID itself, as the console shows it' };
  const end = /^[\w.-]+([,;"'])$/.exec(data)?.[1];
  if (end === ',' || end === ';')
    return { message: `${shown}: it has a ${end === ',' ? 'comma' : 'semicolon'} at its end`, hint: 'remove it' };
  if (end !== undefined) return { message: `${shown}: it has a quote at its end and no opening quote`, hint: 'remove it' };
  const comment = commentIn(data);
  if (comment) return { message: `${shown}: ${comment.problem}`, hint: comment.hint };
  if (/^https?:\/\//.test(data)) return { message: `${shown}: it is a URL`, hint: `write only the ID; ${expected.replace('an ID', 'it')}` };
  const meant = meantText(data);
  const isMeant = meant !== data && /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(meant);
  const isNamed = / /.test(data.trim()) && path.at(-1) === 'id';
  const hint = isNamed ? `${expected}; if this is its name, write \`name:\` instead of \`id:\`` : expected;
  return {
    message: `${shown}: ${describeOddPart(data, idCharacters) ?? (data === '' ? 'it is empty' : 'it is too long')}`,
    hint: quotesHint(data) ?? (isMeant ? didYouMean(meant) : hint),
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
