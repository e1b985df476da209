import { setTimeout } from 'node:timers/promises';
import type { CliContext } from './context.ts';
import { onStopSignal } from './signals.ts';
import { errorDocument, renderError } from './told-error.ts';

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
