import { hasFailed, type StatusCell } from '../plan/status.ts';
import { formatBlocker, formatReason } from './format.ts';
import { noticeForDrift, noticeForOutdated } from './notices.ts';

/** Describes the next change of a publication and its reason, in one line. */
export function formatStatusCell({ change, lastAttempt, recorded, status }: StatusCell): string {
  if (change) return formatBlocker(change) ?? `goes ${change.action} (${formatReason(change)})${formatFailure(change, lastAttempt)}`;
  if (status === 'drifted' && recorded) {
    const { kind, message } = noticeForDrift(recorded);
    return `${kind}: ${message}`;
  }
  if (status === 'outdated' && recorded) return `outdated: ${noticeForOutdated(recorded).message}`;
  return status === 'unmanaged' ? 'not in the file, left as it is' : 'unchanged';
}

function formatFailure(change: NonNullable<StatusCell['change']>, lastAttempt: StatusCell['lastAttempt']): string {
  if (!lastAttempt || lastAttempt.outcome === 'succeeded') return '';
  if (!hasFailed(change, lastAttempt)) return lastAttempt.outcome === null ? '; the outcome of the last attempt is unknown' : '';
  return `; last attempt ${lastAttempt.outcome}${lastAttempt.code ? `: ${lastAttempt.code} ${lastAttempt.message ?? ''}` : ''}`;
}
