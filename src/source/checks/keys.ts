import type { PathDiagnostic } from '../path-diagnostic.ts';
import { meantText } from '../yaml/characters.ts';
import { lineNumber } from '../yaml/slip.ts';
import { checkKeyLike } from '../yaml/slips.ts';
import type { KeyPath } from '../yaml/source-ranges.ts';
import { isMap } from '../yaml/value.ts';
import { type FileKind, keysAt, levelsOf, schemaAt } from './levels.ts';
import { closestKey, closestMatch, isSpellingOf } from './spelling.ts';
import { describeOddPart, formatPath, joinWords, type ValueError, withOddCharacter } from './values.ts';

/** A key that is not allowed where it is. */
export interface UnknownKey {
  readonly kind: FileKind;
  /** The path of the map. */
  readonly path: KeyPath;
  readonly key: string;
  readonly value: unknown;
  /** The other keys of the map. */
  readonly siblings: readonly string[];
}

/** Returns the diagnostic for an unknown key, and the keys that were probably meant, of which none is missing then. */
export function describeUnknownKey({ kind, path, key, value, siblings }: UnknownKey): {
  readonly diagnostic: PathDiagnostic;
  readonly meant: readonly string[];
} {
  const known = keysAt(kind, path);
  const special = describeKeyOfTool(path, key, value) ?? describeStep(path, key, value) ?? describeWrapper(known, key, value);
  if (special) {
    const { message, hint, cause, meant } = special;
    return {
      diagnostic: { path: [...path, key], target: 'key', rule: 'unknown-key', message, hint, ...(cause !== undefined && { cause }) },
      meant,
    };
  }
  const slip = describeKeySlip(key, value);
  const word = meantText(slip?.key ?? key);
  const closest = closestKey(
    word,
    known.filter((one) => !siblings.includes(one)),
  );
  const near = closest !== null && levelsOf(key).length > 0 && !isSpellingOf(closest, key) ? null : closest;
  const present = near === null && levelsOf(key).length === 0 ? closestMatch(word, known) : null;
  const { message, hint } = slip ?? {
    message: `unknown key \`${key}\` in ${formatPath(path)}`,
    hint: withOddCharacter(
      key,
      /^ | $/.test(key) && near !== null
        ? `it starts or ends with a space: write \`${near}\``
        : present === null
          ? suggest(kind, { path, key, known, near })
          : `did you mean \`${present}\`? The map has that key already`,
    ),
  };
  return {
    diagnostic: { path: [...path, key], target: 'key', rule: 'unknown-key', message, hint },
    meant: near === null ? impliedBy(path, key) : [near],
  };
}

/** Returns the keys that are missing only because a key is one level too high. */
function impliedBy(path: KeyPath, key: string): readonly string[] {
  return path.length === 2 && path[0] === 'apis' && key === 'state' ? ['environments'] : [];
}

/** The description of a key that needs its own words. */
interface SpecialKey extends ValueError {
  readonly cause?: string;
  readonly meant: readonly string[];
}

const credentialKey = /^(?:ak|sk|(?:access|secret)(?:key)?(?:id)?|apikey|token|authtoken|password|credentials?|auth|user(?:name)?)$/;

/** Describes a key that other tools need and edict has no equivalent for. */
function describeKeyOfTool(path: KeyPath, key: string, value: unknown): SpecialKey | null {
  const inside = isMap(value) ? Object.keys(value) : [];
  if (path.length === 0 && /^(?:apiVersion|kind|metadata|spec)$/.test(key))
    return {
      message: `\`${key}\` belongs in manifests of Kubernetes, not in an edict file`,
      hint: 'remove `apiVersion`, `kind` and `metadata`, and move the content of `spec` to the top level',
      cause: 'kubernetes',
      meant: key === 'apiVersion' ? ['edict'] : inside,
    };
  if (path.length <= 1 && (path[0] ?? 'gateway') === 'gateway' && credentialKey.test(key.toLowerCase().replace(/[_-]/g, '')))
    return {
      message: `unknown key \`${key}\` in ${formatPath(path)}: credentials are never allowed in this file`,
      hint: 'remove it, and set HW_ACCESS_KEY and HW_SECRET_KEY, or HW_AUTH_TOKEN, where edict runs',
      cause: 'credentials',
      meant: [],
    };
  if (/^\d+(?:\s+|\s*[|:]\s*)\S/.test(key))
    return {
      ...lineNumber,
      cause: 'line numbers',
      meant: [],
    };
  if (path[0] === 'gateway' && key === 'region' && typeof value === 'string' && /^[a-z]{2}-[a-z]+-\d+$/.test(value))
    return {
      message: 'unknown key `region` in `gateway`',
      hint: `write \`endpoint: https://roma.${value}.myhuaweicloud.com\``,
      meant: ['endpoint'],
    };
  return null;
}

