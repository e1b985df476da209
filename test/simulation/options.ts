import { Random } from './random.ts';

/** An event from outside during a history, at `atMs` after its start. */
export type OutsideEvent = { readonly atMs: number } & (
  | { readonly kind: 'edit'; readonly file: SimulatedFile }
  /** The file is saved in two halves: for `forMs` only the first half of its publications is there. */
  | { readonly kind: 'splitSave'; readonly file: SimulatedFile; readonly forMs: number }
  | { readonly kind: 'fileFault'; readonly fault: 'invalid' | 'unreadable' | 'hangs'; readonly forMs: number }
  /** A process is killed at the next write to the store after `atMs`, or at once; it is started again after `forMs`. */
  | { readonly kind: 'kill'; readonly replica: number; readonly at: 'once' | 'write' | 'written'; readonly forMs: number }
  | { readonly kind: 'restart'; readonly replica: number }
  | { readonly kind: 'signal'; readonly replica: number }
  | { readonly kind: 'suspend'; readonly forMs: number }
  /** A publication is changed at the gateway, outside edict. */
  | { readonly kind: 'outsideChange'; readonly api: number; readonly environment: number; readonly state: 'online' | 'offline' }
  | { readonly kind: 'gatewayFault'; readonly fault: GatewayFault; readonly forMs: number }
  | { readonly kind: 'storeFault'; readonly forMs: number }
  /** Leases cannot be renewed; everything else in the store works. */
  | { readonly kind: 'leaseFault'; readonly forMs: number }
  | { readonly kind: 'wallClock'; readonly byMs: number }
);

/**
 * - `frozen`: nothing is answered; what has arrived meanwhile is processed at the end.
 * - `refused`: no connection. `hanging`: answers are lost, effects are not.
 * - `throttling`, `unauthorized`, `failing`: 429, 401 and 500 with and without an effect.
 * - `slow`: connections and answers take up to the time limit.
 * - `lying`: lists omit publications and APIs that are there.
 */
export type GatewayFault = 'frozen' | 'refused' | 'hanging' | 'throttling' | 'unauthorized' | 'failing' | 'slow' | 'lying';

export interface SimulatedFile {
  readonly prune: boolean;
  readonly publications: readonly SimulatedPublication[];
}

export interface SimulatedPublication {
  readonly api: number;
  readonly environment: number;
  readonly state: 'online' | 'offline';
  readonly revision: string | null;
}

/** How every call for an API goes wrong. */
export type BadApi = 'rejected' | 'failing' | 'hanging';

/** One history. The same options give the same history. */
export interface SimulationOptions {
  /** Seeds everything that is not written here: latencies, jitter, and which call a fault hits. */
  readonly seed: number;
  readonly replicas: number;
  readonly limit: { readonly calls: number; readonly perMs: number; readonly concurrency: number };
  readonly batchSize: number;
  readonly timeoutMs: number;
  readonly propagationDelayMs: number;
  readonly isMarkerEnabled: boolean;
  /** Whether the gateway, or a proxy before it, drops remarks. */
  readonly dropsRemarks: boolean;
  readonly unknownOutcome: 'hold' | 'retry';
  readonly driftPolicy: 'correct' | 'report';
  readonly refreshMs: number | null;
  readonly debounceMs: number;
  readonly resyncMs: number;
  readonly isRolloutOrdered: boolean;
  readonly apis: number;
  readonly environments: number;
  /** APIs that the gateway rejects, fails or never answers, throughout the history. */
  readonly badApis: Readonly<Record<number, BadApi>>;
  /** Publications that are online before edict starts. */
  readonly onlineAtStart: readonly { readonly api: number; readonly environment: number }[];
  readonly file: SimulatedFile;
  /** The largest round trip without a fault, in milliseconds. */
  readonly roundTripMs: number;
  /** How often a call is lost, fails or is throttled outside the faults below, from 0 to 1. */
  readonly faultRate: number;
  /** Faults happen until then; afterwards everything must become in sync. */
  readonly faultsUntilMs: number;
  /** How long that may take, in milliseconds: twenty minutes outlast every backoff. */
  readonly inSyncWithinMs: number;
  readonly events: readonly OutsideEvent[];
}

const gatewayFaults: readonly GatewayFault[] = ['frozen', 'refused', 'hanging', 'throttling', 'unauthorized', 'failing', 'slow', 'lying'];

