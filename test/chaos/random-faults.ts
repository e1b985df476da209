import { setTimeout as sleep } from 'node:timers/promises';
import type { Emulator } from '../../src/emulator/emulator.ts';
import type { Fault } from '../../src/emulator/faults.ts';
import { pickRandom, type Random } from '../../src/emulator/random.ts';
import { Throttle } from '../../src/emulator/throttle.ts';
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts';

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
  answer(301, 'HTTP.301', 0.01, { headers: { location: '/elsewhere' } }),
  { kind: 'cut', operation: 'listVersions', share: 0.03 },
  { kind: 'hang', operation: 'listVersions', share: 0.005 },
  { kind: 'invalid', operation: 'listVersions', share: 0.03 },
  answer(500, 'APIG.9999', 0.05, { operation: 'listVersions' }),
  { kind: 'cut', operation: 'createToken', share: 0.1 },
  answer(503, 'HTTP.503', 0.1, { operation: 'createToken' }),
];

/** Opens a proxy to an emulator that sends interim responses before some responses. */
export function openGatewayProxy(emulator: Emulator, random: Random): Promise<TcpProxy> {
  const interims = ['HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n'];
  return openTcpProxy(emulator.url, () => (random() < 0.05 ? pickRandom([...interims, interims.join('')], random) : ''));
}

/** Causes random faults in the emulator and the proxy to it until `signal` is aborted. */
export async function causeFaults(emulator: Emulator, proxy: TcpProxy, random: Random, signal: AbortSignal): Promise<void> {
  for (const fault of faults) emulator.faults.add(fault);
  loseListed(emulator, random, signal);
  emulator.faults.latencyMs = { minMs: 0, maxMs: 20 };
  const between = (from: number, to: number): number => from + random() * (to - from);
  const wait = (ms: number): Promise<unknown> => sleep(ms, undefined, { signal }).catch(() => {});
  while (!signal.aborted) {
    await wait(between(500, 3000));
    const chance = random();
    const isStalled = chance >= 0.4 && chance < 0.6;
    if (chance < 0.2) proxy.setMode('refused');
    else if (chance < 0.4) proxy.setMode('swallowed');
    else if (isStalled) proxy.setMode('stalled');
    else if (chance < 0.8)
      emulator.faults.throttle = new Throttle({ calls: 5, perMs: 1000, retryAfter: random() < 0.5, quiet: random() < 0.5 });
    else emulator.state.auth.revokeTokens();
    // A stall may last longer than a request's time limit and the propagation delay together.
    await wait(between(200, isStalled ? 4000 : 1500));
    proxy.setMode('clear');
    emulator.faults.throttle = null;
  }
  emulator.faults.clear();
}

/** Has one list in five miss APIs, or show some as published nowhere, until `signal` is aborted. Single reads stay right. */
function loseListed({ state }: Emulator, random: Random, signal: AbortSignal): void {
  const listApis = state.catalog.listApis.bind(state.catalog);
  const placementOf = state.placementOf.bind(state);
  let lostApis = 0;
  let lostPublications = 0;
  state.catalog.listApis = () => {
    const chance = signal.aborted ? 1 : random();
    lostApis = chance < 0.1 ? random() : 0;
    lostPublications = chance >= 0.1 && chance < 0.2 ? random() : 0;
    return listApis().filter(() => random() >= lostApis);
  };
  state.placementOf = (api, when) => {
    const placed = placementOf(api, when);
    return when === 'late' && random() < lostPublications ? { ...placed, placements: [] } : placed;
  };
}
