import type { Explanation } from '../../app/explanation.ts';
import type { RecordedExplanation } from '../../app/recorded-reports.ts';
import type { Plan } from '../../model/change.ts';
import type { DesiredState } from '../../model/desired-state.ts';
import { excerptAt } from '../../model/errors.ts';
import type { RecordedPublication } from '../../model/recorded-state.ts';
import { formatDrift, formatDurationMs, formatGateway, formatSuspension, formatTimestampWithAge, pluralize } from '../../render/format.ts';
import { formatLastCheck } from '../../render/headline.ts';
import { listNotices } from '../../render/notices.ts';
import { codeFrame } from './errors.ts';
import { formatAttemptReason } from './history.ts';
import type { NextStep } from './next-step.ts';
import { formatControllerStatus } from './status-text.ts';
import { type Colorize, defaultWidth, formatTable, joinLines } from './terminal.ts';

/** A labelled value; a field with the value `null` is omitted. */
type Field = readonly [label: string, value: string | null];

/** Unchanged is green, a failure red, anything that needs attention yellow. */
const styles = {
  unchanged: 'green',
  unmanaged: 'green',
  pending: 'bold',
  failed: 'red',
  unknown: 'yellow',
  held: 'yellow',
  deferred: 'yellow',
  drifted: 'yellow',
  flapping: 'yellow',
  outdated: 'yellow',
} as const satisfies Record<NextStep['kind'], unknown>;

/** The inputs that all sections share. */
interface RenderContext extends SectionContext<Explanation> {
  /** The columns of the terminal. */
  readonly width: number;
}

interface SectionContext<T> {
  readonly explanation: T;
  readonly paint: Colorize;
  readonly nowMs: number;
}

/** Returns an explanation as text: desired, recorded and observed state, attempts, and the next step last, next to the prompt. */
export function explanationText(
  explanation: Explanation,
  next: NextStep,
  { paint, nowMs, width = defaultWidth }: { readonly paint: Colorize; readonly nowMs: number; readonly width?: number },
): string {
  const context = { explanation, paint, nowMs, width };
  const { api, apiId, environment, environmentId } = explanation.names;
  const id = (isPlaceholder: boolean, text: string): string => (isPlaceholder ? 'not resolved yet' : text);
  const parts = [
    [
      paint('bold', `${api} in ${environment}`),
      paint(
        'dim',
        `API ${id(explanation.isPlaceholder.api, apiId)}, environment ${id(explanation.isPlaceholder.environment, environmentId)}`,
      ),
      ...(explanation.plan.isEmulated ? [formatGateway(explanation.plan)] : []),
    ],
    desiredSection(context),
    recordedSection(context),
    gatewaySection(context),
    attemptsSection(context),
    nextStepSection(next, context),
  ];
  return `${parts.map((lines) => joinLines(lines)).join('\n\n')}\n`;
}

/** Returns what the store knows of a publication whose file is invalid. */
export function recordedExplanationText(
  explanation: RecordedExplanation,
  { isEmulated, paint, nowMs }: { readonly isEmulated: boolean; readonly paint: Colorize; readonly nowMs: number },
): string {
  const { cell, gateway, attempts, fileError, suspension, controllerStatus, leaseHolder: holder } = explanation;
  const daemon = controllerStatus && holder ? formatControllerStatus(controllerStatus, { holder, limit: controllerStatus }, paint) : null;
  const parts = [
    [
      paint('bold', `${cell.api} in ${cell.environment}`),
      paint('dim', `API ${cell.apiId}, environment ${cell.environmentId}`),
      ...(isEmulated ? [formatGateway({ gateway, isEmulated })] : []),
    ],
    [title('File', paint('yellow', `invalid; ${lastFileText(cell)}`), paint)],
    recordedSection({ explanation: cell, paint, nowMs }),
    attemptsSection({ explanation: { attempts: attempts.map((attempt) => ({ attempt })) }, paint, nowMs }),
    [
      title('Next', paint('yellow', holder === null ? 'no change until the file is fixed' : 'what the last valid file says'), paint),
      ...formatFields([
        ['why', fileError.message],
        ['suspended', suspension && paint('yellow', formatSuspension(suspension))],
        ['daemon', daemon],
      ]),
    ],
  ];
  return `${parts.map((lines) => joinLines(lines)).join('\n\n')}\n`;
}

