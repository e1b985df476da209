import { type Attributes, type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { Change, Plan } from '../model/change.ts';
import type { EdictEvent } from '../model/events.ts';
import type { Outcome } from '../model/outcome.ts';
import { isActionable } from '../plan/diff.ts';
import { approvalDigest } from '../plan/policies.ts';

/** A pass that has not ended, and what of it has not. */
interface OpenReconciliation {
  readonly span: Span;
  readonly context: Context;
  readonly attempts: Map<number, Span>;
  plan: Span | null;
  isPlanned: boolean;
  /** Whether a newer plan is in force: it ends with the calls that have left. */
  isSuperseded: boolean;
}

type EventOf<T extends EdictEvent['type']> = Extract<EdictEvent, { type: T }>;

/** Makes spans of the engine's events: one for a pass, and below it one for each plan and each attempt. */
export class Tracing {
  readonly #tracer: Tracer;
  readonly #reconciliations = new Map<string, OpenReconciliation>();

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** Hears what happens in the engine. */
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

  /** Ends what has not ended: the daemon does. */
  close(): void {
    for (const [passId, pass] of this.#reconciliations) {
      for (const attempt of pass.attempts.values()) attempt.end();
      this.#end(passId, pass);
    }
  }

  #onReconcileStarted({ reconcileId, cause }: EventOf<'reconcile:started'>): void {
    for (const [id, pass] of this.#reconciliations) {
      if (id === reconcileId || pass.isPlanned) continue;
      pass.span.setStatus({ code: SpanStatusCode.ERROR, message: 'no plan could be made' });
      this.#end(id, pass);
    }
    const pass = this.#reconciliations.get(reconcileId) ?? this.#open(reconcileId, cause);
    pass.plan ??= this.#tracer.startSpan('plan', { attributes: { 'edict.cause': cause } }, pass.context);
  }

  #open(passId: string, cause: string): OpenReconciliation {
    const span = this.#tracer.startSpan('pass', { root: true, attributes: { 'edict.pass': passId, 'edict.cause': cause } }, ROOT_CONTEXT);
    const context = trace.setSpan(ROOT_CONTEXT, span);
    const pass: OpenReconciliation = { span, context, attempts: new Map(), plan: null, isPlanned: false, isSuperseded: false };
    this.#reconciliations.set(passId, pass);
    return pass;
  }

  #onPlan({ reconcileId, plan }: EventOf<'plan:computed'>): void {
    const pass = this.#reconciliations.get(reconcileId);
    if (!pass) return;
    pass.plan?.setAttributes(planAttributes(plan));
    pass.plan?.end();
    pass.plan = null;
    pass.isPlanned = true;
    for (const [id, other] of this.#reconciliations) {
      if (id === reconcileId) continue;
      other.isSuperseded = true;
      this.#endIfSuperseded(id, other);
    }
  }

  #onAttemptStarted({ reconcileId, attemptId, change }: EventOf<'attempt:started'>): void {
    const pass = this.#reconciliationOf(reconcileId);
    if (!pass) return;
    const attributes = { ...changeAttributes(change), 'edict.attempt': attemptId };
    pass.attempts.set(attemptId, this.#tracer.startSpan(`call ${change.action}`, { kind: SpanKind.CLIENT, attributes }, pass.context));
  }

  #onAttemptFinished({ attemptId, outcome }: EventOf<'attempt:finished'>): void {
    for (const [id, pass] of this.#reconciliations) {
      const span = pass.attempts.get(attemptId);
      if (!span) continue;
      pass.attempts.delete(attemptId);
      endSpan(span, outcome);
      this.#endIfSuperseded(id, pass);
    }
  }

  #onReconcileFinished({ reconcileId, summary }: EventOf<'reconcile:finished'>): void {
    const pass = this.#reconciliations.get(reconcileId);
    if (!pass) return;
    const { online, offline, unchanged, held, deferred, failed } = summary;
    pass.span.setAttributes({
      'edict.online': online,
      'edict.offline': offline,
      'edict.unchanged': unchanged,
      'edict.held': held,
      'edict.waiting': deferred,
      'edict.failed': failed,
    });
    if (failed > 0) pass.span.setStatus({ code: SpanStatusCode.ERROR, message: `${failed} failed` });
    this.#end(reconcileId, pass);
  }

  /** An attempt may begin just when its pass has given way to a newer one: then it is of that. */
  #reconciliationOf(passId: string): OpenReconciliation | undefined {
    return this.#reconciliations.get(passId) ?? [...this.#reconciliations.values()].at(-1);
  }

  #endIfSuperseded(passId: string, pass: OpenReconciliation): void {
    if (!pass.isSuperseded || pass.attempts.size > 0) return;
    pass.span.setAttribute('edict.superseded', true);
    this.#end(passId, pass);
  }

  #end(passId: string, pass: OpenReconciliation): void {
    pass.plan?.end();
    pass.span.end();
    this.#reconciliations.delete(passId);
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
    'edict.waiting': changes.filter((change) => change.deferred && !change.held).length,
    'edict.unchanged': unchanged,
    'edict.drifted': drifted.length,
    'edict.stale': outdated.length,
    ...(fileHeld && { 'edict.suspicion': fileHeld.rule }),
    ...(digest !== null && { 'edict.held.digest': digest }),
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
