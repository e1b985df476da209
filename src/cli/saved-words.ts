import type { components } from '../../generated/edict-plan.d.ts';
import { assertNever } from '../core/errors.ts';
import type { Kept, Move, Moved } from '../core/kept.ts';
import type { Plan } from '../core/plan.ts';
import { counted, momentInWords, targetsInWords } from '../words/phrases.ts';

/** Returns what a plan is about, how much that leaves out, and how a saved plan compares; `null` if it is about everything. */
export function scopeInWords(plan: Plan): string | null {
  return [targetsInWords(plan), plan.kept && keptInWords(plan.kept)].filter(Boolean).join(' ') || null;
}

/** Returns a moved change as other programs read it. */
export function movedJson(moved: Moved): components['schemas']['Moved'] {
  const { api, apiId, environment, environmentId, action, moves, attempt } = moved;
  return {
    api,
    apiId,
    environment,
    environmentId,
    action,
    moved: moves.map(({ what }) => what),
    attempt: attempt?.id ?? null,
    message: movedInWords(moved),
  };
}

/** Returns what is to be said of a plan that is kept to a saved one; `null` if nothing. */
function keptInWords({ done, newer }: Kept): string | null {
  const parts: string[] = [];
  if (done > 0) parts.push(`${counted(done, 'change')} of the saved plan ${done === 1 ? 'was' : 'were'} made before.`);
  if (newer > 0) parts.push(`${counted(newer, 'newer change')} ${newer === 1 ? 'is' : 'are'} not in the saved plan.`);
  return parts.length === 0 ? null : parts.join(' ');
}

/** Returns what has moved under a change of a saved plan, in one line: `orders in release: recorded offline when planned, online now`. */
export function movedInWords({ api, environment, moves, attempt }: Moved): string {
  const by = attempt ? ` (attempt ${attempt.id} at ${momentInWords(attempt.atMs)})` : '';
  const line = `${api} in ${environment}: ${moves.map((move) => `${moveInWords(move)}${isRecorded(move) ? by : ''}`).join('; ')}`;
  // A saved file can hold anything, and a terminal obeys what it is shown.
  return line.replace(/[\p{Cc}\p{Cf}]+/gu, ' ');
}

function moveInWords(move: Move): string {
  switch (move.what) {
    case 'recorded state':
      return move.was === null
        ? `never recorded when planned, ${move.now} now`
        : `recorded ${move.was} when planned, ${move.now ?? 'not recorded'} now`;
    case 'recorded revision':
      return `recorded with ${revision(move.was)} when planned, with ${revision(move.now)} now`;
    case 'effective version':
      return `version ${move.was} was effective when planned, ${move.now} is now`;
    case 'edited':
      return `edited at the gateway at ${momentInWords(move.now)}, after the edit of ${momentInWords(move.was)} that was planned with`;
    case 'unresolved':
      return `attempt ${move.now} has no known outcome`;
    case 'done and undone':
      return 'changed since it was planned, and back';
    case 'wanted state':
      return `the file asks for ${move.now} now, not for ${move.was}`;
    case 'wanted revision':
      return `the file asks for ${revision(move.now)} now, not for ${revision(move.was)}`;
    case 'wanted remark':
      return 'the file has another remark now';
    case 'wanted version':
      return `the file asks for ${move.now === null ? 'no version' : `version ${move.now}`} now, not for ${move.was ?? 'none'}`;
    case 'not needed':
      return 'nothing is to be done any more';
    case 'held':
      return `held now: ${move.message}`;
    case 'waits':
      return `waits now: ${move.message}`;
    default:
      return assertNever(move);
  }
}

/** Returns whether an attempt can be why. */
function isRecorded({ what }: Move): boolean {
  return what === 'recorded state' || what === 'recorded revision' || what === 'effective version' || what === 'done and undone';
}

function revision(name: string | null): string {
  return name === null ? 'no revision' : `revision ${name}`;
}
