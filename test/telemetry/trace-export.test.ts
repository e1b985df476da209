import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictEvent } from '../../src/model/events.ts';
import { openTraceExport } from '../../src/telemetry/trace-export.ts';
import type { TraceSettings } from '../../src/telemetry/trace-settings.ts';
import { type Answer, answeringServer, json } from '../gateway/answering-server.ts';

const test = suite('trace export');
const settings: TraceSettings = {
  ...{ protocol: 'http/json', host: 'collector', hasTimeout: false, sampler: { kind: 'on' } },
  batch: { scheduledDelayMillis: 10 },
};
const passes = (count: number, from = 0): EdictEvent[] =>
  Array.from({ length: count }, (_, index) => ({ type: 'reconcile:started', reconcileId: `p${from + index}`, cause: 'resync' }) as const);

/** Traces some reconciliations to a collector with this response, and returns the messages and the received spans. */
async function traced(answer: Answer, over: Partial<TraceSettings> = {}, rounds = 1) {
  const server = await answeringServer(answer);
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `${server.url}/SECRET`;
  const events: EdictEvent[] = [];
  const opened = await openTraceExport({ ...settings, ...over }, (event) => events.push(event));
  for (let round = 0; round < rounds; round += 1) {
    for (const event of passes(3, round * 3)) opened.emit(event);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const startedAtMs = performance.now();
  await opened.close();
  const closedInMs = performance.now() - startedAtMs;
  await server.close();
  return { events, requests: server.requests, closedInMs };
}

test('spans arrive in both OTLP encodings', async () => {
  const asJson = await traced((response) => json(response, 200, {}));
  assert.is(asJson.requests[0]?.path, '/SECRET/v1/traces');
  assert.is(
    asJson.requests.map(({ body }) => body.match(/"name":"reconcile"/g)?.length ?? 0).reduce((sum, count) => sum + count, 0),
    3,
  );
  assert.equal(asJson.events, []);
  const { requests } = await traced((response) => response.end(), { protocol: 'http/protobuf' });
  assert.is(requests[0]?.headers['content-type'], 'application/x-protobuf');
  assert.match(requests[0]?.body ?? '', 'edict.reconcile');
});

test('a trace that is not sampled is not sent', async () => {
  const answer: Answer = (response) => json(response, 200, {});
  assert.is((await traced(answer, { sampler: { kind: 'off' } })).requests.length, 0);
  assert.is((await traced(answer, { sampler: { kind: 'ratio', share: 0 } })).requests.length, 0);
  assert.ok((await traced(answer, { sampler: { kind: 'ratio', share: 1 } })).requests.length > 0);
});

test('a collector that fails is reported once, by its host alone', async () => {
  const { events, requests } = await traced((response) => json(response, 400, {}), {}, 5);
  assert.ok(requests.length > 2);
  assert.equal(events, [{ type: 'trace:failed', to: 'collector', reason: 'answered 400' }]);
});

test('a collector that hangs does not delay shutdown', async () => {
  const { closedInMs } = await traced(() => {});
  assert.ok(closedInMs < 9_000, `${closedInMs} ms`);
});

test.run();
