import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * The treatment of data sent through the proxy: it is forwarded, the connection is refused, or the data is swallowed. `frozen` swallows it
 * too, but open connections stay open: each end believes that the other one is there and silent.
 */
export type ProxyMode = 'clear' | 'refused' | 'swallowed' | 'frozen';

/** A TCP proxy to a server whose mode can be changed. */
export interface TcpProxy extends AsyncDisposable {
  readonly url: string;
  /** Changes the mode and closes open connections, unless it is `frozen`. */
  setMode(mode: ProxyMode): void;
}

/** Opens a proxy to the server at `target`, an http URL. */
export async function openTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let mode: ProxyMode = 'clear';
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    keep(near);
    if (mode === 'refused') near.resetAndDestroy();
    else if (mode === 'swallowed' || mode === 'frozen') near.resume();
    else {
      const far = connect(Number(port), hostname);
      keep(far);
      near.pipe(far).pipe(near);
      near.once('close', () => far.destroy());
      far.once('close', () => near.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setMode: (next) => {
      mode = next;
      if (next === 'frozen') for (const socket of sockets) socket.unpipe();
      else cut();
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}
