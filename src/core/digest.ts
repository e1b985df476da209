import { createHash } from 'node:crypto';
import type { Change, Plan } from './plan.ts';

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
