import { startEmulatorFrom } from '../app.ts';
import { type ExitCode, exitCodes } from '../core/errors.ts';
import type { Context } from './context.ts';
import { onStopSignal } from './signals.ts';

export interface EmulateOptions {
  readonly seed?: string;
  readonly host: string;
  readonly port: number;
}

/** Runs the emulator until SIGTERM or SIGINT. Returns 0. */
export async function emulate({ seed, host, port }: EmulateOptions, { stdout }: Context): Promise<ExitCode> {
  using stop = onStopSignal();
  const emulator = await startEmulatorFrom(seed ?? null, { host, port });
  stdout.write(`ROMA Connect, emulated, listens on ${emulator.url}\n`);
  await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
  await emulator.close();
  return exitCodes.done;
}
