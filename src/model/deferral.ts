import type { PublicationKey, PublicationNames } from './publication.ts';

/** Why a change is made later, without anybody's agreement. `rule` is stable; `message` says it to a person, without the time of its end. */
export interface Deferral {
  readonly rule: 'freeze' | 'suspended' | 'order';
  readonly message: string;
  /** When it ends, in milliseconds since 1970; `null` if another thing than the clock ends it. */
  readonly untilMs: number | null;
  /** What is to be asked so that it may end; left out if nothing is. */
  readonly probe?: ProbeTarget;
}

/** One publication that is asked at its own address before the next environment has its turn. */
export interface ProbeTarget extends PublicationNames {
  readonly key: PublicationKey;
  readonly url: string;
  /** The status that is expected; `null`: any from 200 to 299. */
  readonly expectedStatus: number | null;
  readonly timeoutMs: number;
  /** Since when the publication is recorded as it is, in milliseconds since 1970: an answer says nothing of a later state. */
  readonly sinceMs: number;
}

/** What came of a probe. */
export interface ProbeResult extends Pick<ProbeTarget, 'key' | 'url' | 'sinceMs'> {
  readonly isExpected: boolean;
  /** What happened, for a person: `answered 503, expected 200 to 299`. */
  readonly message: string;
}

/** The last answer of each publication that was probed. */
export type ProbeResults = ReadonlyMap<PublicationKey, ProbeResult>;
