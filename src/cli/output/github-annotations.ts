import type { Change } from '../../model/change.ts';
import type { Diagnostic, EdictError, InvalidFileError } from '../../model/errors.ts';
import { visible } from '../../model/visible.ts';
import { summarizePlan } from '../../plan/summary.ts';
import { formatBlocker, formatGateway, formatReason, formatSuspension, upperFirst } from '../../render/format.ts';
import { formatHeadline } from '../../render/headline.ts';
import { formatUncheckedPlan, type PlanView } from '../../render/plan-view.ts';
import { repositoryPath } from '../repository-path.ts';

/*
 * Workflow commands of GitHub Actions: lines on stdout that the runner turns into annotations.
 */

type Level = 'error' | 'warning' | 'notice';
type Properties = Readonly<Record<string, string | number | null>>;

/** Returns each diagnostic of a file as an annotation at its place, and their number. */
export function diagnosticAnnotations({ diagnostics, count }: InvalidFileError): string {
  return `${diagnostics.map(diagnosticAnnotation).join('\n')}\n${upperFirst(count)}. No changes are made until the file is fixed.\n`;
}

function diagnosticAnnotation({ rule, file, line, column, length, message, hint }: Diagnostic): string {
  const place = { file: repositoryPath(file) ?? file, line, endLine: line, col: column, endColumn: column + length };
  return workflowCommand('error', { ...place, title: `edict: ${rule}` }, hint === null ? [message] : [message, hint]);
}

/** Returns an error as an annotation without a source location. */
export function errorAnnotation({ code, message, hint }: EdictError): string {
  return `${workflowCommand('error', { title: `edict: ${code}` }, hint === null ? [message] : [message, hint])}\n`;
}

/** Returns a plan as annotations: a warning for each offline or held change, and a notice with the totals. */
export function planAnnotations({ plan, uncheckedReason = null }: Pick<PlanView, 'plan' | 'uncheckedReason'>): string {
  const { fileHeld, isEmulated, suspension } = plan;
  const unchecked = formatUncheckedPlan({ uncheckedReason });
  const lines = plan.changes.filter(({ action, held }) => action === 'offline' || held).map(changeAnnotation);
  if (fileHeld) lines.unshift(workflowCommand('warning', { title: 'edict: the whole file is held' }, [fileHeld.message, fileHeld.hint]));
  if (unchecked !== null) lines.unshift(workflowCommand('warning', { title: 'edict: not checked' }, [unchecked]));
  const totals = [
    formatHeadline(plan, summarizePlan(plan)),
    ...(isEmulated ? [formatGateway(plan)] : []),
    ...(suspension ? [formatSuspension(suspension)] : []),
  ];
  return `${[...lines, workflowCommand('notice', { title: 'edict plan' }, totals)].join('\n')}\n`;
}

function changeAnnotation(change: Change): string {
  const { api, environment, action, source, held, deferred } = change;
  const place = source && { file: repositoryPath(source.file) ?? source.file, line: source.line, col: source.column };
  const title = `${api} in ${environment} ${held ? 'is held' : deferred ? `is deferred, then goes ${action} later` : `goes ${action}`}`;
  return workflowCommand('warning', { ...place, title }, [formatBlocker(change) ?? formatReason(change)]);
}

function workflowCommand(level: Level, properties: Properties, message: readonly string[]): string {
  const parameters = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
  return `::${level} ${parameters.join(',')}::${message.map(escapeData).join('%0A')}`;
}

function escapeData(text: string): string {
  return visible(text).replaceAll('%', '%25');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
