import { createHash } from 'node:crypto';
import type { Change, Plan } from '../model/change.ts';
import type { DesiredState } from '../model/desired-state.ts';

/** The fields of a change that the digest covers. */
type DigestedChange = Pick<Change, 'apiId' | 'environmentId' | 'action' | 'reason' | 'from' | 'revision' | 'remark' | 'version'>;

/**
 * Returns the digest of a plan, `sha256:` and 64 hex digits. It covers the gateway, also whether it is emulated, the calls and their reasons, but no names,
 * positions in the file or holds, so the same calls have the same digest on every machine.
 */
export function planDigest({
  gateway,
  isEmulated = false,
  changes,
}: Pick<Plan, 'gateway' | 'isEmulated'> & { readonly changes: readonly DigestedChange[] }): string {
  const { endpoint, project, instance } = gateway;
  const calls = changes
    .map(({ apiId, environmentId, action, reason, from, revision, remark, version }) =>
      JSON.stringify([apiId, environmentId, action, reason, from, revision, remark, ...(version === null ? [] : [version])]),
    )
    .sort();
  return `sha256:${createHash('sha256')
    .update(JSON.stringify([isEmulated ? 'edict emulated plan 1' : 'edict plan 1', endpoint, project, instance, calls]))
    .digest('hex')}`;
}

/** Maximum number of digests kept for one gateway. */
const maxDigests = 50;

/** Hashing a text of this length costs far more than the call. */
const hashedLength = 64 * 1024;

/** Returns the digest of the publications that a file declares, in its order, and its `prune`, independent of everything else in it. */
export function desiredDigest({ publications, prune }: Pick<DesiredState, 'publications' | 'prune'>): string {
  const hash = createHash('sha256');
  let text = String(prune);
  for (const { key, state, revision, version } of publications.values()) {
    text += ` ${key} ${state}${revision === null && version === null ? '' : JSON.stringify([revision, version])}`;
    if (text.length < hashedLength) continue;
    hash.update(text);
    text = '';
  }
  return hash.update(text).digest('hex');
}

/** Returns the digests of the applied desired states with `latest` at their end, without the oldest beyond the limit. */
export function appendDigest(applied: readonly string[], latest: string): readonly string[] {
  return [...applied.filter((other) => other !== latest), latest].slice(-maxDigests);
}

/** Returns whether another desired state was applied after `mine`, which was applied before. */
export function isStaleSource(applied: readonly string[], digest: string): boolean {
  return applied.includes(digest) && applied.at(-1) !== digest;
}
