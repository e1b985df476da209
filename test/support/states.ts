import type { Attempt, NewAttempt } from '../../src/model/attempt.ts';
import type { Change } from '../../src/model/change.ts';
import type { DesiredPublication, DesiredState, Environment, RolloutStep } from '../../src/model/desired-state.ts';
import type { ReconcileSummary } from '../../src/model/events.ts';
import type { LastObservation } from '../../src/model/observation.ts';
import { type PublicationKey, publicationKey } from '../../src/model/publication.ts';
import type { RecordedPublication, RecordedState, UnknownAttempt } from '../../src/model/recorded-state.ts';
import type { SavedObservation } from '../../src/store/interface.ts';

/** Returns the gateway of a file; `over` replaces parts. */
export function gatewaySettings(over: Partial<DesiredState['gateway']> = {}): DesiredState['gateway'] {
  return {
    service: 'roma',
    endpoint: 'https://roma.example.com',
    iamEndpoint: 'https://iam.example.com',
    project: 'project',
    instance: 'instance',
    limit: { calls: 10, perMs: 1000, concurrency: 4 },
    timeoutMs: 5000,
    isMarkerEnabled: true,
    unknownOutcome: 'hold',
    propagationDelayMs: 0,
    batchSize: 1,
    ...over,
  };
}

/** Returns the names of the API `api-NAME` in the environment `env-NAME`. */
function named(api: string, environment: string) {
  const [apiId, environmentId] = [`api-${api}`, `env-${environment}`];
  return { key: publicationKey(apiId, environmentId), api, apiId, environment, environmentId };
}

/** Returns a desired publication of the API `api-NAME` in the environment `env-NAME`. */
export function wanted(api: string, environment: string, over: Partial<DesiredPublication> = {}): DesiredPublication {
  return {
    ...named(api, environment),
    state: 'online',
    revision: null,
    remark: null,
    version: null,
    driftPolicy: 'report',
    nameRef: null,
    sourceFile: '',
    source: { file: 'edict.yaml', line: 1, column: 1 },
    ...over,
  };
}

/** Returns a recorded publication under the same names as `wanted`. */
export function recorded(api: string, environment: string, over: Partial<RecordedPublication> = {}): RecordedPublication {
  return {
    ...named(api, environment),
    state: 'online',
    revision: null,
    versionId: 'version',
    publishId: null,
    publishedAtMs: null,
    editedAtMs: null,
    recordedAtMs: 1,
    unknownAttempt: null,
    drift: null,
    correctionCount: 0,
    lastCorrectedAtMs: null,
    changedAtMs: null,
    wasDeclared: false,
    ...over,
  };
}

/** Returns what `recorded` does, of a publication that edict has published itself. */
export function published(api: string, environment: string, over: Partial<RecordedPublication> = {}): RecordedPublication {
  return recorded(api, environment, { changedAtMs: 1, ...over });
}

/** Returns the last list of a gateway: one that was believed at 1 ms and showed one publication of each API, unless `over` says otherwise. */
export function lastObservation(apis: number, over: Partial<LastObservation> = {}): LastObservation {
  return { apis, publications: apis, observedAtMs: 1, unmanaged: [], missingApiIds: [], unreadVersions: [], lookedUp: null, ...over };
}

/** Returns what an observation saves: `updates`, whatever attempts have begun meanwhile. */
export function savedObservation(updates: readonly RecordedPublication[], listed: LastObservation): SavedObservation {
  return { updates, listed, newestAttemptId: Number.MAX_SAFE_INTEGER };
}

/** Returns an attempt of unknown outcome: an `online` without a marker unless `over` says otherwise. */
export function unknownAttemptOf(over: Partial<UnknownAttempt> = {}): UnknownAttempt {
  const { startedAtMs = 1 } = over;
  const times = { startedAtMs, sendByMs: startedAtMs, endedAtMs: null };
  return { attemptId: 7, action: 'online', revision: null, version: null, marker: null, ...times, ...over };
}

/** Returns the start of an attempt at 1 ms, without marker and commit, unless `over` says otherwise. */
export function newAttempt(over: Partial<NewAttempt> = {}): NewAttempt {
  const { startedAtMs = 1 } = over;
  return { reconcileId: 'reconcile-1', marker: null, commitId: null, startedAtMs, sendByMs: startedAtMs, ...over };
}