function lastFileText({ lastDesired, status }: RecordedExplanation['cell']): string {
  if (lastDesired !== undefined) return `the last valid file says ${lastDesired}`;
  return status === 'unmanaged' ? 'the last valid file does not declare it' : 'the last valid file declares it';
}

function desiredSection({ explanation, paint, width }: RenderContext): string[] {
  const { declaration, desired } = explanation;
  if (!declaration) return [title('File', 'not declared', paint)];
  const { state, revision, remark, version, driftPolicy, source } = declaration.publication;
  const isProtected = desired.environments.get(explanation.names.environmentId)?.isProtected ?? false;
  const { line } = declaration;
  // Code frames underline errors in red; this line is not an error, so dim the mark.
  const dimColorize: Colorize = (style, text) => paint(style === 'red' ? 'dim' : style, text);
  const shown =
    line === null
      ? []
      : codeFrame(
          { ...source, length: keyLength(line, source.column), excerpt: excerptAt(line, source.column), hint: null },
          dimColorize,
          width,
        );
  return [
    `${title('File', state, paint)}  ${paint('dim', `${source.file}:${source.line}:${source.column}`)}`,
    ...shown,
    ...formatFields([
      ['revision', revision],
      ['remark', remark],
      ['version', version && `${version}, pinned`],
      ['drift', driftPolicy === 'correct' ? 'correct: changes made outside edict are reverted' : null],
      ['protected', isProtected ? 'yes: nothing goes offline here without an approval' : null],
    ]),
  ];
}

/** Returns the length of the YAML key at a column. */
function keyLength(line: string, column: number): number {
  return /^(?:"[^"]*"|'[^']*'|[^\s:,{}[\]]+)/.exec(line.slice(column - 1))?.[0].length ?? 1;
}

function recordedSection({ explanation, paint, nowMs }: SectionContext<Pick<Explanation, 'recorded'>>): string[] {
  const { recorded } = explanation;
  if (!recorded) return [title('Record', 'none: edict has made no successful call for it', paint)];
  const { state, revision, versionId, recordedAtMs, publishedAtMs, editedAtMs, drift, correctionCount, lastCorrectedAtMs, unknownAttempt } =
    recorded;
  const ago = (ms: number | null): string | null => (ms === null ? null : formatTimestampWithAge(ms, nowMs));
  return [
    title('Record', state ?? 'unknown', paint),
    ...formatFields([
      ['since', state && ago(recordedAtMs)],
      ['revision', revision],
      ['version', versionId],
      ['published', ago(publishedAtMs)],
      ['edited', ago(editedAtMs)],
      ['drift', drift && paint('yellow', `${formatDrift(state, drift)}, detected at ${formatTimestampWithAge(drift.detectedAtMs, nowMs)}`)],
      ['corrected', correctionCount > 0 ? `${pluralize(correctionCount, 'time')}, last at ${ago(lastCorrectedAtMs)}` : null],
      ['unknown', unknownAttempt && paint('yellow', formatUnknownOutcome(unknownAttempt, ago))],
    ]),
  ];
}

function formatUnknownOutcome(
  { attemptId, action, endedAtMs }: NonNullable<RecordedPublication['unknownAttempt']>,
  ago: (ms: number | null) => string | null,
): string {
  const since = endedAtMs === null ? 'is in flight, or its process was killed' : `ended at ${ago(endedAtMs)}`;
  return `outcome of attempt ${attemptId} (${action}), which ${since}`;
}

