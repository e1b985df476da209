import type { Commit, Commits } from '../core/commit.ts';
import type { Change } from '../core/plan.ts';
import { momentInWords } from '../words/phrases.ts';
import { clipped } from './markdown-text.ts';

/** The most characters that are shown of a name. */
const longestName = 60;

/** Returns who has committed a line, and when, in one line: `3f9a1c0b7d Ada 2026-11-20`; empty if it is not known. */
export function commitInWords(commit: Commit | null): string {
  if (commit === null) return '';
  if (commit.kind === 'uncommitted') return 'not committed yet';
  return [commit.id.slice(0, 10), authorInWords(commit.author), momentInWords(commit.atMs).slice(0, 10)].filter(Boolean).join(' ');
}

/** Anybody can call himself anything, and a terminal obeys what it is shown. */
function authorInWords(author: string): string {
  return clipped(author.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim(), longestName);
}

/** Returns the commit of the line that asks for a change, in words; empty if nobody asked, or it is not known. */
export function commitOf({ source }: Pick<Change, 'source'>, commits: Commits | undefined): string {
  return commits && source ? commitInWords(commits(source)) : '';
}
