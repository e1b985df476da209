import { connect, type Socket } from 'node:net';

/** A client that sends the bytes it likes and reads only if it likes. */
export class RawClient {
  readonly socket: Socket;
  /** What it has read. */
  text = '';
  /** Whether either side has closed the connection. */
  isClosed = false;

  /** Connects from an address of this machine; on Linux every one that starts with 127 is. */
  constructor(url: string, from = '127.0.0.1') {
    const { hostname, port } = new URL(url);
    // A paused socket reads nothing, not even into its own buffer.
    this.socket = connect({ host: hostname, port: Number(port), localAddress: from }).pause();
    this.socket
      .on('error', () => undefined)
      .on('close', () => {
        this.isClosed = true;
      });
  }

  send(text: string): this {
    this.socket.write(text);
    return this;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): this {
    const lines = Object.entries({ host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    return this.send(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  }

  read(): this {
    this.socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
    });
    this.socket.resume();
    return this;
  }

  close(): void {
    this.socket.destroy();
  }
}
