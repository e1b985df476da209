import { setTimeout as sleep } from 'node:timers/promises';
import type { Emulator } from '../../src/emulator/emulator.ts';
import type { Fault } from '../../src/emulator/faults.ts';
import type { Random } from '../../src/emulator/random.ts';
import { Throttle } from '../../src/emulator/throttle.ts';
import type { TcpProxy } from './tcp-proxy.ts';

const answer = (status: number, errorCode: string, share: number, more: object = {}): Fault => ({
  status,
  errorCode,
  errorMsg: 'a fault of the emulator',
  share,
  ...more,
});

/** The faults that are always on. */
const faults: readonly Fault[] = [
  { kind: 'cut', share: 0.02 },
  { kind: 'cut', share: 0.02, applied: true },
  { kind: 'half', share: 0.02, applied: true },
  { kind: 'invalid', share: 0.02, applied: true },
  { kind: 'hang', share: 0.005 },
  { kind: 'hang', share: 0.005, applied: true },
  answer(500, 'APIG.9999', 0.03),
  answer(500, 'APIG.9999', 0.03, { applied: true }),
  answer(503, 'HTTP.503', 0.01, { applied: true }),
  answer(409, 'APIG.3718', 0.02),
  answer(500, 'APIG.9008', 0.02),
  answer(429, 'APIG.0308', 0.01),
  answer(401, 'APIG.1002', 0.01),
  { kind: 'cut', operation: 'listVersions', share: 0.03 },
  { kind: 'hang', operation: 'listVersions', share: 0.005 },
  { kind: 'invalid', operation: 'listVersions', share: 0.03 },
  answer(500, 'APIG.9999', 0.05, { operation: 'listVersions' }),
  { kind: 'cut', operation: 'createToken', share: 0.1 },
  answer(503, 'HTTP.503', 0.1, { operation: 'createToken' }),
];

/** Causes random faults in the emulator and the proxy to it until `signal` is aborted. */
export async function causeFaults(emulator: Emulator, proxy: TcpProxy, random: Random, signal: AbortSignal): Promise<void> {
  for (const fault of faults) emulator.faults.add(fault);
  emulator.faults.latencyMs = { minMs: 0, maxMs: 20 };
  const between = (from: number, to: number): number => from + random() * (to - from);
  const wait = (ms: number): Promise<unknown> => sleep(ms, undefined, { signal }).catch(() => {});
  while (!signal.aborted) {
    await wait(between(500, 3000));
    const chance = random();
    if (chance < 0.25) proxy.setMode('refused');
    else if (chance < 0.5) proxy.setMode('swallowed');
    else if (chance < 0.75)
      emulator.faults.throttle = new Throttle({ calls: 5, perMs: 1000, retryAfter: random() < 0.5, quiet: random() < 0.5 });
    else emulator.state.auth.revokeTokens();
    await wait(between(200, 1500));
    proxy.setMode('clear');
    emulator.faults.throttle = null;
  }
  emulator.faults.clear();
}
