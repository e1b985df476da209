import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * The treatment of data sent through the proxy: it is forwarded, the connection is refused, or the data is swallowed. `frozen` swallows it
 * too, but open connections stay open: each end believes that the other one is there and silent. `stalled` is like a server that was paused with
 * SIGSTOP: connections are accepted, and what they send arrives when the mode is `clear` again, even if they were closed meanwhile.
 */
export type ProxyMode = 'clear' | 'refused' | 'swallowed' | 'frozen' | 'stalled';

/** A TCP proxy to a server whose mode can be changed. */
export interface TcpProxy extends AsyncDisposable {
  readonly url: string;
  /** Changes the mode. Closes open connections, unless the mode is or was one in which they stay open. */
  setMode(mode: ProxyMode): void;
}

/**
 * Opens a proxy to the server at `target`, an http URL. `beforeResponse` returns what is sent before the first bytes of the response to a
 * request, such as an interim response.
 */
export async function openTcpProxy(target: string, beforeResponse = (): string => ''): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const connections = new Set<Connection>();
  let mode: ProxyMode = 'clear';
  const server = createServer((near) => {
    if (mode === 'refused') near.on('error', () => {}).resetAndDestroy();
    else {
      const connection = new Connection(near, beforeResponse);
      connections.add(connection);
      near.once('close', () => connections.delete(connection));
      if (mode === 'swallowed' || mode === 'frozen') near.resume();
      else connection.open(connect(Number(port), hostname), mode === 'clear');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const connection of connections) connection.cut();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setMode: (next) => {
      const previous = mode;
      mode = next;
      if (next === 'frozen' || next === 'stalled') for (const connection of connections) connection.stall();
      else if (previous === 'stalled' && next === 'clear') for (const connection of connections) connection.forward();
      else cut();
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}

/** A connection of a client, joined to one of the server. */
class Connection {
  readonly #near: Socket;
  readonly #beforeResponse: () => string;
  #far: Socket | null = null;
  /** Whether a request was forwarded, and nothing of its response. */
  #isBeforeResponse = false;

  constructor(near: Socket, beforeResponse: () => string) {
    this.#near = near.on('error', () => {});
    this.#beforeResponse = beforeResponse;
  }

  /** Joins it to `far`, and forwards data from now on if `forwards`. */
  open(far: Socket, forwards: boolean): void {
    const near = this.#near;
    this.#far = far.on('error', () => {});
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
    if (forwards) this.forward();
  }

  forward(): void {
    const [near, far] = [this.#near, this.#far];
    far?.on('data', this.#onResponse);
    near.on('data', this.#onRequest);
    if (far) near.pipe(far).pipe(near);
  }

  /** Forwards nothing any more, and leaves both ends open. */
  stall(): void {
    this.#near.off('data', this.#onRequest);
    this.#far?.off('data', this.#onResponse);
    if (this.#far) this.#near.unpipe(this.#far);
    this.#far?.unpipe(this.#near);
  }

  cut(): void {
    this.#near.destroy();
    this.#far?.destroy();
  }

  readonly #onRequest = (): void => {
    this.#isBeforeResponse = true;
  };

  readonly #onResponse = (): void => {
    if (this.#isBeforeResponse) this.#near.write(this.#beforeResponse());
    this.#isBeforeResponse = false;
  };
}