/** Returns a change under the same names as `wanted`: a first `online` unless `over` says otherwise. */
export function change(api: string, environment: string, over: Partial<Change> = {}): Change {
  return {
    ...named(api, environment),
    action: 'online',
    reason: 'new',
    from: null,
    to: over.action ?? 'online',
    revision: null,
    remark: null,
    version: null,
    drift: null,
    held: null,
    deferred: null,
    approval: null,
    source: { file: 'edict.yaml', line: 1, column: 1 },
    ...over,
  };
}

/** Returns an attempt at a first `online` under the same names as `wanted`, which has just started; `over` replaces parts. */
export function attempt(api: string, environment: string, over: Partial<Attempt> = {}): Attempt {
  const { key: _, ...names } = named(api, environment);
  return {
    ...names,
    ...{
      id: 1,
      reconcileId: 'reconcile-1',
      action: 'online',
      reason: 'new',
      revision: null,
      remark: null,
      marker: null,
      requestedVersionId: null,
    },
    ...{ commitId: null, startedAtMs: 1, finishedAtMs: null, outcome: null, code: null, status: null, message: null, requestId: null },
    ...{ versionId: null, publishId: null, approval: null, priorState: { state: null, revision: null, versionId: null } },
    ...over,
  };
}

/** Returns a rollout of these environments, each given by its name or with its soak and probe. */
export function rolloutOf(
  ...steps: readonly (string | ({ readonly environment: string } & Partial<RolloutStep>))[]
): DesiredState['rollout'] {
  const written = steps.map((step) => (typeof step === 'string' ? { environment: step } : step));
  return {
    steps: written.map((step) => ({ environmentId: `env-${step.environment}`, soakMs: 0, probe: null, ...step })),
    probeUrls: new Map(),
  };
}

const anything = { count: null, share: null };

/** Guards that hold nothing. */
export const noGuards: DesiredState['guards'] = { maxOffline: anything, maxRemoved: anything, maxRepublish: anything };

/** Returns the desired state of `publications`, without guards unless `over` has some; `test` and `release` are always declared, and environments named in `protectedNames` are protected. */
export function desiredState(
  publications: readonly DesiredPublication[],
  over: {
    readonly prune?: boolean;
    readonly protectedNames?: readonly string[];
    readonly gateway?: DesiredState['gateway'];
    readonly guards?: DesiredState['guards'];
    readonly rollout?: DesiredState['rollout'];
    readonly freezes?: DesiredState['freezes'];
    readonly refreshIntervalMs?: number | null;
    readonly republish?: DesiredState['republish'];
  } = {},
): DesiredState {
  const {
    prune = false,
    protectedNames = [],
    gateway = gatewaySettings(),
    refreshIntervalMs = null,
    republish = 'revision',
    guards = noGuards,
    rollout = { steps: [], probeUrls: new Map() },
    freezes = [],
  } = over;
  const environments = new Map<string, Environment>();
  for (const name of ['test', 'release', ...publications.map((publication) => publication.environment), ...protectedNames]) {
    environments.set(`env-${name}`, {
      name,
      id: `env-${name}`,
      isProtected: protectedNames.includes(name),
      maxOffline: null,
      suspension: null,
    });
  }
  const pauses = { freezes, suspension: null, suspendedApis: new Map() };
  return {
    sourceFiles: new Set(['']),
    gateway,
    environments,
    prune,
    guards,
    rollout,
    ...pauses,
    refreshIntervalMs,
    republish,
    commitId: null,
    publications: byKey(publications),
  };
}

/** Returns a recorded state. */
export function recordedState(publications: readonly RecordedPublication[]): RecordedState {
  return byKey(publications);
}

function byKey<T extends { readonly key: PublicationKey }>(items: readonly T[]): ReadonlyMap<PublicationKey, T> {
  return new Map(items.map((item) => [item.key, item]));
}

/** Returns the result of a reconciliation that made and found nothing. */
export function reconcileSummary(over: Partial<ReconcileSummary> = {}): ReconcileSummary {
  const left = { settling: 0, held: 0, deferred: 0, failed: 0, unknown: 0, drifted: 0, unsent: 0, unmanaged: 0, failedProbes: 0 };
  return { online: 0, offline: 0, unchanged: 0, ...left, durationMs: 1, ...over };
}
