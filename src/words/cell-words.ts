import { type Cell, hasFailed } from '../core/matrix.ts';
import { obstacleInWords, reasonInWords } from './phrases.ts';
import { driftSeen, staleSeen } from './seen.ts';

/** Returns what comes next of a publication and why, in one line. */
export function cellInWords({ change, last, recorded, standing }: Cell): string {
  if (change) return obstacleInWords(change) ?? `${change.action}: ${reasonInWords(change)}${failureInWords(change, last)}`;
  if (standing === 'drifted' && recorded) {
    const { kind, message } = driftSeen(recorded);
    return `${kind}: ${message}`;
  }
  if (standing === 'stale' && recorded) return `stale: ${staleSeen(recorded).message}`;
  return standing === 'kept' ? 'not in the file, left as it is' : 'in sync';
}

function failureInWords(change: NonNullable<Cell['change']>, last: Cell['last']): string {
  if (!last || last.outcome === 'succeeded') return '';
  if (!hasFailed(change, last)) return last.outcome === null ? '; last attempt has no known outcome' : '';
  return `; last attempt ${last.outcome}${last.code ? `: ${last.code} ${last.message ?? ''}` : ''}`;
}
