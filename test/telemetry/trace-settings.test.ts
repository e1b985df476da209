import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseTraceSettings } from '../../src/telemetry/trace-settings.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example.com:4318/SECRET' };

test('nothing is traced unless an environment variable says so', () => {
  for (const env of [
    {},
    { OTEL_SERVICE_NAME: 'edict', OTEL_TRACES_SAMPLER: 'always_on' },
    { ...endpoint, OTEL_SDK_DISABLED: 'True' },
    { ...endpoint, OTEL_TRACES_EXPORTER: 'none' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' },
  ]) {
    assert.equal(parseTraceSettings(env), { settings: null, problem: null });
  }
});

test('an endpoint is enough, and so is the name of the exporter', () => {
  const plain = { protocol: 'http/protobuf', sampler: { kind: 'on' }, hasTimeout: false, batch: {} } as const;
  assert.equal(parseTraceSettings(endpoint), { settings: { ...plain, host: 'collector.example.com:4318' }, problem: null });
  assert.is(parseTraceSettings({ OTEL_TRACES_EXPORTER: 'otlp' }).settings?.host, 'localhost:4318');
  const own = { ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces:1/v1/traces' };
  assert.is(parseTraceSettings(own).settings?.host, 'traces:1');
});

test('protocol, sampler, batch size and timeout are respected', () => {
  const { settings, problem } = parseTraceSettings({
    ...endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
    OTEL_BSP_SCHEDULE_DELAY: '100',
    OTEL_BSP_MAX_QUEUE_SIZE: '10',
    OTEL_BSP_EXPORT_TIMEOUT: 'soon',
    OTEL_EXPORTER_OTLP_TIMEOUT: '500',
  });
  assert.is(problem, null);
  assert.equal(
    [settings?.protocol, settings?.sampler, settings?.batch, settings?.hasTimeout],
    ['http/json', { kind: 'ratio', share: 0.25 }, { scheduledDelayMillis: 100, maxQueueSize: 10 }, true],
  );
  assert.equal(parseTraceSettings({ ...endpoint, OTEL_TRACES_SAMPLER: 'always_off' }).settings?.sampler, { kind: 'off' });
});

test('an unsupported setting is reported, and stops nothing', () => {
  const problems = [
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    { OTEL_TRACES_EXPORTER: 'zipkin' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector/SECRET' },
  ].map((env) => parseTraceSettings({ ...endpoint, ...env }));
  assert.equal(
    problems.map(({ settings }) => settings),
    [null, null, null],
  );
  assert.equal(
    problems.map(({ problem }) => problem),
    [
      'OTEL_EXPORTER_OTLP_PROTOCOL=grpc is not known to edict; expected http/protobuf or http/json; nothing is traced',
      'OTEL_TRACES_EXPORTER=zipkin is not known to edict; expected otlp or none; nothing is traced',
      'OTEL_EXPORTER_OTLP_ENDPOINT is not an address; expected http://… or https://…',
    ],
  );
  const odd = [{ OTEL_TRACES_SAMPLER: 'jaeger_remote' }, { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: 'half' }];
  for (const env of odd) {
    const { settings, problem } = parseTraceSettings({ ...endpoint, ...env });
    assert.equal(settings?.sampler, { kind: 'on' });
    assert.match(problem ?? '', /everything is traced$/);
  }
});

test.run();
