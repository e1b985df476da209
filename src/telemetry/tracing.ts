import { type Attributes, type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { Change, Plan } from '../model/change.ts';
import type { EdictEvent } from '../model/events.ts';
import type { Outcome } from '../model/outcome.ts';
import { isActionable } from '../plan/diff.ts';
import { approvalDigest } from '../plan/policies.ts';
import { countFailing } from '../plan/summary.ts';

/** A reconciliation with its open spans. */
interface OpenReconciliation {
  readonly span: Span;
  readonly context: Context;
  readonly attempts: Map<number, Span>;
  plan: Span | null;
  isPlanned: boolean;
  /** Whether a newer plan replaced this one. Its span then ends with the last open attempt. */
  isSuperseded: boolean;
}

type EventOf<T extends EdictEvent['type']> = Extract<EdictEvent, { type: T }>;

/** Turns events into spans: one per reconciliation, with a child for each plan and each attempt. */
export class Tracing {
  readonly #tracer: Tracer;
  readonly #reconciliations = new Map<string, OpenReconciliation>();

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** Updates the spans from an event. */
  emit(event: EdictEvent): void {
    switch (event.type) {
      case 'reconcile:started':
        this.#onReconcileStarted(event);
        break;
      case 'plan:computed':
        this.#onPlan(event);
        break;
      case 'attempt:started':
        this.#onAttemptStarted(event);
        break;
      case 'attempt:finished':
        this.#onAttemptFinished(event);
        break;
      case 'attempt:recovered':
      case 'attempt:unknown':
        this.#reconciliationOf(event.reconcileId)?.span.addEvent(event.type, {
          ...changeAttributes(event.change),
          'edict.attempt': event.attemptId,
        });
        break;
      case 'gateway:observe_failed':
        this.#reconciliations.get(event.reconcileId)?.plan?.addEvent(event.type, { 'edict.reason': event.reason });
        break;
      case 'reconcile:finished':
        this.#onReconcileFinished(event);
        break;
      default:
        break;
    }
  }

  /** Ends all open spans, at shutdown. */
  close(): void {
    for (const [reconcileId, reconciliation] of this.#reconciliations) {
      for (const attempt of reconciliation.attempts.values()) attempt.end();
      this.#end(reconcileId, reconciliation);
    }
  }

  #onReconcileStarted({ reconcileId, cause }: EventOf<'reconcile:started'>): void {
    for (const [id, reconciliation] of this.#reconciliations) {
      if (id === reconcileId || reconciliation.isPlanned) continue;
      reconciliation.span.setStatus({ code: SpanStatusCode.ERROR, message: 'no plan could be made' });
      this.#end(id, reconciliation);
    }
    const reconciliation = this.#reconciliations.get(reconcileId) ?? this.#open(reconcileId, cause);
    reconciliation.plan ??= this.#tracer.startSpan('plan', { attributes: { 'edict.cause': cause } }, reconciliation.context);
  }

  #open(reconcileId: string, cause: string): OpenReconciliation {
    const span = this.#tracer.startSpan(
      'reconcile',
      { root: true, attributes: { 'edict.reconcile': reconcileId, 'edict.cause': cause } },
      ROOT_CONTEXT,
    );
    const context = trace.setSpan(ROOT_CONTEXT, span);
    const reconciliation: OpenReconciliation = { span, context, attempts: new Map(), plan: null, isPlanned: false, isSuperseded: false };
    this.#reconciliations.set(reconcileId, reconciliation);
    return reconciliation;
  }

  #onPlan({ reconcileId, plan }: EventOf<'plan:computed'>): void {
    const reconciliation = this.#reconciliations.get(reconcileId);
    if (!reconciliation) return;
    reconciliation.plan?.setAttributes(planAttributes(plan));
    reconciliation.plan?.end();
    reconciliation.plan = null;
    reconciliation.isPlanned = true;
    for (const [id, other] of this.#reconciliations) {
      if (id === reconcileId) continue;
      other.isSuperseded = true;
      this.#endIfSuperseded(id, other);
    }
  }

  #onAttemptStarted({ reconcileId, attemptId, change }: EventOf<'attempt:started'>): void {
    const reconciliation = this.#reconciliationOf(reconcileId);
    if (!reconciliation) return;
    const attributes = { ...changeAttributes(change), 'edict.attempt': attemptId };
    reconciliation.attempts.set(
      attemptId,
      this.#tracer.startSpan(`call ${change.action}`, { kind: SpanKind.CLIENT, attributes }, reconciliation.context),
    );
  }

  #onAttemptFinished({ attemptId, outcome }: EventOf<'attempt:finished'>): void {
    for (const [id, reconciliation] of this.#reconciliations) {
      const span = reconciliation.attempts.get(attemptId);
      if (!span) continue;
      reconciliation.attempts.delete(attemptId);
      endSpan(span, outcome);
      this.#endIfSuperseded(id, reconciliation);
    }
  }

  #onReconcileFinished({ reconcileId, summary }: EventOf<'reconcile:finished'>): void {
    const reconciliation = this.#reconciliations.get(reconcileId);
    if (!reconciliation) return;
    const { online, offline, unchanged, settling, held, deferred, failed, unknown, drifted, unmanaged } = summary;
    reconciliation.span.setAttributes({
      'edict.online': online,
      'edict.offline': offline,
      'edict.unchanged': unchanged,
      'edict.held': held,
      'edict.deferred': deferred,
      'edict.failed': failed,
      'edict.unknown': unknown,
      'edict.drifted': drifted,
      'edict.settling': settling,
      'edict.unmanaged': unmanaged,
    });
    const failing = countFailing(summary);
    if (failing > 0) reconciliation.span.setStatus({ code: SpanStatusCode.ERROR, message: `${failing} failed` });
    this.#end(reconcileId, reconciliation);
  }

  /** Returns the reconciliation of an attempt. One whose reconciliation was just superseded belongs to the newest. */
  #reconciliationOf(reconcileId: string): OpenReconciliation | undefined {
    return this.#reconciliations.get(reconcileId) ?? [...this.#reconciliations.values()].at(-1);
  }

  #endIfSuperseded(reconcileId: string, reconciliation: OpenReconciliation): void {
    if (!reconciliation.isSuperseded || reconciliation.attempts.size > 0) return;
    reconciliation.span.setAttribute('edict.superseded', true);
    this.#end(reconcileId, reconciliation);
  }

  #end(reconcileId: string, reconciliation: OpenReconciliation): void {
    reconciliation.plan?.end();
    reconciliation.span.end();
    this.#reconciliations.delete(reconcileId);
  }
}

