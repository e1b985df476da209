import { planDigest } from '../core/digest.ts';
import { type Cost, estimate, proposedBatch } from '../core/estimate.ts';
import { type Change, isMade, type Plan } from '../core/plan.ts';
import type { DesiredState } from '../core/publication.ts';
import type { Planned } from '../reports.ts';
import { columns } from './columns.ts';
import type { Paint } from './paint.ts';
import { counts, planJson } from './plan-json.ts';
import { scopeInWords } from './saved-words.ts';
import { seenOf } from './seen.ts';
import { agreementInWords, counted, durationInWords, obstacleInWords, reasonInWords } from './words.ts';

/** Under so many seconds nobody minds how long it takes. */
const worthSaving = 10;

/** A plan, and how to release what it holds. */
export interface Shown extends Planned {
  /** The command; `null` if nothing is held. */
  readonly release: string | null;
}

type Renderer = (shown: Shown, paint: Paint) => string;

/** The forms that a plan can be shown in; each returns the whole text, its last line ended. */
export const planRenderers = { text, json, markdown } satisfies Record<string, Renderer>;
export type PlanFormat = keyof typeof planRenderers;

function json({ plan, desired, notes, release }: Shown): string {
  return `${JSON.stringify(planJson(plan, desired, notes, release), null, 2)}\n`;
}

function text({ plan, desired, notes, release }: Shown, paint: Paint): string {
  const seen = seenOf(plan, notes);
  const seenLines = columns(seen.map(({ api, environment, message }) => [`~ ${api}`, environment, message])).map((line) => `  ${line}`);
  const seenPart = seen.length > 0 ? [paint('yellow', `Seen at the gateway, no call is made (${seen.length})`), ...seenLines, ''] : [];
  const only = scopeInWords(plan);
  const heldPart = release === null ? [] : heldLines(plan, release, paint);
  if (plan.changes.length === 0 && plan.suspicion) return `${[...seenPart, ...heldPart].join('\n')}\n`;
  if (plan.changes.length === 0) {
    const sentence = plan.kept ? 'Nothing to do.' : `${paint('green', 'In sync.')} ${agreement(plan)} Nothing to do.`;
    return `${[...seenPart, sentence, ...(only ? [only] : [])].join('\n')}\n`;
  }
  const lines = [`${paint('bold', gatewayOf(plan))}`, '', ...seenPart];
  for (const group of groupsOf(plan)) {
    lines.push(paint(group.style, `${group.title} (${group.changes.length})`));
    lines.push(...columns(group.changes.map((change) => row(change, group.sign, paint))).map((line) => `  ${line}`), '');
  }
  lines.push(paint('bold', totals(plan)), ...(only ? [only] : []), cost(plan, desired));
  if (plan.approval) lines.push(agreementInWords(plan.approval));
  lines.push(...heldPart);
  lines.push(paint('dim', `Digest ${planDigest(plan)}`));
  return `${lines.join('\n')}\n`;
}

function markdown({ plan, desired, notes, release }: Shown): string {
  const seen = seenOf(plan, notes).map(({ api, environment, message }) => `| ${[api, environment, message].map(escaped).join(' | ')} |`);
  const seenPart =
    seen.length > 0 ? ['', '**Seen at the gateway, no call is made**', '', '| API | environment | what |', '|---|---|---|', ...seen] : [];
  const only = scopeInWords(plan);
  const onlyPart = only ? ['', escapedProse(only)] : [];
  if (plan.changes.length === 0 && !plan.suspicion)
    return [`### edict: in sync\n\n${agreement(plan)}`, ...onlyPart, ...seenPart, ''].join('\n');
  const lines = [`### edict: ${totals(plan)}`, '', `${gatewayOf(plan)}. ${cost(plan, desired)}`, ...onlyPart, ''];
  if (plan.suspicion) lines.push(`**The whole file is held**: ${escapedProse(plan.suspicion.message)}`, '');
  if (release !== null) lines.push(`To release what is held: \`${release}\``, '');
  for (const { title, changes } of groupsOf(plan).toReversed()) {
    lines.push(`**${title}** (${changes.length})`, '', '| API | environment | why | where |', '|---|---|---|---|');
    for (const change of changes) {
      const cells = [change.api, change.environment, change.held?.message ?? reasonInWords(change), placeOf(change)];
      lines.push(`| ${cells.map(escaped).join(' | ')} |`);
    }
    lines.push('');
  }
  lines.push(`Digest \`${planDigest(plan)}\``, ...seenPart);
  return `${lines.join('\n')}\n`;
}

