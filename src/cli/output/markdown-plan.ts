import type { Change, Plan } from '../../model/change.ts';
import { isActionable } from '../../plan/diff.ts';
import { planDigest } from '../../plan/digest.ts';
import { approvalDigest } from '../../plan/policies.ts';
import { formatApproval, formatBlocker, formatReason, pluralize } from '../../render/format.ts';
import { listNotices } from '../../render/notices.ts';
import type { BlameInfo, PlanView } from '../../render/plan-view.ts';
import {
  collapsibleTable,
  escapeInvisible,
  escapeText,
  firstFitting,
  fitSections,
  fixedSection,
  inlineCode,
  renderTable,
  type Section,
  type Table,
} from './markdown.ts';
import { formatChangeCommit, formatCost, formatSource, formatTotals, formatUnchanged } from './plan-phrases.ts';
import { formatScope } from './saved-plan-text.ts';

/** The most characters of a comment at GitHub, less one; GitLab takes more. Counted in UTF-16 units, which are never fewer. */
const maxCommentLength = 65_535;

/** So many rows of what is not dangerous are shown; others are folded. */
const maxOpenRows = 20;

/** A longer command is told in pieces: somebody has to read it. */
const maxCommandLength = 2000;

const maxHints = 10;

const seeJsonNotice = 'All are in the JSON: `edict plan --format json`.';

/**
 * Returns a plan for a comment on a pull request, in at most 65,535 characters whatever its size. The first line is a mark by
 * which a job finds its comment again. What goes offline is never folded and never left out: where it does not fit it is
 * told shorter, and at the worst counted.
 */
export function renderMarkdownPlan(shown: PlanView): string {
  const { plan } = shown;
  const others = plan.changes.filter(({ action }) => action === 'online');
  const held = others.filter((change) => change.held);
  const waiting = others.filter((change) => change.deferred && !change.held);
  const parts = [
    fixedSection(renderHeader(shown)),
    offlineSection(plan.changes, shown),
    fixedSection(renderFileHold(plan)),
    changesSection('Held: edict does not make these', held, shown),
    fixedSection(renderApproveCommand(shown)),
    changesSection('Waits', waiting, shown),
    changesSection('Goes online', others.filter(isActionable), shown),
    noticesSection(shown),
    fixedSection(plan.changes.length === 0 ? '' : `Digest \`${planDigest(plan)}\``),
  ];
  return fitSections(parts, maxCommentLength);
}

/** Each gateway has its own mark, and so its own comment. */
function commentMarker({ gateway }: Plan): string {
  return `<!-- edict plan ${gateway.instance.replace(/[^\w.-]/g, '-')} -->`;
}

function renderHeader({ plan, desired }: PlanView): string {
  const { fileHeld, savedPlanDiff, approval, gateway } = plan;
  const isIdle = plan.changes.length === 0 && !fileHeld;
  const title = isIdle ? (savedPlanDiff ? 'nothing to do' : 'in sync') : formatTotals(plan);
  const only = formatScope(plan);
  return [
    `${commentMarker(plan)}\n### edict: ${fileHeld ? 'the whole file is held. ' : ''}${title}`,
    `Gateway ${inlineCode(gateway.endpoint)}, instance ${inlineCode(gateway.instance)}. ${isIdle ? formatUnchanged(plan) : formatCost(plan, desired)}`,
    ...(only ? [escapeText(only)] : []),
    ...(approval ? [escapeText(formatApproval(approval))] : []),
  ].join('\n\n');
}

function renderFileHold({ fileHeld }: Plan): string {
  return fileHeld ? `**The whole file is held**: ${escapeText(fileHeld.message)}. Nothing is sent.` : '';
}

/** Says how to release what is held. */
function renderApproveCommand({ plan, approveCommand }: PlanView): string {
  const digest = approvalDigest(plan);
  if (digest === null || approveCommand === null) return '';
  const hints = [...new Set([...plan.changes.flatMap(({ held }) => held?.hint ?? []), ...(plan.fileHeld ? [plan.fileHeld.hint] : [])])];
  const more = hints.length > maxHints ? `; and ${hints.length - maxHints} more, all in the JSON` : '';
  const isShort =
    approveCommand.length <= maxCommandLength && escapeInvisible(approveCommand) === approveCommand && !approveCommand.includes('`');
  const command = isShort
    ? `\n\n\`\`\`\n${approveCommand}\n\`\`\``
    : ` \`edict approve ${digest} --by YOU --why REASON\`, with the file and the options that the plan was made with.`;
  return `Before you agree to what is held: ${hints.slice(0, maxHints).map(escapeText).join('; ')}${more}. To agree:${command}`;
}

