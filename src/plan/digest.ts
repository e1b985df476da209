import { createHash } from 'node:crypto';
import type { Change, Plan } from '../model/change.ts';
import type { DesiredState } from '../model/publication.ts';

/** What of a change its digest covers. */
type DigestedChange = Pick<Change, 'apiId' | 'environmentId' | 'action' | 'reason' | 'from' | 'revision' | 'remark' | 'version'>;

/**
 * Returns the digest of a plan, `sha256:` and 64 hex digits. It covers the gateway and what the calls would do and why,
 * not names, places in the file or holds: the same work has the same digest on every machine.
 */
export function planDigest({ gateway, changes }: Pick<Plan, 'gateway'> & { readonly changes: readonly DigestedChange[] }): string {
  const { endpoint, project, instance } = gateway;
  const work = changes
    .map(({ apiId, environmentId, action, reason, from, revision, remark, version }) =>
      JSON.stringify([apiId, environmentId, action, reason, from, revision, remark, ...(version === null ? [] : [version])]),
    )
    .sort();
  return `sha256:${createHash('sha256')
    .update(JSON.stringify(['edict plan 1', endpoint, project, instance, work]))
    .digest('hex')}`;
}

/** So many digests are remembered of one gateway. */
const maxDigests = 50;

/** Returns the digest of all that a file wants of publications, whatever else it says. */
export function desiredDigest({ publications, prune }: Pick<DesiredState, 'publications' | 'prune'>): string {
  const hash = createHash('sha256').update(prune);
  for (const { key, state, revision, version } of [...publications.values()].sort((a, b) => (a.key < b.key ? -1 : 1))) {
    hash.update(JSON.stringify([key, state, revision, version]));
  }
  return hash.digest('hex');
}

/** Returns the digests of what was acted on, with `latest` at their end and the oldest left out where there are many. */
export function appendDigest(acted: readonly string[], latest: string): readonly string[] {
  return [...acted.filter((one) => one !== latest), latest].slice(-maxDigests);
}

/** Returns whether something else was acted on after `mine`, which was acted on once itself. */
export function isStaleSource(acted: readonly string[], mine: string): boolean {
  return acted.includes(mine) && acted.at(-1) !== mine;
}
