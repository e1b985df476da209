import type { EdictEvent, Emit } from '../../model/events.ts';
import type { CliContext } from '../context.ts';

/** A progress line on a terminal. */
export interface Progress {
  readonly emit: Emit;
  /** Erases the line. */
  clear(): void;
}

/** Returns a line on stderr that shows how much of the gateway was read; nothing if stderr is no terminal. */
export function openReadProgress({ stderr }: Pick<CliContext, 'stderr'>): Progress {
  let isShown = false;
  return {
    emit: (event) => {
      if (event.type !== 'gateway:page_read' || !stderr.isTTY) return;
      stderr.write(`\r\u001B[2K${formatReadProgress(event)}`);
      isShown = true;
    },
    clear: () => {
      if (isShown) stderr.write('\r\u001B[2K');
      isShown = false;
    },
  };
}

/** Returns how much of a list was read. */
export function formatReadProgress({ readCount, totalCount }: Extract<EdictEvent, { readonly type: 'gateway:page_read' }>): string {
  return `Reading the gateway: ${readCount} of ${totalCount} entries`;
}
