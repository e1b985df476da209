import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Creates all metrics of one file in `registry`. Label values come from fixed lists, which bounds the number of series. */
export function createInstruments(registry: Registry) {
  const registers = [registry];
  const gauge = <T extends string>(name: string, help: string, ...labelNames: T[]) => new Gauge({ name, help, labelNames, registers });
  const counter = <T extends string>(name: string, help: string, ...labelNames: T[]) => new Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[]) => new Histogram({ name, help, buckets, registers });
  return {
    reconciliations: counter('edict_reconcile_total', 'Reconciliations, by cause.', 'cause'),
    reconcileSeconds: histogram(
      'edict_reconcile_duration_seconds',
      'Duration of reconciliations, including their calls.',
      [0.01, 0.1, 1, 10, 60, 600, 3600],
    ),
    calls: counter('edict_calls_total', 'Calls for changes, by action and outcome.', 'action', 'outcome'),
    callSeconds: histogram(
      'edict_call_duration_seconds',
      'Duration of calls for changes, from the record of the attempt to its outcome.',
      [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
    ),
    retries: counter('edict_retries_total', 'Scheduled retries of changes.'),
    queued: gauge('edict_queue_changes', 'Changes that are made now and are not finished.'),
    queueSeconds: histogram(
      'edict_queue_wait_seconds',
      'Time from the plan that first contained a change to its first call.',
      [0.1, 1, 10, 60, 600, 3600],
    ),
    publications: gauge('edict_publications', 'Publications in the newest plan, by status.', 'status'),
    fileHeld: gauge('edict_file_held', '1 while the whole file is held for approval.'),
    fileValid: gauge('edict_file_valid', '1 while the file can be read and is valid; otherwise the last valid file stays in force.'),
    inSyncSeconds: histogram(
      'edict_file_in_sync_seconds',
      'Time from loading a changed file until every publication matched it.',
      [1, 10, 60, 600, 3600, 21_600, 86_400],
    ),
    lastInSync: gauge(
      'edict_last_in_sync_timestamp_seconds',
      'When the last reconciliation ended with every publication matching the file.',
    ),
    failing: gauge('edict_failing', 'Changes whose last attempt did not succeed, and failed probes, after the last reconciliation.'),
    held: gauge('edict_held', 'Changes that are held after the last reconciliation, including those with an unknown outcome.'),
    suspended: gauge('edict_suspended', '1 while all calls are suspended outside the file.'),
    paused: gauge('edict_requests_paused', '1 while requests are paused, by reason.', 'reason'),
    rate: gauge('edict_rate_calls_per_second', 'The current rate limit.'),
    limit: gauge('edict_limit_calls_per_second', 'The rate limit in the file.'),
    token: gauge('edict_token_issued_timestamp_seconds', 'When the current token was issued; 0 with a static token or key.'),
    lease: gauge('edict_lease_held', '1 while this process holds the lease of the gateway; 0 on standby.'),
    probes: counter('edict_probes_total', 'Probes between environments, by whether the response was expected.', 'expected'),
    observations: counter('edict_observations_total', 'Observations of the gateway, by outcome.', 'outcome'),
    storeErrors: counter('edict_store_errors_total', 'Failed reads and writes of the store.'),
    notificationsDropped: counter(
      'edict_webhook_dropped_total',
      'Notifications that were dropped because the webhook did not accept them.',
    ),
  };
}

export type Instruments = ReturnType<typeof createInstruments>;
