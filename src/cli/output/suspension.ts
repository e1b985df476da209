import type { SuspensionReport } from '../../app/suspension.ts';
import type { Settings } from '../../model/settings.ts';
import { toJson } from '../../model/visible.ts';
import { formatCommandLine } from '../../render/command-line.ts';
import { formatSuspensionOrigin, formatTimestamp } from '../../render/format.ts';
import { suspensionJson } from '../../render/plan-json.ts';
import type { RenderOptions } from './terminal.ts';
import { joinLines } from './terminal.ts';

/*
 * The output of `edict suspend` and `edict resume`: what was done, who acts on it, and the next command.
 */

/** Returns the suspension that was set. */
export function renderSuspended(report: SuspensionReport, { settings, format, paint }: RenderOptions): string {
  const { suspension, previous, holder } = report;
  if (format === 'json' || suspension === null) return renderJson(report, settings);
  const until = suspension.untilMs === null ? '' : ` until ${formatTimestamp(suspension.untilMs)}`;
  return toText([
    `${paint('yellow', 'Suspended:')} no calls are made to ${nameGateway(report, settings)}${until}, by ${suspension.by ?? 'unknown'} (${suspension.reason}).`,
    ...(previous ? [`It replaces the suspension${formatSuspensionOrigin(previous)}.`] : []),
    holder === null
      ? 'No edict process works on the gateway now; the next apply and run make no calls.'
      : `Takes effect within a second: ${holder}. Calls in flight finish.`,
    `To make calls again: ${paint('bold', formatCommandLine('resume', [], settings))}`,
  ]);
}

/** Returns the suspension that was removed. */
export function renderResumed(report: SuspensionReport, { settings, format, paint }: RenderOptions): string {
  const { previous, holder, declared } = report;
  if (format === 'json') return renderJson(report, settings);
  const declaredLine = declared
    ? [`${paint('yellow', 'The file itself suspends calls')}${formatSuspensionOrigin(declared)}: remove \`suspend\` from it.`]
    : [];
  if (previous === null) return toText([`Not suspended: ${nameGateway(report, settings)}. Nothing was changed.`, ...declaredLine]);
  return toText([
    `${paint('green', 'Resumed:')} calls to ${nameGateway(report, settings)} are made again. They were suspended${formatSuspensionOrigin(previous)}.`,
    ...declaredLine,
    holder === null ? 'No edict process works on the gateway now.' : `Takes effect within a second: ${holder}.`,
    `To see what is due: ${paint('bold', formatCommandLine('plan', [], settings))}`,
  ]);
}

function nameGateway({ gateway: { endpoint, instance } }: SuspensionReport, { emulate }: Settings): string {
  return `${emulate ? 'the emulated gateway in place of ' : ''}${endpoint}, instance ${instance}`;
}

function toText(lines: readonly string[]): string {
  return `${joinLines(lines)}\n`;
}

function renderJson({ gateway, suspension, previous, holder }: SuspensionReport, { emulate: emulated }: Settings): string {
  const document = {
    format: 1,
    gateway,
    emulated,
    suspension: suspension && suspensionJson(suspension),
    previous: previous && suspensionJson(previous),
    holder,
  };
  return `${toJson(document, 2)}\n`;
}
