import { setTimeout } from 'node:timers/promises';
import { listFiles, readStatus } from '../../app/reports.ts';
import { EdictError, type ExitCode, exitCodes } from '../../model/errors.ts';
import type { Settings } from '../../model/settings.ts';
import { countChanges } from '../../plan/change-counts.ts';
import type { StatusCell } from '../../plan/status.ts';
import { approveCommand } from '../../render/command-line.ts';
import { formatSuspension, formatTargets } from '../../render/format.ts';
import { type StatusView, statusJson, targetedStatusCells } from '../../render/status-json.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import type { Colorize } from '../output/colors.ts';
import { errorDocument, renderError } from '../output/errors.ts';
import { formatControllerStatus, formatStaleControllerStatus, renderMatrix, renderOpenPublications } from '../output/status-text.ts';
import { onStopSignal } from '../signals.ts';

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
  context: CliContext,
): Promise<ExitCode> {
  const asJson = format === 'json';
  const paint = colorizersFor(context).out;
  // A terminal that does not tell its size says 0.
  const width = context.stdout.columns || Number.POSITIVE_INFINITY;
  const inText = (status: StatusView): string => (isWatched ? toWatchText : toText)(status, width, paint);
  const inJson = (document: object): string => `${JSON.stringify(document, null, isWatched ? undefined : 2)}\n`;
  const read = async (file: string): Promise<StatusView> => {
    const report = await readStatus({ ...settings, file }, context.env);
    return { ...report, approveCommand: approveCommand(report.plan, { ...settings, file }) };
  };
  let code: ExitCode = exitCodes.done;
  const show = async (): Promise<string> => {
    const { files, isSingleFile } = listFiles(paths);
    const [first = ''] = files;
    if (isSingleFile) return read(first).then(asJson ? (status) => inJson(statusJson(status)) : inText);
    const shown: (StatusView | EdictError)[] = [];
    for (const file of files) shown.push(await read(file).catch(asEdictError));
    code = shown.find((one) => one instanceof EdictError)?.exitCode ?? exitCodes.done;
    if (asJson) {
      const documents = shown.map((one) => (one instanceof EdictError ? errorDocument(one) : statusJson(one)));
      return inJson({ format: 1, files: files.map((file, index) => ({ file, ...documents[index] })) });
    }
    const texts = shown.map((one) => (one instanceof EdictError ? renderError(one, context) : inText(one)));
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
function toText(status: StatusView, width: number, paint: Colorize): string {
  const cells = targetedStatusCells(status);
  return `${[renderMatrix(cells, width, paint), renderOpenPublications(cells, paint), summaryLines(status, cells, paint)]
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n')}`;
}

/** What is cut off where a screen ends comes last. */
function toWatchText(status: StatusView, width: number, paint: Colorize): string {
  const cells = targetedStatusCells(status);
  return `${[summaryLines(status, cells, paint), renderOpenPublications(cells, paint), renderMatrix(cells, width, paint)]
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n')}`;
}

function summaryLines(
  { plan, input, controllerStatus, leaseHolder, approveCommand }: StatusView,
  cells: readonly StatusCell[],
  paint: Colorize,
): string[] {
  const { online, offline, held, deferred } = countChanges(plan);
  const quiet = plan.drifted.length > 0 ? `Nothing to do, and ${plan.drifted.length} drifted.` : 'All in sync.';
  const more = [...(held > 0 ? [`${held} held`] : []), ...(deferred > 0 ? [`${deferred} waiting`] : [])];
  const sum = plan.changes.length === 0 ? quiet : `To do: ${[`${online} online`, `${offline} offline`, ...more].join(', ')}.`;
  const inFile = cells.filter(({ desired }) => desired).length;
  const only = formatTargets(plan);
  const lines = [`${inFile} in the file. ${sum}${only ? ` ${only}` : ''}`];
  if (plan.fileHeld) lines.push(`${paint('yellow', 'The whole file is held:')} ${plan.fileHeld.message}; ${plan.fileHeld.hint}.`);
  if (plan.suspension) lines.push(paint('yellow', formatSuspension(plan.suspension)));
  if (approveCommand !== null) lines.push(`To agree to what is held: ${paint('bold', approveCommand)}`);
  if (controllerStatus && leaseHolder)
    lines.push(formatControllerStatus(controllerStatus, leaseHolder, input.desired.gateway.limit, paint));
  else if (leaseHolder) lines.push(`At work: ${leaseHolder}`);
  else if (controllerStatus) lines.push(formatStaleControllerStatus(controllerStatus, paint));
  return lines;
}

/** How often it is looked, in milliseconds. */
const pollIntervalMs = 1000;

const enterScreen = '\u001B[?1049h\u001B[?25l';
const leaveScreen = '\u001B[?25h\u001B[?1049l';

/**
 * Shows what `read` returns again whenever it has changed, until SIGINT or SIGTERM: on a terminal in place, as much of it as
 * the screen has lines, elsewhere one after the other. A mistake of a person is shown until it is mended.
 */
export async function watch(read: () => Promise<string>, context: CliContext, format: 'text' | 'json'): Promise<void> {
  const { stdout } = context;
  const isScreen = stdout.isTTY && format === 'text';
  using stop = onStopSignal();
  let shown = '';
  const show = (text: string): void => {
    const now = isScreen ? fitScreen(text, stdout.rows || Number.POSITIVE_INFINITY) : text;
    if (now === shown) return;
    shown = now;
    stdout.write(isScreen ? `\u001B[H${now.replaceAll('\n', '\u001B[K\n')}\u001B[J` : now);
  };
  if (isScreen) stdout.write(enterScreen);
  try {
    while (!stop.signal.aborted) {
      const text = await read().catch((error: unknown) =>
        format === 'json' ? `${JSON.stringify(errorDocument(error))}\n` : renderError(error, context),
      );
      show(text);
      await setTimeout(pollIntervalMs, null, { signal: stop.signal }).catch(() => undefined);
    }
  } finally {
    if (isScreen) stdout.write(leaveScreen);
  }
}

/** Returns as many lines as the screen has, the last one of which says how many more there are. */
function fitScreen(text: string, rows: number): string {
  const lines = text.trimEnd().split('\n');
  if (lines.length < rows) return `${lines.join('\n')}\n`;
  const fitting = Math.max(1, rows - 2);
  return `${[...lines.slice(0, fitting), `… ${lines.length - fitting} more lines`].join('\n')}\n`;
}
