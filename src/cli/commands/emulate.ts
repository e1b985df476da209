import { startStandaloneEmulator } from '../../app/apply.ts';
import { parseDurationOption } from '../../app/settings.ts';
import type { EmulatorOptions } from '../../emulator/emulator.ts';
import { parseFault } from '../../emulator/faults.ts';
import { EdictError, type ExitCode, errorMessage, exitCodes } from '../../model/errors.ts';
import type { CliContext } from '../context.ts';
import { onStopSignal } from '../signals.ts';

/** The command's options, not yet parsed. */
export interface EmulateOptions extends FaultInjectionFlags {
  readonly seed?: string;
  readonly host: string;
  readonly port: number;
}

/** The options that inject faults, delays and limits. */
export interface FaultInjectionFlags {
  readonly fault?: readonly string[];
  readonly latency?: string;
  readonly throttle?: string;
  readonly retryAfter?: boolean;
  readonly tokenLifetime?: string;
  readonly propagationDelay?: string;
  readonly randomSeed?: number;
}

/** Runs the emulator until SIGTERM or SIGINT. Returns 0. Throws an EdictError for an invalid option. */
export async function emulate({ seed, host, port, ...options }: EmulateOptions, { stdout }: CliContext): Promise<ExitCode> {
  const faultInjection = parseFaultInjection(options);
  using stop = onStopSignal();
  const emulator = await startStandaloneEmulator(seed ?? null, { host, port, ...faultInjection });
  stdout.write(`ROMA Connect, emulated, listens on ${emulator.url}\n`);
  await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
  await emulator.close();
  return exitCodes.done;
}

/** Parses the fault injection options. Throws an EdictError for an invalid option. */
export function parseFaultInjection(options: FaultInjectionFlags): Omit<EmulatorOptions, 'seed'> {
  const { fault = [], latency, throttle, retryAfter = false, tokenLifetime, propagationDelay, randomSeed } = options;
  if (retryAfter && throttle === undefined) throw new EdictError('OPTION_INVALID', '--retry-after says nothing without --throttle');
  return {
    faults: fault.map(parseFaultOption),
    latencyMs: latency === undefined ? undefined : parseLatencyOption(latency),
    throttle: throttle === undefined ? undefined : { ...parseThrottleOption(throttle), retryAfter },
    tokenLifetimeMs: tokenLifetime === undefined ? undefined : parseDurationOption(tokenLifetime, '--token-lifetime'),
    propagationDelayMs: propagationDelay === undefined ? undefined : parseDurationOption(propagationDelay, '--propagation-delay'),
    random: randomSeed,
  };
}

function parseFaultOption(text: string): ReturnType<typeof parseFault> {
  try {
    return parseFault(text);
  } catch (cause) {
    throw new EdictError('OPTION_INVALID', `--fault ${text}: ${errorMessage(cause)}`, { cause });
  }
}

function parseLatencyOption(text: string): number | { minMs: number; maxMs: number } {
  if (!text.includes('..')) return parseDurationOption(text, '--latency');
  const [min = '', max = '', ...more] = text.split('..');
  const isRange = min !== '' && max !== '' && more.length === 0;
  const [minMs, maxMs] = isRange ? [parseDurationOption(min, '--latency'), parseDurationOption(max, '--latency')] : [1, 0];
  if (minMs > maxMs) throw new EdictError('OPTION_INVALID', `--latency ${text} is no range: expected such as 20ms..200ms`);
  return { minMs, maxMs };
}

function parseThrottleOption(text: string): { calls: number; perMs: number } {
  const [calls = '', per = '', ...more] = text.split('/');
  if (!/^[1-9]\d{0,5}$/.test(calls) || per === '' || more.length > 0)
    throw new EdictError('OPTION_INVALID', `--throttle ${text}: expected calls and a time, such as 10/1s`);
  const perMs = parseDurationOption(per, '--throttle');
  if (perMs === 0) throw new EdictError('OPTION_INVALID', `--throttle ${text}: expected a time above zero, such as 10/1s`);
  return { calls: Number(calls), perMs };
}
