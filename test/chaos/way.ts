import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * What happens to what is sent over the way: it gets through, is refused, or is swallowed and never arrives. `frozen` swallows it too, but
 * connections that stand do not notice: each end thinks that the other one is there and silent.
 */
export type Weather = 'clear' | 'refused' | 'swallowed' | 'frozen';

/** A TCP way to a server, of which the weather can be changed. */
export interface Way extends AsyncDisposable {
  readonly url: string;
  /** Changes the weather; connections that stand are cut, unless it is to be frozen. */
  turn(weather: Weather): void;
}

/** Opens a way to the server at `target`, an http address. */
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
