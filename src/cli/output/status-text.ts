import type { ControllerStatus } from '../../model/controller-status.ts';
import { EdictError } from '../../model/errors.ts';
import type { RateLimit } from '../../model/gateway.ts';
import { toJson } from '../../model/visible.ts';
import { type PublicationStatus, type StatusCell, statusOfChange } from '../../plan/status.ts';
import { summarizePlan } from '../../plan/summary.ts';
import { formatGateway, formatRateLimit, formatSuspension, formatTargets, pluralize } from '../../render/format.ts';
import { formatHeadline } from '../../render/headline.ts';
import { type RecordedStatusView, recordedStatusJson, type StatusView, statusJson, targetedStatusCells } from '../../render/status-json.ts';
import { formatStatusCell } from '../../render/status-text.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import { errorDocument, renderError } from './errors.ts';
import { formatUnmanaged } from './plan-phrases.ts';
import { type Colorize, formatTable, joinLines } from './terminal.ts';

type StatusStyle = { readonly sign: string; readonly style: Parameters<Colorize>[0]; readonly word: (cell: StatusCell) => string };

const directionSigns = { online: '▲', offline: '▼' } as const;
const stateLabel = ({ desired, recorded }: StatusCell): string => desired?.state ?? recorded?.state ?? 'unknown';

/** Sign, color and word of each status. Sign and word repeat what the color says, for readers who cannot see it. */
const statusStyles = {
  failed: { sign: '✗', style: 'red', word: () => 'failed' },
  held: { sign: '■', style: 'yellow', word: () => 'held' },
  pending: { sign: '', style: 'cyan', word: ({ change }) => `${directionSigns[change?.action ?? 'online']} going ${change?.action}` },
  // Of an invalid file the recorded state is shown.
  unknown: { sign: '?', style: 'yellow', word: (cell) => (cell.change === null ? stateLabel(cell) : 'unknown') },
  deferred: { sign: '…', style: 'yellow', word: () => 'deferred' },
  drifted: { sign: '≠', style: 'magenta', word: () => 'drifted' },
  outdated: { sign: '○', style: 'magenta', word: () => 'outdated' },
  unmanaged: { sign: '·', style: 'dim', word: (cell) => `${stateLabel(cell)}, not in file` },
  settling: { sign: '◌', style: 'green', word: (cell) => `${stateLabel(cell)}, settling` },
  unchanged: { sign: '✓', style: 'green', word: stateLabel },
} satisfies Record<PublicationStatus, StatusStyle>;

/** How a status is shown. */
export interface StatusFormat {
  readonly format: 'text' | 'json';
  /** Whether it is shown again whenever it changes. */
  readonly isWatched: boolean;
  readonly context: CliContext;
}

/** Returns the status of a single file. */
export function renderStatus(status: StatusView, { format, isWatched, context }: StatusFormat): string {
  if (format === 'json') return renderJson(statusJson(status), isWatched);
  // A terminal of unknown size reports 0 columns.
  const width = context.stdout.columns || Number.POSITIVE_INFINITY;
  return (isWatched ? toWatchText : toText)(status, width, colorizersFor(context).out);
}

/** The recorded state of a gateway, and why its file cannot be read. */
export interface InvalidFileStatus extends RecordedStatusView {
  readonly fileError: EdictError;
  /** Whether to list all unmanaged publications, not only the first ones. */
  readonly listsUnmanaged: boolean;
}

/**
 * Returns the recorded state of a single file's gateway. The errors of the file come first where the text has to say everything; as JSON, they
 * are in the document.
 */
