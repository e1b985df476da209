/** Aborted by the first SIGINT or SIGTERM. */
export interface StopSignal extends Disposable {
  readonly signal: AbortSignal;
}

/** One Ctrl-C can arrive twice: from the terminal, and once more from npm. */
const duplicateSignalMs = 1000;

/**
 * Listens for SIGINT and SIGTERM until disposed. The first asks for an orderly end, and is the reason of `signal`; one that
 * comes more than a second later ends the process at once: what was in flight is then found as unresolved.
 */
export function onStopSignal(): StopSignal {
  const controller = new AbortController();
  let firstAtMs: number | null = null;
  const stop = (name: NodeJS.Signals): void => {
    if (firstAtMs === null) {
      firstAtMs = Date.now();
      controller.abort(name);
    } else if (Date.now() - firstAtMs > duplicateSignalMs) {
      release();
      process.kill(process.pid, name);
    }
  };
  const release = (): void => {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return { signal: controller.signal, [Symbol.dispose]: release };
}
