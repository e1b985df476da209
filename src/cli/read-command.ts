import { createAppContext } from '../app/context.ts';
import type { AppContext } from '../model/app-context.ts';
import { EdictError } from '../model/errors.ts';
import type { Settings } from '../model/settings.ts';
import { type CliContext, colorizersFor } from './context.ts';
import { openReadProgress, writeLine } from './output/terminal.ts';
import { exitCodeOfStop, onStopSignal } from './signals.ts';

/**
 * Runs a command that only reads, with its progress on stderr. The first SIGINT or SIGTERM is reported at once and aborts the reads. Throws
 * an EdictError `INTERRUPTED` if the result is incomplete because of that.
 */
export async function runReadCommand<T>(context: CliContext, settings: Settings, run: (appContext: AppContext) => Promise<T>): Promise<T> {
  const { formatUnrecorded } = await import('../render/format.ts');
  const { stderr, env } = context;
  using stop = onStopSignal();
  const { signal } = stop;
  const progress = openReadProgress(context);
  signal.addEventListener('abort', () => {
    progress.clear();
    writeLine(stderr, `Stopping: ${String(signal.reason)}; interrupt again to end at once`);
  });
  const appContext = createAppContext(settings, env, { signal });
  appContext.events.subscribe(progress.emit);
  appContext.events.subscribe((event) => {
    if (event.type === 'gateway:unrecorded')
      writeLine(stderr, `${colorizersFor(context).err('yellow', 'edict:')} ${formatUnrecorded(event.store)}`);
  });
  try {
    return await run(appContext);
  } catch (error) {
    if (!signal.aborted) throw error;
    const exitCode = exitCodeOfStop(signal);
    throw new EdictError('INTERRUPTED', 'stopped before the result was complete; nothing was changed', { exitCode, cause: error });
  } finally {
    progress.clear();
  }
}