export function renderRecordedStatus(status: InvalidFileStatus, { format, isWatched, context }: StatusFormat): string {
  if (format === 'json') return renderJson(invalidFileStatusJson(status), isWatched);
  const width = context.stdout.columns || Number.POSITIVE_INFINITY;
  const paint = colorizersFor(context).out;
  const { gateway, isEmulated, listsUnmanaged } = status;
  const [unmanaged = [], cells = []] = [true, false].map((is) => status.cells.filter((cell) => (cell.status === 'unmanaged') === is));
  const unknown = paint('yellow', 'The desired state is unknown until the file is fixed.');
  const notice = `${unknown} Recorded state of the ${formatGateway({ gateway, isEmulated }).replace(/^./, (first) => first.toLowerCase())}:`;
  const parts = [
    [notice],
    renderMatrix(cells, width, paint),
    renderOpenPublications(cells, paint, false),
    formatUnmanaged({ unmanaged, newlyUnmanaged: [] }, listsUnmanaged, paint),
    recordedSummaryLines(status, paint),
  ];
  const text = parts.filter((lines) => lines.length > 0).map((lines) => `${joinLines(lines)}\n`);
  return text.join('\n');
}

/** The status of one of several files, or why it cannot be read. */
export interface FileStatus {
  readonly file: string;
  readonly result: StatusView | InvalidFileStatus | EdictError;
}

function isInvalidFileStatus(result: StatusView | InvalidFileStatus): result is InvalidFileStatus {
  return 'fileError' in result;
}

/** Returns the status of a single file, or the recorded state of its gateway below the errors of the file. */
export function renderAnyStatus(result: StatusView | InvalidFileStatus, style: StatusFormat): string {
  if (!isInvalidFileStatus(result)) return renderStatus(result, style);
  const text = renderRecordedStatus(result, style);
  return style.format === 'json' ? text : `${renderError(result.fileError, style.context)}\n${text}`;
}

/** Returns the status of several files. */
export function renderStatuses(files: readonly FileStatus[], style: StatusFormat): string {
  const { format, isWatched, context } = style;
  if (format === 'json') {
    const documents = files.map(({ file, result }) => ({
      file,
      ...(result instanceof EdictError ? errorDocument(result) : anyStatusJson(result)),
    }));
    return renderJson({ format: 1, files: documents }, isWatched);
  }
  const paint = colorizersFor(context).out;
  return files
    .map(({ file, result }) => {
      const text = result instanceof EdictError ? renderError(result, context) : renderAnyStatus(result, style);
      return `${joinLines([paint('bold', file)])}\n${text}`;
    })
    .join('\n');
}

function anyStatusJson(result: StatusView | InvalidFileStatus): object {
  return isInvalidFileStatus(result) ? invalidFileStatusJson(result) : statusJson(result);
}

/** Returns the errors of the file, and what is known of the same document. */
function invalidFileStatusJson(status: InvalidFileStatus): object {
  return { ...errorDocument(status.fileError), ...recordedStatusJson(status) };
}

function renderJson(document: object, isWatched: boolean): string {
  return `${toJson(document, isWatched ? undefined : 2)}\n`;
}

/** Returns the status for a single run, with what to do next last, next to the prompt. */
function toText(status: StatusView, width: number, paint: Colorize): string {
  const cells = managedCells(status);
  const unmanaged = formatUnmanaged(status.plan, status.listsUnmanaged ?? false, paint);
  const [headline, details] = [headlineLines(status, paint), summaryLines(status, paint)];
  return `${[headline, renderMatrix(cells, width, paint), renderOpenPublications(cells, paint), unmanaged, details]
    .filter((lines) => lines.length > 0)
    .map((lines) => `${joinLines(lines)}\n`)
    .join('\n')}`;
}

/** Returns the status for `--watch`, with the matrix last, since the end is cut off on a small screen. */
function toWatchText(status: StatusView, width: number, paint: Colorize): string {
  const cells = managedCells(status);
  const summary = [...headlineLines(status, paint), ...summaryLines(status, paint)];
  return `${[summary, renderOpenPublications(cells, paint), renderMatrix(cells, width, paint)]
    .filter((lines) => lines.length > 0)
    .map((lines) => `${joinLines(lines)}\n`)
    .join('\n')}`;
}

