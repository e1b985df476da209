import type { Emit } from '../core/events.ts';
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

/** Looks at the gateway when it is time to, and brings the record up to what is seen. */
export class Lookout {
  readonly #deps: LookoutDeps;
  #lookedAtMs: number | null = null;

  constructor(deps: LookoutDeps) {
    this.#deps = deps;
  }

  /** Resolves to the record as the gateway shows it, `null` if it is not time to look or there is no believing what is seen. */
  async look(desired: DesiredState, passId: string, signal: AbortSignal): Promise<RecordedState | null> {
    const { store, gateway, clock, emit } = this.#deps;
    if (!this.#isDue(desired)) return null;
    this.#lookedAtMs = clock.monotonic();
    const seen = await look(desired, { gateway, record: store, clock, signal });
    if (seen.kind === 'blind') {
      emit({ type: 'gateway:unseen', passId, reason: seen.reason });
      return null;
    }
    await store.observe(desired.gateway, seen.updates, seen.listed);
    emit({ type: 'gateway:seen', passId, listed: seen.listed, changed: seen.updates.length });
    for (const note of seen.notes) emit({ type: 'publication:noted', passId, note });
    return seen.recorded;
  }

  #isDue({ observeEveryMs }: DesiredState): boolean {
    if (this.#lookedAtMs === null && this.#deps.atFirst) return true;
    if (observeEveryMs === null) return false;
    return this.#lookedAtMs === null || this.#deps.clock.monotonic() >= this.#lookedAtMs + observeEveryMs;
  }
}
