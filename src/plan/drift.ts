import type { DesiredPublication, DesiredState } from '../model/desired-state.ts';
import type { DriftNotice, EarlierPublication, Observation, ObservedApi, ObservedPublication } from '../model/observation.ts';
import { type PublicationKey, type PublicationNames, pickNames } from '../model/publication.ts';
import { type Drift, nothingRecorded, type RecordedPublication, type RecordedState } from '../model/recorded-state.ts';
import { editToleranceMs, isOutOfSync, isVersionUnknown } from './diff.ts';

/** The recorded state after an observation. */
export interface ObservationResult {
  readonly recorded: RecordedState;
  /** The publications whose recorded state changed and must be saved. */
  readonly updates: readonly RecordedPublication[];
  readonly notices: readonly DriftNotice[];
}

/** Drift that returns within this time after its correction is the same drift. */
const sameDriftWindowMs = 3_600_000;
/** This many corrections of the same drift count as flapping. */
const flappingThreshold = 3;
const initialBackoffMs = 60_000;
const maxBackoffMs = 3_600_000;

/** An observation, and the states that it is compared with. */
export interface ObservationInput {
  readonly desired: DesiredState;
  readonly recorded: RecordedState;
  readonly observation: Observation;
  /** Whether the gateway was never observed before. */
  readonly isFirst: boolean;
  /** Returns whether the last applied file declares a publication; default: it does not. */
  readonly isApplied?: (key: PublicationKey) => boolean;
  /** The pinned versions of publications whose effective version the last observation could not read; default: it could. */
  readonly unreadBefore?: ReadonlyMap<PublicationKey, string>;
}

/**
 * Returns the recorded state after `observation`: the observed state overrides the result of edict's last call. A pure
 * function. An attempt with unknown outcome is left for resolution; a publication that is neither declared nor recorded is
 * ignored.
 */
export function applyObservation(
  { desired, recorded, observation, isFirst, isApplied = () => false, unreadBefore = new Map() }: ObservationInput,
  nowMs: number,
): ObservationResult {
  const result = new Map(recorded);
  const updates: RecordedPublication[] = [];
  const notices: DriftNotice[] = [];
  for (const key of new Set([...desired.publications.keys(), ...recorded.keys()])) {
    const declared = desired.publications.get(key);
    const previous = recorded.get(key);
    const publication = declared ?? previous;
    const api = publication && observation.get(publication.apiId);
    if (!publication || !api || previous?.unknownAttempt) continue;
    const published = api.publications.get(publication.environmentId);
    const wasUnread = declared?.version != null && previous?.versionId === null && unreadBefore.get(key) === declared.version;
    const states = { declared, previous, publication, nowMs, isFirst, isApplied: isApplied(key), wasUnread };
    const transition = published
      ? observeOnline(states, published)
      : observeOffline(states, api.earlier?.get(publication.environmentId) ?? null);
    if (!transition) continue;
    const next = updateDrift(states, {
      ...transition,
      next: { ...transition.next, editedAtMs: lastEditMs(api) ?? transition.next.editedAtMs },
    });
    if (transition.isExternal) notices.push(toNotice(next, declared, previous));
    if (previous && isSame(next, previous)) continue;
    result.set(key, next);
    updates.push(next);
  }
  return { recorded: result, updates, notices };
}

/**
 * Returns when the draft was last edited; `null` if unknown, or if the edit may have been a publication. Otherwise, on a
 * gateway that counts a publication as an edit, two environments would make each other publish again forever.
 */
function lastEditMs({ editedAtMs, publications }: ObservedApi): number | null {
  const isPublicationEdit = ({ publishedAtMs }: ObservedPublication): boolean =>
    editedAtMs !== null && publishedAtMs !== null && editedAtMs >= publishedAtMs && editedAtMs <= publishedAtMs + editToleranceMs;
  return [...publications.values()].some(isPublicationEdit) ? null : editedAtMs;
}

/** One publication before the observation: in the file, in the record, and its names from either. */
interface KnownStates {
  readonly declared: DesiredPublication | undefined;
  readonly previous: RecordedPublication | undefined;
  readonly publication: Keyed;
  readonly nowMs: number;
  /** Whether the gateway was never observed before. */
  readonly isFirst: boolean;
  /** Whether the last applied file declares it. */
  readonly isApplied: boolean;
  /** Whether it is pinned to the same version as at the last observation, which could not read the effective one. */
  readonly wasUnread: boolean;
}

/** The recorded state after the observation, without its drift, and whether the publication was changed outside edict. */
interface Transition {
  readonly next: RecordedPublication;
  readonly isExternal: boolean;
}

type Keyed = PublicationNames & { readonly key: PublicationKey };

