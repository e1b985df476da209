import type { CopyReport, RemovedRecord, StoreReport } from '../../app/store/store-admin.ts';
import { toJson } from '../../model/visible.ts';
import { isActionable } from '../../plan/diff.ts';
import { formatTimestamp, pluralize } from '../../render/format.ts';
import type { Colorize } from './terminal.ts';
import { joinLines } from './terminal.ts';

type Format = 'text' | 'json';

/** Returns the gateways in a store. */
export function renderStore(report: StoreReport, format: Format, paint: Colorize): string {
  if (format === 'json') return renderJson({ format: 1, ...report, gateways: report.gateways.map(gatewayJson) });
  return `${showText(report, paint)}\n`;
}

/** Returns what was copied to another store. */
export function renderCopy(report: CopyReport, format: Format, paint: Colorize): string {
  return format === 'json' ? renderJson({ format: 1, ...report }) : `${copyText(report, paint)}\n`;
}

/** Returns the warning that a process was using a store while it was copied; `null` if none was. */
export function renderCopyWarning({ from, holders }: CopyReport, paint: Colorize): string | null {
  if (holders.length === 0) return null;
  return (
    `${paint('yellow', 'edict: warning:')} ${from} was copied while in use by ${holders.join('; ')}\n` +
    '  the copy is a consistent snapshot without later changes; to switch to the copy, stop that process and copy again\n'
  );
}

/** Returns the recorded state that was deleted, and what the plan now does with the publication. */
export function renderRemovedRecord(removed: RemovedRecord, format: Format, paint: Colorize): string {
  if (format === 'text') return `${removedText(removed, paint)}\n`;
  const { names, was } = removed;
  return renderJson({
    format: 1,
    ...names,
    was: was && { state: was.state, revision: was.revision, versionId: was.versionId },
    next: nextActionOf(removed),
  });
}

function renderJson(document: object): string {
  return `${toJson(document, 2)}\n`;
}

function showText({ store, gateways }: StoreReport, paint: Colorize): string {
  const lines = gateways.flatMap(({ endpoint, project, instance, publications, attempts, firstAttemptAtMs, holder }) => [
    `${endpoint}, project ${project}, instance ${instance}`,
    `  ${pluralize(publications, 'publication')} recorded, ${pluralize(attempts, 'attempt')}${firstAttemptAtMs === null ? '' : ` since ${formatTimestamp(firstAttemptAtMs)}`}`,
    `  ${holder ? `in use by ${holder}` : 'not in use'}`,
  ]);
  return joinLines([paint('bold', `Store ${store}`), ...(lines.length > 0 ? lines : ['The store is empty.'])]);
}

function gatewayJson({ firstAttemptAtMs, ...gateway }: StoreReport['gateways'][number]) {
  return { ...gateway, firstAttempt: firstAttemptAtMs === null ? null : formatTimestamp(firstAttemptAtMs) };
}

function copyText({ to, gateways, publications, attempts }: CopyReport, paint: Colorize): string {
  const counts = `${pluralize(gateways, 'gateway')}, ${pluralize(publications, 'publication')} and ${pluralize(attempts, 'attempt')}`;
  return `Copied ${counts} to ${paint('bold', to)}.`;
}

function removedText(removed: RemovedRecord, paint: Colorize): string {
  const { names, was } = removed;
  const title = paint('bold', `${names.api} in ${names.environment}`);
  if (!was) return `Nothing is recorded for ${title}. Nothing was deleted.`;
  const next = nextActionOf(removed);
  const consequence = next
    ? 'The next apply looks at the gateway first: what is online there is adopted without a call, and nothing that was online before is published again without an approval.'
    : 'The plan has no change for it.';
  return `Removed ${title}, which was recorded as ${was.state ?? 'unknown'}. ${consequence}`;
}

/** Returns the action that the plan now has for the publication; `null` if none. */
function nextActionOf({ names, plan }: RemovedRecord) {
  const change = plan.changes.find(({ apiId, environmentId }) => apiId === names.apiId && environmentId === names.environmentId);
  return change ? { action: change.action, made: isActionable(change) } : null;
}
