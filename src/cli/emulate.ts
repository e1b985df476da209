import { startEmulatorFrom } from '../app.ts';
import { durationOption } from '../config.ts';
import { EdictError, type ExitCode, exitCodes, messageOf } from '../core/errors.ts';
import type { EmulatorOptions } from '../emulator/emulator.ts';
import { faultFromText } from '../emulator/fault-text.ts';
import type { Context } from './context.ts';
import { onStopSignal } from './signals.ts';

/** The command's options as they are written. */
export interface EmulateOptions extends WrittenConditions {
  readonly seed?: string;
  readonly host: string;
  readonly port: number;
}

/** What of the options makes the service hard to use. */
export interface WrittenConditions {
  readonly fault?: readonly string[];
  readonly latency?: string;
  readonly throttle?: string;
  readonly retryAfter?: boolean;
  readonly tokenLife?: string;
  readonly readLag?: string;
  readonly randomSeed?: number;
}

/** Runs the emulator until SIGTERM or SIGINT. Returns 0. Throws an EdictError for an option that makes no sense. */
export async function emulate({ seed, host, port, ...written }: EmulateOptions, { stdout }: Context): Promise<ExitCode> {
  const conditions = conditionsFrom(written);
  using stop = onStopSignal();
  const emulator = await startEmulatorFrom(seed ?? null, { host, port, ...conditions });
  stdout.write(`ROMA Connect, emulated, listens on ${emulator.url}\n`);
  await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
  await emulator.close();
  return exitCodes.done;
}

/** Returns what the options mean. Throws an EdictError for one that makes no sense. */
export function conditionsFrom(written: WrittenConditions): Omit<EmulatorOptions, 'seed'> {
  const { fault = [], latency, throttle, retryAfter = false, tokenLife, readLag, randomSeed } = written;
  if (retryAfter && throttle === undefined) throw new EdictError('OPTION', '--retry-after says nothing without --throttle');
  return {
    faults: fault.map(faultOption),
    latencyMs: latency === undefined ? undefined : latencyOption(latency),
    throttle: throttle === undefined ? undefined : { ...throttleOption(throttle), retryAfter },
    tokenLifeMs: tokenLife === undefined ? undefined : durationOption(tokenLife, '--token-life'),
    readLagMs: readLag === undefined ? undefined : durationOption(readLag, '--read-lag'),
    random: randomSeed,
  };
}

function faultOption(text: string): ReturnType<typeof faultFromText> {
  try {
    return faultFromText(text);
  } catch (cause) {
    throw new EdictError('OPTION', `--fault ${text}: ${messageOf(cause)}`, { cause });
  }
}

function latencyOption(text: string): number | { minMs: number; maxMs: number } {
  if (!text.includes('..')) return durationOption(text, '--latency');
  const [min = '', max = '', ...more] = text.split('..');
  const isRange = min !== '' && max !== '' && more.length === 0;
  const [minMs, maxMs] = isRange ? [durationOption(min, '--latency'), durationOption(max, '--latency')] : [1, 0];
  if (minMs > maxMs) throw new EdictError('OPTION', `--latency ${text} is no range: expected such as 20ms..200ms`);
  return { minMs, maxMs };
}

function throttleOption(text: string): { calls: number; perMs: number } {
  const [calls = '', per = '', ...more] = text.split('/');
  if (!/^[1-9]\d{0,5}$/.test(calls) || per === '' || more.length > 0)
    throw new EdictError('OPTION', `--throttle ${text}: expected calls and a time, such as 10/1s`);
  const perMs = durationOption(per, '--throttle');
  if (perMs === 0) throw new EdictError('OPTION', `--throttle ${text}: expected a time above zero, such as 10/1s`);
  return { calls: Number(calls), perMs };
}
