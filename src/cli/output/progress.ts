import type { Emit } from '../../model/events.ts';
import { formatDurationMs } from '../../render/format.ts';
import type { Colorize } from './colors.ts';

/** The progress line of an apply on a terminal. */
export interface Progress {
  readonly emit: Emit;
  /** Erases the line. */
  clear(): void;
}

/** Returns the progress line on `stream`, drawn at most ten times a second. */
export function openProgress(stream: NodeJS.WriteStream, paint: Colorize): Progress {
  let total = 0;
  let done = 0;
  const failing = new Set<string>();
  let pauseText = '';
  let startedAtMs = 0;
  let drawnAtMs = 0;

  const draw = (): void => {
    const now = Date.now();
    const failed = failing.size;
    if (total === 0 || (now - drawnAtMs < 100 && done + failed < total)) return;
    drawnAtMs = now;
    const left = Math.max(0, total - done);
    const remainingTime = done > 0 ? `, ${formatDurationMs(((now - startedAtMs) / done) * left)} to go` : '';
    const failures = failed > 0 ? `, ${paint('red', `${failed} failed`)}` : '';
    stream.write(
      `\r\u001B[2K${formatBar(done / total)} ${done} of ${total} done${failures}, ${left} left${left > 0 ? remainingTime : ''}${pauseText}`,
    );
  };
  return {
    emit: (event) => {
      if (event.type === 'plan:computed' && startedAtMs === 0) {
        total = event.plan.changes.filter((change) => change.held === null).length;
        startedAtMs = Date.now();
      }
      if (event.type === 'store:waiting') stream.write(`\r\u001B[2KWaiting for the store: ${event.message}\n`);
      if (event.type === 'requests:paused') pauseText = `, ${paint('yellow', event.message)}`;
      else if (event.type === 'requests:resumed') pauseText = '';
      else if (event.type !== 'attempt:finished' && event.type !== 'attempt:recovered') return;
      else {
        const { outcome, change } = event;
        if (outcome.kind === 'succeeded') done += 1;
        if ('failure' in outcome) failing.add(change.key);
        else failing.delete(change.key);
      }
      draw();
    },
    clear: () => {
      if (drawnAtMs > 0) stream.write('\r\u001B[2K');
    },
  };
}

function formatBar(share: number): string {
  const filled = Math.round(share * 20);
  return `[${'='.repeat(filled)}${' '.repeat(20 - filled)}]`;
}
