import { backoffMs } from '../../../src/controller/retry.ts';
import type { DesiredState } from '../../../src/model/desired-state.ts';
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
  /** What the newest file that each process has loaded declares, by publication. */
  readonly #declared = new Map<number, ReadonlyMap<PublicationKey, string>>();
  /** The processes whose pause ends with a try of everything that has failed. */
  readonly #retrying = new Set<number>();

  constructor(context: CheckContext) {
    this.#context = context;
  }

  died(replica: number): void {
    this.#forget(replica);
    this.#declared.delete(replica);
    this.#retrying.delete(replica);
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
      case 'plan:computed':
        // A person asked to try everything now, also what has failed since.
        if (event.cause === 'signal') this.#forget(replica);
        return;
      case 'file:loaded':
        this.#onLoaded(replica, event.desired);
        return;
      case 'requests:paused':
        if (event.reason !== 'pause') this.#retrying.add(replica);
        return;
      case 'requests:resumed':
        if (this.#retrying.delete(replica)) this.#forget(replica);
        return;
      // With the lease back, a new queue begins.
      case 'lease:lost':
        this.#leaseless.add(replica);
        return;
      default:
    }
  }

  /** A file ends the backoff of a publication that it declares in another way, and no other backoff. */
  #onLoaded(replica: number, { publications }: DesiredState): void {
    const declared = new Map([...publications.values()].map(({ key, state, revision }) => [key, `${state} ${revision}`]));
    const before = this.#declared.get(replica);
    this.#declared.set(replica, declared);
    for (const key of new Set([...declared.keys(), ...(before?.keys() ?? [])]))
      if (before?.get(key) !== declared.get(key)) this.#failing.delete(idOf(replica, key));
  }

  #forget(replica: number): void {
    for (const id of this.#failing.keys()) if (id.startsWith(`${replica} `)) this.#failing.delete(id);
  }
}

function idOf(replica: number, key: PublicationKey): string {
  return `${replica} ${key}`;
}