function gatewaySection({ explanation, paint, nowMs }: RenderContext): string[] {
  const { gateway, desired } = explanation;
  switch (gateway.kind) {
    case 'notObserved':
      if (explanation.plan.isEmulated) return [title('Gateway', 'emulated; it is as the record says', paint)];
      return [title('Gateway', formatLastObservation(explanation.plan, desired, nowMs), paint)];
    case 'unavailable':
      return [
        title('Gateway', paint('red', 'cannot be observed, so the next step follows from the record alone'), paint),
        ...formatFields([
          ['why', gateway.reason],
          ['hint', gateway.hint],
        ]),
      ];
    case 'observed': {
      const { recorded, versions } = gateway;
      const effective = versions?.find(({ isEffective }) => isEffective);
      const ago = (ms: number | null | undefined): string | null => (ms == null ? null : formatTimestampWithAge(ms, nowMs));
      const state = versions === null ? (recorded?.state ?? 'offline') : effective ? 'online' : 'offline';
      // Other kinds of notices are shown below, as the next step.
      const notices = listNotices(explanation.plan, explanation.notices).filter(
        ({ kind }) => kind === 'apiDeleted' || kind === 'adopted' || kind === 'externalChange',
      );
      const noticeFields = notices.map(({ kind, message }): Field => ['observed', paint('yellow', `${kind}: ${message}`)]);
      return [
        title('Gateway', `${state}, observed just now`, paint),
        ...formatFields([
          ['version', effective ? `${effective.versionId}${effective.versionNumber && `, ${effective.versionNumber}`}` : null],
          ['published', ago(effective?.publishedAtMs ?? recorded?.publishedAtMs)],
          ['edited', ago(recorded?.editedAtMs)],
          ['kept', versions && versions.length > 0 ? `${versions.length} version${versions.length === 1 ? '' : 's'}` : null],
          ...noticeFields,
        ]),
      ];
    }
  }
}

function formatLastObservation({ lastChecked }: Pick<Plan, 'lastChecked'>, { refreshIntervalMs }: DesiredState, nowMs: number): string {
  const last = formatLastCheck(lastChecked, (ms) => formatTimestampWithAge(ms, nowMs));
  const schedule = refreshIntervalMs === null ? '' : `; the daemon checks it every ${formatDurationMs(refreshIntervalMs)}`;
  return `${last}${schedule} (--refresh checks it now)`;
}

function attemptsSection({
  explanation,
  paint,
  nowMs,
}: SectionContext<{ readonly attempts: readonly Pick<Explanation['attempts'][number], 'attempt'>[] }>): string[] {
  if (explanation.attempts.length === 0) return [title('Attempts', 'none', paint)];
  const lines = formatTable(
    explanation.attempts.map(({ attempt }) => [
      String(attempt.id),
      formatTimestampWithAge(attempt.startedAtMs, nowMs),
      attempt.action,
      formatAttemptReason(attempt),
      paint(attempt.outcome === 'succeeded' ? 'green' : 'red', attempt.outcome ?? 'unknown'),
      [attempt.code, attempt.message].filter(Boolean).join(' '),
    ]),
  ).map((line) => `  ${line}`);
  const [newest, ...older] = lines;
  const { requestId = null, outcome } = explanation.attempts[0]?.attempt ?? {};
  // A support request about a failure needs its request ID; those of older attempts are in the history.
  const request = requestId === null || outcome === 'succeeded' ? [] : [paint('dim', `     request ${requestId}`)];
  return [title('Attempts', 'newest first', paint), newest ?? '', ...request, ...older];
}

function nextStepSection({ kind, summary, details, when, advice, command }: NextStep, { explanation, paint }: RenderContext): string[] {
  const style = explanation.plan.fileHeld ? 'yellow' : styles[kind];
  const { controllerStatus, desired } = explanation;
  return [
    title('Next', paint(style, summary), paint),
    ...formatFields([
      ['why', details],
      ['when', when],
      ...advice.map((line): Field => ['to do', line]),
      ['command', command && paint('bold', command)],
      [
        'daemon',
        controllerStatus && explanation.leaseHolder
          ? formatControllerStatus(controllerStatus, { holder: explanation.leaseHolder, limit: desired.gateway.limit }, paint)
          : null,
      ],
    ]),
  ];
}

function title(name: string, text: string, paint: Colorize): string {
  return `${paint('bold', `${name}:`)} ${text}`;
}

/** Returns a line for each field that has a value. */
function formatFields(all: readonly Field[]): string[] {
  return all.flatMap(([label, value]) => (value === null ? [] : [`  ${label.padEnd(11)} ${value}`]));
}
