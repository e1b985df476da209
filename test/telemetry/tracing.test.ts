import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictEvent, TriggerCause } from '../../src/model/events.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { Tracing } from '../../src/telemetry/tracing.ts';
import { change, desiredState, reconcileSummary } from '../support/states.ts';

const test = suite('tracing');
let exporter: InMemorySpanExporter;
let tracing: Tracing;

test.before.each(() => {
  exporter = new InMemorySpanExporter();
  tracing = new Tracing(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }).getTracer('test'));
});

const emit = (...events: readonly EdictEvent[]): void => {
  for (const event of events) tracing.emit(event);
};
const started = (reconcileId: string, cause: TriggerCause = 'file'): EdictEvent => ({ type: 'reconcile:started', reconcileId, cause });
const planned = (reconcileId: string): EdictEvent => {
  const changes = [change('a', 'test'), change('b', 'test', { held: { rule: 'protected', message: '', hint: '' } })];
  return {
    type: 'plan:computed',
    reconcileId,
    cause: 'file',
    plan: { ...diffStates(desiredState([]), new Map()), changes },
    recorded: new Map(),
  };
};
const begun = (reconcileId: string, attemptId: number): EdictEvent => ({
  type: 'attempt:started',
  reconcileId,
  attemptId,
  change: change(`a${attemptId}`, 'test'),
});
const attemptFinished = (
  reconcileId: string,
  attemptId: number,
  outcome: Outcome = { kind: 'succeeded', versionId: 'v', publishId: null },
): EdictEvent => ({
  ...{ type: 'attempt:finished', reconcileId, attemptId, outcome, isRecorded: true, durationMs: 1 },
  change: change(`a${attemptId}`, 'test'),
});
const finished = (reconcileId: string, failed = 0): EdictEvent => ({
  type: 'reconcile:finished',
  reconcileId,
  summary: reconcileSummary({ online: 2, unchanged: 3, held: 1, failed, durationMs: 1 }),
});

/** Returns the ended spans, in short: those of a reconciliation below it. */
function shown(): string[] {
  const spans = exporter.getFinishedSpans();
  const nameOf = ({ name, attributes }: ReadableSpan): string =>
    [name, attributes['edict.reconcile'] ?? attributes['edict.attempt'] ?? ''].join(' ').trim();
  return spans.map((span) => {
    const parent = spans.find((other) => other.spanContext().spanId === span.parentSpanContext?.spanId);
    return parent ? `${nameOf(parent)} > ${nameOf(span)}` : nameOf(span);
  });
}

const spanNamed = (name: string): ReadableSpan => {
  const span = exporter.getFinishedSpans().find((one) => one.name === name);
  assert.ok(span, name);
  return span;
};

test('a reconciliation has its plan and its calls as children, in one trace', () => {
  emit(started('p'), planned('p'), begun('p', 1), begun('p', 2), attemptFinished('p', 2), attemptFinished('p', 1), finished('p'));
  assert.equal(shown(), ['reconcile p > plan', 'reconcile p > call online 2', 'reconcile p > call online 1', 'reconcile p']);
  assert.is(new Set(exporter.getFinishedSpans().map((span) => span.spanContext().traceId)).size, 1);
  const pass = spanNamed('reconcile');
  assert.equal([pass.attributes['edict.cause'], pass.attributes['edict.online'], pass.attributes['edict.held']], ['file', 2, 1]);
  assert.is(pass.status.code, SpanStatusCode.UNSET);
  const { attributes } = spanNamed('plan');
  assert.equal([attributes['edict.changes'], attributes['edict.held']], [1, 1]);
  assert.match(String(attributes['edict.approval.digest']), /^sha256:/);
});

