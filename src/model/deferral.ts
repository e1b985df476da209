import type { PublicationKey, PublicationNames } from './publication.ts';

/** Why a change is made later, without an approval. `rule` is stable; `message` is the reason for people, without the end time. */
export interface Deferral {
  readonly rule: 'freeze' | 'suspended' | 'rollout' | 'removal';
  readonly message: string;
  /** When it ends, in milliseconds since 1970; `null` if it does not end at a known time. */
  readonly untilMs: number | null;
  /** The probe whose success ends it; omitted if none does. */
  readonly probe?: ProbeTarget;
}

/** A published API that is probed at its own URL before the rollout proceeds to the next environment. */
export interface ProbeTarget extends PublicationNames {
  readonly key: PublicationKey;
  readonly url: string;
  /** The expected HTTP status; `null`: any from 200 to 299. */
  readonly expectedStatus: number | null;
  readonly timeoutMs: number;
  /** When the recorded state last changed, in milliseconds since 1970. A result for an earlier state does not count. */
  readonly sinceMs: number;
}

/** The result of a probe. */
export interface ProbeResult extends Pick<ProbeTarget, 'key' | 'url' | 'sinceMs'> {
  readonly isExpected: boolean;
  /** The result for people: `answered 503, expected 200 to 299`. */
  readonly message: string;
}

/** The latest result of each probed publication. */
export type ProbeResults = ReadonlyMap<PublicationKey, ProbeResult>;
