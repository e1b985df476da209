/**
 * `node watching-child.ts URL PAGES SCRAPE-EVERY-MS`: reads the events like so many pages, and the metrics, until it is stopped.
 * It runs at low priority, since real clients run on other machines.
 */
import { connect } from 'node:net';
import { constants, setPriority } from 'node:os';

const [url = '', pages = '0', scrapeEveryMs = '1000'] = process.argv.slice(2);
setPriority(constants.priority.PRIORITY_LOW);

/** Reads into the same buffer each time, so that reading costs next to nothing. */
function read(): void {
  const { hostname, port, host } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), onread: { buffer: Buffer.alloc(256 * 1024), callback: () => true } });
  // The daemon stops first, which closes the connections.
  socket.on('error', () => undefined);
  socket.write(`GET /api/v1/events HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
}

async function scrape(): Promise<void> {
  await (await fetch(`${url}/metrics`)).text();
}

for (let page = 0; page < Number(pages); page += 1) read();
setInterval(() => scrape().catch(() => undefined), Number(scrapeEveryMs));
process.stdout.write('watching\n');
