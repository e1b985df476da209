import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

/** A proxy that admits `name:s3cret`, and resolves every host to 127.0.0.1. */
export interface ProxyServer {
  readonly url: string;
  /** The requested targets, as received. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** Starts a local proxy for HTTP and, through CONNECT, for HTTPS. */
export async function startProxy(): Promise<ProxyServer> {
  const asked: string[] = [];
  const isKnown = (header: string | undefined): boolean => header === `Basic ${Buffer.from('name:s3cret').toString('base64')}`;
  const server = createServer((incoming, outgoing) => {
    const { url = '', method, headers } = incoming;
    asked.push(`${method} ${url}`);
    if (!isKnown(headers['proxy-authorization'])) return void outgoing.writeHead(407).end();
    const { port, pathname, search } = new URL(url);
    const passed = request({ host: '127.0.0.1', port, path: pathname + search, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.writeHead(502).end());
    incoming.pipe(passed);
  });
  server.on('connect', ({ url = '', headers }, socket) => {
    asked.push(`CONNECT ${url}`);
    if (!isKnown(headers['proxy-authorization'])) return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    const there = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      there.pipe(socket).pipe(there);
    });
    for (const end of [there, socket]) end.on('error', () => [there, socket].map((of) => of.destroy()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
