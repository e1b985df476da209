import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Creates all metrics of one file in `registry`. Label values come from fixed lists, which bounds the number of series. */
export function createInstruments(registry: Registry) {
  const registers = [registry];
  const gauge = <T extends string>(name: string, help: string, ...labelNames: T[]) => new Gauge({ name, help, labelNames, registers });
  const counter = <T extends string>(name: string, help: string, ...labelNames: T[]) => new Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[]) => new Histogram({ name, help, buckets, registers });
  return {
    passes: counter('edict_reconcile_total', 'Passes from the whole file and the whole record, by what woke them.', 'cause'),
    passSeconds: histogram('edict_reconcile_duration_seconds', 'How long passes took, calls included.', [0.01, 0.1, 1, 10, 60, 600, 3600]),
    calls: counter('edict_calls_total', 'Calls for changes, by what they do and what came of them.', 'action', 'outcome'),
    callSeconds: histogram(
      'edict_call_duration_seconds',
      'How long calls for changes took, from the record of the attempt to its outcome.',
      [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
    ),
    retries: counter('edict_retries_total', 'Changes that were put off to be tried again.'),
    queued: gauge('edict_queue_changes', 'Changes that are to be made now and are not done.'),
    waitSeconds: histogram(
      'edict_queue_wait_seconds',
      'How long changes waited for their first call since a plan asked for them.',
      [0.1, 1, 10, 60, 600, 3600],
    ),
    publications: gauge('edict_publications', 'Publications in the newest plan, by status.', 'status'),
    fileHeld: gauge('edict_file_held', '1 while the whole file is held until a person agrees.'),
    fileValid: gauge('edict_file_valid', '1 while the file can be read and is valid; otherwise the last valid one is in force.'),
    convergedSeconds: histogram(
      'edict_file_in_sync_seconds',
      'How long it took from a new file until everything was as it says.',
      [1, 10, 60, 600, 3600, 21_600, 86_400],
    ),
    converged: gauge('edict_last_in_sync_timestamp_seconds', 'When the last pass ended with everything as the file says.'),
    failing: gauge('edict_failing', 'Changes whose last attempt did not succeed, and failed probes, after the last pass.'),
    held: gauge('edict_held', 'Changes that wait for a person after the last pass, those with an unknown outcome included.'),
    suspended: gauge('edict_suspended', '1 while a person’s word beside the file lets no call leave.'),
    stopped: gauge('edict_requests_paused', '1 while no call is made, by why.', 'why'),
    rate: gauge('edict_rate_calls_per_second', 'The rate that is kept now.'),
    limit: gauge('edict_limit_calls_per_second', 'The rate that the file allows.'),
    token: gauge(
      'edict_token_issued_timestamp_seconds',
      'When the identity service gave the token in use; 0 with a token or key that was given.',
    ),
    lease: gauge('edict_lease_held', '1 while this edict may work on the gateway; 0 while it stands by, since another one does.'),
    probes: counter('edict_probes_total', 'Probes between environments, by whether the answer was the expected one.', 'expected'),
    observations: counter('edict_observations_total', 'Observations of the gateway, by outcome.', 'outcome'),
    storeErrors: counter('edict_store_errors_total', 'Reads and writes of the store that failed.'),
    notificationsDropped: counter('edict_webhook_dropped_total', 'Notifications that the webhook did not take.'),
  };
}

export type Instruments = ReturnType<typeof createInstruments>;
