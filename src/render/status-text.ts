import { hasFailed, type StatusCell } from '../plan/status.ts';
import { formatBlocker, formatReason } from './format.ts';
import { formatMissingApi, noticeForDrift, noticeForOutdated } from './notices.ts';

/** The next change of a publication that may be online already. */
const unseenMessage = 'online only if it is not online there already; the gateway is checked first';

/** Describes the next change of a publication and its reason, in one line. */
export function formatStatusCell({ change, lastAttempt, recorded, status, isApiMissing, replacementId, api, apiId }: StatusCell): string {
  if (status === 'unknown' && change?.reason === 'new') return unseenMessage;
  if (change) return formatBlocker(change) ?? `goes ${change.action} (${formatReason(change)})${formatFailure(change, lastAttempt)}`;
  if (status === 'drifted' && isApiMissing && !recorded?.drift)
    return `drift: ${formatMissingApi({ api, apiId, replacementId }, recorded)}`;
  if (status === 'drifted' && recorded) {
    const { kind, message } = noticeForDrift(recorded, isApiMissing, replacementId);
    return `${kind}: ${message}`;
  }
  if (status === 'outdated' && recorded) return `outdated: ${noticeForOutdated(recorded).message}`;
  if (status === 'unmanaged') return 'not in the file, left as it is';
  if (status === 'failed' && lastAttempt) return formatOutcome(lastAttempt);
  if (status === 'unknown') return 'the desired state is unknown until the file is fixed';
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
