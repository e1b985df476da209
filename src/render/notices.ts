import type { Plan } from '../model/change.ts';
import type { DriftNotice } from '../model/observation.ts';
import type { PublicationNames, RecordedPublication } from '../model/publication.ts';
import { formatDrift, formatTimestamp } from './format.ts';

/** Something about a publication that no change of the plan says. */
export interface Notice extends PublicationNames {
  readonly kind: DriftNotice['kind'] | 'stale';
  readonly message: string;
}

/** Returns what was seen at the gateway and what the plan leaves as it is, in the order of the plan's own lists. */
export function listNotices({ changes, drifted, outdated }: Plan, notes: readonly DriftNotice[]): Notice[] {
  const told = new Set([...changes, ...drifted, ...outdated].map(({ key }) => key));
  return [
    ...notes
      .filter(({ key, kind }) => kind === 'gone' || ((kind === 'adopted' || kind === 'outside') && !told.has(key)))
      .map(noticeForObservation),
    ...drifted.map(noticeForDrift),
    ...outdated.map(noticeForOutdated),
  ];
}

function noticeForObservation(note: DriftNotice): Notice {
  const { api, apiId, environment, environmentId, kind, currentState, replacementId } = note;
  if (kind === 'gone') {
    const heir = replacementId === null ? '' : `; another one has its name now: if that is meant, write \`id: ${replacementId}\``;
    return { api, apiId, environment, environmentId, kind, message: `API ${apiId} is no longer at the gateway${heir}` };
  }
  const outside = currentState === 'online' ? 'published or switched outside edict since edict last did' : 'taken offline outside edict';
  const message = kind === 'adopted' ? 'already online at the gateway, adopted without a call' : outside;
  return { api, apiId, environment, environmentId, kind, message };
}

/** Returns what is to be said of a publication that somebody else has moved. */
export function noticeForDrift({ api, apiId, environment, environmentId, state, drift }: RecordedPublication): Notice {
  const names = { api, apiId, environment, environmentId };
  const what = formatDrift(state, drift);
  const seen = drift ? `, seen at ${formatTimestamp(drift.detectedAtMs)}` : '';
  if (drift?.backoffUntilMs == null) return { ...names, kind: 'drift', message: `${what}${seen}; drift: correct would bring it back` };
  const until = formatTimestamp(drift.backoffUntilMs);
  return { ...names, kind: 'fight', message: `${what}, again and again: somebody works against the file; left alone until ${until}` };
}

/** Returns what is to be said of a publication whose API was edited since. */
export function noticeForOutdated({ api, apiId, environment, environmentId, editedAtMs, publishedAtMs }: RecordedPublication): Notice {
  const at = [editedAtMs, publishedAtMs].map((ms) => formatTimestamp(ms ?? 0));
  const message = `edited at ${at[0]}, published at ${at[1]}: callers reach the older draft`;
  return { api, apiId, environment, environmentId, kind: 'stale', message };
}