function namesOf(publication: Keyed): Keyed {
  return { key: publication.key, ...pickNames(publication) };
}

/** Returns whether nobody knows whether a new publication was online before, because its versions could not be read. */
export function isUnread({ state, drift, unknownAttempt }: RecordedPublication): boolean {
  return state === null && drift?.from === 'unknown' && unknownAttempt === null;
}

/** A publication that is offline and not recorded needs no recorded state, unless it may have been online before the record was lost. */
function observeOffline(states: KnownStates, earlier: EarlierPublication | null): Transition | null {
  const { declared, previous, publication, nowMs } = states;
  if (earlier && declared?.state === 'online' && (previous?.state ?? null) === null) return foundOffline({ ...states, declared }, earlier);
  if (!previous) return null;
  if (previous.state !== 'online') return { next: { ...previous, ...namesOf(publication) }, isExternal: false };
  // When it was published stays known: it tells whether a correction would publish an edit.
  const offlineFields = { state: 'offline', versionId: null, publishId: null, recordedAtMs: nowMs } as const;
  return { next: { ...previous, ...namesOf(publication), ...offlineFields }, isExternal: true };
}

/** Records what may have been online before as drift since a time that nobody knows, and forgets that of what never was. */
function foundOffline(
  { declared, previous, publication, nowMs }: KnownStates & { readonly declared: DesiredPublication },
  earlier: EarlierPublication,
): Transition | null {
  const names = namesOf(publication);
  if (earlier.kind === 'never') return previous ? { next: { ...previous, ...names, drift: null }, isExternal: false } : null;
  if (earlier.kind === 'unread' && previous) return { next: { ...previous, ...names }, isExternal: false };
  const state = earlier.kind === 'published' ? ('offline' as const) : null;
  const next = {
    ...(previous ?? nothingRecorded),
    ...{ ...names, state, versionId: null, publishId: null, revision: adoptedRevision(declared, undefined), recordedAtMs: nowMs },
    publishedAtMs: earlier.kind === 'published' ? earlier.publishedAtMs : null,
    drift: { from: 'unknown', fromSinceMs: null, detectedAtMs: nowMs, backoffUntilMs: null } as const,
  };
  return { next, isExternal: true };
}

function observeOnline(
  { declared, previous, publication, nowMs, wasUnread }: KnownStates,
  { publishId, publishedAtMs, versionId }: ObservedPublication,
): Transition | null {
  const names = namesOf(publication);
  if (
    previous?.state === 'online' &&
    !isKnownDifferent(previous.publishId, publishId) &&
    !isKnownDifferent(previous.versionId, versionId)
  ) {
    // Fields that the gateway does not report this time keep their last value.
    const observedFields = {
      publishId: publishId ?? previous.publishId,
      publishedAtMs: publishedAtMs ?? previous.publishedAtMs,
      versionId: versionId ?? previous.versionId,
    };
    // The file asked for this version already when nobody could see that another one is effective.
    const isSeenAtLast = wasUnread && isKnownDifferent(declared?.version ?? null, versionId);
    return { next: { ...previous, ...names, ...observedFields }, isExternal: isSeenAtLast };
  }
  if (previous?.state !== 'online' && !declared) return null;
  const revision = previous?.state === 'online' ? previous.revision : adoptedRevision(declared, previous);
  const observedFields = { state: 'online', publishId, publishedAtMs, versionId: versionId ?? null, recordedAtMs: nowMs } as const;
  return { next: { ...(previous ?? nothingRecorded), ...names, ...observedFields, revision }, isExternal: true };
}

/** Returns whether both are known and differ. */
function isKnownDifferent(one: string | null, other: string | null | undefined): boolean {
  return one !== null && other != null && one !== other;
}

/** A publication that was put online outside edict gets the file's revision, unless an older revision is recorded. */
function adoptedRevision(declared: DesiredPublication | undefined, previous: RecordedPublication | undefined): string | null {
  const lastRevision = previous?.revision ?? null;
  return lastRevision !== null || declared?.state !== 'online' || declared.version !== null ? lastRevision : declared.revision;
}

