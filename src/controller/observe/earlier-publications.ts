import type { GatewayReader } from '../../gateway/interface.ts';
import type { DesiredPublication } from '../../model/desired-state.ts';
import type { EarlierPublication, LastObservation, ListedVersion, Observation } from '../../model/observation.ts';
import type { ReadResult } from '../../model/outcome.ts';
import type { RecordedPublication } from '../../model/recorded-state.ts';
import { isUnread, type ObservationInput } from '../../plan/drift.ts';
import { type ObservationFailed, observationFailed, readFailed } from './confirmation.ts';

/*
 * Whether publications that would be published as new were published before: only a lost record knew that somebody has taken them offline.
 */

/** The most APIs whose versions a command reads that writes nothing; whoever makes the calls reads the rest before them. */
export const maxPreviewReads = 200;

/** This many refusals in a row: the permission is missing, and the rest is not tried. */
const maxRefusals = 20;

/** The versions of APIs that are known already, by API ID: a look that failed is continued and not repeated. */
export type KnownVersions = Map<string, ReadonlyMap<string, readonly ListedVersion[]>>;

export interface EarlierDeps {
  readonly gateway: Pick<GatewayReader, 'listApiVersions'>;
  readonly signal: AbortSignal;
  /** The most APIs that are read; default: all. */
  readonly maxLookups?: number;
  /** What an earlier look has read. It is extended; default: nothing. */
  readonly knownVersions?: KnownVersions;
  /** Called after each read, with how many APIs were read by now, of how many; default: nothing. */
  readonly onVersionsRead?: (progress: { readonly readCount: number; readonly totalCount: number }) => void;
}

/** Returns the publications of `observation` that would be published as new and about which nobody knows whether they were online before. */
export function unknownBefore({
  observation,
  desired,
  recorded,
  lookedUp,
}: Pick<ObservationInput, 'observation' | 'desired' | 'recorded'> & Pick<LastObservation, 'lookedUp'>): DesiredPublication[] {
  return [...desired.publications.values()].filter(({ key, state, apiId, environmentId }) => {
    const isOffline = observation.get(apiId)?.publications.has(environmentId) === false;
    return state === 'online' && isOffline && isUndecided(recorded.get(key), lookedUp?.has(key) === false);
  });
}

function isUndecided(known: RecordedPublication | undefined, isUnlooked: boolean): boolean {
  return known === undefined ? isUnlooked : isUnread(known);
}

/**
 * Reads for publications that are offline whether they were published before: one read for each API, `concurrency` of them at a time. Returns
 * the observation with the answers; those that are not asked about have none. Fails as a read does, and if a version is effective although the
 * list of APIs does not show it.
 */
export async function readEarlierPublications(
  publications: readonly DesiredPublication[],
  { observation, concurrency }: { readonly observation: Observation; readonly concurrency: number },
  { gateway, signal, maxLookups = Number.POSITIVE_INFINITY, knownVersions = new Map(), onVersionsRead = () => {} }: EarlierDeps,
): Promise<Observation | ObservationFailed> {
  const result = new Map(observation);
  const byApi = Map.groupBy(publications, ({ apiId }) => apiId);
  const apiIds = [...byApi.keys()].sort().slice(0, maxLookups);
  const remaining = apiIds.values();
  let failed: ObservationFailed | null = null;
  let refusals = 0;
  let readCount = 0;
  const note = (apiId: string, read: ReadResult<ReadonlyMap<string, readonly ListedVersion[]>> | null): ObservationFailed | null => {
    if (read !== null && read.kind !== 'read' && read.kind !== 'rejected') return readFailed(read);
    const api = result.get(apiId);
    const asked = byApi.get(apiId) ?? [];
    const versionsIn = (environmentId: string) => (read?.kind === 'read' ? (read.value.get(environmentId) ?? []) : null);
    const lying = asked.find(({ environmentId }) => versionsIn(environmentId)?.some(({ isEffective }) => isEffective));
    if (lying) {
      knownVersions.delete(apiId);
      return observationFailed(
        `the list does not show API ${apiId} in environment ${lying.environmentId}, and the list of its versions does`,
      );
    }
    const earlier = asked.map(({ environmentId }): [string, EarlierPublication] => [environmentId, earlierOf(versionsIn(environmentId))]);
    if (api) result.set(apiId, { ...api, earlier: new Map(earlier) });
    return null;
  };
  const reader = async (): Promise<void> => {
    for (const apiId of remaining) {
      if (failed) return;
      const known = knownVersions.get(apiId);
      const read = known
        ? ({ kind: 'read', value: known } as const)
        : refusals < maxRefusals
          ? await gateway.listApiVersions(apiId, signal)
          : null;
      if (read?.kind === 'read') {
        knownVersions.set(apiId, read.value);
        refusals = 0;
      } else refusals += 1;
      failed ??= note(apiId, read);
      readCount += 1;
      onVersionsRead({ readCount, totalCount: apiIds.length });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, reader));
  return failed ?? result;
}

/** `versions`: `null` if they could not be read. */
function earlierOf(versions: readonly ListedVersion[] | null): EarlierPublication {
  if (versions === null) return { kind: 'unread' };
  if (versions.length === 0) return { kind: 'never' };
  const times = versions.flatMap(({ publishedAtMs }) => publishedAtMs ?? []);
  return { kind: 'published', publishedAtMs: times.length === 0 ? null : Math.max(...times) };
}
