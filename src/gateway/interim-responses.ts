import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { DiagnosticsChannel } from 'undici';

/** The longest head of an interim response, which is undici's limit for every head. A longer one is left to undici, which refuses it. */
const maxHeadBytes = 16 * 1024;
const headEnd = '\r\n\r\n';

/**
 * Makes undici ignore interim responses (1xx) before a response, as RFC 9110, section 15.2, requires. undici closes the connection at a
 * `100 Continue`, so a gateway or a proxy that sends one would look like an outage for good. A `101 Switching Protocols` was
 * not asked for and stays an error. The diagnostics channel says when a response is expected on a socket, so nothing but the
 * start of a response is examined.
 */
export function ignoreInterimResponses(): void {
  subscribe('undici:client:sendHeaders', onRequestSent);
}

const filters = new WeakMap<Socket, InterimResponseFilter>();

function onRequestSent(message: unknown): void {
  const { socket } = message as DiagnosticsChannel.ClientSendHeadersMessage;
  const filter = filters.get(socket) ?? new InterimResponseFilter(socket);
  filters.set(socket, filter);
  filter.expectResponse();
}

/** Removes interim responses from what is read from a socket. */
class InterimResponseFilter {
  readonly #read: (size?: number) => Buffer | null;
  #isBeforeResponse = false;
  /** Bytes before the response that are not enough to decide about. */
  #held: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#read = socket.read.bind(socket);
    socket.read = (size?: number) => this.#readFiltered(size);
  }

  /** Call when a request is sent. */
  expectResponse(): void {
    this.#isBeforeResponse = true;
    this.#held = Buffer.alloc(0);
  }

  #readFiltered(size: number | undefined): Buffer | null {
    let chunk = this.#read(size);
    while (chunk !== null && this.#isBeforeResponse) {
      const rest = this.#skipInterim(this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]));
      if (rest !== null) return rest;
      chunk = this.#read(size);
    }
    return chunk;
  }

  /** Returns `bytes` without the interim responses at their start; `null` if more must be read. */
  #skipInterim(bytes: Buffer): Buffer | null {
    let rest = bytes;
    while (mayBeInterim(rest)) {
      const end = rest.indexOf(headEnd);
      if (end !== -1) rest = rest.subarray(end + headEnd.length);
      else if (rest.length > maxHeadBytes) break;
      else {
        this.#held = rest;
        return null;
      }
    }
    this.#isBeforeResponse = false;
    return rest;
  }
}

/** Returns whether `bytes` start with the status line of an interim response, as far as they go. */
function mayBeInterim(bytes: Buffer): boolean {
  const example = 'HTTP/1.1 100';
  const start = bytes.toString('latin1', 0, example.length);
  return /^HTTP\/1\.\d 1(?!01)\d\d$/.test(start + example.slice(start.length));
}
