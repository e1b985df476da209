import type { CommandLogger } from '../app/command-logger.ts';
import type { Emit } from '../model/events.ts';

/**
 * Logs, as soon as `signal` is aborted, how many calls the command still waits for and how long they may take at most. The result follows
 * the events of all files.
 */
export function logStopRequest(signal: AbortSignal, log: CommandLogger['log']): Emit {
  const attempts = new Set<number>();
  let timeoutMs = 0;
  signal.addEventListener('abort', () => {
    const inFlight = attempts.size;
    log('stop:requested', 'stopping', { signal: signal.reason, inFlight, atMostMs: inFlight === 0 ? 0 : timeoutMs });
  });
  return (event) => {
    if (event.type === 'file:loaded') timeoutMs = Math.max(timeoutMs, event.desired.gateway.timeoutMs);
    if (event.type === 'attempt:started') attempts.add(event.attemptId);
    if (event.type === 'attempt:finished') attempts.delete(event.attemptId);
  };
}
