import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * What happens to data sent through the proxy: it is forwarded, the connection is refused, or the data is swallowed. `frozen` swallows it
 * too, but open connections stay open: each end believes that the other one is there and silent.
 */
export type Weather = 'clear' | 'refused' | 'swallowed' | 'frozen';

/** A TCP proxy to a server whose mode can be changed. */
export interface Way extends AsyncDisposable {
  readonly url: string;
  /** Changes the mode and closes open connections, unless it is `frozen`. */
  turn(weather: Weather): void;
}

/** Opens a proxy to the server at `target`, an http URL. */
export async function openWay(target: string): Promise<Way> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let weather: Weather = 'clear';
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    keep(near);
    if (weather === 'refused') near.resetAndDestroy();
    else if (weather === 'swallowed' || weather === 'frozen') near.resume();
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
    turn: (next) => {
      weather = next;
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
