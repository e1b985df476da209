import type { Change } from '../core/plan.ts';
import { formatBlocker, formatReason } from '../words/phrases.ts';
import type { BlameInfo } from '../words/shown-plan.ts';
import { formatChangeCommit } from './commit-words.ts';
import { escapeText, inlineCode } from './markdown-text.ts';
import { formatSource } from './plan-words.ts';

/** Returns the heads of the columns that `cellsOf` fills. */
export function changeColumns({ commits }: BlameInfo): readonly string[] {
  return ['API', 'environment', 'why', 'where', ...(commits ? ['commit'] : [])];
}

/** Returns the cells of a change in a table. */
export function changeCells(change: Change, { commits }: BlameInfo): readonly string[] {
  return [
    inlineCode(change.api),
    inlineCode(change.environment),
    escapeText(formatBlocker(change) ?? formatReason(change)),
    inlineCode(formatSource(change)),
    ...(commits ? [escapeText(formatChangeCommit(change, commits))] : []),
  ];
}
