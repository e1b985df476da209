import { hasFailed, type StatusCell } from '../plan/status.ts';
import { formatBlocker, formatReason } from './format.ts';
import { formatMissingApi, noticeForDrift, noticeForOutdated } from './notices.ts';

/** Describes the next change of a publication and its reason, in one line. */
export function formatStatusCell({ change, lastAttempt, recorded, status, isApiMissing, apiId }: StatusCell): string {
  if (change) return formatBlocker(change) ?? `goes ${change.action} (${formatReason(change)})${formatFailure(change, lastAttempt)}`;
  if (status === 'drifted' && isApiMissing && !recorded?.drift) return `drift: ${formatMissingApi(apiId, recorded)}`;
  if (status === 'drifted' && recorded) {
    const { kind, message } = noticeForDrift(recorded, isApiMissing);
    return `${kind}: ${message}`;
  }
  if (status === 'outdated' && recorded) return `outdated: ${noticeForOutdated(recorded).message}`;
  if (status === 'unmanaged') return 'not in the file, left as it is';
  if (status === 'failed' && lastAttempt) return formatOutcome(lastAttempt);
  return status === 'settling' ? 'changed too recently to be judged' : 'unchanged';
}

function formatFailure(change: NonNullable<StatusCell['change']>, lastAttempt: StatusCell['lastAttempt']): string {
  if (!lastAttempt || lastAttempt.outcome === 'succeeded') return '';
  if (!hasFailed(change, lastAttempt)) return lastAttempt.outcome === null ? '; the outcome of the last attempt is unknown' : '';
  return `; ${formatOutcome(lastAttempt)}`;
}

function formatOutcome({ outcome, code, message }: NonNullable<StatusCell['lastAttempt']>): string {
  return `last attempt ${outcome}${code ? `: ${code} ${message ?? ''}` : ''}`;
}
