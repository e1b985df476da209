import type { OutsideEvent, SimulatedFile, SimulatedPublication, SimulationOptions } from './options.ts';

/** A file that declares each of these APIs in each of these environments. */
function fileOf(
  apis: number,
  environments: number,
  over: Partial<SimulatedPublication> & { readonly prune?: boolean; readonly without?: readonly number[] } = {},
): SimulatedFile {
  const { prune = false, without = [], ...publication } = over;
  const publications = [...Array(apis).keys()]
    .filter((api) => !without.includes(api))
    .flatMap((api) =>
      [...Array(environments).keys()].map(
        (environment): SimulatedPublication => ({ api, environment, state: 'online', revision: null, ...publication }),
      ),
    );
  return { prune, publications };
}

/** A quiet gateway, ten calls a second, one process; `over` sets everything that matters for the history. */
function history(over: Partial<SimulationOptions>): SimulationOptions {
  const { apis = 6, environments = 2 } = over;
  return {
    ...{ seed: 1, replicas: 1, batchSize: 1, timeoutMs: 5000, propagationDelayMs: 0, isMarkerEnabled: true, dropsRemarks: false },
    ...{ unknownOutcome: 'hold', driftPolicy: 'report', refreshMs: null, debounceMs: 100, resyncMs: 300_000, isRolloutOrdered: false },
    ...{ badApis: {}, onlineAtStart: [], roundTripMs: 20, faultRate: 0, faultsUntilMs: 30_000, inSyncWithinMs: 60_000, events: [] },
    limit: { calls: 10, perMs: 1000, concurrency: 4 },
    apis,
    environments,
    file: fileOf(apis, environments),
    ...over,
  };
}

const slowLimit = { calls: 1, perMs: 1000, concurrency: 1 };
const edits = (count: number, everyMs: number, file: (index: number) => SimulatedFile): OutsideEvent[] =>
  [...Array(count).keys()].map((index) => ({ atMs: 1000 + index * everyMs, kind: 'edit', file: file(index) }));