/** Returns the status cells without those of unmanaged publications, which have a list of their own. */
function managedCells(status: StatusView): StatusCell[] {
  return targetedStatusCells(status).filter(({ status }) => status !== 'unmanaged');
}

function headlineLines({ plan, input }: StatusView, paint: Colorize): string[] {
  const scope = formatTargets(plan);
  const headline = paint('bold', `${formatHeadline(plan, summarizePlan(plan, input))}${scope ? ` ${scope}` : ''}`);
  return plan.isEmulated ? [headline, `${formatGateway(plan)}.`] : [headline];
}

function summaryLines({ plan, input, controllerStatus, leaseHolder, unobserved, approveCommand }: StatusView, paint: Colorize): string[] {
  const lines: string[] = [];
  if (plan.changes.some((change) => statusOfChange(change, input) === 'unknown' && change.reason === 'new'))
    lines.push(
      'The next plan, apply or run checks the gateway first, and adopts without a call what is online there (--refresh checks now).',
    );
  if (plan.fileHeld) lines.push(`${paint('yellow', 'The whole file is held:')} ${plan.fileHeld.message}; ${plan.fileHeld.hint}.`);
  else if (unobserved) lines.push(`${paint('yellow', 'The gateway could not be observed:')} ${unobserved.reason}; ${unobserved.remedy}.`);
  if (plan.suspension) lines.push(paint('yellow', formatSuspension(plan.suspension)));
  if (approveCommand !== null) lines.push(`To approve what is held: ${paint('bold', approveCommand)}`);
  return [...lines, ...processLines({ controllerStatus, leaseHolder, limit: input.desired.gateway.limit }, paint)];
}

function recordedSummaryLines({ cells, suspension, controllerStatus, leaseHolder }: RecordedStatusView, paint: Colorize): string[] {
  const count = (status: PublicationStatus): string[] => {
    const { length } = cells.filter((cell) => cell.status === status);
    return length > 0 ? [`${length} ${status}`] : [];
  };
  const managed = cells.filter(({ status }) => status !== 'unmanaged').length;
  const counts = [`${pluralize(managed, 'publication')} recorded`, ...count('failed'), ...count('drifted'), ...count('unmanaged')];
  return [
    `${counts.join(', ')}.${leaseHolder === null ? '' : ' The daemon continues with the last valid file.'}`,
    ...(suspension ? [paint('yellow', formatSuspension(suspension))] : []),
    ...processLines({ controllerStatus, leaseHolder, limit: controllerStatus }, paint),
  ];
}

/** Returns the line about the process that works on the gateway, or did last. `limit`: that of the file; `null` if it is unknown. */
function processLines(
  { controllerStatus, leaseHolder, limit }: Pick<StatusView, 'controllerStatus' | 'leaseHolder'> & { readonly limit: RateLimit | null },
  paint: Colorize,
): string[] {
  if (controllerStatus && leaseHolder)
    return [formatControllerStatus(controllerStatus, { holder: leaseHolder, limit: limit ?? controllerStatus }, paint)];
  if (leaseHolder) return [`In use by ${leaseHolder}`];
  return controllerStatus ? [formatStaleControllerStatus(controllerStatus, paint)] : [];
}

/** Returns the matrix of APIs and environments, one line per API; split into several parts if it is wider than `width` characters. */
export function renderMatrix(cells: readonly StatusCell[], width: number, paint: Colorize): string[] {
  const environments = [...new Map(cells.map(({ environmentId, environment }) => [environmentId, environment]))];
  const byApi = Map.groupBy(cells, ({ apiId }) => apiId);
  for (let columnCount = environments.length; columnCount > 0; columnCount -= 1) {
    const parts = Array.from({ length: Math.ceil(environments.length / columnCount) }, (_, index) =>
      renderMatrixPart(byApi, environments.slice(index * columnCount, (index + 1) * columnCount), paint),
    );
    const fits = parts.every(({ widest }) => widest <= width);
    if (fits || columnCount === 1) return parts.flatMap(({ lines }, index) => (index === 0 ? lines : ['', ...lines]));
  }
  return [];
}

