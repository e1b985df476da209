import type { PathDiagnostic } from '../path-diagnostic.ts';
import { meantText } from '../yaml/characters.ts';
import { checkKeyLike } from '../yaml/slips.ts';
import type { KeyPath } from '../yaml/source-ranges.ts';
import { type FileKind, keysAt, levelsOf, schemaAt } from './levels.ts';
import { closestKey } from './spelling.ts';
import { describeOddPart, formatPath, joinWords, type ValueError, withOddCharacter } from './values.ts';

/** A key that is not allowed where it is. */
export interface UnknownKey {
  readonly kind: FileKind;
  /** The path of the map. */
  readonly path: KeyPath;
  readonly key: string;
  readonly value: unknown;
}

/** Returns the diagnostic for an unknown key, and the key that was probably meant; `null` if none is close. */
export function describeUnknownKey({ kind, path, key, value }: UnknownKey): {
  readonly diagnostic: PathDiagnostic;
  readonly meant: string | null;
} {
  const known = keysAt(kind, path);
  const slip = describeKeySlip(key, value);
  const near = closestKey(meantText(slip?.key ?? key), known);
  const { message, hint } = slip ?? {
    message: `unknown key \`${key}\` in ${formatPath(path)}`,
    hint: withOddCharacter(
      key,
      key.trim() !== key && near !== null ? `it starts or ends with a space: write \`${near}\`` : suggest(kind, { path, key, known, near }),
    ),
  };
  return { diagnostic: { path: [...path, key], target: 'key', rule: 'unknown-key', message, hint }, meant: near };
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
  if (levels.length > 0) return `\`${key}\` belongs into ${joinWords(levels).replace(/ and (?=[^ ]* ?[^,]*$)/, ' or ')}`;
  const anchor = path.length === 0 && kind === 'File' ? '; an anchor can be set where its value is first used' : '';
  return `allowed keys: ${known.join(', ')}${anchor}`;
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
    hint: description === undefined ? example : `${example} (${description.split('\n')[0]?.replace(/\.$/, '')})`,
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
