import type { Gateway } from '../../gateway/interface.ts';
import type { Clock } from '../../model/clock.ts';
import type { RequestPause } from '../../model/controller-status.ts';
import type { Emit } from '../../model/events.ts';
import type { Failure } from '../../model/outcome.ts';
import type { RateLimiter } from './rate-limiter.ts';

/** Polling interval during an outage, in milliseconds: its end is noticed within two seconds. */
const probeIntervalMs = 1000;

/** Interval between checks for new credentials, in milliseconds. */
const credentialsPollMs = 1000;

export interface RecoveryDeps {
  readonly gateway: Pick<Gateway, 'listEnvironments' | 'credentialsRetryInMs'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly rateLimiter: Pick<RateLimiter, 'subscribe' | 'pause' | 'isPausedFor' | 'resume'>;
  readonly emit: Emit;
  /** The number of polls after which an outage counts as lasting; infinite for a daemon. */
  readonly maxTries: number;
  readonly signal: AbortSignal;
  /** Called when requests are paused: no further change may be started. */
  readonly onPaused: () => void;
  /** Called when they are resumed. `retriesNow`: retry changes in backoff immediately, because an outage or rejected credentials have ended. */
  readonly onResumed: (retriesNow: boolean) => void;
  /** Called when the pause lasts longer than `maxTries` allow. */
  readonly onGivenUp: () => void;
}

/** Pauses changes during an outage and while the credentials are rejected, and polls until they may continue. */
export class Recovery implements Disposable {
  readonly #deps: RecoveryDeps;
  readonly #subscription: Disposable;
  #retriesNow = false;
  #hasGivenUp = false;

  constructor(deps: RecoveryDeps) {
    this.#deps = deps;
    this.#subscription = deps.rateLimiter.subscribe({ paused: (pause) => this.#onPaused(pause), resumed: () => this.#onResumed() });
  }

  /** Whether a pause lasts longer than `maxTries` allow. */
  get hasGivenUp(): boolean {
    return this.#hasGivenUp;
  }

  /** Makes no call until the credentials change or are to be tried once more: several consecutive failures lock a key or an account. */
  onUnauthorized({ code, message, hint }: Failure): void {
    const { rateLimiter, gateway, maxTries } = this.#deps;
    if (rateLimiter.isPausedFor('credentials')) return;
    const retryInMs = gateway.credentialsRetryInMs();
    const isRetried = retryInMs < Number.POSITIVE_INFINITY;
    const next = isRetried ? `one more try in ${Math.ceil(retryInMs / 1000)} s` : hint;
    rateLimiter.pause('credentials', `${code} ${message}${next ? `; ${next}` : ''}`);
    if (maxTries < Number.POSITIVE_INFINITY && !isRetried) this.#giveUp();
    else void resumeOnNewCredentials(this.#deps);
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  #onPaused({ reason, message }: RequestPause): void {
    this.#retriesNow ||= reason !== 'pause';
    this.#deps.onPaused();
    this.#deps.emit({ type: 'requests:paused', reason, message });
    if (reason === 'outage') void this.#waitForEndOfOutage();
  }

  /** Gives up if the outage lasts longer than `maxTries` allow: an apply then ends, while a daemon waits for the end of the outage. */
  async #waitForEndOfOutage(): Promise<void> {
    if (!(await pollDuringOutage(this.#deps))) this.#giveUp();
  }

  #giveUp(): void {
    this.#hasGivenUp = true;
    this.#deps.onGivenUp();
  }

  #onResumed(): void {
    const retriesNow = this.#retriesNow;
    this.#retriesNow = false;
    this.#deps.emit({ type: 'requests:resumed' });
    this.#deps.onResumed(retriesNow);
  }
}

type PollDeps = Pick<RecoveryDeps, 'gateway' | 'clock' | 'maxTries' | 'signal'> & {
  readonly rateLimiter: Pick<RateLimiter, 'isPausedFor' | 'resume'>;
};

/**
 * Polls the gateway until an answer ends the outage, with a read that depends on no publication: the requests of a single API may hang
 * or break while the gateway is well. Resolves to whether the outage has ended: `false` after `maxTries` polls or an abort.
 */
export async function pollDuringOutage({ gateway, clock, rateLimiter, maxTries, signal }: PollDeps): Promise<boolean> {
  for (let tries = 0; rateLimiter.isPausedFor('outage') && !signal.aborted; tries += 1) {
    if (tries >= maxTries) return false;
    await clock.sleep(probeIntervalMs, signal);
    await gateway.listEnvironments(signal);
  }
  return !signal.aborted;
}

/** Resumes requests when the credentials have changed or are to be tried once more. */
export async function resumeOnNewCredentials({ gateway, clock, rateLimiter, signal }: Omit<PollDeps, 'maxTries'>): Promise<void> {
  while (!signal.aborted && gateway.credentialsRetryInMs() > 0) await clock.sleep(credentialsPollMs, signal);
  if (!signal.aborted) rateLimiter.resume('credentials');
}
