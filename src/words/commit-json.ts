import type { components } from '../../generated/edict-plan.d.ts';
import type { Commit } from '../core/commit.ts';
import { formatTimestamp } from './phrases.ts';

/** Returns a commit as other programs read it, its author as he calls himself. */
export function commitJson(commit: Commit | null): components['schemas']['Commit'] | null {
  if (commit === null) return null;
  if (commit.kind === 'uncommitted') return { id: null, author: null, at: null };
  return { id: commit.id, author: commit.author, at: formatTimestamp(commit.atMs) };
}
