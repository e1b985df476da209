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

/** An export may take so long, in milliseconds, unless the environment says otherwise: the daemon's end waits for one. */
const exportTimeoutMs = 2000;
/** How long the last spans may take when the daemon ends, in milliseconds. */
const shutdownTimeoutMs = 2500;

/** What becomes spans that leave for a collector. */
export interface TraceExport {
  readonly emit: Emit;
  /** Ends all spans, tries to send what is left and ends, after a few seconds at the latest. */
  close(): Promise<void>;
}

/** Opens what sends traces. `emit` hears once that none arrives, and again after some have. */
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
    const late = AbortSignal.timeout(shutdownTimeoutMs);
    const over = new Promise<void>((resolve) => late.addEventListener('abort', () => resolve(), { once: true }));
    // What cannot be sent has been told.
    await Promise.race([provider.shutdown().catch(() => {}), over]);
  };
  return { emit: (event) => tracing.emit(event), close };
}

/** The exporter reads address, headers and certificates from the environment by itself. */
async function openExporter({ protocol, hasTimeout }: TraceSettings): Promise<SpanExporter> {
  const options = hasTimeout ? {} : { timeoutMillis: exportTimeoutMs };
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter(options);
}

/** Returns an exporter that tells of the first failure after a success. */
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

/** Only the name of an error: its message may hold more of the address. */
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
