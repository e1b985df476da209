import { Agent, EnvHttpProxyAgent } from 'undici';
import type { ProxySettings } from '../model/proxy-settings.ts';
import type { RequestAuth } from './auth/credentials.ts';
import { ReadOnlyTransportError } from './errors.ts';
import { HttpRequest, sendRequest } from './http-exchange.ts';

/** What may leave: only what reads (a dry run), or everything. */
export type TransportMode = 'reads' | 'everything';

export interface TransportOptions {
  readonly mode: TransportMode;
  /** The most connections to one server. */
  readonly connections: number;
  /** How long one exchange may take, from the call to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Default: every server is asked itself. */
  readonly proxies?: ProxySettings | null;
  /** Asked when the connection of a request stands, just before it leaves; default: it may. */
  readonly canSend?: () => boolean;
}

/** Kept-alive connections in the form that openapi-fetch takes: pass both members to `createClient`. */
export interface Transport {
  readonly fetch: (request: Request) => Promise<Response>;
  /** Returns a `fetch` that adds the headers of `proof` to a request once it is whole. */
  readonly fetchWithAuth: (proof: RequestAuth) => Transport['fetch'];
  readonly Request: typeof Request;
  /** Ends the connections at once: a call still under way ends without an answer. */
  close(): Promise<void>;
}

/** A server that does not take a connection in this time is not there. */
const connectTimeoutMs = 10_000;

/** Opens a transport; no connection is made before the first call. Its errors are those of `exchange`, and ReadsOnlyError. */
export function openTransport({ mode, connections, timeoutMs, proxies = null, canSend }: TransportOptions): Transport {
  const options = {
    connections,
    connect: { timeout: Math.min(connectTimeoutMs, timeoutMs) },
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  const agent = proxies === null ? new Agent(options) : new EnvHttpProxyAgent({ ...options, ...proxies });
  const sendWith = (proof: RequestAuth | null) => async (request: HttpRequest) => {
    if (mode === 'reads' && request.method !== 'GET') throw new ReadOnlyTransportError(request.method);
    return sendRequest(agent, request, proof?.headersFor(request) ?? {}, timeoutMs, canSend);
  };
  return {
    fetch: sendWith(null) as unknown as Transport['fetch'],
    fetchWithAuth: (proof) => sendWith(proof) as unknown as Transport['fetch'],
    Request: HttpRequest as unknown as typeof Request,
    close: () => agent.destroy(),
  };
}
