import type { DriftNotice, Observation, ObservedApi, ObservedPublication } from '../model/observation.ts';
import type {
  DesiredPublication,
  DesiredState,
  PublicationKey,
  PublicationNames,
  RecordedPublication,
  RecordedState,
} from '../model/publication.ts';
import { editToleranceMs, isOutOfSync } from './diff.ts';

/** The record after a look at the gateway. */
export interface ObservationResult {
  readonly recorded: RecordedState;
  /** What of it has changed and is to be written. */
  readonly updates: readonly RecordedPublication[];
  readonly notices: readonly DriftNotice[];
}

/** A drift that comes back within this time after its correction is the same one. */
const sameDriftWindowMs = 3_600_000;
/** So many corrections of the same drift are a fight with somebody else. */
const flappingThreshold = 3;
const initialBackoffMs = 60_000;
const maxBackoffMs = 3_600_000;

/**
 * Returns the record as it must be after `observation`: what the gateway shows goes before what edict last did. A pure
 * function. An attempt without a known outcome is left to be resolved; what is neither wanted nor recorded is not edict's.
 */
export function applyObservation(
  desired: DesiredState,
  recorded: RecordedState,
  observation: Observation,
  nowMs: number,
): ObservationResult {
  const result = new Map(recorded);
  const updates: RecordedPublication[] = [];
  const notices: DriftNotice[] = [];
  for (const key of new Set([...desired.publications.keys(), ...recorded.keys()])) {
    const wanted = desired.publications.get(key);
    const was = recorded.get(key);
    const of = wanted ?? was;
    const api = of && observation.get(of.apiId);
    if (!of || !api || was?.unknownAttempt) continue;
    const published = api.publications.get(of.environmentId);
    const moved = published ? observeOnline(wanted, was, of, published, nowMs) : observeOffline(was, of, nowMs);
    if (!moved) continue;
    const next = updateDrift({ ...moved.next, editedAtMs: lastEditMs(api) ?? moved.next.editedAtMs }, wanted, was, moved.isExternal, nowMs);
    if (moved.isExternal) notices.push(toNotice(next, wanted, was));
    if (was && isSame(next, was)) continue;
    result.set(key, next);
    updates.push(next);
  }
  return { recorded: result, updates, notices };
}

/**
 * Returns when the draft was last edited; `null` if that is not known, or if a publication may have been all that there was.
 * Otherwise a gateway that notes a publication as an edit would have two environments publish each other again for ever.
 */
function lastEditMs({ editedAtMs, publications }: ObservedApi): number | null {
  const isPublication = ({ publishedAtMs }: ObservedPublication): boolean =>
    editedAtMs !== null && publishedAtMs !== null && editedAtMs >= publishedAtMs && editedAtMs <= publishedAtMs + editToleranceMs;
  return [...publications.values()].some(isPublication) ? null : editedAtMs;
}

/** The record after the look, apart from drift, and whether somebody else has moved the publication. */
interface Transition {
  readonly next: RecordedPublication;
  readonly isExternal: boolean;
}

type Keyed = PublicationNames & { readonly key: PublicationKey };

function namesOf({ key, api, apiId, environment, environmentId }: Keyed): Keyed {
  return { key, api, apiId, environment, environmentId };
}

/** What is published nowhere and not recorded either needs no record. */
function observeOffline(was: RecordedPublication | undefined, of: Keyed, nowMs: number): Transition | null {
  if (!was) return null;
  if (was.state !== 'online') return { next: { ...was, ...namesOf(of) }, isExternal: false };
  const gone = { state: 'offline', versionId: null, publishId: null, publishedAtMs: null, recordedAtMs: nowMs } as const;
  return { next: { ...was, ...namesOf(of), ...gone }, isExternal: true };
}

function observeOnline(
  wanted: DesiredPublication | undefined,
  was: RecordedPublication | undefined,
  of: Keyed,
  { publishId, publishedAtMs, versionId }: ObservedPublication,
  nowMs: number,
): Transition | null {
  const names = namesOf(of);
  if (was?.state === 'online' && !isKnownDifferent(was.publishId, publishId) && !isKnownDifferent(was.versionId, versionId)) {
    // What the gateway does not say this time is as it said before.
    const seen = {
      publishId: publishId ?? was.publishId,
      publishedAtMs: publishedAtMs ?? was.publishedAtMs,
      versionId: versionId ?? was.versionId,
    };
    return { next: { ...was, ...names, ...seen }, isExternal: false };
  }
  if (was?.state !== 'online' && !wanted) return null;
  const revision = was?.state === 'online' ? was.revision : adoptedRevision(wanted, was);
  const seen = { state: 'online', publishId, publishedAtMs, versionId: versionId ?? null, recordedAtMs: nowMs } as const;
  const before = was ?? { editedAtMs: null, unknownAttempt: null, drift: null, correctionCount: 0, lastCorrectedAtMs: null };
  return { next: { ...before, ...names, ...seen, revision }, isExternal: true };
}

