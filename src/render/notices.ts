import type { Plan } from '../model/change.ts';
import type { DriftNotice } from '../model/observation.ts';
import type { PublicationNames } from '../model/publication.ts';
import type { RecordedPublication } from '../model/recorded-state.ts';
import { isActionable } from '../plan/diff.ts';
import { formatDrift, formatTimestamp, pluralize } from './format.ts';

/** Information about a publication that is not part of any change in the plan. */
export interface Notice extends PublicationNames {
  readonly kind: Exclude<DriftNotice['kind'], 'foundOnline' | 'foundOffline'> | 'outdated';
  readonly message: string;
}

/**
 * Returns notices for observations at the gateway and for publications that the plan leaves in place, in the order of the
 * plan's lists.
 */
export function listNotices(
  { changes, drifted, outdated, missingApiIds, replacedApiIds = {} }: Plan,
  notices: readonly DriftNotice[],
): Notice[] {
  const deletedKeys = new Set(notices.filter(({ kind }) => kind === 'apiDeleted').map(({ key }) => key));
  const changedKeys = new Set(changes.map(({ key }) => key));
  const plannedKeys = new Set([...changes, ...drifted].map(({ key }) => key));
  const madeKeys = new Set(notices.some(({ kind }) => kind === 'unread') ? changes.filter(isActionable).map(({ key }) => key) : []);
  const outdatedKeys = new Set(outdated.map(({ key }) => key));
  const isShown = (notice: DriftNotice): notice is ObservedNotice =>
    (notice.kind === 'apiDeleted' && !changedKeys.has(notice.key)) ||
    (notice.kind === 'unread' && madeKeys.has(notice.key)) ||
    (notice.kind === 'adopted' && !plannedKeys.has(notice.key)) ||
    (notice.kind === 'externalChange' && !plannedKeys.has(notice.key) && !outdatedKeys.has(notice.key));
  return [
    ...notices.filter(isShown).map(noticeForObservation),
    ...drifted
      .filter(({ key }) => !deletedKeys.has(key))
      .map((recorded) => noticeForDrift(recorded, missingApiIds.includes(recorded.apiId), replacedApiIds[recorded.apiId])),
    ...outdated.map(noticeForOutdated),
  ];
}

/** Returns the notices that are listed, and one sentence for each kind that is only counted. */
export function foldNotices(notices: readonly Notice[]): { readonly listed: readonly Notice[]; readonly sentences: readonly string[] } {
  const count = (kind: Notice['kind']): number => notices.filter((notice) => notice.kind === kind).length;
  const sentences = [formatAdopted(count('adopted')), formatUnread(count('unread'))].filter((sentence) => sentence !== null);
  return { listed: notices.filter(({ kind }) => kind !== 'adopted' && kind !== 'unread'), sentences };
}

/** Returns one sentence for `count` new publications that nobody has looked up; `null` if there are none. */
function formatUnread(count: number): string | null {
  if (count === 0) return null;
  const [are, they, were] = count === 1 ? ['is', 'it', 'was'] : ['are', 'they', 'were'];
  return `${pluralize(count, 'new publication')} ${are} looked up before ${they} ${are} published, and held if ${they} ${were} online before.`;
}

/** Returns one sentence for `count` adopted publications; `null` if there are none. */
export function formatAdopted(count: number): string | null {
  if (count === 0) return null;
  const assumed = count === 1 ? 'it is taken to have its declared revision' : 'they are taken to have their declared revisions';
  return `${pluralize(count, 'publication')} adopted from the gateway without a call; ${assumed}.`;
}

/** An observation that a plan shows although no change mentions it. */
type ObservedNotice = DriftNotice & { readonly kind: 'adopted' | 'unread' | 'externalChange' | 'apiDeleted' };

function noticeForObservation(notice: ObservedNotice): Notice {
  const { api, apiId, environment, environmentId, kind, previousState, currentState, replacementId } = notice;
  if (kind === 'apiDeleted') {
    const message = formatMissingApi({ api, apiId, replacementId }, previousState);
    return { api, apiId, environment, environmentId, kind, message };
  }
  if (kind === 'unread') {
    const message = 'looked up before it is published, and held if it was online before';
    return { api, apiId, environment, environmentId, kind, message };
  }
  const change = currentState === 'online' ? 'published or switched outside edict' : 'taken offline outside edict';
  const message = kind === 'adopted' ? 'already online at the gateway, adopted without a call' : change;
  return { api, apiId, environment, environmentId, kind, message };
}

/** An API that the gateway does not have. */
interface MissingApi {
  readonly api: string;
  readonly apiId: string;
  /** The ID of the API that has its name now; `null`: none has. */
  readonly replacementId: string | null;
}

/** Describes an API that the gateway does not have. `recorded`: what is recorded of a publication of it; nothing tells that it ever existed if that is nothing. */
export function formatMissingApi({ api, apiId, replacementId }: MissingApi, recorded: unknown): string {
  if (replacementId === null)
    return recorded === null ? `API ${apiId} does not exist at the gateway` : `the gateway no longer lists API ${apiId}`;
  const remedy = `if that one is meant, write \`id: ${replacementId}\` in the file`;
  return recorded === null
    ? `API ${apiId} does not exist at the gateway, where API ${api} has the ID ${replacementId}: ${remedy}`
    : `API ${api} was deleted and created again: its ID was ${apiId} and is now ${replacementId} at the gateway; ${remedy}`;
}

/**
 * Returns the notice for a drifted publication. `isApiMissing`: the gateway does not have its API any more. `replacementId`: the ID of the API that
 * has its name now; `null`, the default: none has.
 */
export function noticeForDrift(
  { api, apiId, environment, environmentId, state, drift }: RecordedPublication,
  isApiMissing: boolean,
  replacementId: string | null = null,
): Notice {
  const names = { api, apiId, environment, environmentId };
  const drifted = formatDrift(state, drift);
  const detected = drift ? `, observed at ${formatTimestamp(drift.detectedAtMs)}` : '';
  // It has not drifted: it cannot go online.
  const missing = { api, apiId, replacementId };
  if (isApiMissing && (drift?.from !== 'online' || replacementId !== null))
    return { ...names, kind: 'drift', message: formatMissingApi(missing, state) };
  if (isApiMissing) return { ...names, kind: 'drift', message: `${drifted}${detected}: the gateway no longer lists its API` };
  if (drift?.backoffUntilMs == null)
    return { ...names, kind: 'drift', message: `${drifted}${detected}; \`drift: correct\` would correct it` };
  const until = formatTimestamp(drift.backoffUntilMs);
  return { ...names, kind: 'flapping', message: `${drifted}, again after several corrections: not corrected until ${until}` };
}

/** Returns the notice for an outdated publication. */
export function noticeForOutdated({ api, apiId, environment, environmentId, editedAtMs, publishedAtMs }: RecordedPublication): Notice {
  const at = [editedAtMs, publishedAtMs].map((ms) => formatTimestamp(ms ?? 0));
  const message = `edited at ${at[0]}, published at ${at[1]}: callers reach the older draft`;
  return { api, apiId, environment, environmentId, kind: 'outdated', message };
}
