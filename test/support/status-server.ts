import type { EdictEvent } from '../../src/model/events.ts';
import { Broadcaster } from '../../src/server/broadcaster.ts';
import { type Server, type ServerDeps, type ShownFile, startServer } from '../../src/server/server.ts';
import { SharedDocuments } from '../../src/server/shared-documents.ts';
import { StatusCache } from '../../src/server/status-cache.ts';

/** A real server whose controller is the test. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly statusCache: StatusCache;
  /** The events of the server itself, such as refused tokens. */
  readonly emitted: readonly EdictEvent[];
  close(): Promise<void>;
}

export interface TestServerOptions extends Partial<Omit<ServerDeps, 'shownFiles' | 'emit' | 'tokens'>> {
  readonly shown?: Partial<ShownFile>;
  readonly act?: string | null;
  readonly read?: string | null;
  readonly host?: string;
  readonly port?: number;
}

/** Starts a server of one file on a free port of loopback: without tokens and history unless `options` say otherwise. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { shown = {}, act = null, read = null, host = '127.0.0.1', port = 0, ...deps } = options;
  const emitted: EdictEvent[] = [];
  const statusCache = shown.statusCache ?? new StatusCache(Date.now);
  const daemonInfo = shown.daemonInfo ?? { version: '1', file: 'edict.yaml', approveCommand: () => null };
  const broadcaster = shown.broadcaster ?? new Broadcaster(statusCache, daemonInfo);
  const server: Server = await startServer(
    { host, port },
    {
      allowedHosts: [],
      health: { live: () => ({ ok: true, message: 'alive' }), ready: () => ({ ok: true, message: 'ready' }) },
      metrics: { text: async () => 'edict_file_held 0\n', contentType: 'text/plain; version=0.0.4' },
      monotonicMs: () => performance.now(),
      emit: (event) => void emitted.push(event),
      tokens: { act: () => act, read: () => read },
      isSingleFile: true,
      shownFiles: new Map([
        [
          '',
          {
            ...{ pathPrefix: '', statusCache, broadcaster, daemonInfo, now: Date.now },
            documents: new SharedDocuments(statusCache, daemonInfo),
            history: async () => [],
            approvals: async () => [],
            approve: async () => undefined,
            suspend: async () => undefined,
            resync: async () => undefined,
            ...shown,
          },
        ],
      ]),
      ...deps,
    },
  );
  const close = async (): Promise<void> => {
    broadcaster.close();
    await server.close();
  };
  return { url: server.url, statusCache, emitted, close, [Symbol.asyncDispose]: close };
}
