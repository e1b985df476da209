import { AggregatorRegistry, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Plan } from '../model/change.ts';
import type { RequestPause } from '../model/controller-status.ts';

import type { EdictEvent, Emit } from '../model/events.ts';
import type { RequestLimits } from '../model/gateway.ts';
import { visible } from '../model/visible.ts';
import { countFailing, summarizePlan } from '../plan/summary.ts';
import { createInstruments, type Instruments } from './instruments.ts';
import { QueueTimes } from './queue-times.ts';

/** The Prometheus metrics of one daemon. */
export interface Metrics {
  /** Returns a subscriber for the events of one file. All its metrics carry the label `file`. */
  forFile(file: string): Emit;
  /** Removes the metrics of a file. */
  removeFile(file: string): void;
  /** Returns all metrics in the text format of Prometheus. */
  text(): Promise<string>;
  readonly contentType: string;
}

const pauseReasons: readonly RequestPause['reason'][] = ['pause', 'outage', 'credentials'];

/** Opens the metrics of the process and of each file it manages. */
export function openMetrics(version: string): Metrics {
  const processRegistry = new Registry();
  collectDefaultMetrics({ register: processRegistry });
  new Gauge({
    name: 'edict_info',
    help: 'Always 1; the label has the running version.',
    labelNames: ['version'],
    registers: [processRegistry],
  }).set({ version }, 1);
  const registries = new Map<string, Registry>();
  const forFile = (file: string): Emit => {
    const registry = new Registry();
    registry.setDefaultLabels({ file: visible(file) });
    registries.set(file, registry);
    return metricsSubscriber(createInstruments(registry));
  };
  const text = async (): Promise<string> => {
    const fileRegistry = AggregatorRegistry.aggregate(
      await Promise.all([...registries.values()].map((registry) => registry.getMetricsAsJSON())),
    );
    return (await processRegistry.metrics()) + (await fileRegistry.metrics());
  };
  const removeFile = (file: string): void => void registries.delete(file);
  return { forFile, removeFile, text, contentType: processRegistry.contentType };
}

function metricsSubscriber(instruments: Instruments): Emit {
  const times = new QueueTimes(() => performance.now());
  for (const reason of pauseReasons) instruments.paused.set({ reason }, 0);
  // Initialize each series to 0: Prometheus cannot see the increase to a series' first value.
  for (const expected of ['true', 'false']) instruments.probes.inc({ expected }, 0);
  for (const outcome of ['succeeded', 'failed']) instruments.observations.inc({ outcome }, 0);
  for (const action of ['online', 'offline']) instruments.calls.inc({ action, outcome: 'succeeded' }, 0);
  let limit = '';
  return (event) => {
    recordEvent(event, instruments);
    if (event.type === 'file:loaded' && JSON.stringify(event.desired.gateway.limit) !== limit) {
      limit = JSON.stringify(event.desired.gateway.limit);
      recordLimit(event.desired.gateway.limit, instruments);
    }
    const time = times.record(event);
    if (time) (time.kind === 'queued' ? instruments.queueSeconds : instruments.inSyncSeconds).observe(time.seconds);
    instruments.queued.set(times.queued);
  };
}

/** Counts what an event says; events without a metric are ignored. */
function recordEvent(event: EdictEvent, instruments: Instruments): void {
  switch (event.type) {
    case 'file:loaded':
      instruments.fileValid.set(1);
      break;
    case 'file:held':
      instruments.fileValid.set(1);
      instruments.fileHeld.set(1);
      break;
    case 'file:invalid':
    case 'file:unreadable':
    case 'file:failed':
      instruments.fileValid.set(0);
      break;
    case 'reconcile:started':
      instruments.reconciliations.inc({ cause: event.cause });
      break;
    case 'plan:computed':
      instruments.lease.set(1);
      recordPlan(event.plan, instruments);
      break;
    case 'attempt:finished':
      instruments.calls.inc({ action: event.change.action, outcome: event.outcome.kind });
      instruments.callSeconds.observe(event.durationMs / 1000);
      break;
    case 'retry:scheduled':
      instruments.retries.inc();
      break;
    case 'requests:paused':
      for (const reason of pauseReasons) instruments.paused.set({ reason }, reason === event.reason ? 1 : 0);
      break;
    case 'requests:resumed':
      for (const reason of pauseReasons) instruments.paused.set({ reason }, 0);
      break;
    case 'token:issued':
      instruments.token.setToCurrentTime();
      break;
    case 'rate:changed':
      instruments.rate.set((event.calls * 1000) / event.perMs);
      break;
    case 'probe:answered':
      instruments.probes.inc({ expected: String(event.isExpected) });
      break;
    case 'reconcile:finished': {
      const { held, deferred, durationMs } = event.summary;
      const failing = countFailing(event.summary);
      instruments.reconcileSeconds.observe(durationMs / 1000);
      instruments.failing.set(failing);
      instruments.held.set(held);
      if (failing + held + deferred === 0) instruments.lastInSync.setToCurrentTime();
      break;
    }
    case 'gateway:observed':
      instruments.observations.inc({ outcome: 'succeeded' });
      break;
    case 'gateway:observe_failed':
      instruments.observations.inc({ outcome: 'failed' });
      break;
    case 'lease:acquired':
      instruments.lease.set(1);
      break;
    case 'lease:standby':
    case 'lease:lost':
      instruments.lease.set(0);
      break;
    case 'store:error':
      instruments.storeErrors.inc();
      break;
    case 'webhook:failed':
      instruments.notificationsDropped.inc(event.droppedCount);
      break;
    default:
      break;
  }
}

function recordPlan(plan: Plan, { publications, fileHeld, suspended }: Instruments): void {
  const { online, offline, unchanged, failed: _failed, excluded: _excluded, ...others } = summarizePlan(plan);
  const outdated = plan.outdated.length;
  // A plan counts outdated publications among the unchanged ones; the states here add up to the number of publications.
  const counts = { ...others, pending: online + offline, outdated, unchanged: unchanged - outdated };
  for (const [status, count] of Object.entries(counts)) publications.set({ status }, count);
  fileHeld.set(plan.fileHeld ? 1 : 0);
  suspended.set(plan.suspension ? 1 : 0);
}

/** A changed limit restarts the controller at the full rate. */
function recordLimit({ calls, perMs }: RequestLimits, { limit, rate }: Instruments): void {
  limit.set((calls * 1000) / perMs);
  rate.set((calls * 1000) / perMs);
}
