import type { GatewayReader } from '../../gateway/interface.ts';
import type { Clock } from '../../model/clock.ts';
import type { GatewaySettings } from '../../model/gateway.ts';
import type { ListedVersion } from '../../model/observation.ts';
import type { ReadFailure, ReadResult } from '../../model/outcome.ts';
import type { PublicationKey } from '../../model/publication.ts';
import type { RecordedState } from '../../model/recorded-state.ts';
import { matchesRecorded, type Restoration, type VersionsByPublication } from '../../plan/undo.ts';
import { retryRead } from '../retry.ts';

export interface KeptVersionsDeps {
  readonly gateway: Pick<GatewayReader, 'listVersions'>;
  readonly settings: Pick<GatewaySettings, 'propagationDelayMs' | 'limit'>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  /** Returns a number from 0 to 1. */
  readonly random: () => number;
  /** Aborts the reads. */
  readonly signal: AbortSignal;
}

/**
 * Reads the versions that the gateway keeps for the publications to restore, with the file's concurrency. If a publication was
 * changed within the propagation delay and its list does not show the change, the list is read again after the delay. A failure
 * that concerns one publication is returned as its reason; any other failure is returned for all.
 */
export async function readKeptVersions(
  restored: readonly Restoration[],
  recorded: RecordedState,
  deps: KeptVersionsDeps,
): Promise<{ readonly kind: 'read'; readonly value: VersionsByPublication } | ReadFailure> {
  const kept = new Map<PublicationKey, readonly ListedVersion[] | string>();
  let failure: ReadFailure | null = null;
  const remaining = restored.values();
  const reader = async (): Promise<void> => {
    for (const restoration of remaining) {
      if (failure) return;
      const read = await readPublicationVersions(restoration, recorded, deps);
      if (read.kind === 'read') kept.set(restoration.key, read.value);
      else if (read.kind === 'rejected') kept.set(restoration.key, `${read.failure.code} ${read.failure.message}`);
      else failure = read;
    }
  };
  await Promise.all(Array.from({ length: deps.settings.limit.concurrency }, reader));
  return failure ?? { kind: 'read', value: kept };
}

async function readPublicationVersions(
  restoration: Restoration,
  recorded: RecordedState,
  deps: KeptVersionsDeps,
): Promise<ReadResult<readonly ListedVersion[]>> {
  const { gateway, settings, clock, signal } = deps;
  const readOnce = () => retryRead(() => gateway.listVersions(restoration, signal), deps);
  const read = await readOnce();
  const recordedPublication = recorded.get(restoration.key);
  const ageMs = clock.now() - (recordedPublication?.recordedAtMs ?? 0);
  const isRecent = ageMs < settings.propagationDelayMs;
  if (read.kind !== 'read' || !isRecent || matchesRecorded(recordedPublication, read.value)) return read;
  await clock.sleep(Math.min(settings.propagationDelayMs, settings.propagationDelayMs - ageMs), signal);
  return readOnce();
}
