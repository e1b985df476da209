import type { Note, Observation } from '../core/observe.ts';
import { observe } from '../core/observe.ts';
import type { Clock, GatewayReader, RecordReader } from '../core/ports.ts';
import type { DesiredState, RecordedPublication, RecordedState } from '../core/publication.ts';

/** A list that lost a larger share of its APIs since the last one is not believed without a closer look. */
const believedLoss = 0.2;

/** So many APIs that the list leaves out are asked for one by one. */
const askedForSingly = 20;

/** What a look at the gateway came to. */
export type Look =
  /** `recorded` is what the record must be now, `updates` what of it has changed, `listed` how many APIs there are. */
  | {
      readonly kind: 'observed';
      readonly recorded: RecordedState;
      readonly updates: readonly RecordedPublication[];
      readonly notes: readonly Note[];
      readonly listed: number;
    }
  /** The gateway could not be asked, or its answer is not believed. */
  | { readonly kind: 'blind'; readonly reason: string };

export interface LookDeps {
  readonly gateway: GatewayReader;
  readonly record: RecordReader;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal: AbortSignal;
}

/**
 * Asks the gateway what is really published, in as few reads as there are pages, and returns the record as it must be then.
 * Writes nothing. What edict has changed itself since shortly before the look is left as it is: a list may lag.
 */
export async function look(desired: DesiredState, { gateway, record, clock, signal }: LookDeps): Promise<Look> {
  const beganAtMs = clock.now();
  const read = await gateway.apis(signal);
  if (read.kind !== 'read') return { kind: 'blind', reason: `${read.failure.code} ${read.failure.message}` };
  const recorded = await record.readAll(desired.gateway);
  const disbelief = await doubt(read.value, desired, recorded, { gateway, record, clock, signal });
  if (disbelief !== null) return { kind: 'blind', reason: disbelief };
  const isSettled = ({ recordedAtMs }: RecordedPublication): boolean => recordedAtMs <= beganAtMs - desired.gateway.lagMs;
  const settled = new Map([...recorded].filter(([, publication]) => isSettled(publication) || publication.unresolved));
  const observable = {
    ...desired,
    publications: new Map([...desired.publications].filter(([key]) => settled.has(key) || !recorded.has(key))),
  };
  const { updates, notes } = observe(observable, settled, read.value, clock.now());
  const result = new Map(recorded);
  for (const next of updates) result.set(next.key, next);
  return { kind: 'observed', recorded: result, updates, notes, listed: read.value.size };
}

/** Returns why the list is not to be believed, or `null`. What it leaves out and a closer look still finds speaks against all of it. */
async function doubt(observation: Observation, desired: DesiredState, recorded: RecordedState, deps: LookDeps): Promise<string | null> {
  const ours = new Set([...desired.publications.values(), ...recorded.values()].map(({ apiId }) => apiId));
  const omitted = [...ours].filter((apiId) => !observation.has(apiId)).sort();
  for (const apiId of omitted.slice(0, askedForSingly)) {
    const read = await deps.gateway.api(apiId, deps.signal);
    if (read.kind !== 'read') return `${read.failure.code} ${read.failure.message}`;
    if (read.value !== null) return `the list leaves out API ${apiId}, which is there when it is asked for by itself`;
  }
  const before = await deps.record.listedApis(desired.gateway);
  const isShort = before !== null && observation.size < before * (1 - believedLoss);
  if (!isShort || omitted.length <= askedForSingly) return null;
  return `the list holds ${observation.size} APIs and held ${before} the last time`;
}
