import { planDigest } from '../core/digest.ts';
import { type Change, isMade, type Plan } from '../core/plan.ts';
import { agreementInWords, obstacleInWords, reasonInWords, suspensionInWords } from '../words/phrases.ts';
import { planJson } from '../words/plan-json.ts';
import { seenOf } from '../words/seen.ts';
import type { Blamed, Shown } from '../words/shown-plan.ts';
import { columns } from './columns.ts';
import { commitOf } from './commit-words.ts';
import { planAnnotations } from './github-annotations.ts';
import { markdown } from './markdown-plan.ts';
import type { Paint } from './paint.ts';
import { costInWords, placeInWords, totalsInWords, unchangedInWords } from './plan-words.ts';
import { scopeInWords } from './saved-words.ts';

type Renderer = (shown: Shown, paint: Paint) => string;

/** The forms that a plan can be shown in; each returns the whole text, its last line ended. */
export const planRenderers = { text, json, markdown, github } satisfies Record<string, Renderer>;
export type PlanFormat = keyof typeof planRenderers;

function json(shown: Shown): string {
  return `${JSON.stringify(planJson(shown), null, 2)}\n`;
}

function github({ plan }: Shown): string {
  return planAnnotations(plan);
}

function text(shown: Shown, paint: Paint): string {
  const { plan, desired, notes, release } = shown;
  const seen = seenOf(plan, notes);
  const seenLines = columns(seen.map(({ api, environment, message }) => [`~ ${api}`, environment, message])).map((line) => `  ${line}`);
  const seenPart = seen.length > 0 ? [paint('yellow', `Seen at the gateway, no call is made (${seen.length})`), ...seenLines, ''] : [];
  const only = scopeInWords(plan);
  const heldPart = release === null ? [] : heldLines(plan, release, paint);
  const suspended = plan.suspension ? [paint('yellow', suspensionInWords(plan.suspension))] : [];
  if (plan.changes.length === 0 && plan.suspicion) return `${[...seenPart, ...heldPart].join('\n')}\n`;
  if (plan.changes.length === 0) {
    const sentence = plan.kept ? 'Nothing to do.' : `${paint('green', 'In sync.')} ${unchangedInWords(plan)} Nothing to do.`;
    return `${[...seenPart, sentence, ...suspended, ...(only ? [only] : [])].join('\n')}\n`;
  }
  const lines = [`${paint('bold', `Gateway ${plan.gateway.endpoint}, instance ${plan.gateway.instance}`)}`, '', ...seenPart];
  for (const group of groupsOf(plan)) {
    lines.push(paint(group.style, `${group.title} (${group.changes.length})`));
    lines.push(...columns(group.changes.map((change) => row(change, group.sign, shown, paint))).map((line) => `  ${line}`), '');
  }
  lines.push(paint('bold', totalsInWords(plan)), ...(only ? [only] : []), costInWords(plan, desired), ...suspended);
  if (plan.approval) lines.push(agreementInWords(plan.approval));
  lines.push(...heldPart);
  lines.push(paint('dim', `Digest ${planDigest(plan)}`));
  return `${lines.join('\n')}\n`;
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

function row(change: Change, sign: string, { commits }: Blamed, paint: Paint): string[] {
  const why = obstacleInWords(change) ?? reasonInWords(change);
  return [
    `${sign} ${change.api}`,
    change.environment,
    why,
    paint('dim', placeInWords(change)),
    ...(commits ? [paint('dim', commitOf(change, commits))] : []),
  ];
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
