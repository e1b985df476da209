import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { constants, createGunzip, deflateRaw, inflateRaw } from 'node:zlib';
import { lendPlain } from './plain-forms.ts';
import { acceptsGzip } from './response-body.ts';

/** One or more server-sent events, compressed: a piece of a gzip stream that may follow any other such piece. */
export interface StreamMessage {
  readonly deflated: Promise<Buffer>;
  /** The number of bytes before compression. */
  readonly length: number;
}

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
const inflate = promisify(inflateRaw);

/**
 * Compresses events once for all clients. A full flush ends each message at a byte and forgets what came before it, so that a client can start with
 * any message.
 */
export function encodeEvents(text: string): StreamMessage {
  return { deflated: deflate(text, { finishFlush: constants.Z_FULL_FLUSH }), length: Buffer.byteLength(text) };
}

/** Returns the text of one message. */
export async function decodeEvents({ deflated, length }: StreamMessage): Promise<Buffer> {
  return inflate(await deflated, { finishFlush: constants.Z_SYNC_FLUSH, chunkSize: Math.max(constants.Z_MIN_CHUNK, length) });
}

const heartbeat = encodeEvents(': alive\n\n');

/** Streams events until either side closes the connection. The data that a slow client has not read is bounded. */
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
  const isSent = !isGzip && (await sendPlain(whole, response));
  const source = Readable.from(queue.read(isSent ? null : whole), { objectMode: false, highWaterMark: 1 });
  // A connection that ends is the usual end of a stream.
  await (isGzip ? pipeline(source, response) : pipeline(source, createGunzip(), response)).catch(() => undefined);
}

/** Sends the whole status to a client that takes no gzip. Returns false if it must be unpacked for this client alone. */
async function sendPlain(whole: StreamMessage, response: ServerResponse): Promise<boolean> {
  if (response.destroyed) return true;
  const lent = lendPlain(whole, decodeEvents);
  if (lent === null) return false;
  // Called too if the connection is closed before all is read.
  response.write(await lent.bytes, lent.giveBack);
  return true;
}

/** The messages that one client has still to read. */
class MessageQueue {
  readonly #messages: Promise<Buffer>[] = [];
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

  /** Yields `first`, if it is not sent yet, which all clients share, and then the messages, one after the other, as they are taken. */
  async *read(first: StreamMessage | null): AsyncGenerator<Buffer> {
    yield gzipHeader;
    if (first) yield await first.deflated;
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

  async #count({ deflated }: StreamMessage): Promise<Buffer> {
    const bytes = await deflated;
    this.#unreadBytes += bytes.length;
    if (this.#unreadBytes > maxUnreadBytes) this.#onFull();
    return bytes;
  }
}
