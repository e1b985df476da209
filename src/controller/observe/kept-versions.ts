import type { ListedVersion } from '../../model/observation.ts';
import type { Clock, GatewayReader, ReadFailure, ReadResult } from '../../model/ports.ts';
import type { GatewaySettings, PublicationKey, RecordedState } from '../../model/publication.ts';
import { matchesRecorded, type Restoration, type VersionsByPublication } from '../../plan/undo.ts';
import { retryRead } from '../retry.ts';

export interface KeptVersionsDeps {
  readonly gateway: Pick<GatewayReader, 'listVersions'>;
  readonly settings: Pick<GatewaySettings, 'propagationDelayMs' | 'limit'>;
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
export async function readKeptVersions(
  restored: readonly Restoration[],
  recorded: RecordedState,
  deps: KeptVersionsDeps,
): Promise<{ readonly kind: 'read'; readonly value: VersionsByPublication } | ReadFailure> {
  const kept = new Map<PublicationKey, readonly ListedVersion[] | string>();
  let failure: ReadFailure | null = null;
  const left = restored.values();
  const reader = async (): Promise<void> => {
    for (const one of left) {
      if (failure) return;
      const read = await readPublicationVersions(one, recorded, deps);
      if (read.kind === 'read') kept.set(one.key, read.value);
      else if (read.kind === 'stalled') kept.set(one.key, `${read.failure.code} ${read.failure.message}`);
      else failure = read;
    }
  };
  await Promise.all(Array.from({ length: deps.settings.limit.concurrency }, reader));
  return failure ?? { kind: 'read', value: kept };
}

async function readPublicationVersions(
  one: Restoration,
  recorded: RecordedState,
  deps: KeptVersionsDeps,
): Promise<ReadResult<readonly ListedVersion[]>> {
  const { gateway, settings, clock, signal } = deps;
  const once = () => retryRead(() => gateway.listVersions(one, signal), deps);
  const read = await once();
  const was = recorded.get(one.key);
  const ageMs = clock.now() - (was?.recordedAtMs ?? 0);
  const isYoung = ageMs < settings.propagationDelayMs;
  if (read.kind !== 'read' || !isYoung || matchesRecorded(was, read.value)) return read;
  await clock.sleep(Math.min(settings.propagationDelayMs, settings.propagationDelayMs - ageMs), signal);
  return once();
}
