import { hasMarker } from '../model/attempt.ts';
import type { ListedVersion } from '../model/observation.ts';
import type { RecordedPublication, UnknownAttempt } from '../model/recorded-state.ts';

/** The result of looking up an attempt with unknown outcome in the gateway's list of versions. */
export type AttemptResolution =
  /**
   * It took effect. `nextRecorded` is the new recorded state, `versionId` the version that it made effective; `null` for
   * `offline`.
   */
  | { readonly kind: 'applied'; readonly versionId: string | null; readonly nextRecorded: RecordedPublication }
  /** The list shows no effect: the attempt failed, or has not taken effect yet. */
  | { readonly kind: 'notApplied'; readonly nextRecorded: RecordedPublication }
  /** The list cannot tell, because the attempt carried no marker. */
  | { readonly kind: 'unknown' };

/**
 * Resolves the unresolved attempt of `recorded` from `versions`, the publication's versions at the gateway. An `online` took
 * effect if a version carries its marker, a switch if the requested version is effective, an `offline` if no version is
 * effective.
 */
export function resolveAttempt(
  recorded: RecordedPublication,
  { action, marker, revision, version }: UnknownAttempt,
  versions: readonly ListedVersion[],
  atMs: number,
): AttemptResolution {
  const effective = versions.find((version) => version.isEffective);
  const unchanged: RecordedPublication = { ...recorded, unknownAttempt: null };
  const observed: RecordedPublication = {
    ...unchanged,
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
      ? { kind: 'notApplied', nextRecorded: unchanged }
      : { kind: 'applied', versionId: null, nextRecorded: { ...observed, revision } };
  }
  if (version !== null) {
    const isSwitched = effective?.versionId === version;
    return isSwitched ? { kind: 'applied', versionId: version, nextRecorded: observed } : { kind: 'notApplied', nextRecorded: unchanged };
  }
  if (marker === null) return { kind: 'unknown' };
  const markedVersion = versions.find((version) => hasMarker(version.remark, marker));
  return markedVersion
    ? { kind: 'applied', versionId: markedVersion.versionId, nextRecorded: { ...observed, revision } }
    : { kind: 'notApplied', nextRecorded: unchanged };
}
