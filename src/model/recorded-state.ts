import type { Action, PublicationKey, PublicationNames, PublicationState } from './publication.ts';

/** An attempt that started and whose outcome is unknown. */
export interface UnknownAttempt {
  readonly attemptId: number;
  readonly action: Action;
  readonly revision: string | null;
  /** The existing version that it was to switch to; `null`: it was to publish a new one. */
  readonly version: string | null;
  /** The marker in its remark; `null` if there was none. */
  readonly marker: string | null;
  /** When it was recorded, before its request was sent. */
  readonly startedAtMs: number;
  /** Its request was or is not sent later than this. */
  readonly sendByMs: number;
  /** When its process was found to have ended, or recorded that there was no response; `null` before either. */
  readonly endedAtMs: number | null;
}

/** The recorded state of a publication at an earlier time. */
export interface PriorState {
  /** `null`: nothing was recorded. */
  readonly state: PublicationState | null;
  readonly revision: string | null;
  /** The effective version; `null` if there was none or it was unknown. */
  readonly versionId: string | null;
}

/** The recorded state of one publication. Times are milliseconds since 1970. */
export interface RecordedPublication extends PublicationNames {
  readonly key: PublicationKey;
  /** The state that the last successful call left; `null` while no call has succeeded. */
  readonly state: PublicationState | null;
  readonly revision: string | null;
  readonly versionId: string | null;
  /** Changes with every publish and switch; `null` if unknown. */
  readonly publishId: string | null;
  /** When it was published and when its draft was last edited, as the gateway reports; `null` if it was not observed. */
  readonly publishedAtMs: number | null;
  readonly editedAtMs: number | null;
  readonly recordedAtMs: number;
  readonly unknownAttempt: UnknownAttempt | null;
  /** Set if it was changed outside edict and differs from the file; `null` otherwise. */
  readonly drift: Drift | null;
  /** How often drift was corrected since the last quiet period, and when last. */
  readonly correctionCount: number;
  readonly lastCorrectedAtMs: number | null;
  /** When edict's last call that took effect ended; `null` if there was none. The gateway's lists may not show it for a while. */
  readonly changedAtMs: number | null;
  /** Whether an applied file declared it that does not any more, so that `prune` may take it offline. */
  readonly wasDeclared: boolean;
}

/** A change made outside edict that differs from the file. */
export interface Drift {
  /**
   * The recorded state before the drift; `null` if nothing was recorded. `unknown`: nothing was recorded, and the gateway was never observed
   * before, so that nobody knows whether it was published before the file declared it offline.
   */
  readonly from: PublicationState | 'unknown' | null;
  /**
   * Since when it was in that state: when the gateway published it, if that is known, else when it was recorded; `null` if nobody knows.
   */
  readonly fromSinceMs: number | null;
  readonly detectedAtMs: number;
  /** Until when the drift is not corrected, because it is flapping; `null` if it is not. */
  readonly backoffUntilMs: number | null;
}

/** The recorded state of a publication of which nothing is recorded, without its names and the time. */
export const nothingRecorded = {
  state: null,
  revision: null,
  versionId: null,
  publishId: null,
  publishedAtMs: null,
  editedAtMs: null,
  drift: null,
  correctionCount: 0,
  lastCorrectedAtMs: null,
  changedAtMs: null,
  unknownAttempt: null,
  wasDeclared: false,
} as const;

export type RecordedState = ReadonlyMap<PublicationKey, RecordedPublication>;

/** Returns the state before the drift that is known; `null` if none is, or there is no drift. */
export function knownStateBefore(drift: Drift | null): PublicationState | null {
  return drift === null || drift.from === 'unknown' ? null : drift.from;
}
