import type { Command } from 'commander';
import { parseDurationOption } from '../../app/settings.ts';
import type { EmulatorOptions } from '../../emulator/emulator.ts';
import type { parseFault } from '../../emulator/faults.ts';
import { EdictError, type ExitCode, errorMessage, exitCodes } from '../../model/errors.ts';
import type { CliContext } from '../context.ts';
import { collect, type Finish, parseWholeNumber } from '../options.ts';
import { writeLine } from '../output/terminal.ts';
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

/** Adds `edict emulate`. */
export function registerEmulate(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('emulate')
    .description('Run an emulator of ROMA Connect and API Gateway on this machine')
    .option('--seed <file>', 'the initial contents, as YAML or JSON (default: a few APIs and two environments)')
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--port <number>', 'the port to listen on', parseWholeNumber, 9400)
    .option(
      '--fault <spec>',
      'inject a fault into a share of the changes: cut, half, invalid, hang or an error code, such as cut=0.05 or APIG.9999:applied=0.1 (repeatable)',
      collect,
    )
    .option('--latency <duration>', 'delay every response, such as 20ms or 20ms..200ms')
    .option('--throttle <limit>', 'limit the rate of calls, such as 10/1s')
    .option('--retry-after', 'send Retry-After with throttled responses')
    .option('--token-lifetime <duration>', 'how long issued tokens are valid (default: 24h)')
    .option('--propagation-delay <duration>', 'how long until a change appears in lists (default: 0s)')
    .option('--random-seed <number>', 'the seed of the random number generator (default: 1)', parseWholeNumber)
    .action(async (options: EmulateOptions) => finish(await runEmulate(options, context)));
}

/** Runs the emulator until SIGTERM or SIGINT. Returns 0. Throws an EdictError for an invalid option. */
async function runEmulate({ seed, host, port, ...options }: EmulateOptions, { stdout }: CliContext): Promise<ExitCode> {
  const { startStandaloneEmulator } = await import('../../app/apply.ts');
  const { parseFault } = await import('../../emulator/faults.ts');
  const faultInjection = parseFaultInjection(options, parseFault);
  using stop = onStopSignal();
  const emulator = await startStandaloneEmulator(seed ?? null, { host, port, ...faultInjection });
  writeLine(stdout, `The ROMA Connect emulator listens on ${emulator.url}`);
  await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
  await emulator.close();
  return exitCodes.done;
}

/** Parses the fault injection options, with the emulator's parser of faults. Throws an EdictError for an invalid option. */
export function parseFaultInjection(options: FaultInjectionFlags, parse: typeof parseFault): Omit<EmulatorOptions, 'seed'> {
  const { fault = [], latency, throttle, retryAfter = false, tokenLifetime, propagationDelay, randomSeed } = options;
  if (retryAfter && throttle === undefined) throw new EdictError('OPTION_INVALID', '--retry-after has no effect without --throttle');
  return {
    faults: fault.map((text) => parseFaultOption(text, parse)),
    latencyMs: latency === undefined ? undefined : parseLatencyOption(latency),
    throttle: throttle === undefined ? undefined : { ...parseThrottleOption(throttle), retryAfter },
    tokenLifetimeMs: tokenLifetime === undefined ? undefined : parseDurationOption(tokenLifetime, '--token-lifetime'),
    propagationDelayMs: propagationDelay === undefined ? undefined : parseDurationOption(propagationDelay, '--propagation-delay'),
    random: randomSeed,
  };
}

function parseFaultOption(text: string, parse: typeof parseFault): ReturnType<typeof parseFault> {
  try {
    return parse(text);
  } catch (cause) {
    throw new EdictError('OPTION_INVALID', `--fault ${text}: ${errorMessage(cause)}`, { cause });
  }
}

function parseLatencyOption(text: string): number | { minMs: number; maxMs: number } {
  if (!text.includes('..')) return parseDurationOption(text, '--latency');
  const [min = '', max = '', ...more] = text.split('..');
  const isRange = min !== '' && max !== '' && more.length === 0;
  const [minMs, maxMs] = isRange ? [parseDurationOption(min, '--latency'), parseDurationOption(max, '--latency')] : [1, 0];
  if (minMs > maxMs) throw new EdictError('OPTION_INVALID', `--latency ${text} is not a range: expected one such as 20ms..200ms`);
  return { minMs, maxMs };
}

function parseThrottleOption(text: string): { calls: number; perMs: number } {
  const [calls = '', per = '', ...more] = text.split('/');
  if (!/^[1-9]\d{0,5}$/.test(calls) || per === '' || more.length > 0)
    throw new EdictError('OPTION_INVALID', `--throttle ${text}: expected a number of calls and a time, such as 10/1s`);
  const perMs = parseDurationOption(per, '--throttle');
  if (perMs === 0) throw new EdictError('OPTION_INVALID', `--throttle ${text}: expected a time above zero, such as 10/1s`);
  return { calls: Number(calls), perMs };
}
