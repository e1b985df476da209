import { BackoffCheck } from './checks/backoff.ts';
import type { Check, CheckContext } from './checks/check.ts';
import { ExactlyOnceCheck } from './checks/exactly-once.ts';
import { FairnessCheck } from './checks/fairness.ts';
import { LeaseCheck } from './checks/lease.ts';
import { LimitCheck } from './checks/limit.ts';
import { ObedienceCheck } from './checks/obedience.ts';
import { OfflineIsMeantCheck } from './checks/offline-is-meant.ts';
import { SingleCallCheck } from './checks/single-call.ts';

type Reports = { readonly [K in keyof Check]-?: NonNullable<Check[K]> };

/** Tells every check what has happened. */
export class Invariants implements Reports {
  readonly #checks: readonly Check[];

  constructor(context: CheckContext) {
    this.#checks = [
      LeaseCheck,
      LimitCheck,
      ExactlyOnceCheck,
      SingleCallCheck,
      ObedienceCheck,
      OfflineIsMeantCheck,
      BackoffCheck,
      FairnessCheck,
    ].map((Type) => new Type(context));
  }

  readonly left: Reports['left'] = (...args) => this.#checks.forEach((check) => void check.left?.(...args));
  readonly arrived: Reports['arrived'] = (...args) => this.#checks.forEach((check) => void check.arrived?.(...args));
  readonly effected: Reports['effected'] = (...args) => this.#checks.forEach((check) => void check.effected?.(...args));
  readonly settled: Reports['settled'] = (...args) => this.#checks.forEach((check) => void check.settled?.(...args));
  readonly saved: Reports['saved'] = (...args) => this.#checks.forEach((check) => void check.saved?.(...args));
  readonly unnoticed: Reports['unnoticed'] = (...args) => this.#checks.forEach((check) => void check.unnoticed?.(...args));
  readonly disturbed: Reports['disturbed'] = (...args) => this.#checks.forEach((check) => void check.disturbed?.(...args));
  readonly suspended: Reports['suspended'] = (...args) => this.#checks.forEach((check) => void check.suspended?.(...args));
  readonly changedOutside: Reports['changedOutside'] = (...args) => this.#checks.forEach((check) => void check.changedOutside?.(...args));
  readonly died: Reports['died'] = (...args) => this.#checks.forEach((check) => void check.died?.(...args));
  readonly event: Reports['event'] = (...args) => this.#checks.forEach((check) => void check.event?.(...args));
}