/** Histories that once violated an invariant, by the behavior that they now show. */
export const regressions: Readonly<Record<string, SimulationOptions>> = {
  'a suspension takes effect while the list of the gateway hangs': history({
    limit: slowLimit,
    refreshMs: 5000,
    resyncMs: 5000,
    faultsUntilMs: 50_000,
    events: [
      { atMs: 20_000, kind: 'gatewayFault', fault: 'hanging', forMs: 15_000 },
      { atMs: 22_000, kind: 'suspend', forMs: 20_000 },
    ],
  }),
  'a suspension takes effect while reading the file hangs': history({
    limit: slowLimit,
    events: [
      { atMs: 3000, kind: 'fileFault', fault: 'hangs', forMs: 15_000 },
      { atMs: 4000, kind: 'suspend', forMs: 15_000 },
    ],
  }),
  'a newer file wins while the list of the gateway hangs': history({
    limit: slowLimit,
    refreshMs: 5000,
    resyncMs: 5000,
    faultsUntilMs: 50_000,
    events: [
      { atMs: 20_000, kind: 'gatewayFault', fault: 'hanging', forMs: 15_000 },
      { atMs: 22_000, kind: 'edit', file: fileOf(6, 2, { state: 'offline' }) },
    ],
  }),
  'a newer file wins while connections take seconds, and the newest plan shows no change that it took back': history({
    limit: slowLimit,
    events: [
      { atMs: 500, kind: 'gatewayFault', fault: 'slow', forMs: 30_000 },
      ...edits(8, 2500, (index) => fileOf(6, 2, { state: index % 2 === 0 ? 'offline' : 'online' })),
    ],
  }),
  'a first observation that fails is repeated within seconds': history({
    refreshMs: 300_000,
    faultsUntilMs: 2000,
    inSyncWithinMs: 10_000,
    events: [{ atMs: 0, kind: 'gatewayFault', fault: 'refused', forMs: 2000 }],
  }),
  'an outage ends though an API of the gateway never answers': history({
    badApis: { 0: 'hanging' },
    timeoutMs: 1000,
    faultsUntilMs: 20_000,
    events: [{ atMs: 0, kind: 'gatewayFault', fault: 'refused', forMs: 15_000 }],
  }),
  'an outage ends that began while the credentials were refused': history({
    faultsUntilMs: 20_000,
    events: [
      { atMs: 100, kind: 'gatewayFault', fault: 'unauthorized', forMs: 10_000 },
      { atMs: 150, kind: 'gatewayFault', fault: 'refused', forMs: 15_000 },
    ],
  }),
  'changes that failed in a short outage are retried as soon as it is over': history({
    faultsUntilMs: 10_000,
    inSyncWithinMs: 10_000,
    events: [{ atMs: 0, kind: 'gatewayFault', fault: 'hanging', forMs: 10_000 }],
    timeoutMs: 1000,
  }),
  'a backoff outlasts edits of other APIs': history({
    badApis: { 0: 'failing', 1: 'failing', 2: 'failing' },
    events: edits(14, 2000, (index) => ({
      ...fileOf(6, 2),
      publications: fileOf(6, 2).publications.map((one) => (one.api === 5 ? { ...one, revision: `r${index}` } : one)),
    })),
  }),
  'a backoff outlasts a suspension': history({
    badApis: { 0: 'failing', 1: 'failing' },
    events: [4000, 9000, 14_000].map((atMs) => ({ atMs, kind: 'suspend', forMs: 1500 })),
  }),
  'a new declaration that failed once has a backoff, though an older one was on its way': history({
    timeoutMs: 5000,
    badApis: { 0: 'failing' },
    events: [
      { atMs: 200, kind: 'gatewayFault', fault: 'slow', forMs: 20_000 },
      ...edits(8, 2000, (index) => fileOf(6, 2, { revision: `r${index}` })),
    ],
  }),
  'two calls for one API are never in flight together': history({
    environments: 3,
    roundTripMs: 200,
    limit: { calls: 50, perMs: 1000, concurrency: 8 },
    events: edits(6, 1000, (index) => fileOf(6, 3, { revision: `r${index}` })),
  }),
  'no window is too full when a frozen gateway thaws': history({
    refreshMs: 5000,
    resyncMs: 5000,
    events: [1000, 4000, 8000, 12_000].flatMap((atMs): OutsideEvent[] => [
      { atMs, kind: 'edit', file: fileOf(6, 2, { revision: `r${atMs}` }) },
      { atMs: atMs + 200, kind: 'gatewayFault', fault: 'frozen', forMs: 1000 },
    ]),
  }),
  'no window is too full when connections are slow': history({
    limit: { calls: 10, perMs: 250, concurrency: 8 },
    events: [
      { atMs: 0, kind: 'gatewayFault', fault: 'slow', forMs: 20_000 },
      ...edits(6, 2000, (index) => fileOf(6, 2, { revision: `r${index}` })),
    ],
  }),
  'a request of a killed process that arrives late is not made again': history({
    timeoutMs: 5000,
    propagationDelayMs: 3000,
    events: [
      { atMs: 0, kind: 'gatewayFault', fault: 'slow', forMs: 25_000 },
      ...[1000, 6000, 14_000].map((atMs): OutsideEvent => ({ atMs, kind: 'kill', replica: 0, at: 'once', forMs: 100 })),
    ],
  }),
  'a request that a frozen gateway processes long after its time limit is not taken for one without effect': history({
    limit: { calls: 1, perMs: 50, concurrency: 4 },
    timeoutMs: 1000,
    propagationDelayMs: 3000,
    debounceMs: 0,
    resyncMs: 5000,
    roundTripMs: 200,
    apis: 4,
    environments: 1,
    file: fileOf(4, 1, { without: [0, 2] }),
    events: [
      { atMs: 1196, kind: 'gatewayFault', fault: 'frozen', forMs: 15_000 },
      { atMs: 3450, kind: 'edit', file: fileOf(4, 1, { prune: true, without: [0, 2, 3] }) },
      { atMs: 6288, kind: 'edit', file: fileOf(4, 1, { without: [0, 2] }) },
    ],
  }),
  'a version without a marker may be that of the attempt': history({
    dropsRemarks: true,
    apis: 3,
    environments: 1,
    events: [{ atMs: 0, kind: 'gatewayFault', fault: 'failing', forMs: 25_000 }],
  }),
  'a list that leaves out publications makes no versions': history({
    refreshMs: 5000,
    resyncMs: 5000,
    driftPolicy: 'correct',
    events: [{ atMs: 5000, kind: 'gatewayFault', fault: 'lying', forMs: 20_000 }],
  }),
  'a list that leaves out publications at first contact makes no versions': history({
    refreshMs: 5000,
    onlineAtStart: fileOf(6, 2).publications,
    events: [{ atMs: 0, kind: 'gatewayFault', fault: 'lying', forMs: 20_000 }],
  }),
  'a file that is saved in two halves takes nothing offline': history({
    file: fileOf(6, 2, { prune: true }),
    debounceMs: 500,
    events: [3000, 9000, 15_000].map((atMs) => ({ atMs, kind: 'splitSave', file: fileOf(6, 2, { prune: true }), forMs: 1500 })),
  }),
  'setting the wall clock does not shorten the wait before a removal': history({
    file: fileOf(6, 2, { prune: true }),
    debounceMs: 500,
    events: [
      { atMs: 3000, kind: 'edit', file: fileOf(6, 2, { prune: true, without: [0] }) },
      { atMs: 5000, kind: 'wallClock', byMs: 3_600_000 },
      { atMs: 6000, kind: 'edit', file: fileOf(6, 2, { prune: true }) },
    ],
  }),
  'a list that lags makes no version though the wall clock was set back after the change': history({
    ...{ seed: 77032504, replicas: 2, propagationDelayMs: 3000, driftPolicy: 'correct', refreshMs: 20_000, debounceMs: 0 },
    ...{ resyncMs: 30_000, roundTripMs: 1, apis: 4, environments: 1, file: fileOf(3, 1), faultsUntilMs: 26_000 },
    limit: { calls: 2, perMs: 50, concurrency: 1 },
    events: [
      { atMs: 31, kind: 'gatewayFault', fault: 'refused', forMs: 4000 },
      { atMs: 4194, kind: 'leaseFault', forMs: 4000 },
      { atMs: 7719, kind: 'wallClock', byMs: -3_600_000 },
    ],
  }),
  'drift is noticed though the wall clock was set back': history({
    refreshMs: 5000,
    resyncMs: 5000,
    driftPolicy: 'correct',
    events: [
      { atMs: 5000, kind: 'wallClock', byMs: -3_600_000 },
      { atMs: 6000, kind: 'outsideChange', api: 0, environment: 0, state: 'offline' },
    ],
  }),
  'a killed owner is followed by the other process': history({
    replicas: 2,
    limit: slowLimit,
    events: [
      { atMs: 3000, kind: 'kill', replica: 0, at: 'written', forMs: 15_000 },
      { atMs: 9000, kind: 'storeFault', forMs: 6000 },
    ],
  }),
  'losing the lease during an observation ends no process': history({
    refreshMs: 5000,
    resyncMs: 5000,
    roundTripMs: 200,
    events: [3000, 12_000, 21_000].flatMap((atMs): OutsideEvent[] => [
      { atMs, kind: 'leaseFault', forMs: 6000 },
      { atMs, kind: 'gatewayFault', fault: 'slow', forMs: 6000 },
    ]),
  }),
  'an attempt during which the clock is set back is not taken for not applied': history({
    propagationDelayMs: 3000,
    timeoutMs: 1000,
    badApis: { 1: 'hanging' },
    events: [{ atMs: 800, kind: 'wallClock', byMs: -3_600_000 }],
  }),
};
