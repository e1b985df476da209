import { backoffMs } from '../../../src/controller/retry.ts';
import type { EdictEvent } from '../../../src/model/events.ts';
import type { PublicationKey } from '../../../src/model/publication.ts';
import type { Check, CheckContext } from './check.ts';

interface FailingKey {
  failures: number;
  failedAtMs: number;
  readonly fingerprint: string;
}

/** A change that keeps failing is tried again no earlier than its backoff allows, whatever else happens. */
export class BackoffCheck implements Check {
  readonly #context: CheckContext;
  readonly #failing = new Map<string, FailingKey>();
  readonly #leaseless = new Set<number>();

  constructor(context: CheckContext) {
    this.#context = context;
  }

  died(replica: number): void {
    this.#forget(replica);
  }

  event(replica: number, event: EdictEvent): void {
    const atMs = this.#context.nowMs();
    switch (event.type) {
      case 'attempt:started': {
        const { key, action, revision } = event.change;
        const failing = this.#failing.get(idOf(replica, key));
        if (failing?.fingerprint !== `${action} ${revision}`) return;
        const waitedMs = atMs - failing.failedAtMs;
        const leastMs = backoffMs(failing.failures, 0);
        if (waitedMs < leastMs - 1)
          this.#context.fail(`backoff: ${key} was tried ${Math.round(waitedMs)} ms after failure ${failing.failures}, not ${leastMs} ms`);
        return;
      }
      case 'attempt:finished': {
        const { change, outcome } = event;
        const id = idOf(replica, change.key);
        if (!('failure' in outcome) || outcome.kind === 'rejected' || outcome.kind === 'unauthorized') {
          this.#failing.delete(id);
          return;
        }
        if (outcome.failure.code === 'REQUEST_NOT_SENT') return;
        const fingerprint = `${change.action} ${change.revision}`;
        const before = this.#failing.get(id);
        const failures = before?.fingerprint === fingerprint ? before.failures + 1 : 1;
        this.#failing.set(id, { failures, failedAtMs: atMs, fingerprint });
        return;
      }
      case 'attempt:recovered':
        // An attempt that turned out to have no effect is repeated at once.
        this.#failing.delete(idOf(replica, event.change.key));
        return;
      case 'reconcile:started':
        if (event.cause === 'signal' || event.cause === 'startup' || this.#leaseless.delete(replica)) this.#forget(replica);
        return;
      // A new file may have asked for something else meanwhile, which ends a backoff.
      case 'file:loaded':
      case 'requests:resumed':
        this.#forget(replica);
        return;
      // With the lease back, a new queue begins.
      case 'lease:lost':
        this.#leaseless.add(replica);
        return;
      default:
    }
  }

  #forget(replica: number): void {
    for (const id of this.#failing.keys()) if (id.startsWith(`${replica} `)) this.#failing.delete(id);
  }
}

function idOf(replica: number, key: PublicationKey): string {
  return `${replica} ${key}`;
}