function planAttributes(plan: Plan): Attributes {
  const { changes, unchanged, fileHeld, drifted, outdated, gateway } = plan;
  const digest = approvalDigest(plan);
  return {
    'edict.gateway.endpoint': gateway.endpoint,
    'edict.gateway.instance': gateway.instance,
    'edict.changes': changes.filter(isActionable).length,
    'edict.held': changes.filter((change) => change.held).length,
    'edict.deferred': changes.filter((change) => change.deferred && !change.held).length,
    'edict.unchanged': unchanged,
    'edict.drifted': drifted.length,
    'edict.outdated': outdated.length,
    ...(fileHeld && { 'edict.file_held': fileHeld.rule }),
    ...(digest !== null && { 'edict.approval.digest': digest }),
  };
}

function changeAttributes({ api, apiId, environment, environmentId, action, reason }: Change): Attributes {
  return {
    'edict.api': api,
    'edict.api.id': apiId,
    'edict.environment': environment,
    'edict.environment.id': environmentId,
    'edict.action': action,
    'edict.reason': reason,
  };
}

function endSpan(span: Span, outcome: Outcome): void {
  span.setAttribute('edict.outcome', outcome.kind);
  if (outcome.kind === 'succeeded' && outcome.versionId !== null) span.setAttribute('edict.version', outcome.versionId);
  if ('failure' in outcome) {
    const { code, status, message, requestId } = outcome.failure;
    span.setAttribute('error.type', code);
    if (status !== null) span.setAttribute('http.response.status_code', status);
    if (requestId !== null) span.setAttribute('edict.request', requestId);
    span.setStatus({ code: SpanStatusCode.ERROR, message: `${code} ${message}` });
  }
  span.end();
}
