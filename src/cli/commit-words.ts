import type { Commit, CommitLookup } from '../core/commit.ts';
import type { Change } from '../core/plan.ts';
import { formatTimestamp } from '../words/phrases.ts';
import { truncateMiddle } from './markdown-text.ts';

/** The most characters that are shown of a name. */
const maxNameLength = 60;

/** Returns who has committed a line, and when, in one line: `3f9a1c0b7d Ada 2026-11-20`; empty if it is not known. */
export function formatCommit(commit: Commit | null): string {
  if (commit === null) return '';
  if (commit.kind === 'uncommitted') return 'not committed yet';
  return [commit.id.slice(0, 10), formatAuthor(commit.author), formatTimestamp(commit.atMs).slice(0, 10)].filter(Boolean).join(' ');
}

/** Anybody can call himself anything, and a terminal obeys what it is shown. */
function formatAuthor(author: string): string {
  return truncateMiddle(author.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim(), maxNameLength);
}

/** Returns the commit of the line that asks for a change, in words; empty if nobody asked, or it is not known. */
export function formatChangeCommit({ source }: Pick<Change, 'source'>, commits: CommitLookup | undefined): string {
  return commits && source ? formatCommit(commits(source)) : '';
}
