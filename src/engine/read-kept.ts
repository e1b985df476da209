import type { Clock, GatewayReader, Read, ReadFailure } from '../core/ports.ts';
import type { GatewaySettings, PublicationKey, RecordedState } from '../core/publication.ts';
import type { ListedVersion } from '../core/resolve.ts';
import { isAsRecorded, type KeptVersions, type Restoration } from '../core/undo.ts';
import { patiently } from './patient-read.ts';

export interface ReadKeptDeps {
  readonly gateway: Pick<GatewayReader, 'versions'>;
  readonly settings: Pick<GatewaySettings, 'lagMs' | 'limit'>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  /** Returns a number from 0 to 1. */
  readonly random: () => number;
  /** Ends the reading. */
  readonly signal: AbortSignal;
}

/**
 * Returns the versions that the gateway keeps of the publications that are to be restored, as many reads at a time as the file allows. What was changed so
 * lately that the list may not show it yet is read again when it must. What the gateway does not tell of one publication says
 * why; a failure that is none of a single publication's is the answer for all.
 */
export async function readKept(
  restored: readonly Restoration[],
  recorded: RecordedState,
  deps: ReadKeptDeps,
): Promise<{ readonly kind: 'read'; readonly value: KeptVersions } | ReadFailure> {
  const kept = new Map<PublicationKey, readonly ListedVersion[] | string>();
  let failure: ReadFailure | null = null;
  const left = restored.values();
  const reader = async (): Promise<void> => {
    for (const one of left) {
      if (failure) return;
      const read = await readOne(one, recorded, deps);
      if (read.kind === 'read') kept.set(one.key, read.value);
      else if (read.kind === 'stalled') kept.set(one.key, `${read.failure.code} ${read.failure.message}`);
      else failure = read;
    }
  };
  await Promise.all(Array.from({ length: deps.settings.limit.concurrency }, reader));
  return failure ?? { kind: 'read', value: kept };
}

async function readOne(one: Restoration, recorded: RecordedState, deps: ReadKeptDeps): Promise<Read<readonly ListedVersion[]>> {
  const { gateway, settings, clock, signal } = deps;
  const once = () => patiently(() => gateway.versions(one, signal), deps);
  const read = await once();
  const was = recorded.get(one.key);
  const ageMs = clock.now() - (was?.recordedAtMs ?? 0);
  const isYoung = ageMs < settings.lagMs;
  if (read.kind !== 'read' || !isYoung || isAsRecorded(was, read.value)) return read;
  await clock.sleep(Math.min(settings.lagMs, settings.lagMs - ageMs), signal);
  return once();
}