/** Returns whether both are known and differ. */
function isKnownDifferent(one: string | null, other: string | null | undefined): boolean {
  return one !== null && other != null && one !== other;
}

/** What is online without edict has the file's revision, unless the record knows that an older one was the last. */
function adoptedRevision(wanted: DesiredPublication | undefined, was: RecordedPublication | undefined): string | null {
  const last = was?.revision ?? null;
  return last !== null || wanted?.state !== 'online' || wanted.version !== null ? last : wanted.revision;
}

/** Returns `next` with what there is to say of a drift from the file. */
function updateDrift(
  next: RecordedPublication,
  wanted: DesiredPublication | undefined,
  was: RecordedPublication | undefined,
  isOutside: boolean,
  nowMs: number,
): RecordedPublication {
  if (!wanted) return next.state === 'online' ? next : { ...next, drift: null };
  if (!isOutOfSync(wanted, next)) return { ...next, drift: null };
  if (isOutside && !(was && isOutOfSync(wanted, was))) {
    const again = isSameDrift(next.lastCorrectedAtMs, nowMs) ? next : { ...next, correctionCount: 0, lastCorrectedAtMs: null };
    return {
      ...again,
      drift: {
        from: was?.state ?? null,
        fromSinceMs: was?.recordedAtMs ?? null,
        detectedAtMs: nowMs,
        backoffUntilMs: backoffUntilMs(again, nowMs),
      },
    };
  }
  return next.drift ? { ...next, drift: { ...next.drift, backoffUntilMs: backoffUntilMs(next, nowMs) } } : next;
}

/** Near on either side: a clock may have been set back since. */
function isSameDrift(correctedAtMs: number | null, nowMs: number): boolean {
  return correctedAtMs !== null && Math.abs(nowMs - correctedAtMs) < sameDriftWindowMs;
}

function backoffUntilMs({ correctionCount, lastCorrectedAtMs }: RecordedPublication, nowMs: number): number | null {
  if (lastCorrectedAtMs === null || correctionCount < flappingThreshold || !isSameDrift(lastCorrectedAtMs, nowMs)) return null;
  const untilMs =
    Math.min(lastCorrectedAtMs, nowMs) + Math.min(maxBackoffMs, initialBackoffMs * 2 ** (correctionCount - flappingThreshold));
  return untilMs > nowMs ? untilMs : null;
}

function toNotice(next: RecordedPublication, wanted: DesiredPublication | undefined, was: RecordedPublication | undefined): DriftNotice {
  const currentState = next.state ?? 'offline';
  const note = {
    ...namesOf(next),
    previousState: was?.state ?? null,
    previousSinceMs: was?.recordedAtMs ?? null,
    currentState,
    untilMs: null,
    replacementId: null,
  };
  const { drift } = next;
  if (drift !== null && drift.detectedAtMs === next.recordedAtMs) {
    return drift.backoffUntilMs === null ? { ...note, kind: 'drift' } : { ...note, kind: 'fight', untilMs: drift.backoffUntilMs };
  }
  return { ...note, kind: wanted?.state === 'online' && currentState === 'online' && was?.state !== 'online' ? 'adopted' : 'outside' };
}

function isSame(one: RecordedPublication, other: RecordedPublication): boolean {
  return comparableFields(one) === comparableFields(other);
}

/** Everything that a look can change, in an order of its own. */
function comparableFields({ api, environment, state, revision, versionId, publishId, drift, ...more }: RecordedPublication): string {
  const { publishedAtMs, editedAtMs, recordedAtMs, correctionCount, lastCorrectedAtMs } = more;
  const drifted = drift && [drift.from, drift.fromSinceMs, drift.detectedAtMs, drift.backoffUntilMs];
  const times = [publishedAtMs, editedAtMs, recordedAtMs, correctionCount, lastCorrectedAtMs];
  return JSON.stringify([api, environment, state, revision, versionId, publishId, drifted, ...times]);
}
