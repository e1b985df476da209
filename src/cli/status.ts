import type { Settings } from '../config.ts';
import { EdictError, type ExitCode, exitCodes } from '../core/errors.ts';
import type { Cell } from '../core/matrix.ts';
import { totalsOf } from '../core/totals.ts';
import { filesAt, readStatus } from '../reports.ts';
import { suspensionInWords, targetsInWords } from '../words/phrases.ts';
import { releaseCommand } from '../words/release-command.ts';
import { cellsOf, type Status, statusJson } from '../words/status-json.ts';
import { conditionInWords, goneInWords } from './condition.ts';
import { type Context, paintersOf } from './context.ts';
import type { Paint } from './paint.ts';
import { matrixLines, openLines } from './status-table.ts';
import { errorDocument, toldError } from './told-error.ts';
import { watch } from './watch.ts';

export interface StatusOptions {
  readonly format: string;
  /** Whether it is shown again whenever it has changed. */
  readonly watch?: boolean;
}

/**
 * Shows how every publication of the files that `paths` name stands; with `watch` until SIGINT or SIGTERM. Of several files, or a folder, one
 * that cannot be read keeps no other back. Returns 0, else what the first of those ends with alone.
 */
export async function status(
  settings: Settings,
  paths: readonly string[],
  { format, watch: isWatched = false }: StatusOptions,
  context: Context,
): Promise<ExitCode> {
  const asJson = format === 'json';
  const paint = paintersOf(context).out;
  // A terminal that does not tell its size says 0.
  const width = context.stdout.columns || Number.POSITIVE_INFINITY;
  const inText = (status: Status): string => (isWatched ? watched : toText)(status, width, paint);
  const inJson = (document: object): string => `${JSON.stringify(document, null, isWatched ? undefined : 2)}\n`;
  const read = async (file: string): Promise<Status> => {
    const report = await readStatus({ ...settings, file }, context.environment);
    return { ...report, release: releaseCommand(report.plan, { ...settings, file }) };
  };
  let code: ExitCode = exitCodes.done;
  const show = async (): Promise<string> => {
    const { files, isOne } = filesAt(paths);
    const [first = ''] = files;
    if (isOne) return read(first).then(asJson ? (status) => inJson(statusJson(status)) : inText);
    const shown: (Status | EdictError)[] = [];
    for (const file of files) shown.push(await read(file).catch(asEdictError));
    code = shown.find((one) => one instanceof EdictError)?.exitCode ?? exitCodes.done;
    if (asJson) {
      const documents = shown.map((one) => (one instanceof EdictError ? errorDocument(one) : statusJson(one)));
      return inJson({ format: 1, files: files.map((file, index) => ({ file, ...documents[index] })) });
    }
    const texts = shown.map((one) => (one instanceof EdictError ? toldError(one, context) : inText(one)));
    return files.map((file, index) => `${paint('bold', file)}\n${texts[index]}`).join('\n');
  };
  if (isWatched) await watch(show, context, asJson ? 'json' : 'text');
  else context.stdout.write(await show());
  return isWatched ? exitCodes.done : code;
}

function asEdictError(error: unknown): EdictError {
  if (error instanceof EdictError) return error;
  throw error;
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
