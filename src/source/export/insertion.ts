import { stringify } from 'yaml';
import { toJson } from '../../model/visible.ts';
import { type KeyPath, locate } from '../yaml/source-ranges.ts';
import type { YamlMap, YamlNode } from '../yaml/tree.ts';
import type { TextEdit } from './unified-diff.ts';

/** An entry to add to a map of the file. */
export interface NewEntry {
  readonly key: string;
  readonly value: NewValue;
  /** Comment lines before it, and a comment after it, without `#`. Written only in block style. */
  readonly before?: readonly string[];
  readonly after?: string | null;
}

/** A text is quoted where YAML could parse it as another type. */
export type NewValue = string | boolean | readonly NewEntry[];

/** The text of a file and its tree. */
export interface ParsedText {
  readonly text: string;
  readonly root: YamlNode;
}

/** Longer maps without nested maps are written one entry per line. */
const maxLineLength = 100;

/**
 * Returns the edits that add entries at the end of the map at `path`, in the style of that map: inside the braces of a flow map, otherwise
 * as lines after its last entry and the comments that belong to it. A missing map is added too. Returns `null` if there is no place for
 * them, for example because an alias repeats the map. Edits at the same offset must be made in the order of decreasing path lengths.
 */
export function insertEntries(parsed: ParsedText, path: KeyPath, entries: readonly NewEntry[]): readonly TextEdit[] | null {
  const { text, root } = parsed;
  const map = existingMap(parsed, path);
  const name = path.at(-1);
  if (map === 'missing') return name === undefined ? null : insertEntries(parsed, path.slice(0, -1), [{ key: name, value: entries }]);
  if (map === null) return null;
  const { key, value, node } = locate(root, path);
  if (!isFlow(text, value.start)) return insertLines(parsed, path, entries);
  if (map.size > 0) return insertIntoFlow(parsed, path, entries);
  const inner = text.slice(value.start + 1, value.end - 1);
  const isReplaceable = key !== null && inner.trim() === '' && /^[ \t]*:[ \t]*$/.test(text.slice(key.end, value.start));
  const indent = key === null ? null : indentOfLine(text, key.start);
  if (isReplaceable && indent !== null && !isFlow(text, root.start) && entries.some(({ value: one }) => !isFlowByDefault(one))) {
    const inside = { indent: indent + indentStep(parsed), isSpaced: false };
    const at = afterComments(text, value.end, Number.POSITIVE_INFINITY);
    return [{ start: key.end + 1, end: value.end, text: '' }, linesEdit(text, at, formatBlock(entries, null, inside))];
  }
  const inBraces = entries.map((entry) => formatFlow(entry, isFlow(text, root.start))).join(', ');
  const end = inner.trim() === '' ? value.end - 1 : value.start + 1;
  return node.kind === 'map' ? [{ start: value.start + 1, end, text: ` ${inBraces} ` }] : null;
}

/** Returns the entries of the map at `path`; `null` if that is no map or only an alias of one. */
function existingMap(parsed: ParsedText, path: KeyPath): YamlMap['entries'] | 'missing' | null {
  let node = parsed.root;
  for (const [index, step] of path.entries()) {
    const entry = node.kind === 'map' ? node.entries.get(step) : undefined;
    if (!entry) return index === path.length - 1 && node.kind === 'map' ? 'missing' : null;
    if (isAlias(parsed, path.slice(0, index + 1))) return null;
    ({ node } = entry);
  }
  return node.kind === 'map' ? node.entries : null;
}

/** The tree has an alias's target, which comes before it. */
function isAlias({ root }: ParsedText, path: KeyPath): boolean {
  const { key, value } = locate(root, path);
  return key !== null && value.start < key.end;
}

function insertIntoFlow({ text, root }: ParsedText, path: KeyPath, entries: readonly NewEntry[]): readonly TextEdit[] | null {
  const { value, node } = locate(root, path);
  const last = lastStep(node);
  if (last === null) return null;
  const isQuoted = isFlow(text, root.start);
  const written = entries.map((entry) => formatFlow(entry, isQuoted));
  const at = contentEnd({ text, root }, [...path, last]);
  const hasComma = /^\s*,/.test(text.slice(at, value.end));
  const lastKey = locate(root, [...path, last]).key;
  const indent = lastKey && indentOfLine(text, lastKey.start);
  const closesLater = /\n[ \t]*\}$/.test(text.slice(at, value.end));
  if (indent === null || !closesLater) return [{ start: at, end: at, text: `, ${written.join(', ')}` }];
  const lines = written.map((line, index) => `${indent}${line}${hasComma || index < written.length - 1 ? ',' : ''}`);
  const comma = hasComma ? [] : [{ start: at, end: at, text: ',' }];
  return [...comma, linesEdit(text, afterComments(text, at, indent.length), lines)];
}