/** Returns the options of the history with this seed. */
export function optionsOf(seed: number): SimulationOptions {
  const random = new Random(seed * 7919 + 17);
  // Retries of many APIs fill the limit for minutes.
  const isMostlyBad = random.isHit(0.05);
  // The file is edited while keys that the edit does not touch are in backoff.
  const isOftenEdited = !isMostlyBad && random.isHit(0.05);
  const apis = isMostlyBad ? random.whole(10, 20) : random.whole(1, 6);
  const environments = random.whole(1, 3);
  const faultsUntilMs = random.whole(5, 60) * 1000;
  const isMarkerEnabled = random.isHit(0.9);
  const replicas = random.isHit(0.3) ? 2 : 1;
  const refreshMs = random.pick([null, 5000, 20_000, 300_000]);
  const badApis = Object.fromEntries(
    [...Array(apis).keys()].flatMap((api) =>
      random.isHit(isMostlyBad ? 0.8 : isOftenEdited ? 0.5 : 0.1)
        ? [[api, random.pick<BadApi>(isOftenEdited ? ['failing', 'hanging'] : ['rejected', 'failing', 'hanging'])]]
        : [],
    ),
  );
  const limit = {
    calls: random.pick(isMostlyBad ? [1, 2] : [1, 2, 5, 10, 50]),
    perMs: random.pick(isMostlyBad ? [1000, 2000] : [50, 250, 1000, 5000]),
    concurrency: random.pick([1, 2, 4, 8]),
  };
  const makeFile = (): SimulatedFile => fileOf(random, apis, environments);
  const pairs = [...Array(apis).keys()].flatMap((api) => [...Array(environments).keys()].map((environment) => ({ api, environment })));
  const file = makeFile();
  const propagationDelayMs = random.pick([0, 500, 3000]);
  const dropsRemarks = random.isHit(0.1);
  const clockSteps = propagationDelayMs === 0 && !dropsRemarks ? allClockSteps : clockStepsBack;
  return {
    seed,
    replicas,
    limit,
    batchSize: random.pick([1, 1, 1, 5]),
    timeoutMs: random.pick([1000, 5000]),
    propagationDelayMs,
    isMarkerEnabled,
    dropsRemarks,
    unknownOutcome: random.isHit(0.7) ? 'hold' : 'retry',
    driftPolicy: random.pick(['correct', 'report']),
    refreshMs,
    debounceMs: random.pick([0, 100, 500]),
    resyncMs: random.pick([5000, 30_000, 300_000]),
    isRolloutOrdered: environments > 1 && random.isHit(0.3),
    apis,
    environments,
    badApis,
    onlineAtStart: pairs.filter(() => random.isHit(0.3)),
    file,
    roundTripMs: random.pick([1, 20, 200]),
    faultRate: random.pick([0, 0.02, 0.2]),
    faultsUntilMs,
    inSyncWithinMs: 20 * 60_000,
    events: [
      ...[...Array(random.whole(0, 12)).keys()].map(() =>
        outsideEvent(random, { apis, environments, faultsUntilMs, replicas, makeFile, clockSteps }),
      ),
      ...(isOftenEdited ? smallEdits(random, file, faultsUntilMs) : []),
    ].sort((a, b) => a.atMs - b.atMs),
  };
}

/** Ten edits of one publication each. */
function smallEdits(random: Random, { prune, publications }: SimulatedFile, untilMs: number): OutsideEvent[] {
  let edited = publications;
  return [...Array(10).keys()].map((edit) => {
    const changed = random.pick(publications.map(({ api, environment }) => `${api} ${environment}`));
    edited = edited.map((one) => (`${one.api} ${one.environment}` === changed ? { ...one, revision: `edit-${edit}` } : one));
    return { atMs: Math.round((untilMs * (edit + 1)) / 11), kind: 'edit', file: { prune, publications: edited } };
  });
}

function fileOf(random: Random, apis: number, environments: number): SimulatedFile {
  const publications: SimulatedPublication[] = [];
  for (let api = 0; api < apis; api += 1) {
    for (let environment = 0; environment < environments; environment += 1) {
      if (random.isHit(0.15)) continue;
      const state = random.isHit(0.75) ? 'online' : 'offline';
      publications.push({ api, environment, state, revision: random.pick([null, null, 'a', 'b']) });
    }
  }
  return { prune: random.isHit(0.5), publications };
}

/**
 * How the wall clock may be set, in milliseconds. Set forward, it makes a change look older than the propagation delay, and a version
 * without a marker look older than the attempt that made it: edict measures both by the wall clock, since they outlive a process. So it is
 * only set forward where lists do not lag and keep remarks.
 */
const clockStepsBack = [-3_600_000, -5000];
const allClockSteps = [...clockStepsBack, 5000, 3_600_000];

interface EventRanges {
  readonly clockSteps: readonly number[];
  readonly apis: number;
  readonly environments: number;
  readonly faultsUntilMs: number;
  readonly replicas: number;
  readonly makeFile: () => SimulatedFile;
}

function outsideEvent(random: Random, { apis, environments, faultsUntilMs, replicas, makeFile, clockSteps }: EventRanges): OutsideEvent {
  const atMs = random.whole(0, faultsUntilMs);
  const forMs = random.pick([100, 1000, 4000, 15_000]);
  const replica = random.whole(0, replicas - 1);
  const kind = random.pick([
    'edit',
    'edit',
    'edit',
    'splitSave',
    'fileFault',
    'kill',
    'kill',
    'restart',
    'signal',
    'suspend',
    'outsideChange',
    'outsideChange',
    'gatewayFault',
    'gatewayFault',
    'gatewayFault',
    'storeFault',
    'leaseFault',
    'wallClock',
  ] as const);
  switch (kind) {
    case 'edit':
      return { atMs, kind, file: makeFile() };
    case 'splitSave':
      return { atMs, kind, file: makeFile(), forMs: random.pick([10, 100]) };
    case 'fileFault':
      return { atMs, kind, fault: random.pick(['invalid', 'unreadable', 'hangs']), forMs };
    case 'kill':
      return { atMs, kind, replica, at: random.pick(['once', 'write', 'written']), forMs };
    case 'restart':
    case 'signal':
      return { atMs, kind, replica };
    case 'suspend':
    case 'storeFault':
    case 'leaseFault':
      return { atMs, kind, forMs };
    case 'outsideChange':
      return {
        atMs,
        kind,
        api: random.whole(0, apis - 1),
        environment: random.whole(0, environments - 1),
        state: random.pick(['online', 'offline']),
      };
    case 'gatewayFault':
      return { atMs, kind, fault: random.pick(gatewayFaults), forMs };
    case 'wallClock':
      return { atMs, kind, byMs: random.pick(clockSteps) };
    default:
      return kind satisfies never;
  }
}
