import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fastify, { type FastifyInstance } from 'fastify';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { fileOf, killStarted, type Running, scratchFolder, secretToken, seedOf, startEdict, until } from '../support/edict-process.ts';

/** The fields of OTLP JSON that the tests use. */
interface OtlpSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly OtlpAttribute[];
  readonly status: { readonly code?: number; readonly message?: string };
}
interface OtlpAttribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}
interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

const test = suite('traces');
let emulator: Emulator;
let folder: string;
let collector: FastifyInstance;
let received: OtlpRequest[] = [];
let headers: Readonly<Record<string, unknown>> = {};
let url = '';

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf('orders', 'invoices') });
  folder = scratchFolder();
  received = [];
  collector = fastify();
  collector.post('/v1/traces', async (request) => {
    headers = request.headers;
    received.push(request.body as OtlpRequest);
    return {};
  });
  url = await collector.listen({ host: '127.0.0.1', port: 0 });
});

test.after.each(async () => {
  await killStarted();
  await collector.close();
  await emulator.close();
});

function run(env: Readonly<Record<string, string>>): Running {
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, { orders: 'online', invoices: 'online' }));
  return startEdict(['run', '--log-format', 'json', '--log-level', 'debug'], folder, { HW_AUTH_TOKEN: secretToken, ...env });
}

const spans = (): OtlpSpan[] =>
  received.flatMap(({ resourceSpans }) => resourceSpans.flatMap((one) => one.scopeSpans.flatMap((of) => of.spans)));
const attributeOf = (attributes: readonly OtlpAttribute[], key: string): string | number | undefined => {
  const value = attributes.find((one) => one.key === key)?.value;
  return value?.stringValue ?? value?.intValue;
};

/** Each span reads two clocks, one after the other, so they may differ by this much. */
const clockNs = 20_000_000n;

test('a reconciliation, its plan and its calls are one trace, and a failed call is marked', async () => {
  emulator.faults.add({ times: 1, apiId: 'api-orders', status: 403, errorCode: 'APIG.1005', errorMsg: 'not allowed' });
  const running = run({
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=MARKED',
    OTEL_SERVICE_NAME: 'edict-shop',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
  });
  await until('the reconciliation has finished', () => running.events('reconcile:finished').length > 0);
  const history = running.events('attempt:finished');
  running.child.kill('SIGTERM');
  const { code, stdout, stderr } = await running.finished;
  assert.is(code, 0);

  const [root, ...others] = spans().filter(({ name }) => name === 'reconcile');
  assert.ok(root);
  assert.is(others.length, 0);
  assert.is(root.parentSpanId ?? '', '');
  assert.equal(
    ['edict.cause', 'edict.reconcile', 'edict.online', 'edict.failed'].map((key) => attributeOf(root.attributes, key)),
    ['startup', running.events('reconcile:finished')[0]?.['reconcileId'], 1, 1],
  );
  const below = spans().filter(({ parentSpanId }) => parentSpanId === root.spanId);
  assert.equal(below.map(({ name }) => name).sort(), ['call online', 'call online', 'plan']);
  for (const span of below) {
    assert.is(span.traceId, root.traceId);
    assert.ok(BigInt(span.startTimeUnixNano) >= BigInt(root.startTimeUnixNano) - clockNs);
    assert.ok(BigInt(span.endTimeUnixNano) <= BigInt(root.endTimeUnixNano) + clockNs);
  }
  for (const logged of history) {
    const call = below.find(({ attributes }) => attributeOf(attributes, 'edict.attempt') === logged['attempt']);
    assert.ok(call);
    const tookMs = Number(BigInt(call.endTimeUnixNano) - BigInt(call.startTimeUnixNano)) / 1e6;
    assert.ok(Math.abs(tookMs - Number(logged['durationMs'])) < 100, `${tookMs} ms, ${logged['durationMs']} ms in the log`);
    const isGood = logged['outcome'] === 'succeeded';
    assert.equal(call.status, isGood ? { code: 0 } : { code: 2, message: 'APIG.1005 not allowed' });
    assert.is(attributeOf(call.attributes, 'edict.outcome'), logged['outcome']);
    assert.is(attributeOf(call.attributes, isGood ? 'edict.version' : 'error.type'), isGood ? logged['version'] : 'APIG.1005');
  }
  const resource = received[0]?.resourceSpans[0]?.resource.attributes ?? [];
  assert.equal([attributeOf(resource, 'service.name'), attributeOf(resource, 'deployment.environment')], ['edict-shop', 'test']);
  assert.is(headers['x-collector-key'], 'MARKED');
  assert.not.match(JSON.stringify(received), secretToken);
  assert.not.match(stdout + stderr, 'MARKED');
});

test('a missing collector disturbs nothing, and is reported in one line', async () => {
  await collector.close();
  const running = run({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://MARKED@127.0.0.1:1/MARKED', OTEL_BSP_SCHEDULE_DELAY: '50' });
  for (let times = 1; times <= 3; times += 1) {
    await until('a reconciliation has finished', () => running.events('reconcile:finished').length >= times);
    running.child.kill('SIGHUP');
  }
  await until('it is reported', () => running.events('trace:failed').length > 0);
  const stoppedAtMs = performance.now();
  running.child.kill('SIGTERM');
  const { code, stdout, stderr } = await running.finished;
  assert.ok(performance.now() - stoppedAtMs < 9_000, `${performance.now() - stoppedAtMs} ms`);
  assert.is(code, 0);
  assert.equal(
    running.events('trace:failed').map(({ to, level }) => [to, level]),
    [['127.0.0.1:1', 40]],
  );
  assert.not.match(stdout + stderr, 'MARKED');
  for (const line of stderr.trimEnd().split('\n')) assert.ok(line.startsWith('{"level"'), line);
});

test('an unsupported setting is reported, and the work continues', async () => {
  const running = run({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
  await until('the reconciliation has finished', () => running.events('reconcile:finished').length > 0);
  running.child.kill('SIGTERM');
  await running.finished;
  assert.match(String(running.events('trace:failed')[0]?.['reason']), 'OTEL_EXPORTER_OTLP_PROTOCOL=grpc is not known to edict');
  assert.is(received.length, 0);
});

test('OpenTelemetry is not loaded unless an environment variable asks for it', async () => {
  const list = join(folder, 'loaded');
  const hook = join(folder, 'hook.mjs');
  writeFileSync(
    hook,
    `import { appendFileSync } from 'node:fs'; import { registerHooks } from 'node:module';
     registerHooks({ load: (url, context, next) => { appendFileSync(${JSON.stringify(list)}, url + '\\n'); return next(url, context); } });`,
  );
  const loaded = async (env: Readonly<Record<string, string>>): Promise<string[]> => {
    writeFileSync(list, '');
    const running = run({ NODE_OPTIONS: `--import=${pathToFileURL(hook)}`, ...env });
    await until('a reconciliation has finished', () => running.events('plan:computed').length > 0);
    running.child.kill('SIGTERM');
    await running.finished;
    return readFileSync(list, 'utf8').split('\n');
  };
  const without = await loaded({ OTEL_SERVICE_NAME: 'edict' });
  assert.ok(without.some((file) => file.endsWith('/src/controller/reconcile-runner.ts')));
  // The Prometheus client loads only the API, which does nothing without an SDK.
  const isTraces = (file: string): boolean => /@opentelemetry\/(?!api\/)|telemetry\/(tracing|trace-export)/.test(file);
  assert.equal(without.filter(isTraces), []);
  assert.ok((await loaded({ OTEL_EXPORTER_OTLP_ENDPOINT: url })).some(isTraces));
});

test.run();
