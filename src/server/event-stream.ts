import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { constants, createGunzip, deflateRaw } from 'node:zlib';
import { acceptsGzip } from './response-body.ts';

/** One or more server-sent events, compressed: a piece of a gzip stream that may follow any other such piece. */
export type StreamMessage = Promise<Buffer>;

export interface EventSubscription {
  /** The whole status at the time of the subscription. */
  readonly whole: StreamMessage;
  readonly unsubscribe: () => void;
}

/** Interval of keep-alive comments, in milliseconds: proxies close idle connections. */
const heartbeatMs = 15_000;

/** A client with more unread bytes than this, after the first message, is disconnected, and starts over with the whole status. */
const maxUnreadBytes = 1024 * 1024;

/** The start of every gzip stream: deflate, no name and no time. */
const gzipHeader = Buffer.from('1f8b08000000000000ff', 'hex');

const deflate = promisify(deflateRaw);

/**
 * Compresses events once for all clients. A full flush ends each message at a byte and forgets what came before it, so that a client can start with
 * any message.
 */
export function encodeEvents(text: string): StreamMessage {
  return deflate(text, { finishFlush: constants.Z_FULL_FLUSH });
}

const heartbeat = encodeEvents(': alive\n\n');

/** Streams events until either side closes the connection. What a slow client has not read is bounded. */
export async function streamEvents(
  { headers }: Pick<IncomingMessage, 'headers'>,
  response: ServerResponse,
  broadcaster: { subscribe(send: (message: StreamMessage) => void): EventSubscription },
): Promise<void> {
  const isGzip = acceptsGzip(headers['accept-encoding']);
  response.writeHead(200, {
    ...response.getHeaders(),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    vary: 'accept-encoding',
    'x-accel-buffering': 'no',
    ...(isGzip && { 'content-encoding': 'gzip' }),
  });
  using resources = new DisposableStack();
  const queue = new MessageQueue(() => response.destroy());
  const { whole, unsubscribe } = broadcaster.subscribe((message) => queue.add(message));
  resources.defer(unsubscribe);
  const timer = setInterval(() => queue.isEmpty && queue.add(heartbeat), heartbeatMs);
  timer.unref();
  resources.defer(() => clearInterval(timer));
  response.once('close', () => queue.close());
  const source = Readable.from(queue.read(whole), { objectMode: false, highWaterMark: 1 });
  // A connection that ends is the usual end of a stream.
  await (isGzip ? pipeline(source, response) : pipeline(source, createGunzip(), response)).catch(() => undefined);
}

/** The messages that one client has still to read. */
class MessageQueue {
  readonly #messages: StreamMessage[] = [];
  readonly #onFull: () => void;
  #unreadBytes = 0;
  #isClosed = false;
  #wake = (): void => undefined;

  /** `onFull` is called when too much is unread. */
  constructor(onFull: () => void) {
    this.#onFull = onFull;
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  add(message: StreamMessage): void {
    this.#messages.push(this.#count(message));
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  /** Yields `first`, which all clients share, and then the messages, one after the other, as they are taken. */
  async *read(first: StreamMessage): AsyncGenerator<Buffer> {
    yield gzipHeader;
    yield await first;
    while (!this.#isClosed) {
      const message = this.#messages.shift();
      if (message === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const bytes = await message;
      yield bytes;
      this.#unreadBytes -= bytes.length;
    }
  }

  async #count(message: StreamMessage): StreamMessage {
    const bytes = await message;
    this.#unreadBytes += bytes.length;
    if (this.#unreadBytes > maxUnreadBytes) this.#onFull();
    return bytes;
  }
}
