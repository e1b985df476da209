import type { Change } from '../model/change.ts';
import { isActionable } from './diff.ts';

/** How many changes a plan has of each kind; each is of one kind. */
export interface ChangeCounts {
  /** Made now. */
  readonly online: number;
  readonly offline: number;
  /** Not made until a person agrees. */
  readonly held: number;
  /** Made later, without anybody's agreement. */
  readonly deferred: number;
}

/** Returns how many changes there are of each kind. */
export function countChanges({ changes }: { readonly changes: readonly Pick<Change, 'action' | 'held' | 'deferred'>[] }): ChangeCounts {
  const made = changes.filter(isActionable);
  const online = made.filter(({ action }) => action === 'online').length;
  const held = changes.filter((change) => change.held).length;
  return { online, offline: made.length - online, held, deferred: changes.length - made.length - held };
}
