import { Agent, EnvHttpProxyAgent } from 'undici';
import type { ProxySettings } from '../model/env.ts';
import type { RequestAuth } from './auth/credentials.ts';
import { ReadOnlyTransportError } from './errors.ts';
import { HttpRequest, sendRequest } from './http-exchange.ts';
import { ignoreInterimResponses } from './interim-responses.ts';

/** The requests that may be sent: only reads (a dry run), or everything. */
export type TransportMode = 'reads' | 'everything';

export interface TransportOptions {
  readonly mode: TransportMode;
  /** The most connections to one server. */
  readonly connections: number;
  /** The time limit of one exchange, from the call to the last byte of the response. */
  readonly timeoutMs: number;
  /** Default: no proxy. */
  readonly proxies?: ProxySettings | null;
  /** Returns the URL of a request, before it is signed; default: as given. */
  readonly rewriteUrl?: (url: string) => string;
  /** Called when a request's connection is established, right before it is sent; default: always true. */
  readonly canSend?: () => boolean;
}

/** Keep-alive connections in the form that openapi-fetch takes: pass `fetch` and `Request` to `createClient`. */
export interface Transport {
  readonly fetch: (request: Request) => Promise<Response>;
  /** Returns a `fetch` that adds the headers of `auth` to a complete request, and sends it only if `canSend` allows it too. */
  readonly fetchWithAuth: (auth: RequestAuth, canSend?: () => boolean) => Transport['fetch'];
  readonly Request: typeof Request;
  /** Closes the connections immediately: a call in flight ends without a response. */
  close(): Promise<void>;
}

ignoreInterimResponses();

/** The time limit for opening a connection. */
const connectTimeoutMs = 10_000;

/** Opens a transport; no connection is made before the first call. Its errors are those of `sendRequest`, and ReadOnlyTransportError. */
export function openTransport({
  mode,
  connections,
  timeoutMs,
  proxies = null,
  rewriteUrl = (url) => url,
  canSend = () => true,
}: TransportOptions): Transport {
  const options = {
    connections,
    connect: { timeout: Math.min(connectTimeoutMs, timeoutMs) },
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  const agent = proxies === null ? new Agent(options) : new EnvHttpProxyAgent({ ...options, ...proxies });
  const sendWith =
    (auth: RequestAuth | null, canSendThis = () => true) =>
    async (given: HttpRequest) => {
      const request = given.at(rewriteUrl(given.url));
      if (mode === 'reads' && request.method !== 'GET') throw new ReadOnlyTransportError(request.method);
      return sendRequest(request, {
        dispatcher: agent,
        extraHeaders: auth?.headersFor(request) ?? {},
        timeoutMs,
        canSend: () => canSend() && canSendThis(),
      });
    };
  return {
    fetch: sendWith(null) as unknown as Transport['fetch'],
    fetchWithAuth: (auth, canSendThis) => sendWith(auth, canSendThis) as unknown as Transport['fetch'],
    Request: HttpRequest as unknown as typeof Request,
    close: () => agent.destroy(),
  };
}
