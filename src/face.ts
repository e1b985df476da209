import type { DaemonSettings } from './config.ts';
import type { Emit } from './core/events.ts';
import { Health } from './server/health.ts';
import { startServer } from './server/server.ts';
import { openMetrics } from './telemetry/metrics.ts';

/** What a running daemon shows to those who look after it. */
export interface Face {
  readonly emit: Emit;
  readonly url: string;
  close(): Promise<void>;
}

/** Opens what answers health checks and monitoring, fed with the engine's events. Throws an EdictError `LISTEN` if the address cannot be had. */
export async function openFace(address: NonNullable<DaemonSettings['listen']>): Promise<Face> {
  const [metrics, health] = [openMetrics(), new Health()];
  const server = await startServer(address, { metrics, health });
  const emit: Emit = (event) => {
    metrics.emit(event);
    health.emit(event);
  };
  return { emit, url: server.url, close: () => server.close() };
}
