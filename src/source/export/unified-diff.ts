import { LineIndex } from '../yaml/source-ranges.ts';

/** Replaces a range of a text. Offsets are in UTF-16 units, end exclusive. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Number of unchanged lines around a change, as in `git diff`. */
const contextLines = 3;

/** Returns `text` with `edits` applied, which must not overlap. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let result = '';
  let at = 0;
  for (const { start, end, text: now } of sortEdits(edits)) {
    result += text.slice(at, start) + now;
    at = end;
  }
  return result + text.slice(at);
}

/** The lines from `from` to `to`, exclusive, counting from 0, and their replacement. */
interface ChangedLines {
  readonly from: number;
  readonly to: number;
  readonly replacement: readonly string[];
}

/**
 * Returns the unified diff of `edits` to the file `name`, as `git apply` in its folder and `patch -p1` accept it; empty if
 * nothing changes. The name is relative, with slashes.
 */
export function formatUnifiedDiff(name: string, text: string, edits: readonly TextEdit[]): string {
  if (edits.length === 0) return '';
  const lines = splitLines(text);
  const blocks = toChangedLines(text, lines, sortEdits(edits));
  if (blocks.length === 0) return '';
  let shift = 0;
  const hunks = groupIntoHunks(blocks).map((group) => {
    const hunk = formatHunk(lines, group, shift);
    for (const { from, to, replacement } of group) shift += replacement.length - (to - from);
    return hunk;
  });
  return `--- ${formatDiffPath(`a/${name}`)}\n+++ ${formatDiffPath(`b/${name}`)}\n${hunks.join('')}`;
}

/** Returns a path as Git writes it in a diff: quoted like a C string if necessary, followed by a tab if it contains a space. */
function formatDiffPath(path: string): string {
  const bytes = [...new TextEncoder().encode(path)];
  const isPlain = bytes.every((byte) => byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c);
  if (isPlain) return path.includes(' ') ? `${path}\t` : path;
  const quoted = bytes.map((byte) => {
    if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
  });
  return `"${quoted.join('')}"`;
}

function sortEdits(edits: readonly TextEdit[]): readonly TextEdit[] {
  return [...edits].sort((a, b) => a.start - b.start || a.end - b.end);
}

/** Splits a text into lines, each with its line end. */
function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Merges edits that touch the same lines into one block. Inserted whole lines replace none. */
function toChangedLines(text: string, lines: readonly string[], edits: readonly TextEdit[]): ChangedLines[] {
  const starts = [0];
  for (const line of lines) starts.push((starts.at(-1) ?? 0) + line.length);
  const index = new LineIndex(text);
  const lineAt = (offset: number): number => index.positionAt(offset).line - 1;
  const blocks: { from: number; to: number; edits: TextEdit[] }[] = [];
  for (const edit of edits) {
    const from = lineAt(edit.start);
    const isNewLines = edit.start === edit.end && edit.start === starts[from] && edit.text.endsWith('\n');
    const to = isNewLines ? from : lineAt(Math.max(edit.start, edit.end - 1)) + 1;
    const last = blocks.at(-1);
    if (last && from <= last.to) {
      last.to = Math.max(last.to, to);
      last.edits.push(edit);
    } else blocks.push({ from, to, edits: [edit] });
  }
  return blocks.flatMap(({ from, to, edits: own }) => {
    const start = starts[from] ?? text.length;
    const part = text.slice(start, starts[to]);
    const moved = own.map((edit) => ({ ...edit, start: edit.start - start, end: edit.end - start }));
    return trimUnchanged(lines, { from, to: Math.min(to, lines.length), replacement: splitLines(applyEdits(part, moved)) });
  });
}

/**
 * Removes unchanged lines from the start and end of a block; returns no block if nothing is left. Git rejects a hunk that
 * changes nothing, and treats a line that is removed and added again as a conflict with blank lines around it.
 */
function trimUnchanged(lines: readonly string[], { from, to, replacement }: ChangedLines): ChangedLines[] {
  let [first, last, until] = [from, to, replacement.length];
  while (first < last && first - from < until && lines[first] === replacement[first - from]) first += 1;
  while (last > first && until > first - from && lines[last - 1] === replacement[until - 1]) [last, until] = [last - 1, until - 1];
  const added = replacement.slice(first - from, until);
  return first === last && added.length === 0 ? [] : [{ from: first, to: last, replacement: added }];
}

/** Puts blocks whose context lines touch into one hunk. */
function groupIntoHunks(blocks: readonly ChangedLines[]): ChangedLines[][] {
  const result: ChangedLines[][] = [];
  for (const block of blocks) {
    const group = result.at(-1);
    const last = group?.at(-1);
    if (group && last && block.from - last.to <= 2 * contextLines) group.push(block);
    else result.push([block]);
  }
  return result;
}

function formatHunk(lines: readonly string[], group: readonly ChangedLines[], shift: number): string {
  const from = Math.max(0, (group[0]?.from ?? 0) - contextLines);
  const to = Math.min(lines.length, (group.at(-1)?.to ?? 0) + contextLines);
  const body: string[] = [];
  let at = from;
  for (const block of group) {
    body.push(...lines.slice(at, block.from).map((line) => ` ${line}`));
    body.push(...lines.slice(block.from, block.to).map((line) => `-${line}`), ...block.replacement.map((line) => `+${line}`));
    at = block.to;
  }
  body.push(...lines.slice(at, to).map((line) => ` ${line}`));
  const count = (sign: string): number => body.filter((line) => line.startsWith(sign) || line.startsWith(' ')).length;
  const range = (first: number, length: number): string => `${length === 0 ? first : first + 1},${length}`;
  const text = body.map((line) => (line.endsWith('\n') ? line : `${line}\n\\ No newline at end of file\n`)).join('');
  return `@@ -${range(from, count('-'))} +${range(from + shift, count('+'))} @@\n${text}`;
}
