import type { Env } from '../model/env.ts';

/** Trace settings from OpenTelemetry's `OTEL_*` variables. The exporter itself reads the variables for its transport. */
export interface TraceSettings {
  readonly protocol: 'http/protobuf' | 'http/json';
  /** The host of the collector. The rest of its URL may be secret. */
  readonly host: string;
  readonly sampler: { readonly kind: 'on' | 'off' } | { readonly kind: 'ratio'; readonly share: number };
  /** Whether the environment sets an export timeout. */
  readonly hasTimeout: boolean;
  /** Options of the batch processor; unset variables are left out. */
  readonly batch: {
    readonly scheduledDelayMillis?: number;
    readonly exportTimeoutMillis?: number;
    readonly maxQueueSize?: number;
    readonly maxExportBatchSize?: number;
  };
}

/** The settings, `null` if tracing is off, and a message about a variable that is not supported. */
export interface ParsedTraceSettings {
  readonly settings: TraceSettings | null;
  readonly problem: string | null;
}

const batchVariables = [
  ['OTEL_BSP_SCHEDULE_DELAY', 'scheduledDelayMillis'],
  ['OTEL_BSP_EXPORT_TIMEOUT', 'exportTimeoutMillis'],
  ['OTEL_BSP_MAX_QUEUE_SIZE', 'maxQueueSize'],
  ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 'maxExportBatchSize'],
] as const;

/** Parses the `OTEL_*` variables. An unsupported value is reported as `problem` and does not stop the daemon. */
export function parseTraceSettings(env: Env): ParsedTraceSettings {
  const text = (...names: readonly string[]): string | null => names.flatMap((name) => env[name]?.trim() || [])[0] ?? null;
  const exporter = text('OTEL_TRACES_EXPORTER');
  const endpoint = text('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT');
  if (text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || exporter === 'none') return { settings: null, problem: null };
  if (endpoint === null && exporter === null) return { settings: null, problem: null };
  if (exporter !== null && exporter !== 'otlp') return unsupportedSetting('OTEL_TRACES_EXPORTER', exporter, 'otlp or none');
  const protocol = text('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL') ?? 'http/protobuf';
  if (protocol !== 'http/protobuf' && protocol !== 'http/json')
    return unsupportedSetting('OTEL_EXPORTER_OTLP_PROTOCOL', protocol, 'http/protobuf or http/json');
  const url = URL.parse(endpoint ?? 'http://localhost:4318');
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    return { settings: null, problem: 'OTEL_EXPORTER_OTLP_ENDPOINT is not an address; expected http://… or https://…' };
  const batch = Object.fromEntries(
    batchVariables.flatMap(([name, option]) => {
      const number = Number(text(name) ?? Number.NaN);
      return number > 0 ? [[option, number] as const] : [];
    }),
  );
  const hasTimeout = text('OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT') !== null;
  const { sampler, problem } = parseSampler(text('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on', text('OTEL_TRACES_SAMPLER_ARG'));
  return { settings: { protocol, host: url.host, sampler, hasTimeout, batch }, problem };
}

/** A reconciliation is always a root span, so a `parentbased_` sampler equals the sampler it wraps. */
function parseSampler(
  name: string,
  argument: string | null,
): { readonly sampler: TraceSettings['sampler']; readonly problem: string | null } {
  switch (name.replace(/^parentbased_/, '')) {
    case 'always_on':
      return { sampler: { kind: 'on' }, problem: null };
    case 'always_off':
      return { sampler: { kind: 'off' }, problem: null };
    case 'traceidratio': {
      const share = Number(argument ?? 1);
      if (share >= 0 && share <= 1) return { sampler: { kind: 'ratio', share }, problem: null };
      return { sampler: { kind: 'on' }, problem: `OTEL_TRACES_SAMPLER_ARG=${argument} is no share from 0 to 1; everything is traced` };
    }
    default:
      return { sampler: { kind: 'on' }, problem: `OTEL_TRACES_SAMPLER=${name} is not known to edict; everything is traced` };
  }
}

function unsupportedSetting(name: string, value: string, expected: string): ParsedTraceSettings {
  return { settings: null, problem: `${name}=${value} is not known to edict; expected ${expected}; nothing is traced` };
}
