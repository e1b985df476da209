import { randomUUID } from 'node:crypto';
import { callOf } from '../core/batch.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Change } from '../core/plan.ts';
import type { Clock, Gateway } from '../core/ports.ts';
import type { GatewaySettings } from '../core/publication.ts';

/** A place in a call to come. Either `send` or `leave` must be called. */
export interface Place {
  /** What the call's remark will carry; `null`: nothing. */
  readonly marker: string | null;
  /** Resolves to what came of the change. `isWanted` is asked at the moment before the request leaves. */
  send(isWanted: () => boolean): Promise<Outcome>;
  /** Gives the place up: nothing is sent for it. */
  leave(): void;
}

export interface DeparturesDeps {
  readonly gateway: Pick<Gateway, 'send' | 'sendTogether'>;
  readonly settings: Pick<GatewaySettings, 'batch' | 'marker'>;
  readonly clock: Pick<Clock, 'sleep'>;
  /** Ends the waiting for a turn. */
  readonly signal: AbortSignal;
}

/** How long a call waits for more changes that could go with it, in milliseconds. */
const lingerMs = 20;

/**
 * Puts changes into calls: each into one of its own, or up to `batch` of one environment, action and remark into one. A
 * place is taken before the attempt is recorded, since the marker is the call's and the record must hold it.
 */
export class Departures {
  readonly #deps: DeparturesDeps;
  readonly #open = new Map<string, Departure>();
  /** The most places in a call now: less after a call that failed as a whole, since one change alone may be why. */
  #most: number;

  constructor(deps: DeparturesDeps) {
    this.#deps = deps;
    this.#most = deps.settings.batch;
  }

  /** Returns a place for `change`. A version is switched to in a call of its own. */
  place(change: Change): Place {
    const name = callOf(change);
    if (this.#most === 1 || name === null) return this.#alone(change);
    let departure = this.#open.get(name);
    if (!departure) {
      const opened = new Departure(this.#markerFor(change), (group) => void this.#depart(group));
      departure = opened;
      this.#open.set(name, opened);
      void this.#deps.clock.sleep(lingerMs, this.#deps.signal).then(() => this.#close(name, opened));
    }
    const place = departure.place(change);
    if (departure.size >= this.#most) this.#close(name, departure);
    return place;
  }

  #close(name: string, departure: Departure): void {
    if (this.#open.get(name) === departure) this.#open.delete(name);
    departure.close();
  }

  #alone(change: Change): Place {
    const { gateway, signal } = this.#deps;
    const marker = change.version === null ? this.#markerFor(change) : null;
    const send = async (isWanted: () => boolean): Promise<Outcome> => {
      const outcome = await gateway.send(change, { marker, isWanted }, signal);
      if (outcome.kind === 'succeeded') this.#went();
      return outcome;
    };
    return { marker, send, leave: () => undefined };
  }

  async #depart(travellers: readonly Traveller[]): Promise<void> {
    const { gateway, signal } = this.#deps;
    const byChange = new Map(travellers.map((traveller) => [traveller.change, traveller]));
    const isWanted = (change: Change): boolean => byChange.get(change)?.isWanted() ?? false;
    const marker = travellers[0]?.marker ?? null;
    const { outcomes, isWhole } = await gateway.sendTogether([...byChange.keys()], { marker, isWanted }, signal);
    if (isWhole) this.#most = Math.max(1, Math.floor(this.#most / 2));
    else this.#went();
    for (const [index, { arrived }] of travellers.entries()) arrived(outcomes[index] ?? { kind: 'dropped' });
  }

  #went(): void {
    this.#most = Math.min(this.#deps.settings.batch, this.#most * 2);
  }

  #markerFor({ action }: Change): string | null {
    if (action !== 'online' || !this.#deps.settings.marker) return null;
    // The first twelve digits of a random UUID are random, and Node has some in hand: to ask the system each time costs more than a commit.
    return randomUUID().replace('-', '').slice(0, 12);
  }
}

/** A change whose attempt is recorded, on its way into a call. */
interface Traveller {
  readonly change: Change;
  readonly marker: string | null;
  readonly isWanted: () => boolean;
  readonly arrived: (outcome: Outcome) => void;
}

/** One call to come: it leaves when no more places are given away and everyone who has one is there or has left. */
class Departure {
  readonly #marker: string | null;
  readonly #depart: (travellers: readonly Traveller[]) => void;
  readonly #travellers: Traveller[] = [];
  #given = 0;
  #left = 0;
  #isClosed = false;

  constructor(marker: string | null, depart: (travellers: readonly Traveller[]) => void) {
    this.#marker = marker;
    this.#depart = depart;
  }

  /** How many places have been given away. */
  get size(): number {
    return this.#given;
  }

  place(change: Change): Place {
    this.#given += 1;
    const marker = this.#marker;
    const send = (isWanted: () => boolean): Promise<Outcome> =>
      new Promise((arrived) => {
        this.#travellers.push({ change, marker, isWanted, arrived });
        this.#leaveIfComplete();
      });
    const leave = (): void => {
      this.#left += 1;
      this.#leaveIfComplete();
    };
    return { marker, send, leave };
  }

  /** Gives no more places away. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#leaveIfComplete();
  }

  #leaveIfComplete(): void {
    const isComplete = this.#isClosed && this.#travellers.length + this.#left === this.#given;
    if (isComplete && this.#travellers.length > 0) this.#depart(this.#travellers);
  }
}
