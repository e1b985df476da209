import { planDigest } from '../core/digest.ts';
import { approvalDigest } from '../core/guards.ts';
import { type Change, isActionable, type Plan } from '../core/plan.ts';
import { formatApproval, pluralize } from '../words/phrases.ts';
import { listNotices } from '../words/seen.ts';
import type { PlanView } from '../words/shown-plan.ts';
import { changeCells, changeColumns } from './markdown-change.ts';
import { offlineSection } from './markdown-offline.ts';
import { collapsibleTable, fitSections, fixedSection, type Section, type Table } from './markdown-room.ts';
import { escapeInvisible, escapeText, inlineCode } from './markdown-text.ts';
import { formatCost, formatTotals, formatUnchanged } from './plan-words.ts';
import { formatScope } from './saved-words.ts';

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