function insertLines(parsed: ParsedText, path: KeyPath, entries: readonly NewEntry[]): readonly TextEdit[] | null {
  const { text, root } = parsed;
  const { node } = locate(root, path);
  if (node.kind !== 'map') return null;
  const names = [...node.entries.keys()];
  const last = names.at(-1);
  const lastKey = last === undefined ? null : locate(root, [...path, last]).key;
  const indent = lastKey && indentOfLine(text, lastKey.start);
  if (last === undefined || lastKey === null || indent === null) return null;
  const previous = names.at(-2);
  const gap = previous === undefined ? '' : text.slice(contentEnd(parsed, [...path, previous]), lastKey.start);
  const isSpaced = /\n[ \t]*\r?\n/.test(gap);
  const model = names.findLast((name) => isModel(parsed, [...path, name]));
  const lines = formatBlock(entries, model === undefined ? null : { parsed, path: [...path, model] }, { indent, isSpaced });
  return [linesEdit(text, afterComments(text, contentEnd(parsed, [...path, last]), indent.length), lines)];
}

/** Whether the entry at `path` is a map that shows how others are written. */
function isModel(parsed: ParsedText, path: KeyPath): boolean {
  const { node } = locate(parsed.root, path);
  return node.kind === 'map' && node.entries.size > 0 && !isAlias(parsed, path);
}

interface BlockLayout {
  readonly indent: string;
  /** Whether an empty line precedes each entry. */
  readonly isSpaced: boolean;
}

/** An entry of the file that new ones are written like. */
interface Model {
  readonly parsed: ParsedText;
  readonly path: KeyPath;
}

function formatBlock(entries: readonly NewEntry[], model: Model | null, { indent, isSpaced }: BlockLayout): string[] {
  return entries.flatMap((entry) => {
    const comments = [...(isSpaced ? [''] : []), ...(entry.before ?? []).map((line) => `${indent}# ${line}`)];
    const after = entry.after == null ? '' : ` # ${entry.after}`;
    if (!isMapValue(entry.value) || isWrittenAsFlow(entry.value, model))
      return [...comments, `${indent}${formatFlow(entry, false)}${after}`];
    const inside = { indent: indent + stepOf(model), isSpaced: false };
    const children = entry.value.flatMap((child) => formatBlock([child], childModel(model, child.key), inside));
    return [...comments, `${indent}${formatScalar(entry.key)}:${after}`, ...children];
  });
}

function isWrittenAsFlow(value: readonly NewEntry[], model: Model | null): boolean {
  if (model === null) return isFlowByDefault(value);
  const { parsed, path } = model;
  const isFlowModel = isFlow(parsed.text, locate(parsed.root, path).value.start);
  return isFlowModel && (hasNestedMaps(value) || isFlowByDefault(value));
}

function isFlowByDefault(value: NewValue): boolean {
  return !isMapValue(value) || (!hasNestedMaps(value) && formatFlowMap(value, false).length <= maxLineLength);
}

function hasNestedMaps(value: readonly NewEntry[]): boolean {
  return value.some((entry) => isMapValue(entry.value));
}

function childModel(model: Model | null, key: string): Model | null {
  if (model === null) return null;
  const path = [...model.path, key];
  const { node } = locate(model.parsed.root, model.path);
  const isPresent = node.kind === 'map' && node.entries.has(key);
  return isPresent && isModel(model.parsed, path) ? { ...model, path } : null;
}

/** Returns the spaces by which the entries of the model's map are indented more than its key. */
function stepOf(model: Model | null): string {
  if (model === null) return '  ';
  const { text, root } = model.parsed;
  const { key, node, value } = locate(root, model.path);
  const [child] = node.kind === 'map' && !isFlow(text, value.start) ? node.entries.keys() : [];
  const childKey = child === undefined ? null : locate(root, [...model.path, child]).key;
  const [outer, inner] = [key && indentOfLine(text, key.start), childKey && indentOfLine(text, childKey.start)];
  return outer !== null && inner?.startsWith(outer) && inner.length > outer.length ? inner.slice(outer.length) : indentStep(model.parsed);
}

