import { setTimeout } from 'node:timers/promises';
import { toJson, visibleLines } from '../model/visible.ts';
import type { CliContext } from './context.ts';
import { errorDocument, renderError } from './output/errors.ts';
import { writeExact, writeText } from './output/terminal.ts';
import { onStopSignal } from './signals.ts';

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
    if (isScreen) writeExact(stdout, `\u001B[H${visibleLines(now).replaceAll('\n', '\u001B[K\n')}\u001B[J`);
    else writeText(stdout, now);
  };
  if (isScreen) writeExact(stdout, enterScreen);
  try {
    while (!stop.signal.aborted) {
      const text = await read().catch((error: unknown) =>
        format === 'json' ? `${toJson(errorDocument(error))}\n` : renderError(error, context),
      );
      show(text);
      await setTimeout(pollIntervalMs, null, { signal: stop.signal }).catch(() => undefined);
    }
  } finally {
    if (isScreen) writeExact(stdout, leaveScreen);
  }
}

/** Cuts the text to the screen's height; the last line then says how many lines are missing. */
function fitScreen(text: string, rows: number): string {
  const lines = text.trimEnd().split('\n');
  if (lines.length < rows) return `${lines.join('\n')}\n`;
  const fitting = Math.max(1, rows - 2);
  return `${[...lines.slice(0, fitting), `… ${lines.length - fitting} more lines`].join('\n')}\n`;
}
