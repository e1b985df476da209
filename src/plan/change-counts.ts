import type { Change } from '../model/change.ts';
import { isActionable } from './diff.ts';

/** How many changes a plan has of each kind. Each change counts once. */
export interface ChangeCounts {
  /** Made now. */
  readonly online: number;
  readonly offline: number;
  /** Not made until approved. */
  readonly held: number;
  /** Made later, without an approval. */
  readonly deferred: number;
}

/** Returns how many changes there are of each kind. */
export function countChanges({ changes }: { readonly changes: readonly Pick<Change, 'action' | 'held' | 'deferred'>[] }): ChangeCounts {
  const actionable = changes.filter(isActionable);
  const online = actionable.filter(({ action }) => action === 'online').length;
  const held = changes.filter((change) => change.held).length;
  return { online, offline: actionable.length - online, held, deferred: changes.length - actionable.length - held };
}
