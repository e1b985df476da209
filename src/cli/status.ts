import type { Settings } from '../config.ts';
import { type ExitCode, exitCodes } from '../core/errors.ts';
import type { Change } from '../core/plan.ts';
import type { Attempt } from '../core/ports.ts';
import { type DesiredPublication, type PublicationKey, publicationKey, type RecordedPublication } from '../core/publication.ts';
import { isTargeted } from '../core/targets.ts';
import { readStatus, type StatusReport } from '../reports.ts';
import { columns } from './columns.ts';
import { conditionInWords, conditionJson, goneInWords } from './condition.ts';
import { type Context, paintersOf } from './context.ts';
import type { Paint } from './paint.ts';
import { counts } from './plan-json.ts';
import { releaseCommand } from './release-command.ts';
import { type Seen, seenOf } from './seen.ts';
import { momentInWords, obstacleInWords, reasonInWords, targetsInWords } from './words.ts';

interface Row {
  readonly api: string;
  readonly apiId: string;
  readonly environment: string;
  readonly environmentId: string;
  readonly desired: DesiredPublication | undefined;
  readonly recorded: RecordedPublication | undefined;
  readonly change: Change | undefined;
  readonly last: Attempt | undefined;
  readonly seen: Seen | undefined;
}

/** Shows what is desired, what is recorded and what came of the last attempt, a line per publication. Returns 0. */
export async function status(settings: Settings, { format }: { readonly format: string }, context: Context): Promise<ExitCode> {
  const report = await readStatus(settings, context.environment);
  const rows = rowsOf(report);
  const release = releaseCommand(report.plan, settings);
  context.stdout.write(
    format === 'json'
      ? `${JSON.stringify(toJson(report, rows, release), null, 2)}\n`
      : toText(report, rows, release, paintersOf(context).out),
  );
  return exitCodes.done;
}

function rowsOf({ desired, recorded, targets, plan, lastAttempts }: StatusReport): Row[] {
  const seen = new Map(seenOf(plan, []).map((each) => [publicationKey(each.apiId, each.environmentId), each]));
  const changes = new Map(plan.changes.map((change) => [change.key, change]));
  const keys = new Set<PublicationKey>([...desired.publications.keys(), ...recorded.keys()]);
  return [...keys].flatMap((key) => {
    const wanted = desired.publications.get(key);
    const was = recorded.get(key);
    const named = wanted ?? was;
    if (!named || !isTargeted(targets, named)) return [];
    const { api, apiId, environment, environmentId } = named;
    return {
      api,
      apiId,
      environment,
      environmentId,
      desired: wanted,
      recorded: was,
      change: changes.get(key),
      last: lastAttempts.get(key),
      seen: seen.get(key),
    };
  });
}

function toText({ plan, desired, condition, isAlive }: StatusReport, rows: readonly Row[], release: string | null, paint: Paint): string {
  const head = ['API', 'environment', 'file', 'record', 'since', 'next'].map((title) => paint('bold', title));
  const lines = columns([head, ...rows.map((row) => cells(row, paint))]);
  const { online, offline } = counts(plan);
  const held = plan.changes.filter((change) => change.held).length;
  const waiting = plan.changes.length - online - offline - held;
  const quiet = plan.drifted.length > 0 ? `Nothing to do, and ${plan.drifted.length} drifted.` : 'All in sync.';
  const sum =
    plan.changes.length === 0
      ? quiet
      : `To do: ${[`${online} online`, `${offline} offline`, ...(held > 0 ? [`${held} held`] : []), ...(waiting > 0 ? [`${waiting} waiting`] : [])].join(', ')}.`;
  const atWork = condition
    ? `${isAlive ? conditionInWords(condition, desired.gateway.limit, paint) : goneInWords(condition, paint)}\n`
    : '';
  const only = targetsInWords(plan);
  const inFile = rows.filter((row) => row.desired).length;
  const suspicious = plan.suspicion
    ? `${paint('yellow', 'The whole file is held:')} ${plan.suspicion.message}; ${plan.suspicion.hint}.\n`
    : '';
  const agreeing = release === null ? '' : `To agree to what is held: ${paint('bold', release)}\n`;
  return `${lines.join('\n')}\n\n${inFile} in the file. ${sum}${only ? ` ${only}` : ''}\n${suspicious}${agreeing}${atWork}`;
}

function cells(row: Row, paint: Paint): string[] {
  const { api, environment, desired, recorded } = row;
  const since = recorded?.state ? new Date(recorded.recordedAtMs).toISOString().replace(/\.\d+Z$/, 'Z') : '-';
  const record = recorded?.unresolved ? paint('yellow', 'unresolved') : (recorded?.state ?? '-');
  return [api, environment, desired?.state ?? paint('dim', 'not in file'), record, since, nextStep(row, paint)];
}

function nextStep({ change, last, seen }: Row, paint: Paint): string {
  if (!change) return seen ? paint('yellow', `${seen.kind}: ${seen.message}`) : paint('green', 'in sync');
  const failed =
    last && last.outcome !== 'succeeded'
      ? `; last attempt ${last.outcome ?? 'has no known outcome'}${last.code ? `: ${last.code} ${last.message ?? ''}` : ''}`
      : '';
  if (change.held) return paint('yellow', `held: ${obstacleInWords(change)}`);
  if (change.waits) return paint('yellow', obstacleInWords(change) ?? '');
  return `${paint(change.action === 'online' ? 'green' : 'red', change.action)}: ${reasonInWords(change)}${paint('red', failed)}`;
}

function toJson({ desired, plan, condition, isAlive }: StatusReport, rows: readonly Row[], release: string | null) {
  const { endpoint, project, instance } = desired.gateway;
  return {
    format: 1,
    gateway: { endpoint, project, instance },
    targets: plan.targets,
    summary: {
      ...counts(plan),
      unchanged: plan.unchanged,
      held: plan.changes.filter((change) => change.held).length,
      waiting: plan.changes.filter((change) => change.waits && !change.held).length,
      untargeted: plan.untargeted,
    },
    suspicion: plan.suspicion && { rule: plan.suspicion.rule, message: plan.suspicion.message, hint: plan.suspicion.hint },
    release,
    daemon: condition && { ...conditionJson(condition), isAlive },
    publications: rows.map(({ api, apiId, environment, environmentId, desired: wanted, recorded, change, last, seen }) => ({
      api,
      apiId,
      environment,
      environmentId,
      desired: wanted ? { state: wanted.state, revision: wanted.revision } : null,
      recorded: recorded
        ? {
            state: recorded.state,
            revision: recorded.revision,
            versionId: recorded.versionId,
            recordedAt: iso(recorded.recordedAtMs),
            unresolved: recorded.unresolved !== null,
          }
        : null,
      next: change
        ? {
            action: change.action,
            reason: change.reason,
            held: change.held && `${change.held.rule}: ${change.held.message}`,
            waits: change.waits && {
              rule: change.waits.rule,
              message: change.waits.message,
              until: change.waits.untilMs === null ? null : momentInWords(change.waits.untilMs),
            },
          }
        : null,
      seen: seen ? { kind: seen.kind, message: seen.message } : null,
      lastAttempt: last
        ? {
            attempt: last.id,
            action: last.action,
            outcome: last.outcome,
            code: last.code,
            message: last.message,
            began: iso(last.beganAtMs),
          }
        : null,
    })),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