/** A pattern's stars are no emphasis. */
function escapedProse(text: string): string {
  return text.replace(/[\\`*_[\]<>]/g, '\\$&');
}

function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|');
}

interface Group {
  readonly title: string;
  readonly sign: string;
  readonly style: 'green' | 'red' | 'yellow';
  readonly changes: readonly Change[];
}

/** What goes offline comes last in the text, next to the totals, where a tired reader looks. */
function groupsOf({ changes }: Plan): Group[] {
  const made = changes.filter(isMade);
  const groups: Group[] = [
    { title: 'Goes online', sign: '+', style: 'green', changes: made.filter((change) => change.action === 'online') },
    { title: 'Held: edict does not make these', sign: '!', style: 'yellow', changes: changes.filter((change) => change.held) },
    { title: 'Waits', sign: '…', style: 'yellow', changes: changes.filter((change) => change.waits && !change.held) },
    { title: 'Goes OFFLINE', sign: '-', style: 'red', changes: made.filter((change) => change.action === 'offline') },
  ];
  return groups.filter((group) => group.changes.length > 0);
}

function row(change: Change, sign: string, paint: Paint): string[] {
  const why = obstacleInWords(change) ?? reasonInWords(change);
  return [`${sign} ${change.api}`, change.environment, why, paint('dim', placeOf(change))];
}

/** Says why something is held, and what to do. */
function heldLines(plan: Plan, release: string, paint: Paint): string[] {
  const file = plan.suspicion
    ? [`${paint(['bold', 'yellow'], 'The whole file is held:')} ${plan.suspicion.message}. Nothing is sent.`]
    : [];
  const hints = new Set(plan.changes.flatMap(({ held }) => held?.hint ?? []));
  if (plan.suspicion) hints.add(plan.suspicion.hint);
  return [...file, `Before you agree: ${[...hints].join('; ')}.`, `To agree: ${paint('bold', release)}`];
}

function placeOf({ source }: Change): string {
  return source ? `${source.file}:${source.line}` : '';
}

function gatewayOf({ gateway }: Plan): string {
  return `Gateway ${gateway.endpoint}, instance ${gateway.instance}`;
}

function agreement({ unchanged }: Plan): string {
  return unchanged === 1 ? '1 publication is as the file says.' : `${counted(unchanged, 'publication')} are as the file says.`;
}

function totals(plan: Plan): string {
  const { online, offline } = counts(plan);
  const held = plan.changes.filter((change) => change.held).length;
  const waiting = plan.changes.length - online - offline - held;
  const parts = [
    `${online} online`,
    `${offline} offline`,
    ...(held > 0 ? [`${held} held`] : []),
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
    `${plan.unchanged} unchanged`,
  ];
  return `${counted(plan.changes.length, 'change')}: ${parts.join(', ')}.`;
}

function cost(plan: Plan, { gateway }: DesiredState): string {
  const { batched, ...single } = estimate(plan.changes, gateway);
  const inWords = ({ calls, seconds }: Cost): string => `${counted(calls, 'call')}, about ${durationInWords(seconds * 1000)}`;
  const limit = `${gateway.limit.calls} per ${durationInWords(gateway.limit.perMs)}`;
  const saving = batched && single.seconds > worthSaving ? ` With \`gateway.batch: ${proposedBatch}\`: ${inWords(batched)}.` : '';
  return `${inWords(single)} at ${limit}.${saving}`;
}