function changesSection(title: string, changes: readonly Change[], shown: PlanView): Section {
  const columns = changeColumns(shown);
  const row = (index: number): readonly string[] => changeCells(changes[index] as Change, shown);
  return collapsibleTable(
    { heading: `**${title}** (${changes.length})`, columns, rowCount: changes.length, row },
    maxOpenRows,
    seeJsonNotice,
  );
}

function noticesSection({ plan, notices }: PlanView): Section {
  const seen = listNotices(plan, notices);
  const row: Table['row'] = (index) => {
    const { api = '', environment = '', message = '' } = seen[index] ?? {};
    return [inlineCode(api), inlineCode(environment), escapeText(message)];
  };
  const heading = `**Seen at the gateway, no call is made** (${pluralize(seen.length, 'publication')})`;
  return collapsibleTable({ heading, columns: ['API', 'environment', 'what'], rowCount: seen.length, row }, maxOpenRows, seeJsonNotice);
}

/** Returns the heads of the columns that `cellsOf` fills. */
export function changeColumns({ commits }: BlameInfo): readonly string[] {
  return ['API', 'environment', 'why', 'where', ...(commits ? ['commit'] : [])];
}

/** Returns the cells of a change in a table. */
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
 * Returns the part that shows everything that goes offline, now, after a wait or with somebody's agreement: as tables; else
 * the names, by environment; else how many there are in each environment, and that the list is in the JSON.
 */
export function offlineSection(changes: readonly Change[], blamed: BlameInfo): Section {
  const offline = changes.filter(({ action }) => action === 'offline');
  const groups = [
    { title: 'Goes OFFLINE', changes: offline.filter(isActionable) },
    { title: 'Waits, then goes OFFLINE', changes: offline.filter((change) => change.deferred && !change.held) },
    { title: 'Held: goes OFFLINE only if somebody agrees', changes: offline.filter((change) => change.held) },
  ].filter(({ changes }) => changes.length > 0);
  const told = (say: (changes: readonly Change[], heading: string) => string): string =>
    groups.map(({ title, changes }) => say(changes, `**${title}** (${changes.length})`)).join('\n\n');

  const tables = (): string => told((changes, heading) => renderChangeTable(changes, heading, blamed));
  const names = (): string =>
    `${told((changes, heading) => `${heading}\n\n${listByEnvironment(changes, listNames)}`)}\n\nToo many for a table: where and why is in the JSON, \`edict plan --format json\`.`;
  const counts = (): string =>
    `${told((changes, heading) => `${heading}\n\n${listByEnvironment(changes, ({ length }) => String(length))}`)}\n\n${tooManyNotice}`;
  const sums = (): string =>
    groups.length === 0
      ? ''
      : `${told((changes, heading) => `${heading} in ${pluralize(groupByEnvironment(changes).size, 'environment')}`)}\n\n${tooManyNotice}`;
  const render = (room: number): string => {
    if (groups.length === 0) return '';
    // Of so many not even the shortest rows and names have room: none is made.
    const [hasTables, hasNames] = [offline.length * 18 < room, offline.length * 5 < room];
    return firstFitting([...(hasTables ? [tables] : []), ...(hasNames ? [names] : []), counts, sums], room);
  };
  return { minimum: sums(), render };
}

const tooManyNotice = '**Too many to be named here. The whole list is in the JSON: `edict plan --format json`.** Read it before you agree.';

function renderChangeTable(changes: readonly Change[], heading: string, blamed: BlameInfo): string {
  const row = (index: number): readonly string[] => changeCells(changes[index] as Change, blamed);
  return renderTable({ heading, columns: changeColumns(blamed), rowCount: changes.length, row });
}

function groupByEnvironment(changes: readonly Change[]): Map<string, Change[]> {
  return Map.groupBy(changes, ({ environment }) => environment);
}

function listByEnvironment(changes: readonly Change[], say: (changes: readonly Change[]) => string): string {
  return [...groupByEnvironment(changes)].map(([environment, there]) => `- ${inlineCode(environment)}: ${say(there)}`).join('\n');
}

function listNames(changes: readonly Change[]): string {
  return `(${changes.length}) ${changes.map(({ api }) => inlineCode(api)).join(', ')}`;
}