/** Returns `next` with its drift from the file set, updated or removed. */
function updateDrift(
  { declared, previous, nowMs, isFirst, isApplied, wasUnread }: KnownStates,
  { next, isExternal }: Transition,
): RecordedPublication {
  if (!declared && !isApplied) return next.state === 'online' ? next : { ...next, drift: null };
  if (!declared) return { ...next, drift: driftFromApplied(next, previous, nowMs) };
  if (!isOutOfSync(declared, next) || isVersionUnknown(declared, next)) return { ...next, drift: null };
  if (next.state !== 'online' && next.drift?.from === 'unknown') return next;
  if (isExternal && (wasUnread || !(previous && isOutOfSync(declared, previous)))) {
    const isAdopted = wasUnread && previous?.changedAtMs === null;
    const corrected = isSameDrift(next.lastCorrectedAtMs, nowMs) ? next : { ...next, correctionCount: 0, lastCorrectedAtMs: null };
    return {
      ...corrected,
      drift: {
        from: isFirst && !previous && declared.state === 'offline' ? 'unknown' : isAdopted ? null : (previous?.state ?? null),
        fromSinceMs: isAdopted || previous === undefined ? null : stateSinceMs(previous),
        detectedAtMs: nowMs,
        backoffUntilMs: backoffUntilMs(corrected, nowMs),
      },
    };
  }
  return next.drift ? { ...next, drift: { ...next.drift, backoffUntilMs: backoffUntilMs(next, nowMs) } } : next;
}

/**
 * Returns since when a publication is in its state; `null` if nobody knows. What was adopted without the gateway's time was published at some
 * time before it was recorded.
 */
function stateSinceMs({ state, publishedAtMs, recordedAtMs, changedAtMs }: RecordedPublication): number | null {
  if (state !== 'online') return recordedAtMs;
  return publishedAtMs ?? (changedAtMs === recordedAtMs ? recordedAtMs : null);
}

/**
 * Returns the drift of a publication that is missing in the newest file, although the last applied one declares it. The newest file may be half
 * written or held, and must not make drift be forgotten: the next one would seem to ask for the change.
 */
function driftFromApplied(next: RecordedPublication, previous: RecordedPublication | undefined, nowMs: number): Drift | null {
  const { drift } = next;
  if (previous === undefined || next.state === previous.state) return drift;
  if (drift !== null) return drift.from === next.state ? null : drift;
  return { from: previous.state, fromSinceMs: stateSinceMs(previous), detectedAtMs: nowMs, backoffUntilMs: null };
}

/**
 * Returns whether drift at `nowMs` is the same as the one corrected at `correctedAtMs`. Compares the absolute difference, because the clock
 * may have been set back since.
 */
export function isSameDrift(correctedAtMs: number | null, nowMs: number): boolean {
  return correctedAtMs !== null && Math.abs(nowMs - correctedAtMs) < sameDriftWindowMs;
}

function backoffUntilMs({ correctionCount, lastCorrectedAtMs }: RecordedPublication, nowMs: number): number | null {
  if (lastCorrectedAtMs === null || correctionCount < flappingThreshold || !isSameDrift(lastCorrectedAtMs, nowMs)) return null;
  const untilMs =
    Math.min(lastCorrectedAtMs, nowMs) + Math.min(maxBackoffMs, initialBackoffMs * 2 ** (correctionCount - flappingThreshold));
  return untilMs > nowMs ? untilMs : null;
}

function toNotice(
  next: RecordedPublication,
  declared: DesiredPublication | undefined,
  previous: RecordedPublication | undefined,
): DriftNotice {
  const currentState = next.state ?? 'offline';
  const notice = {
    ...namesOf(next),
    previousState: previous?.state ?? null,
    previousSinceMs: previous?.recordedAtMs ?? null,
    currentState,
    untilMs: null,
    replacementId: null,
  };
  const { drift } = next;
  if (drift !== null && drift.detectedAtMs === next.recordedAtMs) {
    if (drift.from === 'unknown')
      return { ...notice, kind: next.state === 'online' ? 'foundOnline' : next.state === 'offline' ? 'foundOffline' : 'unread' };
    return drift.backoffUntilMs === null ? { ...notice, kind: 'drift' } : { ...notice, kind: 'flapping', untilMs: drift.backoffUntilMs };
  }
  return {
    ...notice,
    kind: declared?.state === 'online' && currentState === 'online' && previous?.state !== 'online' ? 'adopted' : 'externalChange',
  };
}

function isSame(one: RecordedPublication, other: RecordedPublication): boolean {
  return comparableFields(one) === comparableFields(other);
}

/** Everything that an observation can change, in a fixed order. */
function comparableFields({ api, environment, state, revision, versionId, publishId, drift, ...more }: RecordedPublication): string {
  const { publishedAtMs, editedAtMs, recordedAtMs, correctionCount, lastCorrectedAtMs } = more;
  const drifted = drift && [drift.from, drift.fromSinceMs, drift.detectedAtMs, drift.backoffUntilMs];
  const times = [publishedAtMs, editedAtMs, recordedAtMs, correctionCount, lastCorrectedAtMs];
  return JSON.stringify([api, environment, state, revision, versionId, publishId, drifted, ...times]);
}
