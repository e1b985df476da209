import { LineIndex } from './positions.ts';

/** A part of a text that becomes another one. Offsets are in UTF-16 units, end exclusive. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** So many unchanged lines stand around a change, as `git diff` has them. */
const contextLines = 3;

/** Returns `text` with `edits` made, which do not overlap. */
export function edited(text: string, edits: readonly TextEdit[]): string {
  let result = '';
  let at = 0;
  for (const { start, end, text: now } of inOrder(edits)) {
    result += text.slice(at, start) + now;
    at = end;
  }
  return result + text.slice(at);
}

/** Lines from `from` to `to`, exclusive, counting from 0, and what stands in their place afterwards. */
interface Block {
  readonly from: number;
  readonly to: number;
  readonly now: readonly string[];
}

/**
 * Returns the unified diff that makes `edits` in the file `name`, as `git apply` in its folder and `patch -p1` take it; empty if there is
 * nothing to do. The name is relative, with slashes.
 */
export function unifiedDiff(name: string, text: string, edits: readonly TextEdit[]): string {
  if (edits.length === 0) return '';
  const lines = linesOf(text);
  const blocks = blocksOf(text, lines, inOrder(edits));
  // A name with a blank ends with a tab, as in git's own diffs.
  const path = name.includes(' ') ? `${name}\t` : name;
  let shift = 0;
  const hunks = groups(blocks).map((group) => {
    const hunk = hunkOf(lines, group, shift);
    for (const { from, to, now } of group) shift += now.length - (to - from);
    return hunk;
  });
  return `--- a/${path}\n+++ b/${path}\n${hunks.join('')}`;
}

function inOrder(edits: readonly TextEdit[]): readonly TextEdit[] {
  return [...edits].sort((a, b) => a.start - b.start || a.end - b.end);
}

/** Each with its end. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Edits that touch the same lines make one block; whole new lines replace none. */
function blocksOf(text: string, lines: readonly string[], edits: readonly TextEdit[]): Block[] {
  const starts = [0];
  for (const line of lines) starts.push((starts.at(-1) ?? 0) + line.length);
  const index = new LineIndex(text);
  const lineAt = (offset: number): number => index.at(offset).line - 1;
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
  return blocks.map(({ from, to, edits: own }) => {
    const start = starts[from] ?? text.length;
    const part = text.slice(start, starts[to]);
    const moved = own.map((edit) => ({ ...edit, start: edit.start - start, end: edit.end - start }));
    return { from, to, now: linesOf(edited(part, moved)) };
  });
}

/** Blocks whose context touches stand in one hunk. */
function groups(blocks: readonly Block[]): Block[][] {
  const result: Block[][] = [];
  for (const block of blocks) {
    const group = result.at(-1);
    const last = group?.at(-1);
    if (group && last && block.from - last.to <= 2 * contextLines) group.push(block);
    else result.push([block]);
  }
  return result;
}

function hunkOf(lines: readonly string[], group: readonly Block[], shift: number): string {
  const from = Math.max(0, (group[0]?.from ?? 0) - contextLines);
  const to = Math.min(lines.length, (group.at(-1)?.to ?? 0) + contextLines);
  const body: string[] = [];
  let at = from;
  for (const block of group) {
    body.push(...lines.slice(at, block.from).map((line) => ` ${line}`));
    body.push(...lines.slice(block.from, block.to).map((line) => `-${line}`), ...block.now.map((line) => `+${line}`));
    at = block.to;
  }
  body.push(...lines.slice(at, to).map((line) => ` ${line}`));
  const count = (sign: string): number => body.filter((line) => line.startsWith(sign) || line.startsWith(' ')).length;
  const range = (first: number, length: number): string => `${length === 0 ? first : first + 1},${length}`;
  const text = body.map((line) => (line.endsWith('\n') ? line : `${line}\n\\ No newline at end of file\n`)).join('');
  return `@@ -${range(from, count('-'))} +${range(from + shift, count('+'))} @@\n${text}`;
}
