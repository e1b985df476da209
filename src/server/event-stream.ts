import type { ServerResponse } from 'node:http';
import type { Broadcaster } from './broadcast.ts';

/** A connection that says nothing is taken for dead by what lies between, so it says something so often, in milliseconds. */
const heartbeatMs = 15_000;

/** Who takes this much longer than the rest to read, in bytes, begins anew. */
const maxBufferedBytes = 32 * 1024 * 1024;

/** Sends what changes to one who looks, as server-sent events, until either side ends it. */
export function streamEvents(response: ServerResponse, broadcast: Pick<Broadcaster, 'subscribe'>): void {
  response.writeHead(200, {
    ...response.getHeaders(),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  const unsubscribe = broadcast.subscribe((message) => {
    response.write(message);
    if (response.writableLength > maxBufferedBytes) response.destroy();
  });
  const timer = setInterval(() => response.write(': alive\n\n'), heartbeatMs);
  timer.unref();
  response.on('close', () => {
    clearInterval(timer);
    unsubscribe();
  });
}
