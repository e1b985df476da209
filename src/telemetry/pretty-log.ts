import { styleText } from 'node:util';
import pretty from 'pino-pretty';
import { visible, visibleLines } from '../model/visible.ts';
import type { PlanSummary } from '../plan/summary.ts';
import { formatUnrecorded, pluralize } from '../render/format.ts';
import { formatCounts, isDifferent, planStates } from '../render/headline.ts';

type LogRecord = Readonly<Record<string, unknown>>;
type Colorize = (style: 'green' | 'red' | 'yellow' | 'dim' | 'bold', text: string) => string;

/** Returns a function that turns a log line into one for people who read `stream`: time, level, message and the relevant fields. */
export function createPrettifier(stream: NodeJS.WriteStream): (line: string) => string {
  const colorize = (style: Parameters<typeof styleText>[0], text: string): string => styleText(style, text, { stream });
  const prettify = pretty.prettyFactory({
    colorize: stream.hasColors?.() ?? false,
    translateTime: 'SYS:HH:MM:ss',
    hideObject: true,
    customColors: 'info:gray,warn:yellow,error:red,message:reset',
    useOnlyCustomProps: false,
    // Pad to the longest level, ERROR, so that messages align.
    customPrettifiers: {
      level: (_level, _key, _log, { label, labelColorized }) => ' '.repeat(Math.max(0, 5 - label.length)) + labelColorized,
    },
    messageFormat: (log) => `${formatFile(log, colorize)}${formatRecord(log, String(log['msg']), colorize)}`,
  });
  // The strings of a record are foreign; its line breaks and colors are added after this.
  const toVisible = (_key: string, value: unknown): unknown => (typeof value === 'string' ? visible(value) : value);
  return (line) => visibleLines(prettify(JSON.parse(line, toVisible)));
}

function formatRecord(log: LogRecord, message: string, colorize: Colorize): string {
  const change = log['api']
    ? `${log['action'] === 'online' ? colorize('green', '+ online ') : colorize('red', '- offline')} ${colorize('bold', String(log['api']))} in ${log['environment']}`
    : '';
  switch (log['event']) {
    case 'file:loaded':
      return `${message}: ${countOf(log['publications'], 'publication')} on ${log['emulated'] ? 'an emulated gateway in place of ' : ''}${log['endpoint']}, instance ${log['instance']}`;
    case 'file:invalid':
      return [
        `${message}:`,
        ...(log['errors'] as LogRecord[]).map(
          (diagnostic) => `  ${formatPlace(diagnostic)} ${diagnostic['message']}${diagnostic['hint'] ? ` (${diagnostic['hint']})` : ''}`,
        ),
      ].join('\n');
    case 'plan:computed':
      if (log['fileHeld']) return `${colorize('yellow', message)}: ${log['reason']}; ${formatApproveHint(log)}`;
      return `${message}: ${formatPlanCounts(log, colorize)}${log['unchecked'] ? `; ${log['unchecked']}` : ''}${formatApproval(log)}${formatDue(log)}${formatSuspended(log, colorize)}`;
    case 'attempt:finished':
      if (log['outcome'] === 'succeeded')
        return `${change} ${colorize('dim', `(${log['reason']}, ${log['durationMs']} ms${log['version'] ? `, version ${log['version']}` : ''})`)}`;
      return `${change}: ${log['code'] ?? log['outcome']}${log['message'] ? ` ${log['message']}` : ''}${log['hint'] ? ` (${log['hint']})` : ''}`;
    case 'retry:scheduled':
      return `${change}: ${message} in ${(Number(log['afterMs']) / 1000).toFixed(1)} s`;
    case 'publication:drift':
      return `${colorize('yellow', `~ ${log['now']}`)} ${colorize('bold', String(log['api']))} in ${log['environment']}: ${message}`;
    case 'probe:answered':
      return `${colorize('bold', String(log['api']))} in ${log['environment']}: ${message}: ${log['url']} ${log['result']}${log['afterMs'] ? `; retry in ${(Number(log['afterMs']) / 1000).toFixed(1)} s` : ''}`;
    case 'requests:paused':
      return `${message}: ${log['message']}`;
    case 'reconcile:finished':
      return `${message}: ${formatResult(log, colorize)}`;
    case 'reconcile:started':
      return `${message}: ${log['cause']}`;
    case 'attempt:unknown':
      return `${change}: ${message}: ${log['reason']}${log['hint'] ? ` (${log['hint']})` : ''}`;
    case 'attempt:started':
    case 'attempt:recovered':
      return `${change}: ${message}`;
    case 'gateway:unrecorded':
      return formatUnrecorded(String(log['store']));
    case 'gateway:observed':
      return `${message}: ${countOf(log['listed'], 'API')}${log['adopted'] ? `, ${countOf(log['adopted'], 'publication')} adopted without a call` : ''}, ${countOf(log['changed'], 'recorded state')} updated`;
    case 'rate:changed':
      return `${message}: ${log['calls']} of ${log['limit']} calls in ${Number(log['perMs']) / 1000} s`;
    case 'webhook:failed':
      return `${message}: ${log['to']} ${log['reason']}${log['dropped'] ? `, ${log['dropped']} dropped` : ''}`;
    case 'token:refused':
      return `${message}: from ${log['address']}, ${log['count']} so far`;
    case 'trace:failed':
      return `${message}: ${[log['to'], log['reason']].filter(Boolean).join(' ')}`;
    case 'stop:requested': {
      const calls = countOf(log['inFlight'], 'call');
      const waiting = log['inFlight'] === 0 ? '' : `, waiting for ${calls} in flight, ${Number(log['atMostMs']) / 1000} s at most`;
      return `${message}: ${log['signal']}${waiting}; interrupt again to end at once`;
    }
    case 'daemon:stopped':
      return `${message}: ${log['signal']}${log['unsent'] ? `, ${countOf(log['unsent'], 'change')} not sent` : ''}`;
    default:
      return [message, change || log['reason'] || log['signal'] || log['url']].filter(Boolean).join(': ');
  }
}

