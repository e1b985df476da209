import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { EdictError } from '../model/errors.ts';

/** Limits for clients, whether they have a token or not. Times are in milliseconds. */
export const clientLimits = {
  connections: 200,
  /** A proxy has one address for all of its viewers, so this is no small number. */
  connectionsPerAddress: 100,
  eventStreams: 100,
  eventStreamsPerAddress: 50,
  /** How many requests of one connection may be unanswered; clients that pipeline send a few. */
  openRequests: 8,
  /** How long a client may take to read an answer, or what is unread of an event stream. */
  readMs: 60_000,
  /** How long a new connection is kept where another one of its address can be closed instead. */
  newMs: 1000,
} as const;

/** How often answers that nobody reads are looked for, in milliseconds. */
const checkIntervalMs = 5000;

interface Connection {
  readonly socket: Socket;
  readonly address: string;
  readonly openedAtMs: number;
  /** When it was opened, or its last request began. */
  usedAtMs: number;
  openRequests: number;
  isEventStream: boolean;
  /** Since when a part of the event stream has been unread; `null` if none is. */
  unreadSinceMs: number | null;
}

/**
 * Limits the connections of a server, in all and for each address. At a limit the least useful connection is closed and the new one is kept: a
 * health check must be answered however many others are open.
 */
export class ConnectionLimiter implements Disposable {
  readonly #connections = new Map<Socket, Connection>();
  readonly #monotonicMs: () => number;
  readonly #timer: NodeJS.Timeout;

  constructor(server: HttpServer, monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
    server.on('connection', (socket) => this.#add(socket));
    server.on('request', (request, response) => this.#onRequest(request, response));
    this.#timer = setInterval(() => this.#closeUnread(), checkIntervalMs);
    this.#timer.unref();
  }

  /** Counts the connection as an event stream. Throws an EdictError `BUSY` if there are too many, in all or of its address. */
  startEventStream(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (!connection) return;
    const streams = [...this.#connections.values()].filter(({ isEventStream }) => isEventStream);
    const same = streams.filter(({ address }) => address === connection.address);
    const { eventStreams, eventStreamsPerAddress } = clientLimits;
    if (streams.length >= eventStreams || same.length >= eventStreamsPerAddress) {
      const count = streams.length >= eventStreams ? `${eventStreams}` : `${eventStreamsPerAddress} of ${connection.address}`;
      throw new EdictError('BUSY', `too many event streams are open: ${count}`, { hint: 'close some of the pages that are open' });
    }
    connection.isEventStream = true;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #add(socket: Socket): void {
    const address = clientAddress(socket.remoteAddress);
    const nowMs = this.#monotonicMs();
    const all = [...this.#connections.values()];
    const same = all.filter((connection) => connection.address === address);
    if (same.length >= clientLimits.connectionsPerAddress) this.#closeOneOf(same, nowMs);
    else if (all.length >= clientLimits.connections) this.#closeOneOf(largestGroup(all), nowMs);
    this.#connections.set(socket, {
      ...{ socket, address, openedAtMs: nowMs, usedAtMs: nowMs },
      ...{ openRequests: 0, isEventStream: false, unreadSinceMs: null },
    });
    socket.once('close', () => this.#connections.delete(socket));
  }

  #onRequest({ socket }: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(socket);
    if (!connection) return;
    connection.openRequests += 1;
    connection.usedAtMs = this.#monotonicMs();
    response.once('close', () => {
      connection.openRequests -= 1;
    });
    if (connection.openRequests > clientLimits.openRequests) this.#close(connection);
  }

  #closeOneOf(connections: readonly Connection[], nowMs: number): void {
    const old = connections.filter(({ openedAtMs }) => nowMs - openedAtMs >= clientLimits.newMs);
    const [worst] = (old.length > 0 ? old : connections).toSorted((a, b) => usefulness(a) - usefulness(b) || a.usedAtMs - b.usedAtMs);
    if (worst) this.#close(worst);
  }

  #close(connection: Connection): void {
    // The event `close` comes later, and the place is free at once.
    this.#connections.delete(connection.socket);
    connection.socket.destroy();
  }

  #closeUnread(): void {
    const nowMs = this.#monotonicMs();
    for (const connection of this.#connections.values()) {
      const { isEventStream, socket, openRequests, usedAtMs } = connection;
      connection.unreadSinceMs = isEventStream && socket.writableLength > 0 ? (connection.unreadSinceMs ?? nowMs) : null;
      const sinceMs = isEventStream ? connection.unreadSinceMs : openRequests > 0 ? usedAtMs : null;
      if (sinceMs !== null && nowMs - sinceMs >= clientLimits.readMs) this.#close(connection);
    }
  }
}

/** Orders connections by what is lost when they are closed: idle or half a request, an unread answer, an event stream, a request in progress. */
function usefulness({ openRequests, isEventStream, socket }: Connection): number {
  if (openRequests === 0) return 0;
  if (socket.writableLength > 0) return 1;
  return isEventStream ? 2 : 3;
}

function largestGroup(connections: readonly Connection[]): readonly Connection[] {
  const groups = [...Map.groupBy(connections, ({ address }) => address).values()];
  const size = Math.max(...groups.map(({ length }) => length));
  return groups.filter(({ length }) => length === size).flat();
}

/** Returns the address of a client for limits: that of IPv4, or the network of 64 bits, of which a client of IPv6 has a whole one. */
export function clientAddress(remoteAddress = ''): string {
  const ipv4 = /^::ffff:([\d.]+)$/i.exec(remoteAddress)?.[1] ?? remoteAddress;
  if (!ipv4.includes(':')) return ipv4;
  const [start = '', end] = ipv4.replace(/%.*$/, '').split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const missing = end === undefined ? 0 : 8 - groups(start).length - groups(end).length;
  const all = [...groups(start), ...new Array<string>(missing).fill('0'), ...groups(end ?? '')];
  return `${all.slice(0, 4).join(':')}::/64`;
}