function renderMatrixPart(
  byApi: ReadonlyMap<string, readonly StatusCell[]>,
  environments: readonly (readonly [string, string])[],
  paint: Colorize,
): { readonly lines: string[]; readonly widest: number } {
  const build = (paint: Colorize): string[] => {
    const head = ['API', ...environments.map(([, name]) => name)].map((title) => paint('bold', title));
    const rows = [...byApi.values()].map((cells) => [
      cells[0]?.api ?? '',
      ...environments.map(([id]) => {
        const cell = cells.find(({ environmentId }) => environmentId === id);
        return cell ? formatStatus(cell, paint) : paint('dim', '-');
      }),
    ]);
    return formatTable([head, ...rows]);
  };
  return { lines: build(paint), widest: Math.max(...build((_, text) => text).map((line) => line.length)) };
}

function formatStatus(cell: StatusCell, paint: Colorize): string {
  const { sign, style, word }: StatusStyle = statusStyles[cell.status];
  return paint(style, `${sign} ${word(cell)}`.trim());
}

/** Returns a line for each publication that is not unchanged, with its next step. While the file is invalid, the last valid one says what is desired. */
export function renderOpenPublications(cells: readonly StatusCell[], paint: Colorize, isFileValid = true): string[] {
  const open = cells.filter(({ status, change }) => status !== 'unchanged' && (status !== 'unknown' || change !== null));
  if (open.length === 0) return [];
  const head = ['API', 'environment', isFileValid ? 'desired' : 'last valid file', 'recorded', 'since', 'next'].map((title) =>
    paint('bold', title),
  );
  return formatTable([head, ...open.map((cell) => publicationRow(cell, paint))]);
}

function publicationRow(cell: StatusCell, paint: Colorize): string[] {
  const { api, environment, desired, lastDesired, recorded } = cell;
  const since = recorded?.state ? new Date(recorded.recordedAtMs).toISOString().replace(/\.\d+Z$/, 'Z') : '-';
  const recordedState = recorded?.unknownAttempt ? paint('yellow', 'unknown') : (recorded?.state ?? '-');
  const desiredState = desired?.state ?? lastDesired ?? paint('dim', 'not in file');
  return [api, environment, desiredState, recordedState, since, formatNext(cell, paint)];
}

function formatNext(cell: StatusCell, paint: Colorize): string {
  const { change, status } = cell;
  const text = formatStatusCell(cell);
  if (status === 'held') return paint('yellow', `held: ${text}`);
  if (change?.deferred || status === 'unknown') return paint('yellow', text);
  if (!change) return paint(statusStyles[status].style, text);
  const [action = '', ...rest] = text.split(': ');
  return [paint(change.action === 'online' ? 'green' : 'red', action), ...rest].join(': ');
}

/** Returns the status of the running controller in the process `holder`. */
export function formatControllerStatus(
  { updatedAtMs, calls, perMs, paused }: ControllerStatus,
  { holder, limit }: { readonly holder: string; readonly limit: RateLimit },
  paint: Colorize,
): string {
  const since = `${holder}, as of ${iso(updatedAtMs)}`;
  if (paused) return `${paint('yellow', `No calls since ${iso(paused.sinceMs)}: ${paused.message}`)} (${since})`;
  const rate = formatRateLimit({ calls, perMs });
  const isLower = calls * limit.perMs < limit.calls * perMs;
  return `${isLower ? paint('yellow', `Slowed down to ${rate}, as the gateway asked`) : `Running at ${rate}`} (${since})`;
}

/** Returns the last status of a controller whose process is not running on this machine: it was killed, or runs elsewhere. */
export function formatStaleControllerStatus({ pid, updatedAtMs }: ControllerStatus, paint: Colorize): string {
  return `${paint('yellow', 'No edict process runs on this host')}: the last one, pid ${pid}, wrote its status at ${iso(updatedAtMs)}.`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
