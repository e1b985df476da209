import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Emit } from '../model/events.ts';
import type { TraceSettings } from './trace-settings.ts';
import { Tracing } from './tracing.ts';

/** Default export timeout in milliseconds. It is short because shutdown waits for one export. */
const exportTimeoutMs = 2000;
/** Time limit for exporting the last spans at shutdown, in milliseconds. */
const shutdownTimeoutMs = 2500;

/** A subscriber that exports events as spans to a collector. */
export interface TraceExport {
  readonly emit: Emit;
  /** Ends all spans, tries to export the rest and closes, within 2.5 s. */
  close(): Promise<void>;
}

/** Opens the trace export. `emit` receives `trace:failed` for the first failure after a success. */
export async function openTraceExport(settings: TraceSettings, emit: Emit): Promise<TraceExport> {
  const exporter = reportingExporter(await openExporter(settings), (reason) => emit({ type: 'trace:failed', to: settings.host, reason }));
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'edict' }))
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: createSampler(settings.sampler),
    spanProcessors: [new BatchSpanProcessor({ exporter, ...settings.batch })],
  });
  const tracing = new Tracing(provider.getTracer('edict'));
  const close = async (): Promise<void> => {
    tracing.close();
    const timeout = AbortSignal.timeout(shutdownTimeoutMs);
    const timedOut = new Promise<void>((resolve) => timeout.addEventListener('abort', () => resolve(), { once: true }));
    // A failure has already been reported as `trace:failed`.
    await Promise.race([provider.shutdown().catch(() => {}), timedOut]);
  };
  return { emit: (event) => tracing.emit(event), close };
}

/** The exporter itself reads endpoint, headers and certificates from the environment. */
async function openExporter({ protocol, hasTimeout }: TraceSettings): Promise<SpanExporter> {
  const options = hasTimeout ? {} : { timeoutMillis: exportTimeoutMs };
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter(options);
}

/** Wraps an exporter to report the first failure after a success. */
function reportingExporter(exporter: SpanExporter, onFailed: (reason: string) => void): SpanExporter {
  let isFailing = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error && !isFailing) onFailed(failureReason(result.error));
        isFailing = result.error !== undefined;
        done(result);
      }),
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}

/** Returns only the code or name of an error: its message may contain secret parts of the URL. */
function failureReason(error: Error & { readonly code?: unknown }): string {
  return error.code === undefined
    ? `no answer: ${error.name}`
    : typeof error.code === 'number'
      ? `answered ${error.code}`
      : `no answer: ${error.code}`;
}

function createSampler(sampler: TraceSettings['sampler']): Sampler {
  if (sampler.kind === 'ratio') return new TraceIdRatioBasedSampler(sampler.share);
  return sampler.kind === 'on' ? new AlwaysOnSampler() : new AlwaysOffSampler();
}
