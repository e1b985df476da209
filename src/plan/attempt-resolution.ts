import { hasMarker } from '../model/attempt-marker.ts';
import type { ListedVersion } from '../model/observation.ts';
import type { RecordedPublication, UnknownAttempt } from '../model/publication.ts';

/** What the gateway's list says of an attempt whose outcome nobody knew. */
export type AttemptResolution =
  /** It happened. `next` is what the record must say now, `versionId` the version that it made; `null` for `offline`. */
  | { readonly kind: 'happened'; readonly versionId: string | null; readonly nextRecorded: RecordedPublication }
  /** Nothing of it is there: it did not happen, or not yet. */
  | { readonly kind: 'absent'; readonly nextRecorded: RecordedPublication }
  /** The list cannot tell, since the attempt carried no marker. */
  | { readonly kind: 'untold' };

/**
 * Returns what `versions`, those of the publication `recorded` at the gateway, say of its unresolved attempt. An `online`
 * has happened if its marker is there; one that switches if the version it asked for is effective; an `offline` if none is.
 */
export function resolveAttempt(
  recorded: RecordedPublication,
  { action, marker, revision, version }: UnknownAttempt,
  versions: readonly ListedVersion[],
  atMs: number,
): AttemptResolution {
  const effective = versions.find((version) => version.isEffective);
  const asBefore: RecordedPublication = { ...recorded, unknownAttempt: null };
  const asSeen: RecordedPublication = {
    ...asBefore,
    state: effective ? 'online' : 'offline',
    versionId: effective?.versionId ?? null,
    publishId: null,
    publishedAtMs: null,
    recordedAtMs: atMs,
    drift: null,
    ...(recorded.drift && { correctionCount: recorded.correctionCount + 1, lastCorrectedAtMs: atMs }),
  };
  if (action === 'offline') {
    return effective
      ? { kind: 'absent', nextRecorded: asBefore }
      : { kind: 'happened', versionId: null, nextRecorded: { ...asSeen, revision } };
  }
  if (version !== null) {
    const isSwitched = effective?.versionId === version;
    return isSwitched ? { kind: 'happened', versionId: version, nextRecorded: asSeen } : { kind: 'absent', nextRecorded: asBefore };
  }
  if (marker === null) return { kind: 'untold' };
  const made = versions.find((version) => hasMarker(version.remark, marker));
  return made
    ? { kind: 'happened', versionId: made.versionId, nextRecorded: { ...asSeen, revision } }
    : { kind: 'absent', nextRecorded: asBefore };
}