/** Returns the spaces by which the file indents the entries of its first block map. */
function indentStep({ text, root }: ParsedText): string {
  for (const [name, { node }] of root.kind === 'map' ? root.entries : []) {
    const { value } = locate(root, [name]);
    const [child] = node.kind === 'map' && !isFlow(text, value.start) ? node.entries.keys() : [];
    const key = child === undefined ? null : locate(root, [name, child]).key;
    const indent = key && indentOfLine(text, key.start);
    if (indent) return indent;
  }
  return '  ';
}

function lastStep(node: YamlNode): string | null {
  if (node.kind === 'scalar') return null;
  return (node.kind === 'map' ? [...node.entries.keys()].at(-1) : node.items.length > 0 ? String(node.items.length - 1) : null) ?? null;
}

/** Returns where the value at `path` ends, without comments and blank lines after it. */
function contentEnd(parsed: ParsedText, path: KeyPath): number {
  const { text, root } = parsed;
  const { key, value, node } = locate(root, path);
  if (key !== null && isAlias(parsed, path)) return key.end + (/^\s*:\s*\*[^\s,[\]{}]+/.exec(text.slice(key.end))?.[0].length ?? 0);
  const last = lastStep(node);
  return last === null || /[[{]/.test(text.charAt(value.start)) ? value.end : contentEnd(parsed, [...path, last]);
}

/**
 * Returns the start of the first line after `offset` that is neither the line of `offset` nor a comment indented by at least `indent`:
 * such comments belong to what is before them.
 */
function afterComments(text: string, offset: number, indent: number): number {
  // A block scalar ends after its line end.
  let result = text.charAt(offset - 1) === '\n' ? offset : nextLine(text, offset);
  for (let at = result; at < text.length; ) {
    const end = nextLine(text, at);
    const line = text.slice(at, end);
    const spaces = line.search(/[^ \t\r\n]/);
    if (spaces >= 0 && (line.charAt(spaces) !== '#' || spaces < indent)) break;
    if (spaces >= 0) result = end;
    at = end;
  }
  return result;
}

/** Returns the start of the line after that of `offset`; the end of the text if there is none. */
export function nextLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end + 1;
}

/** Returns the edit that adds lines at the start of a line or the end of the text, with the line ends of the text. */
export function linesEdit(text: string, at: number, lines: readonly string[]): TextEdit {
  const before = text.lastIndexOf('\n', at - 1);
  const lineEnd = before > 0 && text.charAt(before - 1) === '\r' ? '\r\n' : '\n';
  const isEnded = at === 0 || text.charAt(at - 1) === '\n';
  return { start: at, end: at, text: lines.map((line) => (isEnded ? line + lineEnd : lineEnd + line)).join('') };
}

/** Returns the spaces before `offset` in its line; `null` if there is anything else. */
export function indentOfLine(text: string, offset: number): string | null {
  const indent = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  return /^\uFEFF?[ ]*$/.test(indent) ? indent.replace('\uFEFF', '') : null;
}

/** Returns whether the map or list at `start` is written in braces or brackets. */
export function isFlow(text: string, start: number): boolean {
  return text.charAt(start) === '{';
}

function isMapValue(value: NewValue): value is readonly NewEntry[] {
  return typeof value === 'object';
}

function formatFlow({ key, value }: NewEntry, isQuoted: boolean): string {
  return `${quote(key, isQuoted)}: ${formatFlowValue(value, isQuoted)}`;
}

/** Returns a value on one line; `isQuoted`: in the notation of JSON. */
export function formatFlowValue(value: NewValue, isQuoted = false): string {
  if (isMapValue(value)) return formatFlowMap(value, isQuoted);
  return typeof value === 'boolean' ? String(value) : quote(value, isQuoted);
}

function formatFlowMap(entries: readonly NewEntry[], isQuoted: boolean): string {
  return entries.length === 0 ? '{}' : `{ ${entries.map((entry) => formatFlow(entry, isQuoted)).join(', ')} }`;
}

/** A file in the notation of JSON stays one. */
function quote(text: string, isQuoted: boolean): string {
  return isQuoted ? toJson(text) : formatScalar(text);
}

/** Quotes text that YAML 1.1 or 1.2 could parse as another type, because other tools may read the file too. */
export function formatScalar(text: string): string {
  const isPlain =
    /^[\p{L}\p{N}_][\p{L}\p{N}\p{M}._/-]*$/u.test(text) && stringify(text, { compat: 'yaml-1.1', lineWidth: 0 }) === `${text}\n`;
  return isPlain ? text : toJson(text);
}