function countOf(count: unknown, noun: string): string {
  return pluralize(Number(count), noun);
}

/** The file name; lines of a daemon with a single file have none. */
function formatFile(log: LogRecord, colorize: Colorize): string {
  return log['file'] && log['event'] !== 'daemon:started' ? `${colorize('dim', String(log['file']))} ` : '';
}

/** The counts of a reconciliation. Zero counts are omitted, except `unchanged`. */
function formatResult(log: LogRecord, colorize: Colorize): string {
  const count = (name: string, style?: Parameters<Colorize>[0]): string[] => {
    const text = `${log[name]} ${name}`;
    return Number(log[name] ?? 0) > 0 ? [style ? colorize(style, text) : text] : [];
  };
  const made = [...count('online'), ...count('offline'), ...count('failed', 'red')];
  const left = (['held', 'deferred', 'unknown', 'unsent', 'drifted', 'settling', 'unmanaged', 'failedProbes'] as const).flatMap((name) =>
    count(name, 'yellow'),
  );
  return [...made, ...left, `${log['unchanged']} unchanged`].join(', ');
}

/** The counts of a plan. Zero counts are omitted, except `unchanged`. */
function formatPlanCounts(log: LogRecord, colorize: Colorize): string {
  const counts = Object.fromEntries(planStates.map((state) => [state, Number(log[state] ?? 0)])) as Record<keyof PlanSummary, number>;
  const unchanged = `${counts.unchanged} unchanged`;
  if (isDifferent(counts)) return `${colorize('yellow', formatCounts(counts))}, ${unchanged}`;
  return [colorize('green', 'no changes'), formatCounts(counts), unchanged].filter(Boolean).join(', ');
}

function formatApproval(log: LogRecord): string {
  if (log['approvedBy']) return `, approved by ${log['approvedBy']}: ${log['approvalReason']}`;
  return log['approvalDigest'] ? ` (${formatApproveHint(log)})` : '';
}

function formatApproveHint({ approveCommand, approvalDigest }: LogRecord): string {
  return approveCommand === undefined ? `approval digest ${approvalDigest}` : `to approve: ${approveCommand}`;
}

function formatDue({ firstDueAt }: LogRecord): string {
  return firstDueAt === undefined ? '' : ` (the first deferral ends at ${String(firstDueAt).replace(/\.\d+Z$/, 'Z')})`;
}

function formatSuspended({ suspension }: LogRecord, colorize: Colorize): string {
  return suspension === undefined ? '' : `. ${colorize('yellow', String(suspension))}`;
}

function formatPlace(diagnostic: LogRecord): string {
  return `${diagnostic['file']}:${diagnostic['line']}:${diagnostic['column']}`;
}