/** Describes a key around the settings that belong in its place. */
function describeWrapper(known: readonly string[], key: string, value: unknown): SpecialKey | null {
  const inside = isMap(value) ? Object.keys(value).filter((one) => known.includes(one)) : [];
  if (inside.length < 2 || known.length === 0) return null;
  return {
    message: `unknown key \`${key}\` around ${joinWords(inside.slice(0, 3).map((one) => `\`${one}\``))}`,
    hint: `remove \`${key}:\`, and the indentation below it`,
    meant: inside,
  };
}

/** Describes a step of the rollout that has its environment as a key. */
function describeStep(path: KeyPath, key: string, value: unknown): SpecialKey | null {
  const isStep = path[0] === 'rollout' && path.length === 2 && (value === null || (isMap(value) && ('soak' in value || 'probe' in value)));
  if (!isStep || !/^[\p{L}\p{N}._/-]+$/u.test(key)) return null;
  const below = isMap(value) ? ', and the keys below it at the same level' : '';
  return {
    message: `unknown key \`${key}\` in ${formatPath(path)}`,
    hint: `write \`environment: ${key}\`${below}`,
    meant: ['environment'],
  };
}

/** Returns what is wrong with a key that has its value in itself, or a sign too many; `null` if it is an ordinary name. */
export function describeKeySlip(key: string, value: unknown): (ValueError & { readonly key: string }) | null {
  if (/^[\w-]+:$/.test(key))
    return { key: key.slice(0, -1), message: `there is a second colon after \`${key.slice(0, -1)}\``, hint: 'remove one of the two' };
  if (value !== null) return null;
  const glued = checkKeyLike(key, 0);
  const own = /^[\p{L}\p{N}_-]+/u.exec(key)?.[0] ?? key;
  if (glued) return { key: own, message: glued.message, hint: glued.hint };
  const [, name, rest] = /^([\w.-]+)\s+(\S.*)$/.exec(key) ?? [];
  return name === undefined ? null : { key: name, message: `a colon is missing after \`${name}\``, hint: `write \`${name}: ${rest}\`` };
}

function suggest(
  kind: FileKind,
  {
    path,
    key,
    known,
    near,
  }: { readonly path: KeyPath; readonly key: string; readonly known: readonly string[]; readonly near: string | null },
): string {
  if (near !== null) return `did you mean \`${near}\`?`;
  if (kind === 'Included' && path.length === 0 && keysAt('File', []).includes(key))
    return 'set it in the main file; an included file has only `apis`';
  const levels = levelsOf(key);
  if (levels.length > 0) return `\`${key}\` belongs ${levels.slice(0, -1).join(', ')}${levels.length > 1 ? ' or ' : ''}${levels.at(-1)}`;
  const parts = key.split('.');
  const last = parts.at(-1) ?? '';
  if (parts.length > 1 && keysAt(kind, [...path, ...parts.slice(0, -1)]).includes(last))
    return `write \`${last}\` below ${formatPath([...path, ...parts.slice(0, -1)])}`;
  const isForAnchors = path.length === 0 && kind === 'File' && /^[x._]|anchor|default|common|template|shared/i.test(key);
  const anchor = isForAnchors ? '; an anchor can be set where its value is first used' : '';
  return `allowed keys: ${known.join(', ')}${anchor}`;
}

function firstSentence(text: string): string {
  return (/^.*?(?=\. [A-Z`]|\.?$)/m.exec(text)?.[0] ?? text).replace(/^[A-Z](?=[a-z ])/, (first) => first.toLowerCase());
}

/** Returns the diagnostic for a missing key. */
export function describeMissingKey(kind: FileKind, path: KeyPath, key: string): PathDiagnostic {
  const schema = schemaAt(kind, [...path, key])?.schema;
  const description = schemaAt(kind, path)?.schema.properties?.[key]?.description ?? schema?.description;
  const example =
    key === 'edict' ? 'add `edict: 1`' : schema?.enum ? `add \`${key}: ${schema.enum.join(`\` or \`${key}: `)}\`` : `add \`${key}:\``;
  return {
    path,
    target: 'key',
    rule: 'missing-key',
    message: `missing key \`${key}\` in ${formatPath(path)}`,
    hint: description === undefined ? example : `${example} (${firstSentence(description)})`,
  };
}

/** Returns the diagnostic for the last step of a path, a name that is not allowed. */
export function describeInvalidName(path: KeyPath, value: unknown): PathDiagnostic {
  const name = path.at(-1) ?? '';
  const slip = describeKeySlip(name, value);
  const valid = meantText(name)
    .replace(/[^\p{L}\p{N}._/-]+/gu, '-')
    .replace(/^[^\p{L}\p{N}_]+|-+$/gu, '');
  const example = valid === '' || valid === name ? '' : `; for example \`${valid}\``;
  const odd = describeOddPart(name, /[\p{L}\p{N}._/-]/u);
  return {
    path,
    target: 'key',
    rule: 'invalid-value',
    message: slip?.message ?? `the name "${name}" is not allowed${odd === null ? '' : `: ${odd}`}`,
    hint: slip ? slip.hint : `a name has letters, digits, \`.\`, \`_\`, \`-\` and \`/\`, at most 128${example}`,
  };
}
