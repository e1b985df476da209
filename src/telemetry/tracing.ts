import { type Attributes, type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { EngineEvent } from '../core/events.ts';
import { heldDigest } from '../core/guards.ts';
import type { Outcome } from '../core/outcome.ts';
import { type Change, isMade, type Plan } from '../core/plan.ts';

/** A pass that has not ended, and what of it has not. */
interface OpenPass {
  readonly span: Span;
  readonly context: Context;
  readonly attempts: Map<number, Span>;
  plan: Span | null;
  isPlanned: boolean;
  /** Whether a newer plan is in force: it ends with the calls that have left. */
  isSuperseded: boolean;
}

type EventOf<T extends EngineEvent['type']> = Extract<EngineEvent, { type: T }>;

/** Makes spans of the engine's events: one for a pass, and below it one for each plan and each attempt. */
export class Tracing {
  readonly #tracer: Tracer;
  readonly #passes = new Map<string, OpenPass>();

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** Hears what happens in the engine. */
  emit(event: EngineEvent): void {
    switch (event.type) {
      case 'pass:started':
        this.#start(event);
        break;
      case 'plan:made':
        this.#planned(event);
        break;
      case 'attempt:begun':
        this.#begun(event);
        break;
      case 'attempt:settled':
        this.#settled(event);
        break;
      case 'attempt:resolved':
      case 'attempt:untold':
        this.#of(event.passId)?.span.addEvent(event.type, { ...attributesOf(event.change), 'edict.attempt': event.attemptId });
        break;
      case 'gateway:unseen':
        this.#passes.get(event.passId)?.plan?.addEvent(event.type, { 'edict.reason': event.reason });
        break;
      case 'pass:finished':
        this.#finish(event);
        break;
      default:
        break;
    }
  }

  /** Ends what has not ended: the daemon does. */
  close(): void {
    for (const [passId, pass] of this.#passes) {
      for (const attempt of pass.attempts.values()) attempt.end();
      this.#end(passId, pass);
    }
  }

  #start({ passId, cause }: EventOf<'pass:started'>): void {
    for (const [id, pass] of this.#passes) {
      if (id === passId || pass.isPlanned) continue;
      pass.span.setStatus({ code: SpanStatusCode.ERROR, message: 'no plan could be made' });
      this.#end(id, pass);
    }
    const pass = this.#passes.get(passId) ?? this.#open(passId, cause);
    pass.plan ??= this.#tracer.startSpan('plan', { attributes: { 'edict.cause': cause } }, pass.context);
  }

  #open(passId: string, cause: string): OpenPass {
    const span = this.#tracer.startSpan('pass', { root: true, attributes: { 'edict.pass': passId, 'edict.cause': cause } }, ROOT_CONTEXT);
    const context = trace.setSpan(ROOT_CONTEXT, span);
    const pass: OpenPass = { span, context, attempts: new Map(), plan: null, isPlanned: false, isSuperseded: false };
    this.#passes.set(passId, pass);
    return pass;
  }

  #planned({ passId, plan }: EventOf<'plan:made'>): void {
    const pass = this.#passes.get(passId);
    if (!pass) return;
    pass.plan?.setAttributes(attributesOfPlan(plan));
    pass.plan?.end();
    pass.plan = null;
    pass.isPlanned = true;
    for (const [id, other] of this.#passes) {
      if (id === passId) continue;
      other.isSuperseded = true;
      this.#endIfOver(id, other);
    }
  }

  #begun({ passId, attemptId, change }: EventOf<'attempt:begun'>): void {
    const pass = this.#of(passId);
    if (!pass) return;
    const attributes = { ...attributesOf(change), 'edict.attempt': attemptId };
    pass.attempts.set(attemptId, this.#tracer.startSpan(`call ${change.action}`, { kind: SpanKind.CLIENT, attributes }, pass.context));
  }

  #settled({ attemptId, outcome }: EventOf<'attempt:settled'>): void {
    for (const [id, pass] of this.#passes) {
      const span = pass.attempts.get(attemptId);
      if (!span) continue;
      pass.attempts.delete(attemptId);
      endWith(span, outcome);
      this.#endIfOver(id, pass);
    }
  }

  #finish({ passId, summary }: EventOf<'pass:finished'>): void {
    const pass = this.#passes.get(passId);
    if (!pass) return;
    const { online, offline, unchanged, held, waiting, failed } = summary;
    pass.span.setAttributes({
      'edict.online': online,
      'edict.offline': offline,
      'edict.unchanged': unchanged,
      'edict.held': held,
      'edict.waiting': waiting,
      'edict.failed': failed,
    });
    if (failed > 0) pass.span.setStatus({ code: SpanStatusCode.ERROR, message: `${failed} failed` });
    this.#end(passId, pass);
  }

  /** An attempt may begin just when its pass has given way to a newer one: then it is of that. */
  #of(passId: string): OpenPass | undefined {
    return this.#passes.get(passId) ?? [...this.#passes.values()].at(-1);
  }

  #endIfOver(passId: string, pass: OpenPass): void {
    if (!pass.isSuperseded || pass.attempts.size > 0) return;
    pass.span.setAttribute('edict.superseded', true);
    this.#end(passId, pass);
  }

  #end(passId: string, pass: OpenPass): void {
    pass.plan?.end();
    pass.span.end();
    this.#passes.delete(passId);
  }
}

function attributesOfPlan(plan: Plan): Attributes {
  const { changes, unchanged, suspicion, drifted, stale, gateway } = plan;
  const digest = heldDigest(plan);
  return {
    'edict.gateway.endpoint': gateway.endpoint,
    'edict.gateway.instance': gateway.instance,
    'edict.changes': changes.filter(isMade).length,
    'edict.held': changes.filter((change) => change.held).length,
    'edict.waiting': changes.filter((change) => change.waits && !change.held).length,
    'edict.unchanged': unchanged,
    'edict.drifted': drifted.length,
    'edict.stale': stale.length,
    ...(suspicion && { 'edict.suspicion': suspicion.rule }),
    ...(digest !== null && { 'edict.held.digest': digest }),
  };
}

function attributesOf({ api, apiId, environment, environmentId, action, reason }: Change): Attributes {
  return {
    'edict.api': api,
    'edict.api.id': apiId,
    'edict.environment': environment,
    'edict.environment.id': environmentId,
    'edict.action': action,
    'edict.reason': reason,
  };
}

function endWith(span: Span, outcome: Outcome): void {
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
