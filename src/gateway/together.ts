import type { Outcome } from '../core/outcome.ts';
import type { Change } from '../core/plan.ts';
import type { Answers } from './answer.ts';
import { type GatewayError, InvalidAnswerError, RefusedError } from './gateway-error.ts';
import { outcomeOf } from './outcome-of.ts';
import { readable } from './readable.ts';
import { madeOf } from './sends.ts';

/**
 * Returns what the answer to a batch says of each change, in their order. It is a success also where some or all failed:
 * those stand in `failure` with errors of their own. What stands in neither list, or in both, may have happened.
 */
export function outcomesOf(changes: readonly Change[], answer: Answers['changePublications'], secrets: readonly string[]): Outcome[] {
  const successes = new Map((answer.success ?? []).map((made) => [made.api_id, made]));
  const failures = new Map((answer.failure ?? []).map((failed) => [failed.api_id, failed]));
  return changes.map((change): Outcome => {
    const made = successes.get(change.apiId);
    const failed = failures.get(change.apiId);
    if (failed && !made) return outcomeOf(refusal(failed, secrets), change.action);
    if (!made || failed) return outcomeOf(contradiction(failed !== undefined), change.action);
    try {
      return { kind: 'succeeded', ...madeOf(made, 200, change, secrets) };
    } catch (error) {
      return outcomeOf(error, change.action);
    }
  });
}

/** The status that the single call would have had is not told, and every code that matters decides without it. */
function refusal(
  { error_code: code, error_msg: message = '' }: { readonly error_code: string; readonly error_msg?: string },
  secrets: readonly string[],
): GatewayError {
  const said = readable(message, secrets);
  return new RefusedError({
    status: 200,
    errorCode: readable(code, secrets, 64),
    errorMsg: said,
    requestId: null,
    pauseMs: null,
    allowed: null,
  });
}

function contradiction(isInBoth: boolean): GatewayError {
  const where = isInBoth ? 'both as done and as failed' : 'neither as done nor as failed';
  return new InvalidAnswerError(`answered 200, and the API is named ${where}`, { status: 200 });
}
