import type { Change } from '../../model/change.ts';
import { defaultFile } from '../../model/settings.ts';
import { visible } from '../../model/visible.ts';
import { isActionable } from '../../plan/diff.ts';
import { planDigest } from '../../plan/digest.ts';
import { approvalDigest } from '../../plan/policies.ts';
import { summarizePlan } from '../../plan/summary.ts';
import { shortDigest } from '../../render/command-line.ts';
import { formatApproval, formatBlocker, formatReason, formatSuspension, pluralize } from '../../render/format.ts';
import { formatHeadline } from '../../render/headline.ts';
import { foldNotices, listNotices } from '../../render/notices.ts';
import { type BlameInfo, formatUncheckedPlan, type PlanView } from '../../render/plan-view.ts';
import {
  collapsibleTable,
  commentMarker,
  escapeText,
  firstFitting,
  fitSections,
  fixedSection,
  inlineCode,
  maxCommentLength,
  renderTable,
  type Section,
  type Table,
} from './markdown.ts';
import { formatChangeCommit, formatCost, formatSource, heldTitle, newlyUnmanagedAside, unmanagedTitle } from './plan-phrases.ts';
import { formatScope } from './saved-plan-text.ts';

/** The rows shown of a table without offline changes; further rows are collapsed. */
const maxOpenRows = 20;

/** A longer command is only described, since nobody could review it. */
const maxCommandLength = 2000;

const maxHints = 10;

/** Returns the command whose JSON has everything; a long one is only described. */
function jsonCommandOf({ jsonCommand = 'edict plan --format json' }: Pick<PlanView, 'jsonCommand'>): string {
  if (isShownAsCode(jsonCommand)) return `\`${jsonCommand}\``;
  return '`edict plan --format json`, with the same file and options as this plan';
}

function isShownAsCode(command: string): boolean {
  return command.length <= maxCommandLength && visible(command) === command && !command.includes('`');
}

function seeJsonNotice(view: Pick<PlanView, 'jsonCommand'>): string {
  return `All are in the JSON: ${jsonCommandOf(view)}.`;
}

/**
 * Returns a plan as a pull request comment of at most 65,535 characters, whatever the plan's size. The first line is a marker by which a
 * job finds its comment again. Offline changes are never collapsed and never omitted: if they do not fit, they are shortened to names,
 * then to counts.
 */
export function renderMarkdownPlan(view: PlanView): string {
  const { plan } = view;
  const others = plan.changes.filter(({ action }) => action === 'online');
  const held = others.filter((change) => change.held);
  const deferred = others.filter((change) => change.deferred && !change.held);
  const actionable = others.filter(isActionable);
  const [unknown = [], online = []] = [true, false].map((is) => actionable.filter(({ reason }) => (reason === 'unknown') === is));
  const sections = [
    fixedSection(renderHeader(view)),
    fixedSection(foldNotices(listNotices(plan, view.notices)).sentences.join(' ')),
    offlineSection(plan.changes, view),
    fixedSection(renderFileHold(view)),
    changesSection(heldTitle(plan), held, view),
    fixedSection(renderApproveCommand(view)),
    changesSection('Deferred', deferred, view),
    changesSection('Outcome unknown, looked up before anything is sent', unknown, view),
    changesSection('Goes online', online, view),
    noticesSection(view),
    unmanagedSection(view),
    fixedSection(plan.changes.length === 0 ? '' : `Digest \`${planDigest(plan)}\``),
  ];
  return fitSections(sections, maxCommentLength);
}

function renderHeader(view: PlanView): string {
  const { plan, desired } = view;
  const unchecked = formatUncheckedPlan(view);
  const { fileHeld, savedPlanDiff, approval, gateway, suspension } = plan;
  const isIdle = plan.changes.length === 0 && !fileHeld;
  const title = isIdle && savedPlanDiff ? 'nothing to do' : formatHeadline(plan, summarizePlan(plan));
  const scope = formatScope(plan);
  return [
    `${commentMarker(view.file ?? defaultFile)}\n### edict: ${title}`,
    ...(unchecked === null ? [] : [`**${escapeText(unchecked)}**`]),
    `${plan.isEmulated ? '**Emulated gateway** in place of' : 'Gateway'} ${inlineCode(gateway.endpoint)}, instance ${inlineCode(gateway.instance)}.${isIdle ? '' : ` ${formatCost(plan, desired)}`}`,
    ...(suspension ? [`**${escapeText(formatSuspension(suspension))}**`] : []),
    ...(scope ? [escapeText(scope)] : []),
    ...(approval ? [escapeText(formatApproval(approval))] : []),
  ].join('\n\n');
}

function renderFileHold({ plan: { fileHeld }, approveCommand }: PlanView): string {
  if (!fileHeld) return '';
  const remedy = approveCommand === null ? ` To do: ${escapeText(fileHeld.hint)}.` : '';
  return `**The whole file is held**: ${escapeText(fileHeld.message)}. Nothing is sent.${remedy}`;
}

/** Returns the command that approves the held changes. */
function renderApproveCommand({ plan, approveCommand }: PlanView): string {
  const digest = approvalDigest(plan);
  if (digest === null || approveCommand === null) return '';
  const hints = [...new Set([...plan.changes.flatMap(({ held }) => held?.hint ?? []), ...(plan.fileHeld ? [plan.fileHeld.hint] : [])])];
  const more = hints.length > maxHints ? `; and ${hints.length - maxHints} more, all in the JSON` : '';
  const command = isShownAsCode(approveCommand)
    ? `\n\n\`\`\`\n${approveCommand}\n\`\`\``
    : ` \`edict approve ${shortDigest(digest)} --by NAME --reason TEXT\`, with the same file and options as the plan.`;
  return `Before you approve what is held: ${hints.slice(0, maxHints).map(escapeText).join('; ')}${more}. To approve:${command}`;
}

