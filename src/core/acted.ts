import { createHash } from 'node:crypto';
import type { DesiredState } from './publication.ts';

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
