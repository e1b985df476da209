import { type Dispatcher, errors } from 'undici';
import { connectionErrorMessage } from '../model/errors.ts';
import { ConnectionError, InvalidResponseError, RequestNotSentError } from './errors.ts';

/** A larger response body is refused. A page of 500 APIs with all fields is about 2 MB. */
const maxBodyBytes = 16 * 1024 * 1024;

/** The service nests five levels. JSON is read at any depth but written only to some thousand levels, so that a deep answer could end the process. */
const maxDepth = 100;

/** A minimal `Request`: the platform's own costs more than the rest of a call together. */
export class HttpRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string | null;
  readonly signal: AbortSignal | null;

  constructor(url: string, init: RequestInit) {
    this.url = url;
    this.method = init.method ?? 'GET';
    this.headers = init.headers as Headers;
    this.body = (init.body as string | null | undefined) ?? null;
    this.signal = init.signal ?? null;
  }

  /** Returns the same request to another URL. */
  at(url: string): HttpRequest {
    return url === this.url ? this : new HttpRequest(url, this);
  }
}

/** A minimal `Response` whose body is already read. */
export class HttpResponse {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: { get(name: string): string | null };
  readonly #text: string;

  constructor(status: number, headers: Readonly<Record<string, string | string[] | undefined>>, text: string) {
    this.status = status;
    this.ok = status >= 200 && status < 300;
    this.headers = { get: (name) => headers[name.toLowerCase()]?.toString() ?? null };
    this.#text = text;
  }

  text(): Promise<string> {
    return Promise.resolve(this.#text);
  }

  json(): Promise<unknown> {
    return this.text().then((text) => JSON.parse(text) as unknown);
  }
}

export interface SendRequestOptions {
  readonly dispatcher: Dispatcher;
  readonly extraHeaders: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Called when the connection is established; default: always true. */
  readonly canSend?: () => boolean;
}

/**
 * Sends one request with `extraHeaders` and reads its whole response in at most `timeoutMs`. `canSend` is called when the connection is
 * established. Rejects with a ConnectionError, whose code says whether anything was sent, or an InvalidResponseError. Redirects are not followed.
 */
export async function sendRequest(
  request: HttpRequest,
  { dispatcher, extraHeaders, timeoutMs, canSend = () => true }: SendRequestOptions,
): Promise<HttpResponse> {
  const address = URL.parse(request.url);
  if (address === null) throw new ConnectionError('CONNECTION_FAILED', `no connection: ${request.url} is not an address`);
  const { origin, pathname, search } = address;
  const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'edict' };
  for (const [name, value] of request.headers) headers[name] = value;
  Object.assign(headers, extraHeaders);
  return new Promise((resolve, reject) => {
    const exchange = new HttpExchange({ signal: request.signal, timeoutMs, canSend, resolve, reject });
    if (exchange.isSettled) return;
    const method = request.method as Dispatcher.HttpMethod;
    dispatcher.dispatch({ origin, path: pathname + search, method, headers, body: request.body }, exchange);
  });
}

interface ExchangeOptions {
  readonly signal: AbortSignal | null;
  readonly timeoutMs: number;
  readonly canSend: () => boolean;
  readonly resolve: (answer: HttpResponse) => void;
  readonly reject: (error: Error) => void;
}

class HttpExchange implements Dispatcher.DispatchHandler {
  /** The request may have been sent: set when it is handed to an established connection. */
  #isSent = false;
  isSettled = false;
  #controller: Dispatcher.DispatchController | null = null;
  #status = 0;
  #headers: Readonly<Record<string, string | string[] | undefined>> = {};
  readonly #chunks: Buffer[] = [];
  #size = 0;
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal | null;
  readonly #canSend: () => boolean;
  readonly #resolve: (answer: HttpResponse) => void;
  readonly #reject: (error: Error) => void;

  constructor({ signal, timeoutMs, canSend, resolve, reject }: ExchangeOptions) {
    this.#signal = signal;
    this.#canSend = canSend;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#timer = setTimeout(this.#timeOut, timeoutMs, timeoutMs);
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener('abort', this.#abort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.isSettled) controller.abort(new Error('given up before it was sent'));
    else if (this.#canSend()) this.#isSent = true;
    else this.#fail(new RequestNotSentError());
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size <= maxBodyBytes) this.#chunks.push(chunk);
    else
      this.#fail(new InvalidResponseError(`answered ${this.#status} with a body over 16 MiB, which is refused`, { status: this.#status }));
  }

  onResponseEnd(): void {
    const [first] = this.#chunks;
    const body = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks);
    if (isDeep(body)) {
      const message = `answered ${this.#status} with a body nested deeper than ${maxDepth} levels, which is refused`;
      this.#fail(new InvalidResponseError(message, { status: this.#status }));
    }
    if (!this.#settle()) return;
    this.#resolve(new HttpResponse(this.#status, this.#headers, body.toString()));
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#fail(
      this.#isSent
        ? toConnectionError(error)
        : new ConnectionError('CONNECTION_FAILED', `no connection: ${connectionErrorMessage(error)}`, error),
    );
  }

  readonly #timeOut = (timeoutMs: number): void => {
    if (this.#isSent) this.#fail(new ConnectionError('TIMEOUT', `no whole answer within ${timeoutMs} ms`));
    else this.#fail(new ConnectionError('CONNECTION_FAILED', `no connection within ${timeoutMs} ms`));
  };

  readonly #abort = (): void => {
    if (this.#isSent) this.#fail(new ConnectionError('INTERRUPTED', 'stopped before the whole answer was there'));
    else this.#fail(new RequestNotSentError());
  };

  #fail(error: Error): void {
    if (!this.#settle()) return;
    this.#reject(error);
    this.#controller?.abort(error);
  }

  #settle(): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#abort);
    return true;
  }
}

function toConnectionError(error: Error): Error {
  return error instanceof errors.HTTPParserError || error instanceof errors.HeadersOverflowError
    ? new InvalidResponseError(`the answer is not HTTP: ${connectionErrorMessage(error)}`, { status: null, cause: error })
    : new ConnectionError(
        'CONNECTION_LOST',
        `the connection broke before the whole answer was there: ${connectionErrorMessage(error)}`,
        error,
      );
}

const [space, quote, backslash, openings, closings] = [0x20, 0x22, 0x5c, [0x5b, 0x7b], [0x5d, 0x7d]] as const;

/** Returns whether JSON is nested deeper than `maxDepth`; other text, such as a page of HTML, is not. */
function isDeep(json: Buffer): boolean {
  const first = json[json.findIndex((byte) => byte > space)];
  if (first !== openings[0] && first !== openings[1]) return false;
  let [depth, isInString] = [0, false];
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === quote) isInString = !isInString;
    else if (isInString) at += byte === backslash ? 1 : 0;
    else if (byte === openings[0] || byte === openings[1]) depth += 1;
    else if (byte === closings[0] || byte === closings[1]) depth -= 1;
    if (depth > maxDepth) return true;
  }
  return false;
}
