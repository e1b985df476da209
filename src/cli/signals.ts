/** Aborted by the first SIGINT or SIGTERM. */
export interface StopSignal extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * Listens for SIGINT and SIGTERM until disposed. The first asks for an orderly end; after it the process can be ended
 * at once by a second one, as if nobody listened: what was in flight is then found as unresolved.
 */
export function onStopSignal(): StopSignal {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals): void => {
    release();
    controller.abort(name);
  };
  const release = (): void => {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return { signal: controller.signal, [Symbol.dispose]: release };
}
