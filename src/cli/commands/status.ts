import { setTimeout } from 'node:timers/promises';
import { createAppContext } from '../../app/context.ts';
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
  /** Whether to show the status again whenever it changes. */
  readonly watch?: boolean;
}

/**
 * Shows the status of every publication of the files that `paths` name; with `watch` until SIGINT or SIGTERM. With several files or a
 * folder, an unreadable file does not hide the others. Returns 0, or the exit code of the first unreadable file.
 */
export async function status(
  settings: Settings,
  paths: readonly string[],
  { format, watch: isWatched = false }: StatusOptions,
  context: CliContext,
): Promise<ExitCode> {
  const asJson = format === 'json';
  const paint = colorizersFor(context).out;
  // A terminal of unknown size reports 0 columns.
  const width = context.stdout.columns || Number.POSITIVE_INFINITY;
  const renderText = (status: StatusView): string => (isWatched ? toWatchText : toText)(status, width, paint);
  const renderJson = (document: object): string => `${JSON.stringify(document, null, isWatched ? undefined : 2)}\n`;
  const read = async (file: string): Promise<StatusView> => {
    const report = await readStatus(createAppContext({ ...settings, file }, context.env));
    return { ...report, approveCommand: approveCommand(report.plan, { ...settings, file }) };
  };
  let code: ExitCode = exitCodes.done;
  const show = async (): Promise<string> => {
    const { files, isSingleFile } = listFiles(paths);
    const [first = ''] = files;
    if (isSingleFile) return read(first).then(asJson ? (status) => renderJson(statusJson(status)) : renderText);
    const results: (StatusView | EdictError)[] = [];
    for (const file of files) results.push(await read(file).catch(asEdictError));
    code = results.find((result) => result instanceof EdictError)?.exitCode ?? exitCodes.done;
    if (asJson) {
      const documents = results.map((result) => (result instanceof EdictError ? errorDocument(result) : statusJson(result)));
      return renderJson({ format: 1, files: files.map((file, index) => ({ file, ...documents[index] })) });
    }
    const texts = results.map((result) => (result instanceof EdictError ? renderError(result, context) : renderText(result)));
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

/** Returns the status for a single run, with the totals last, next to the prompt. */
function toText(status: StatusView, width: number, paint: Colorize): string {
  const cells = targetedStatusCells(status);
  return `${[renderMatrix(cells, width, paint), renderOpenPublications(cells, paint), summaryLines(status, cells, paint)]
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n')}`;
}

/** Returns the status for `--watch`, with the matrix last, since the end is cut off on a small screen. */
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
  const idleSummary = plan.drifted.length > 0 ? `Nothing to do, and ${plan.drifted.length} drifted.` : 'All in sync.';
  const more = [...(held > 0 ? [`${held} held`] : []), ...(deferred > 0 ? [`${deferred} deferred`] : [])];
  const summary = plan.changes.length === 0 ? idleSummary : `To do: ${[`${online} online`, `${offline} offline`, ...more].join(', ')}.`;
  const inFile = cells.filter(({ desired }) => desired).length;
  const scope = formatTargets(plan);
  const lines = [`${inFile} in the file. ${summary}${scope ? ` ${scope}` : ''}`];
  if (plan.fileHeld) lines.push(`${paint('yellow', 'The whole file is held:')} ${plan.fileHeld.message}; ${plan.fileHeld.hint}.`);
  if (plan.suspension) lines.push(paint('yellow', formatSuspension(plan.suspension)));
  if (approveCommand !== null) lines.push(`To agree to what is held: ${paint('bold', approveCommand)}`);
  if (controllerStatus && leaseHolder)
    lines.push(formatControllerStatus(controllerStatus, leaseHolder, input.desired.gateway.limit, paint));
  else if (leaseHolder) lines.push(`At work: ${leaseHolder}`);
  else if (controllerStatus) lines.push(formatStaleControllerStatus(controllerStatus, paint));
  return lines;
}

/** How often `--watch` reads the status, in milliseconds. */
const pollIntervalMs = 1000;

const enterScreen = '\u001B[?1049h\u001B[?25l';
const leaveScreen = '\u001B[?25h\u001B[?1049l';

/**
 * Writes the result of `read` whenever it changes, until SIGINT or SIGTERM. On a terminal it is drawn in place, cut to the screen's
 * height; elsewhere one result follows the other. Shows an EdictError in place of a result and keeps polling.
 */
export async function watch(read: () => Promise<string>, context: CliContext, format: 'text' | 'json'): Promise<void> {
  const { stdout } = context;
  const isScreen = stdout.isTTY && format === 'text';
  using stop = onStopSignal();
  let shownText = '';
  const show = (text: string): void => {
    const now = isScreen ? fitScreen(text, stdout.rows || Number.POSITIVE_INFINITY) : text;
    if (now === shownText) return;
    shownText = now;
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

/** Cuts the text to the screen's height; the last line then says how many lines are missing. */
function fitScreen(text: string, rows: number): string {
  const lines = text.trimEnd().split('\n');
  if (lines.length < rows) return `${lines.join('\n')}\n`;
  const fitting = Math.max(1, rows - 2);
  return `${[...lines.slice(0, fitting), `… ${lines.length - fitting} more lines`].join('\n')}\n`;
}
