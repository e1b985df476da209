import type { Settings } from '../config.ts';
import { type ExitCode, exitCodes } from '../core/errors.ts';
import type { Cell } from '../core/matrix.ts';
import { totalsOf } from '../core/totals.ts';
import { readStatus } from '../reports.ts';
import { suspensionInWords, targetsInWords } from '../words/phrases.ts';
import { releaseCommand } from '../words/release-command.ts';
import { cellsOf, type Status, statusJson } from '../words/status-json.ts';
import { conditionInWords, goneInWords } from './condition.ts';
import { type Context, paintersOf } from './context.ts';
import type { Paint } from './paint.ts';
import { matrixLines, openLines } from './status-table.ts';
import { watch } from './watch.ts';

export interface StatusOptions {
  readonly format: string;
  /** Whether it is shown again whenever it has changed. */
  readonly watch?: boolean;
}

/** Shows how every publication stands; with `watch` until SIGINT or SIGTERM. Returns 0. */
export async function status(settings: Settings, { format, watch: isWatched }: StatusOptions, context: Context): Promise<ExitCode> {
  const read = async (): Promise<Status> => {
    const report = await readStatus(settings, context.environment);
    return { ...report, release: releaseCommand(report.plan, settings) };
  };
  const paint = paintersOf(context).out;
  // A terminal that does not tell its size says 0.
  const width = context.stdout.columns || Number.POSITIVE_INFINITY;
  if (format === 'json') {
    if (isWatched) await watch(async () => `${JSON.stringify(statusJson(await read()))}\n`, context, 'json');
    else context.stdout.write(`${JSON.stringify(statusJson(await read()), null, 2)}\n`);
  } else if (isWatched) await watch(async () => watched(await read(), width, paint), context, 'text');
  else context.stdout.write(toText(await read(), width, paint));
  return exitCodes.done;
}

/** The sums come last, where the eye is when a command has ended. */
function toText(status: Status, width: number, paint: Paint): string {
  const cells = cellsOf(status);
  return `${[matrixLines(cells, width, paint), openLines(cells, paint), sums(status, cells, paint)]
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n')}`;
}

/** What is cut off where a screen ends comes last. */
function watched(status: Status, width: number, paint: Paint): string {
  const cells = cellsOf(status);
  return `${[sums(status, cells, paint), openLines(cells, paint), matrixLines(cells, width, paint)]
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n')}`;
}

function sums({ plan, matrix, condition, holder, release }: Status, cells: readonly Cell[], paint: Paint): string[] {
  const { online, offline, held, waiting } = totalsOf(plan);
  const quiet = plan.drifted.length > 0 ? `Nothing to do, and ${plan.drifted.length} drifted.` : 'All in sync.';
  const more = [...(held > 0 ? [`${held} held`] : []), ...(waiting > 0 ? [`${waiting} waiting`] : [])];
  const sum = plan.changes.length === 0 ? quiet : `To do: ${[`${online} online`, `${offline} offline`, ...more].join(', ')}.`;
  const inFile = cells.filter(({ desired }) => desired).length;
  const only = targetsInWords(plan);
  const lines = [`${inFile} in the file. ${sum}${only ? ` ${only}` : ''}`];
  if (plan.suspicion) lines.push(`${paint('yellow', 'The whole file is held:')} ${plan.suspicion.message}; ${plan.suspicion.hint}.`);
  if (plan.suspension) lines.push(paint('yellow', suspensionInWords(plan.suspension)));
  if (release !== null) lines.push(`To agree to what is held: ${paint('bold', release)}`);
  if (condition && holder) lines.push(conditionInWords(condition, holder, matrix.desired.gateway.limit, paint));
  else if (holder) lines.push(`At work: ${holder}`);
  else if (condition) lines.push(goneInWords(condition, paint));
  return lines;
}
