import type { Note } from '../core/observe.ts';
import type { Plan } from '../core/plan.ts';
import type { PublicationNames, RecordedPublication } from '../core/publication.ts';
import { driftInWords, momentInWords } from './phrases.ts';

/** Something about a publication that no change of the plan says. */
export interface Seen extends PublicationNames {
  readonly kind: Note['kind'] | 'stale';
  readonly message: string;
}

/** Returns what was seen at the gateway and what the plan leaves as it is, in the order of the plan's own lists. */
export function seenOf({ changes, drifted, stale }: Plan, notes: readonly Note[]): Seen[] {
  const told = new Set([...changes, ...drifted, ...stale].map(({ key }) => key));
  return [
    ...notes.filter(({ key, kind }) => kind === 'gone' || ((kind === 'adopted' || kind === 'outside') && !told.has(key))).map(ofNote),
    ...drifted.map(driftSeen),
    ...stale.map(staleSeen),
  ];
}

function ofNote(note: Note): Seen {
  const { api, apiId, environment, environmentId, kind, now, heirId } = note;
  if (kind === 'gone') {
    const heir = heirId === null ? '' : `; another one has its name now: if that is meant, write \`id: ${heirId}\``;
    return { api, apiId, environment, environmentId, kind, message: `API ${apiId} is no longer at the gateway${heir}` };
  }
  const outside = now === 'online' ? 'published or switched outside edict since edict last did' : 'taken offline outside edict';
  const message = kind === 'adopted' ? 'already online at the gateway, adopted without a call' : outside;
  return { api, apiId, environment, environmentId, kind, message };
}

/** Returns what is to be said of a publication that somebody else has moved. */
export function driftSeen({ api, apiId, environment, environmentId, state, drift }: RecordedPublication): Seen {
  const names = { api, apiId, environment, environmentId };
  const what = driftInWords(state, drift);
  const seen = drift ? `, seen at ${momentInWords(drift.seenAtMs)}` : '';
  if (drift?.truceUntilMs == null) return { ...names, kind: 'drift', message: `${what}${seen}; drift: correct would bring it back` };
  const until = momentInWords(drift.truceUntilMs);
  return { ...names, kind: 'fight', message: `${what}, again and again: somebody works against the file; left alone until ${until}` };
}

/** Returns what is to be said of a publication whose API was edited since. */
export function staleSeen({ api, apiId, environment, environmentId, editedAtMs, publishedAtMs }: RecordedPublication): Seen {
  const at = [editedAtMs, publishedAtMs].map((ms) => momentInWords(ms ?? 0));
  const message = `edited at ${at[0]}, published at ${at[1]}: callers reach the older draft`;
  return { api, apiId, environment, environmentId, kind: 'stale', message };
}