function changesSection(title: string, changes: readonly Change[], view: PlanView): Section {
  const columns = changeColumns(view);
  const row = (index: number): readonly string[] => changeCells(changes[index] as Change, view);
  return collapsibleTable(
    { heading: `**${title}** (${changes.length})`, columns, rowCount: changes.length, row },
    maxOpenRows,
    seeJsonNotice(view),
  );
}

function noticesSection(view: PlanView): Section {
  const { plan, notices } = view;
  const { listed: gatewayNotices } = foldNotices(listNotices(plan, notices));
  const row: Table['row'] = (index) => {
    const { api = '', environment = '', message = '' } = gatewayNotices[index] ?? {};
    return [inlineCode(api), inlineCode(environment), escapeText(message)];
  };
  const heading = `**Observed at the gateway, no calls are made** (${pluralize(gatewayNotices.length, 'publication')})`;
  return collapsibleTable(
    { heading, columns: ['API', 'environment', 'what'], rowCount: gatewayNotices.length, row },
    maxOpenRows,
    seeJsonNotice(view),
  );
}

function unmanagedSection(view: PlanView): Section {
  const { plan } = view;
  const row: Table['row'] = (index) => {
    const { api = '', environment = '' } = plan.unmanaged[index] ?? {};
    return [inlineCode(api), inlineCode(environment)];
  };
  const heading = `**${unmanagedTitle}** (${pluralize(plan.unmanaged.length, 'publication')})${newlyUnmanagedAside(plan)}`;
  return collapsibleTable(
    { heading, columns: ['API', 'environment'], rowCount: plan.unmanaged.length, row },
    maxOpenRows,
    seeJsonNotice(view),
  );
}

/** Returns the titles of the columns that `changeCells` fills. */
export function changeColumns({ commits }: BlameInfo): readonly string[] {
  return ['API', 'environment', 'why', 'where', ...(commits ? ['commit'] : [])];
}

/** Returns the table cells of a change. */
export function changeCells(change: Change, { commits }: BlameInfo): readonly string[] {
  return [
    inlineCode(change.api),
    inlineCode(change.environment),
    escapeText(formatBlocker(change) ?? formatReason(change)),
    inlineCode(formatSource(change)),
    ...(commits ? [escapeText(formatChangeCommit(change, commits))] : []),
  ];
}

/**
 * Returns the section of all offline changes: actionable, deferred and held. Renders the first form that fits: tables, names by
 * environment, counts by environment, totals. The shorter forms refer to the JSON for the list.
 */
export function offlineSection(changes: readonly Change[], view: BlameInfo & Pick<PlanView, 'jsonCommand'>): Section {
  const offline = changes.filter(({ action }) => action === 'offline');
  const groups = [
    { title: 'Goes OFFLINE', changes: offline.filter(isActionable) },
    { title: 'Deferred: goes OFFLINE later', changes: offline.filter((change) => change.deferred && !change.held) },
    { title: 'Held: goes OFFLINE only after an approval', changes: offline.filter((change) => change.held) },
  ].filter(({ changes }) => changes.length > 0);
  const renderGroups = (renderGroup: (changes: readonly Change[], heading: string) => string): string =>
    groups.map(({ title, changes }) => renderGroup(changes, `**${title}** (${changes.length})`)).join('\n\n');

  const tables = (): string => renderGroups((changes, heading) => renderChangeTable(changes, heading, view));
  const names = (): string =>
    `${renderGroups((changes, heading) => `${heading}\n\n${listByEnvironment(changes, listNames)}`)}\n\nToo many for a table; the details are in the JSON: ${jsonCommandOf(view)}.`;
  const counts = (): string =>
    `${renderGroups((changes, heading) => `${heading}\n\n${listByEnvironment(changes, ({ length }) => String(length))}`)}\n\n${tooManyNotice(view)}`;
  const totals = (): string =>
    groups.length === 0
      ? ''
      : `${renderGroups((changes, heading) => `${heading} in ${pluralize(groupByEnvironment(changes).size, 'environment')}`)}\n\n${tooManyNotice(view)}`;
  const render = (maxLength: number): string => {
    if (groups.length === 0) return '';
    // Skip forms that cannot fit, instead of rendering them: a row has at least 18 characters and a name 5.
    const [hasTables, hasNames] = [offline.length * 18 < maxLength, offline.length * 5 < maxLength];
    return firstFitting([...(hasTables ? [tables] : []), ...(hasNames ? [names] : []), counts, totals], maxLength);
  };
  return { minimum: totals(), render };
}

function tooManyNotice(view: Pick<PlanView, 'jsonCommand'>): string {
  return `**Too many to list here. The complete list is in the JSON: ${jsonCommandOf(view)}.** Read it before you approve.`;
}

function renderChangeTable(changes: readonly Change[], heading: string, blame: BlameInfo): string {
  const row = (index: number): readonly string[] => changeCells(changes[index] as Change, blame);
  return renderTable({ heading, columns: changeColumns(blame), rowCount: changes.length, row });
}

function groupByEnvironment(changes: readonly Change[]): Map<string, Change[]> {
  return Map.groupBy(changes, ({ environment }) => environment);
}

function listByEnvironment(changes: readonly Change[], renderChanges: (changes: readonly Change[]) => string): string {
  return [...groupByEnvironment(changes)]
    .map(([environment, environmentChanges]) => `- ${inlineCode(environment)}: ${renderChanges(environmentChanges)}`)
    .join('\n');
}

function listNames(changes: readonly Change[]): string {
  return `(${changes.length}) ${changes.map(({ api }) => inlineCode(api)).join(', ')}`;
}
