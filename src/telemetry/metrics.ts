import { AggregatorRegistry, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Plan } from '../model/change.ts';
import { assertNever } from '../model/errors.ts';
import type { EdictEvent, Emit } from '../model/events.ts';
import type { RequestPause } from '../model/ports.ts';
import type { RequestLimits } from '../model/publication.ts';
import { countChanges } from '../plan/change-counts.ts';
import { createInstruments, type Instruments } from './instruments.ts';
import { QueueTimes } from './queue-times.ts';

/** What a monitoring system collects of one daemon. */
export interface Metrics {
  /** Returns what follows the engine's events of one file, which is a label of all that is told of it. */
  forFile(file: string): Emit;
  /** Tells nothing of a file any more. */
  removeFile(file: string): void;
  /** Returns all metrics in the text format of Prometheus. */
  text(): Promise<string>;
  readonly contentType: string;
}

const pauseReasons: readonly RequestPause['reason'][] = ['pause', 'outage', 'credentials'];

/** Returns metrics of the process, and of each file that it works on. */
export function openMetrics(version: string): Metrics {
  const ofProcess = new Registry();
  collectDefaultMetrics({ register: ofProcess });
  new Gauge({ name: 'edict_info', help: 'Always 1, with the version that runs.', labelNames: ['version'], registers: [ofProcess] }).set(
    { version },
    1,
  );
  const registries = new Map<string, Registry>();
  const forFile = (file: string): Emit => {
    const registry = new Registry();
    registry.setDefaultLabels({ file });
    registries.set(file, registry);
    return metricsSubscriber(createInstruments(registry));
  };
  const text = async (): Promise<string> => {
    const ofFiles = AggregatorRegistry.aggregate(
      await Promise.all([...registries.values()].map((registry) => registry.getMetricsAsJSON())),
    );
    return (await ofProcess.metrics()) + (await ofFiles.metrics());
  };
  const removeFile = (file: string): void => void registries.delete(file);
  return { forFile, removeFile, text, contentType: ofProcess.contentType };
}

function metricsSubscriber(of: Instruments): Emit {
  const times = new QueueTimes(() => performance.now());
  for (const why of pauseReasons) of.stopped.set({ why }, 0);
  // Prometheus sees no increase from a series that is not there yet.
  for (const expected of ['true', 'false']) of.probes.inc({ expected }, 0);
  for (const outcome of ['succeeded', 'failed']) of.observations.inc({ outcome }, 0);
  for (const action of ['online', 'offline']) of.calls.inc({ action, outcome: 'succeeded' }, 0);
  let limit = '';
  return (event) => {
    recordEvent(event, of);
    if (event.type === 'file:loaded' && JSON.stringify(event.desired.gateway.limit) !== limit) {
      limit = JSON.stringify(event.desired.gateway.limit);
      recordLimit(event.desired.gateway.limit, of);
    }
    const time = times.record(event);
    if (time) (time.kind === 'waited' ? of.waitSeconds : of.convergedSeconds).observe(time.seconds);
    of.queued.set(times.queued);
  };
}

function recordEvent(event: EdictEvent, of: Instruments): void {
  switch (event.type) {
    case 'file:loaded':
      of.fileValid.set(1);
      break;
    case 'file:invalid':
    case 'file:unreadable':
    case 'file:failed':
      of.fileValid.set(0);
      break;
    case 'reconcile:started':
      of.passes.inc({ cause: event.cause });
      break;
    case 'plan:computed':
      of.lease.set(1);
      recordPlan(event.plan, of);
      break;
    case 'attempt:finished':
      of.calls.inc({ action: event.change.action, outcome: event.outcome.kind });
      of.callSeconds.observe(event.durationMs / 1000);
      break;
    case 'retry:scheduled':
      of.retries.inc();
      break;
    case 'requests:paused':
      for (const why of pauseReasons) of.stopped.set({ why }, why === event.reason ? 1 : 0);
      break;
    case 'requests:resumed':
      for (const why of pauseReasons) of.stopped.set({ why }, 0);
      break;
    case 'token:issued':
      of.token.setToCurrentTime();
      break;
    case 'rate:changed':
      of.rate.set((event.calls * 1000) / event.perMs);
      break;
    case 'probe:answered':
      of.probes.inc({ expected: String(event.isExpected) });
      break;
    case 'reconcile:finished': {
      const { failed, held, deferred, durationMs } = event.summary;
      of.passSeconds.observe(durationMs / 1000);
      of.failing.set(failed);
      of.held.set(held);
      if (failed + held + deferred === 0) of.converged.setToCurrentTime();
      break;
    }
    case 'gateway:observed':
      of.observations.inc({ outcome: 'succeeded' });
      break;
    case 'gateway:observe_failed':
      of.observations.inc({ outcome: 'failed' });
      break;
    case 'lease:acquired':
      of.lease.set(1);
      break;
    case 'lease:standby':
    case 'lease:lost':
      of.lease.set(0);
      break;
    case 'store:error':
      of.storeErrors.inc();
      break;
    case 'webhook:failed':
      of.notificationsDropped.inc(event.droppedCount);
      break;
    case 'attempt:started':
    case 'attempt:recovered':
    case 'attempt:unknown':
    case 'publication:drift':
    case 'store:waiting':
    case 'history:pruned':
    case 'trace:failed':
    case 'daemon:stopped':
    case 'file:added':
    case 'file:removed':
      break;
    default:
      assertNever(event);
  }
}

function recordPlan(plan: Plan, { publications, fileHeld, suspended }: Instruments): void {
  const { online, offline, held } = countChanges(plan);
  const waits = plan.changes.filter((change) => change.deferred && !change.held);
  const waiting = waits.filter((change) => change.deferred?.rule === 'order').length;
  const counts = { unchanged: plan.unchanged, changing: online + offline, held, waiting, frozen: waits.length - waiting };
  for (const [state, count] of Object.entries({ ...counts, drifted: plan.drifted.length, stale: plan.outdated.length })) {
    publications.set({ state }, count);
  }
  fileHeld.set(plan.fileHeld ? 1 : 0);
  suspended.set(plan.suspension ? 1 : 0);
}

/** With another limit the engine begins anew, at the whole of it. */
function recordLimit({ calls, perMs }: RequestLimits, { limit, rate }: Instruments): void {
  limit.set((calls * 1000) / perMs);
  rate.set((calls * 1000) / perMs);
}
