import type { Admit, Clock, RequestEnd, Stopped } from '../core/ports.ts';
import type { Limit } from '../core/publication.ts';
import { Circuit } from './circuit.ts';
import { Pace } from './pace.ts';
import { SendWindow } from './send-window.ts';

export interface TrafficOptions {
  readonly limit: Limit;
  readonly clock: Clock;
  /** How long nothing may be sent at the beginning, in milliseconds: another process may just have used up a window. */
  readonly quietMs: number;
}

/** Why no request for a change may leave, and since when. */
export type Why = Stopped['why'];

/** What `Traffic` tells the engine. */
export interface TrafficListener {
  /** Nothing more may be begun. */
  stopped(stopped: Stopped): void;
  /** Nothing of what `stopped` told stands in the way any more. */
  resumed(): void;
}

/** Everything that decides when a request to the gateway may leave: the file's limit, the gateway's wishes, an outage, refused credentials. */
export class Traffic {
  readonly #clock: Clock;
  readonly #limit: Limit;
  readonly #window: SendWindow;
  readonly #pace: Pace;
  readonly #circuit: Circuit;
  readonly #stops = new Map<Why, Stopped>();
  #listener: TrafficListener = { stopped: () => {}, resumed: () => {} };
  #turn: Promise<unknown> = Promise.resolve();
  #lastAtMs = Number.NEGATIVE_INFINITY;
  #pauseTimer: NodeJS.Timeout | null = null;

  constructor({ limit, clock, quietMs }: TrafficOptions) {
    this.#limit = limit;
    this.#clock = clock;
    this.#window = new SendWindow(limit, clock, clock.monotonic() + quietMs);
    this.#pace = new Pace(limit, clock);
    this.#circuit = new Circuit({
      onOpen: () => this.stop('outage', 'the gateway does not answer; it is asked once in a while until it does'),
      onClosed: () => this.go('outage'),
    });
  }

  /** Says from now on to `listener` when requests must stop and may go on. */
  listen(listener: TrafficListener): void {
    this.#listener = listener;
  }

  /** Why nothing may be begun; `null` if it may. */
  get stopped(): Stopped | null {
    return this.#stops.values().next().value ?? null;
  }

  /** Whether nothing may be begun for this reason, among others perhaps. */
  isStoppedFor(why: Why): boolean {
    return this.#stops.has(why);
  }

  /** What is allowed now: the file's limit, or less while the gateway asks for it. */
  get allowed(): { readonly calls: number; readonly perMs: number } {
    return { calls: Math.round(this.#pace.calls * 100) / 100, perMs: this.#limit.perMs };
  }

  /** See `Admit`. In the order of asking; at once if `signal` is aborted. */
  readonly admit: Admit = (signal) => {
    const admitted = this.#turn.then(() => this.#admit(signal));
    this.#turn = admitted;
    return admitted;
  };

  /** Stops what has not begun, until `go` for the same reason. */
  stop(why: Why, message: string): void {
    if (this.#stops.has(why)) return;
    const stopped: Stopped = { why, message, sinceMs: this.#clock.now() };
    this.#stops.set(why, stopped);
    this.#listener.stopped(stopped);
  }

  /** Ends a stop. */
  go(why: Why): void {
    if (this.#stops.delete(why) && this.#stops.size === 0) this.#listener.resumed();
  }

  /** Gives its timer back. */
  close(): void {
    if (this.#pauseTimer) clearTimeout(this.#pauseTimer);
  }

  async #admit(signal: AbortSignal): Promise<(end: RequestEnd) => void> {
    const waitMs = (): number => Math.max(this.#pace.pauseMs, this.#lastAtMs + this.#pace.gapMs - this.#clock.monotonic());
    while (waitMs() > 0 && !signal.aborted) await this.#clock.sleep(Math.ceil(waitMs()), signal);
    const arrived = await this.#window.admit(signal);
    this.#lastAtMs = this.#clock.monotonic();
    return (end) => {
      arrived();
      if (end.kind !== 'unsent') this.#learn(end);
    };
  }

  #learn(end: RequestEnd): void {
    this.#circuit.ended(end);
    this.#pace.ended(end);
    const { pauseMs } = this.#pace;
    if (pauseMs === 0) return;
    this.stop('pause', `the gateway asks for fewer requests; the next one leaves in ${Math.ceil(pauseMs / 1000)} s`);
    if (this.#pauseTimer) clearTimeout(this.#pauseTimer);
    this.#pauseTimer = setTimeout(() => this.go('pause'), pauseMs);
  }
}