test('a call has its purpose and its result', () => {
  const failure = { code: 'APIG.3500', status: 503, message: 'not now', hint: null, requestId: 'r1', retryAfterMs: null };
  emit(
    started('p'),
    planned('p'),
    begun('p', 1),
    attemptFinished('p', 1),
    begun('p', 2),
    attemptFinished('p', 2, { kind: 'retryable', failure }),
    finished('p', 1),
  );
  const [good, bad] = exporter.getFinishedSpans().filter(({ name }) => name === 'call online');
  assert.is(good?.kind, SpanKind.CLIENT);
  assert.equal(good?.attributes, {
    'edict.api': 'a1',
    'edict.api.id': 'api-a1',
    'edict.environment': 'test',
    'edict.environment.id': 'env-test',
    'edict.action': 'online',
    'edict.reason': 'new',
    'edict.attempt': 1,
    'edict.outcome': 'succeeded',
    'edict.version': 'v',
  });
  assert.equal(
    [bad?.status, bad?.attributes['error.type'], bad?.attributes['http.response.status_code'], bad?.attributes['edict.request']],
    [{ code: SpanStatusCode.ERROR, message: 'APIG.3500 not now' }, 'APIG.3500', 503, 'r1'],
  );
  assert.equal(spanNamed('reconcile').status, { code: SpanStatusCode.ERROR, message: '1 failed' });
});

test('a span lasts as long as its operation', async () => {
  emit(started('p'), planned('p'), begun('p', 1));
  await new Promise((resolve) => setTimeout(resolve, 60));
  emit(attemptFinished('p', 1), finished('p'));
  const [call, whole] = [spanNamed('call online'), spanNamed('reconcile')].map(({ duration: [s, ns] }) => s * 1000 + ns / 1e6);
  assert.ok(call !== undefined && call >= 55 && call < 1000, `${call} ms`);
  assert.ok(whole !== undefined && whole >= call);
});

test('a reconciliation that is superseded ends with its last call', () => {
  emit(started('p'), planned('p'), begun('p', 1), started('q'));
  assert.equal(shown(), ['plan']);
  emit(planned('q'));
  assert.equal(exporter.getFinishedSpans().filter(({ name }) => name === 'reconcile').length, 0);
  emit(attemptFinished('p', 1));
  assert.is(spanNamed('reconcile').attributes['edict.superseded'], true);
  emit(begun('p', 2), attemptFinished('p', 2), finished('q'));
  assert.equal(shown().slice(-2), ['reconcile q > call online 2', 'reconcile q']);
});

test('a reconciliation that plans again has a span for each plan', () => {
  emit(started('p'), planned('p'), begun('p', 1), attemptFinished('p', 1), started('p', 'rollout'), planned('p'), finished('p'));
  assert.equal(shown(), ['reconcile p > plan', 'reconcile p > call online 1', 'reconcile p > plan', 'reconcile p']);
});

test('a reconciliation without a plan is an error, and the previous one continues', () => {
  emit(started('p'), planned('p'), begun('p', 1), started('q', 'resync'), {
    type: 'gateway:observe_failed',
    reconcileId: 'q',
    reason: 'TIMEOUT',
  });
  emit(started('r'));
  assert.equal(shown(), ['plan', 'reconcile q > plan', 'reconcile q']);
  assert.equal(spanNamed('reconcile').status, { code: SpanStatusCode.ERROR, message: 'no plan could be made' });
  const events = exporter.getFinishedSpans()[1]?.events.map(({ name, attributes }) => [name, attributes?.['edict.reason']]);
  assert.equal(events, [['gateway:observe_failed', 'TIMEOUT']]);
  emit(attemptFinished('p', 1), finished('p'));
  assert.is(shown().at(-1), 'reconcile p');
});

test('the resolved outcome of an earlier attempt is an event of the reconciliation', () => {
  const of = { reconcileId: 'p', attemptId: 7, change: change('a', 'test') } as const;
  emit(started('p'), planned('p'), { type: 'attempt:recovered', ...of, outcome: { kind: 'notApplied' } }, finished('p'));
  assert.equal(
    spanNamed('reconcile').events.map(({ name, attributes }) => [name, attributes?.['edict.attempt']]),
    [['attempt:recovered', 7]],
  );
});

test('no span is open at the end', () => {
  emit(started('p'), planned('p'), begun('p', 1), started('q'));
  tracing.close();
  assert.equal(shown().sort(), ['reconcile p', 'reconcile p > call online 1', 'reconcile p > plan', 'reconcile q', 'reconcile q > plan']);
});

test.run();
