import { type Change, isMade } from './plan.ts';

/** How many changes a plan has of each kind; each is of one kind. */
export interface Totals {
  /** Made now. */
  readonly online: number;
  readonly offline: number;
  /** Not made until a person agrees. */
  readonly held: number;
  /** Made later, without anybody's agreement. */
  readonly waiting: number;
}

/** Returns how many changes there are of each kind. */
export function totalsOf({ changes }: { readonly changes: readonly Pick<Change, 'action' | 'held' | 'waits'>[] }): Totals {
  const made = changes.filter(isMade);
  const online = made.filter(({ action }) => action === 'online').length;
  const held = changes.filter((change) => change.held).length;
  return { online, offline: made.length - online, held, waiting: changes.length - made.length - held };
}
