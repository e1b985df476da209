import type { Settings } from '../config.ts';
import { type ExitCode, exitCodes } from '../core/errors.ts';
import type { Attempt } from '../core/ports.ts';
import { readHistory } from '../reports.ts';
import { columns } from './columns.ts';
import { type Context, paintersOf } from './context.ts';
import type { Paint } from './paint.ts';

export interface HistoryOptions {
  readonly format: string;
  /** At most so many attempts, newest first. */
  readonly limit: number;
}

/** Shows attempts, newest first. Returns 0. */
export async function history(settings: Settings, { format, limit }: HistoryOptions, context: Context): Promise<ExitCode> {
  const attempts = await readHistory(settings, context.environment, limit);
  context.stdout.write(
    format === 'json'
      ? `${JSON.stringify({ format: 1, attempts: attempts.map(attemptJson) }, null, 2)}\n`
      : toText(attempts, paintersOf(context).out),
  );
  return exitCodes.done;
}

function toText(attempts: readonly Attempt[], paint: Paint): string {
  if (attempts.length === 0) return 'No attempts recorded.\n';
  const head = ['attempt', 'began', 'API', 'environment', 'action', 'why', 'outcome', ''].map((title) => paint('bold', title));
  return `${columns([head, ...attempts.map((attempt) => cells(attempt, paint))]).join('\n')}\n`;
}

function cells(attempt: Attempt, paint: Paint): string[] {
  const outcome = attempt.outcome ?? 'unresolved';
  const detail =
    attempt.outcome === 'succeeded'
      ? attempt.versionId
        ? `version ${attempt.versionId}`
        : ''
      : [attempt.code, attempt.message].filter(Boolean).join(' ');
  return [
    String(attempt.id),
    new Date(attempt.beganAtMs).toISOString(),
    attempt.api,
    attempt.environment,
    attempt.action,
    attempt.revision === null ? attempt.reason : `${attempt.reason} ${attempt.revision}`,
    paint(outcome === 'succeeded' ? 'green' : 'red', outcome),
    paint('dim', detail),
  ];
}

/** Returns an attempt as other programs read it. */
export function attemptJson({ beganAtMs, settledAtMs, ...attempt }: Attempt) {
  return {
    ...attempt,
    began: new Date(beganAtMs).toISOString(),
    settled: settledAtMs === null ? null : new Date(settledAtMs).toISOString(),
  };
}
