import { EdictError } from '../core/errors.ts';
import type { Emit } from '../core/events.ts';
import type { Note } from '../core/observe.ts';
import type { Clock, GatewayReader, Store } from '../core/ports.ts';
import type { DesiredState, RecordedState } from '../core/publication.ts';
import { look } from './observer.ts';

export interface LookoutDeps {
  readonly store: Store;
  readonly gateway: GatewayReader;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly emit: Emit;
  /** Whether the first look is due at once, whatever the file says. */
  readonly atFirst: boolean;
}

/** After a look that saw nothing the next one is due this much later, or sooner if the file says so. */
const blindForMs = 60_000;

/** Looks at the gateway when it is time to, and brings the record up to what is seen. */
export class Lookout {
  readonly #deps: LookoutDeps;
  #nextAtMs = Number.NEGATIVE_INFINITY;
  #turn: Promise<unknown> = Promise.resolve();
  /** Whether the first look, asked for by a person, is still to be made. */
  #isAwaited: boolean;
  /** What was told of APIs that are gone: it stays so, and is told once. */
  #gone = new Set<string>();

  constructor(deps: LookoutDeps) {
    this.#deps = deps;
    this.#isAwaited = deps.atFirst;
  }

  /**
   * Resolves to the record as the gateway shows it, `null` if it is not time to look or there is no believing what is seen.
   * A look under way is waited for: nobody plans on what it is about to correct.
   *
   * @throws EdictError `UNSEEN` if nothing is seen and the record is no base to plan on: a look was asked for, or the gateway
   * has never been seen, and to publish what is online there already would cost versions. `STORE_*` if it cannot be written
   */
  look(desired: DesiredState, passId: string, signal: AbortSignal): Promise<RecordedState | null> {
    const looked = this.#turn.then(() => this.#look(desired, passId, signal));
    this.#turn = looked.catch(() => null);
    return looked;
  }

  async #look(desired: DesiredState, passId: string, signal: AbortSignal): Promise<RecordedState | null> {
    const { store, gateway, clock, emit } = this.#deps;
    const { observeEveryMs } = desired;
    if (!this.#isAwaited && observeEveryMs === null) return null;
    const isUnknown = (await store.listedApis(desired.gateway)) === null;
    if (!this.#isAwaited && !isUnknown && clock.monotonic() < this.#nextAtMs) return null;
    const everyMs = observeEveryMs ?? Number.POSITIVE_INFINITY;
    this.#nextAtMs = clock.monotonic() + everyMs;
    const seen = await look(desired, { gateway, record: store, clock, signal });
    if (seen.kind === 'blind') {
      this.#nextAtMs = clock.monotonic() + Math.min(everyMs, blindForMs);
      emit({ type: 'gateway:unseen', passId, reason: seen.reason });
      if (seen.listed !== null) await store.observe(desired.gateway, [], seen.listed);
      if (this.#isAwaited || isUnknown) throw unseen(seen.reason, this.#isAwaited);
      return null;
    }
    await store.observe(desired.gateway, seen.updates, seen.listed);
    this.#isAwaited = false;
    emit({ type: 'gateway:seen', passId, listed: seen.listed, changed: seen.updates.length });
    for (const note of this.#news(seen.notes)) emit({ type: 'publication:noted', passId, note });
    return seen.recorded;
  }

  #news(notes: readonly Note[]): Note[] {
    const nameOf = ({ key, heirId }: Note): string => `${key} ${heirId}`;
    const told = this.#gone;
    this.#gone = new Set(notes.filter(({ kind }) => kind === 'gone').map(nameOf));
    return notes.filter((note) => note.kind !== 'gone' || !told.has(nameOf(note)));
  }
}

function unseen(reason: string, isAwaited: boolean): EdictError {
  const without = isAwaited ? 'without --refresh' : 'with `observe: never`';
  return new EdictError('UNSEEN', `the gateway cannot be observed: ${reason}`, {
    hint: `nothing was sent; ${without} the plan starts from the record alone`,
  });
}
