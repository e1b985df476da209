import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { assertNever } from '../core/errors.ts';
import type { Emit, EngineEvent } from '../core/events.ts';
import { isMade, type Plan } from '../core/plan.ts';
import type { Stopped } from '../core/ports.ts';

/** What a monitoring system collects of one daemon. */
export interface Metrics {
  readonly emit: Emit;
  /** Returns all metrics in the text format of Prometheus. */
  text(): Promise<string>;
  readonly contentType: string;
}

const whys: readonly Stopped['why'][] = ['pause', 'outage', 'credentials'];

/** Returns metrics that follow the engine's events. No label has more values than a person could list. */
export function openMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = <T extends string>(name: string, help: string, ...labelNames: T[]) => new Gauge({ name, help, labelNames, registers });
  const counter = <T extends string>(name: string, help: string, ...labelNames: T[]) => new Counter({ name, help, labelNames, registers });
  const of = {
    passes: counter('edict_passes_total', 'Passes from the whole file and the whole record, by what woke them.', 'cause'),
    passSeconds: new Histogram({
      name: 'edict_pass_duration_seconds',
      help: 'How long passes took, calls included.',
      buckets: [0.01, 0.1, 1, 10, 60, 600, 3600],
      registers,
    }),
    calls: counter('edict_calls_total', 'Calls for changes, by what they do and what came of them.', 'action', 'outcome'),
    callSeconds: new Histogram({
      name: 'edict_call_duration_seconds',
      help: 'How long calls for changes took, from the record of the attempt to its outcome.',
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
      registers,
    }),
    retries: counter('edict_retries_total', 'Changes that were put off to be tried again.'),
    publications: gauge('edict_publications', 'Publications of the newest plan, by what it makes of them.', 'state'),
    fileHeld: gauge('edict_file_held', '1 while the whole file is held until a person agrees.'),
    fileValid: gauge('edict_file_valid', '1 while the file can be read and is valid; otherwise the last valid one is in force.'),
    failing: gauge('edict_failing', 'Changes whose last attempt did not succeed, and failed probes, after the last pass.'),
    stopped: gauge('edict_calls_stopped', '1 while no call is made, by why.', 'why'),
    rate: gauge('edict_rate_calls_per_second', 'The rate that is kept now.'),
    probes: counter('edict_probes_total', 'Probes between environments, by whether the answer was the expected one.', 'expected'),
    converged: gauge('edict_converged_timestamp_seconds', 'When the last pass ended with everything as the file says.'),
    storeErrors: counter('edict_store_errors_total', 'Reads and writes of the store that failed.'),
    notificationsDropped: counter('edict_notifications_dropped_total', 'Notifications that a receiver did not take in any try.'),
  };
  for (const why of whys) of.stopped.set({ why }, 0);
  return { emit: (event) => note(event, of), text: () => registry.metrics(), contentType: registry.contentType };
}

function note(event: EngineEvent, of: Instruments): void {
  switch (event.type) {
    case 'file:accepted':
      of.fileValid.set(1);
      break;
    case 'file:rejected':
    case 'file:missed':
      of.fileValid.set(0);
      break;
    case 'pass:started':
      of.passes.inc({ cause: event.cause });
      break;
    case 'plan:made':
      planned(event.plan, of);
      break;
    case 'attempt:settled':
      of.calls.inc({ action: event.change.action, outcome: event.outcome.kind });
      of.callSeconds.observe(event.tookMs / 1000);
      break;
    case 'retry:scheduled':
      of.retries.inc();
      break;
    case 'calls:stopped':
      for (const why of whys) of.stopped.set({ why }, why === event.why ? 1 : 0);
      break;
    case 'calls:resumed':
      for (const why of whys) of.stopped.set({ why }, 0);
      break;
    case 'rate:changed':
      of.rate.set((event.calls * 1000) / event.perMs);
      break;
    case 'probe:answered':
      of.probes.inc({ expected: String(event.isExpected) });
      break;
    case 'pass:finished': {
      const { failed, held, waiting, tookMs } = event.summary;
      of.passSeconds.observe(tookMs / 1000);
      of.failing.set(failed);
      if (failed + held + waiting === 0) of.converged.setToCurrentTime();
      break;
    }
    case 'store:failed':
      of.storeErrors.inc();
      break;
    case 'notify:failed':
      of.notificationsDropped.inc(event.dropped);
      break;
    case 'attempt:begun':
    case 'attempt:resolved':
    case 'attempt:untold':
    case 'gateway:seen':
    case 'gateway:unseen':
    case 'publication:noted':
    case 'store:waited':
    case 'daemon:stopped':
      break;
    default:
      assertNever(event);
  }
}

interface Instruments {
  readonly passes: Counter<'cause'>;
  readonly passSeconds: Histogram;
  readonly calls: Counter<'action' | 'outcome'>;
  readonly callSeconds: Histogram;
  readonly retries: Counter;
  readonly publications: Gauge<'state'>;
  readonly fileHeld: Gauge;
  readonly fileValid: Gauge;
  readonly failing: Gauge;
  readonly stopped: Gauge<'why'>;
  readonly rate: Gauge;
  readonly probes: Counter<'expected'>;
  readonly converged: Gauge;
  readonly storeErrors: Counter;
  readonly notificationsDropped: Counter;
}

function planned({ changes, unchanged, suspicion, drifted, stale }: Plan, { publications, fileHeld }: Instruments): void {
  const held = changes.filter((change) => change.held).length;
  publications.set({ state: 'unchanged' }, unchanged);
  publications.set({ state: 'changing' }, changes.filter(isMade).length);
  publications.set({ state: 'held' }, held);
  publications.set({ state: 'waiting' }, changes.filter((change) => change.waits && !change.held).length);
  publications.set({ state: 'drifted' }, drifted.length);
  publications.set({ state: 'stale' }, stale.length);
  fileHeld.set(suspicion ? 1 : 0);
}
