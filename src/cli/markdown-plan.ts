import { planDigest } from '../core/digest.ts';
import { heldDigest } from '../core/guards.ts';
import { type Change, isMade, type Plan } from '../core/plan.ts';
import { agreementInWords, counted } from '../words/phrases.ts';
import { seenOf } from '../words/seen.ts';
import type { Shown } from '../words/shown-plan.ts';
import { cellsOf, changeColumns } from './markdown-change.ts';
import { offlinePart } from './markdown-offline.ts';
import { fit, fixed, foldedTable, type Part, type Table } from './markdown-room.ts';
import { code, prose, visible } from './markdown-text.ts';
import { costInWords, totalsInWords, unchangedInWords } from './plan-words.ts';
import { scopeInWords } from './saved-words.ts';

/** The most characters of a comment at GitHub, less one; GitLab takes more. Counted in UTF-16 units, which are never fewer. */
const longestComment = 65_535;

/** So many rows of what is not dangerous are shown; others are folded. */
const openRows = 20;

/** A longer command is told in pieces: somebody has to read it. */
const longestCommand = 2000;

const mostHints = 10;

const inJson = 'All are in the JSON: `edict plan --format json`.';

/**
 * Returns a plan for a comment on a pull request, in at most 65,535 characters whatever its size. The first line is a mark by
 * which a job finds its comment again. What goes offline is never folded and never left out: where it does not fit it is
 * told shorter, and at the worst counted.
 */
export function markdown(shown: Shown): string {
  const { plan } = shown;
  const others = plan.changes.filter(({ action }) => action === 'online');
  const held = others.filter((change) => change.held);
  const waiting = others.filter((change) => change.waits && !change.held);
  const parts = [
    fixed(headOf(shown)),
    offlinePart(plan.changes, shown),
    fixed(suspicionOf(plan)),
    changesPart('Held: edict does not make these', held, shown),
    fixed(releaseOf(shown)),
    changesPart('Waits', waiting, shown),
    changesPart('Goes online', others.filter(isMade), shown),
    seenPart(shown),
    fixed(plan.changes.length === 0 ? '' : `Digest \`${planDigest(plan)}\``),
  ];
  return fit(parts, longestComment);
}

/** Each gateway has its own mark, and so its own comment. */
function markOf({ gateway }: Plan): string {
  return `<!-- edict plan ${gateway.instance.replace(/[^\w.-]/g, '-')} -->`;
}

function headOf({ plan, desired }: Shown): string {
  const { suspicion, kept, approval, gateway } = plan;
  const isIdle = plan.changes.length === 0 && !suspicion;
  const title = isIdle ? (kept ? 'nothing to do' : 'in sync') : totalsInWords(plan);
  const only = scopeInWords(plan);
  return [
    `${markOf(plan)}\n### edict: ${suspicion ? 'the whole file is held. ' : ''}${title}`,
    `Gateway ${code(gateway.endpoint)}, instance ${code(gateway.instance)}. ${isIdle ? unchangedInWords(plan) : costInWords(plan, desired)}`,
    ...(only ? [prose(only)] : []),
    ...(approval ? [prose(agreementInWords(approval))] : []),
  ].join('\n\n');
}

function suspicionOf({ suspicion }: Plan): string {
  return suspicion ? `**The whole file is held**: ${prose(suspicion.message)}. Nothing is sent.` : '';
}

/** Says how to release what is held. */
function releaseOf({ plan, release }: Shown): string {
  const digest = heldDigest(plan);
  if (digest === null || release === null) return '';
  const hints = [...new Set([...plan.changes.flatMap(({ held }) => held?.hint ?? []), ...(plan.suspicion ? [plan.suspicion.hint] : [])])];
  const more = hints.length > mostHints ? `; and ${hints.length - mostHints} more, all in the JSON` : '';
  const isShort = release.length <= longestCommand && visible(release) === release && !release.includes('`');
  const command = isShort
    ? `\n\n\`\`\`\n${release}\n\`\`\``
    : ` \`edict approve ${digest} --by YOU --why REASON\`, with the file and the options that the plan was made with.`;
  return `Before you agree to what is held: ${hints.slice(0, mostHints).map(prose).join('; ')}${more}. To agree:${command}`;
}

function changesPart(title: string, changes: readonly Change[], shown: Shown): Part {
  const columns = changeColumns(shown);
  const row = (index: number): readonly string[] => cellsOf(changes[index] as Change, shown);
  return foldedTable({ heading: `**${title}** (${changes.length})`, columns, size: changes.length, row }, openRows, inJson);
}

function seenPart({ plan, notes }: Shown): Part {
  const seen = seenOf(plan, notes);
  const row: Table['row'] = (index) => {
    const { api = '', environment = '', message = '' } = seen[index] ?? {};
    return [code(api), code(environment), prose(message)];
  };
  const heading = `**Seen at the gateway, no call is made** (${counted(seen.length, 'publication')})`;
  return foldedTable({ heading, columns: ['API', 'environment', 'what'], size: seen.length, row }, openRows, inJson);
}
