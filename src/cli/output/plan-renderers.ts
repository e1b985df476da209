import type { Change, Plan } from '../../model/change.ts';
import { toJson } from '../../model/visible.ts';
import { isActionable } from '../../plan/diff.ts';
import { planDigest } from '../../plan/digest.ts';
import { type PlanSummary, summarizePlan } from '../../plan/summary.ts';
import { formatApproval, formatBlocker, formatGateway, formatReason, formatSuspension } from '../../render/format.ts';
import { formatHeadline, isDifferent } from '../../render/headline.ts';
import { foldNotices, listNotices } from '../../render/notices.ts';
import { planJson } from '../../render/plan-json.ts';
import { type BlameInfo, formatUncheckedPlan, type PlanView } from '../../render/plan-view.ts';
import { planAnnotations } from './github-annotations.ts';
import { renderMarkdownPlan } from './markdown-plan.ts';
import { formatChangeCommit, formatCost, formatSource, formatUnmanaged, heldTitle } from './plan-phrases.ts';
import { formatScope } from './saved-plan-text.ts';
import { type Colorize, formatTable, joinLines } from './terminal.ts';

type Renderer = (view: PlanView, paint: Colorize) => string;

/** The renderers of a plan; each returns the whole text with a final line break. */
export const planRenderers = { text, json, markdown: renderMarkdownPlan, github: planAnnotations } satisfies Record<string, Renderer>;
export type PlanFormat = keyof typeof planRenderers;

function json(view: PlanView): string {
  return `${toJson(planJson(view), 2)}\n`;
}

function text(view: PlanView, paint: Colorize): string {
  const unchecked = formatUncheckedPlan(view);
  return `${unchecked === null ? '' : `${paint('yellow', unchecked)}\n`}${checkedText(view, paint)}`;
}

function checkedText(view: PlanView, paint: Colorize): string {
  const { plan, desired, notices, approveCommand } = view;
  const { listed: gatewayNotices, sentences } = foldNotices(listNotices(plan, notices));
  const noticeLines = formatTable(gatewayNotices.map(({ api, environment, message }) => [`~ ${api}`, environment, message])).map(
    (line) => `  ${line}`,
  );
  const title = paint('yellow', `Observed at the gateway, no calls are made (${gatewayNotices.length})`);
  const noticePart = [
    ...(sentences.length === 0 ? [] : [...sentences, '']),
    ...(gatewayNotices.length > 0 ? [title, ...noticeLines, ''] : []),
  ];
  const scope = formatScope(plan);
  const heldPart = approveCommand === null && !plan.fileHeld ? [] : heldLines(plan, approveCommand, paint);
  const suspended = plan.suspension ? [paint('yellow', formatSuspension(plan.suspension))] : [];
  const summary = summarizePlan(plan);
  const headline = formatHeadline(plan, summary);
  const firstLine = plan.savedPlanDiff && plan.changes.length === 0 ? 'Nothing to do.' : paintHeadline(headline, { plan, summary }, paint);
  const unmanaged = formatUnmanaged(plan, view.listsUnmanaged ?? false, paint);
  const unmanagedPart = unmanaged.length > 0 ? ['', ...unmanaged] : [];
  if (plan.changes.length === 0) {
    const idlePart = [...suspended, ...heldPart, ...(scope ? [scope] : [])];
    const emulated = plan.isEmulated ? [`${formatGateway(plan)}.`] : [];
    const notices = noticePart.length > 0 ? ['', ...noticePart.slice(0, -1)] : [];
    return `${joinLines([firstLine, ...emulated, ...idlePart, ...notices, ...unmanagedPart])}\n`;
  }
  const lines = [firstLine, formatGateway(plan), '', ...noticePart];
  for (const group of groupChanges(plan)) {
    lines.push(paint(group.style, `${group.title} (${group.changes.length})`));
    lines.push(
      ...formatTable(group.changes.map((change) => changeRow(change, { ...view, sign: group.sign, paint }))).map((line) => `  ${line}`),
      '',
    );
  }
  if (unmanaged.length > 0) lines.push(...unmanaged, '');
  lines.push(paint('bold', headline), ...(scope ? [scope] : []), formatCost(plan, desired), ...suspended);
  if (plan.approval) lines.push(formatApproval(plan.approval));
  lines.push(...heldPart);
  lines.push(paint('dim', `Digest ${planDigest(plan)}`));
  return `${joinLines(lines)}\n`;
}

/** Green only where nothing differs and that was seen at the gateway. */
function paintHeadline(
  headline: string,
  { plan, summary }: { readonly plan: Plan; readonly summary: PlanSummary },
  paint: Colorize,
): string {
  if (plan.fileHeld || isDifferent(summary)) return paint('bold', headline);
  return plan.lastChecked.isCurrent ? paint('green', headline) : headline;
}

interface Group {
  readonly title: string;
  readonly sign: string;
  readonly style: 'green' | 'red' | 'yellow';
  readonly changes: readonly Change[];
}

/** Groups the changes by effect. Offline changes come last, next to the totals, so that they are not overlooked. */
function groupChanges(plan: Plan): Group[] {
  const { changes } = plan;
  const [unknown = [], actionable = []] = [true, false].map((is) =>
    changes.filter((change) => isActionable(change) && (change.reason === 'unknown') === is),
  );
  const groups: Group[] = [
    { title: 'Goes online', sign: '+', style: 'green', changes: actionable.filter((change) => change.action === 'online') },
    { title: 'Outcome unknown, looked up before anything is sent', sign: '?', style: 'yellow', changes: unknown },
    { title: heldTitle(plan), sign: '!', style: 'yellow', changes: changes.filter((change) => change.held) },
    { title: 'Deferred', sign: '…', style: 'yellow', changes: changes.filter((change) => change.deferred && !change.held) },
    { title: 'Goes OFFLINE', sign: '-', style: 'red', changes: actionable.filter((change) => change.action === 'offline') },
  ];
  return groups.filter((group) => group.changes.length > 0);
}

function changeRow(change: Change, { sign, commits, paint }: Pick<Group, 'sign'> & BlameInfo & { readonly paint: Colorize }): string[] {
  const why = formatBlocker(change) ?? formatReason(change);
  return [
    `${sign} ${change.api}`,
    change.environment,
    why,
    paint('dim', formatSource(change)),
    ...(commits ? [paint('dim', formatChangeCommit(change, commits))] : []),
  ];
}

/** Returns the lines that explain the held changes and how to approve them. */
function heldLines(plan: Plan, approveCommandLine: string | null, paint: Colorize): string[] {
  const file = plan.fileHeld ? [`${paint(['bold', 'yellow'], 'The whole file is held:')} ${plan.fileHeld.message}. Nothing is sent.`] : [];
  const hints = new Set(plan.changes.flatMap(({ held }) => held?.hint ?? []));
  if (plan.fileHeld) hints.add(plan.fileHeld.hint);
  if (approveCommandLine === null) return [...file, `To do: ${[...hints].join('; ')}.`];
  return [...file, `Before you approve: ${[...hints].join('; ')}.`, `To approve: ${paint('bold', approveCommandLine)}`];
}
