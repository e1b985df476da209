import { hasAnyMarker, hasMarker } from '../model/attempt.ts';
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
  /** The list cannot tell. `reason` completes "unknown, because". */
  | { readonly kind: 'unknown'; readonly reason: string };

/** The largest difference of the gateway's clock to this machine's: the service rejects signatures beyond it. */
const maxClockSkewMs = 15 * 60_000;

/**
 * Resolves the attempt of unknown outcome of `recorded` from `versions`, the publication's versions at the gateway. An `online` took
 * effect if a version carries its marker, a switch if the requested version is effective, an `offline` if no version is
 * effective. A new version without any marker may be the attempt's, because a gateway or a proxy can drop or cut remarks.
 */
export function resolveAttempt(
  recorded: RecordedPublication,
  { action, marker, revision, version, startedAtMs }: UnknownAttempt,
  { versions, atMs }: { readonly versions: readonly ListedVersion[]; readonly atMs: number },
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
    changedAtMs: atMs,
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
  if (marker === null) return { kind: 'unknown', reason: 'its remark carried no marker' };
  const markedVersion = versions.find((version) => hasMarker(version.remark, marker));
  if (markedVersion) return { kind: 'applied', versionId: markedVersion.versionId, nextRecorded: { ...observed, revision } };
  // The clock was set back after the attempt began, so no time in the list tells which versions are older.
  const isClockSetBack = atMs < startedAtMs;
  const oldestMs = isClockSetBack ? Number.NEGATIVE_INFINITY : startedAtMs - maxClockSkewMs;
  const mayBeIts = ({ versionId, remark, publishedAtMs }: ListedVersion): boolean =>
    !hasAnyMarker(remark) && versionId !== recorded.versionId && (publishedAtMs ?? startedAtMs) >= oldestMs;
  const unmarkedVersion = versions.find(mayBeIts);
  return unmarkedVersion
    ? { kind: 'unknown', reason: `version ${unmarkedVersion.versionId} appeared without a marker and may be its version` }
    : { kind: 'notApplied', nextRecorded: unchanged };
}
