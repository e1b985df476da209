import type { Change } from '../core/plan.ts';
import { obstacleInWords, reasonInWords } from '../words/phrases.ts';
import type { Blamed } from '../words/shown-plan.ts';
import { commitOf } from './commit-words.ts';
import { code, prose } from './markdown-text.ts';
import { placeInWords } from './plan-words.ts';

/** Returns the heads of the columns that `cellsOf` fills. */
export function changeColumns({ commits }: Blamed): readonly string[] {
  return ['API', 'environment', 'why', 'where', ...(commits ? ['commit'] : [])];
}

/** Returns the cells of a change in a table. */
export function cellsOf(change: Change, { commits }: Blamed): readonly string[] {
  return [
    code(change.api),
    code(change.environment),
    prose(obstacleInWords(change) ?? reasonInWords(change)),
    code(placeInWords(change)),
    ...(commits ? [prose(commitOf(change, commits))] : []),
  ];
}
