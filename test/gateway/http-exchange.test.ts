import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Agent } from 'undici';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ConnectionError, InvalidResponseError } from '../../src/gateway/errors.ts';
import { HttpRequest, type HttpResponse, sendRequest } from '../../src/gateway/http-exchange.ts';
import { ignoreInterimResponses } from '../../src/gateway/interim-responses.ts';
import { selfSigned } from '../support/certificate.ts';

ignoreInterimResponses();

interface Exchanged {
  readonly answer: HttpResponse | null;
  readonly error: unknown;
}

interface How {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly mayLeave?: () => boolean;
  /** The authority that a certificate must be from. */
  readonly ca?: Buffer;
}

/** Makes one POST to a server that does `serve` with each connection once it has the whole request. */
async function exchangeWith(serve: (socket: Socket) => unknown, how: How = {}): Promise<Exchanged> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    let seen = '';
    socket.on('data', (chunk) => {
      seen += String(chunk);
      if (seen.endsWith('the body')) serve(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await exchangeAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, how);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

async function exchangeAt(url: string, { timeoutMs = 2_000, signal, mayLeave, ca }: How = {}): Promise<Exchanged> {
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, ...(ca && { connect: { ca } }) });
  try {
    const request = new HttpRequest(url, {
      method: 'POST',
      headers: new Headers({ 'x-mine': '1' }),
      body: 'the body',
      signal: signal ?? null,
    });
    const [answer, error] = await sendRequest(request, {
      dispatcher: agent,
      extraHeaders: { 'x-more': '2' },
      timeoutMs,
      ...(mayLeave && { canSend: mayLeave }),
    }).then(
      (done) => [done, null] as const,
      (thrown: unknown) => [null, thrown] as const,
    );
    return { answer, error };
  } finally {
    await agent.destroy();
  }
}

const head = 'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n';

test('reads a whole answer', async () => {
  const { answer } = await exchangeWith((socket) => socket.write(`${head}X-Two: a\r\nX-Two: b\r\nContent-Length: 7\r\n\r\n{"a":1}`));
  assert.is(answer?.status, 201);
  assert.is(answer?.ok, true);
  assert.is(answer?.headers.get('Content-Type'), 'application/json');
  assert.is(answer?.headers.get('x-two'), 'a,b');
  assert.is(answer?.headers.get('x-three'), null);
  assert.equal(await answer?.json(), { a: 1 });
});

test('reads an answer in many pieces, cut inside a character', async () => {
  const bytes = Buffer.from('"häß"');
  const { answer } = await exchangeWith((socket) => {
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    for (const byte of bytes) socket.write(Buffer.concat([Buffer.from('1\r\n'), Buffer.from([byte]), Buffer.from('\r\n')]));
    socket.write('0\r\n\r\n');
  });
  assert.is(await answer?.text(), '"häß"');
});

const goOn = 'HTTP/1.1 100 Continue\r\n\r\n';
const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
const final = `${head}Content-Length: 2\r\n\r\n{}`;
for (const [title, pieces] of [
  ['100 Continue', [goOn + final]],
  ['100 Continue with fields', [`HTTP/1.1 100 Continue\r\nDate: x\r\nVia: 1.1 y\r\n\r\n${final}`]],
  ['100 Continue of HTTP/1.0', [`HTTP/1.0 100 Continue\r\n\r\n${final}`]],
  ['102 Processing', [`HTTP/1.1 102 Processing\r\n\r\n${final}`]],
  ['103 Early Hints', [early + final]],
  ['an unknown 1xx', [`HTTP/1.1 199 X\r\n\r\n${final}`]],
  ['several', [goOn, early, goOn, goOn + final]],
  ['100 Continue byte by byte', [...(goOn + goOn), final]],
  ['100 Continue and the answer byte by byte', [...(goOn + final)]],
] as const) {
  test(`ignores what comes before an answer: ${title}`, async () => {
    const { answer, error } = await exchangeWith(async (socket) => {
      for (const piece of pieces) {
        socket.write(piece);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    assert.is(error, null);
    assert.equal([answer?.status, await answer?.text(), answer?.headers.get('link')], [201, '{}', null]);
  });
}

for (const [title, bytes, code] of [
  ['100 Continue alone', goOn, 'CONNECTION_LOST'],
  ['half of 100 Continue', 'HTTP/1.1 100 Cont', 'CONNECTION_LOST'],
  ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', 'CONNECTION_LOST'],
  ['100 Continue without end', `HTTP/1.1 100 Continue\r\nX: ${'x'.repeat(100_000)}`, 'INVALID_RESPONSE'],
] as const) {
  test(`${title} before the end of the connection is ${code}: the request has left`, async () => {
    const { error } = await exchangeWith((socket) => socket.end(bytes));
    assert.is((error as ConnectionError).code, code);
  });
}

test('ignores 100 Continue in one piece with a long answer', async () => {
  const { answer } = await exchangeWith((socket) => socket.write(`${goOn}${head}Content-Length: 50000\r\n\r\n${'x'.repeat(50_000)}`));
  assert.is((await answer?.text())?.length, 50_000);
});

test('a body that looks like 100 Continue is a body', async () => {
  const { answer } = await exchangeWith((socket) => {
    socket.write(`${head}Content-Length: ${goOn.length}\r\n\r\n`);
    setTimeout(() => socket.write(goOn), 20);
  });
  assert.is(await answer?.text(), goOn);
});

test('does not follow a redirect', async () => {
  const { answer } = await exchangeWith((socket) =>
    socket.write('HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n'),
  );
  assert.is(answer?.status, 302);
});

for (const [title, bytes, code] of [
  ['a reset without an answer', '', 'CONNECTION_LOST'],
  ['half a head', 'HTTP/1.1 201 Cre', 'CONNECTION_LOST'],
  ['half a body', `${head}Content-Length: 100\r\n\r\n{"a"`, 'CONNECTION_LOST'],
  ['half a chunk', `${head}Transfer-Encoding: chunked\r\n\r\nff\r\n{"a"`, 'CONNECTION_LOST'],
  ['what is not HTTP', 'SSH-2.0-OpenSSH_9.6\r\n\r\n', 'INVALID_RESPONSE'],
  ['a head without end', `${head}X-Long: ${'x'.repeat(100_000)}`, 'INVALID_RESPONSE'],
] as const) {
  test(`${title} is ${code}: the request has left`, async () => {
    const { error } = await exchangeWith((socket) => socket.end(bytes));
    assert.is((error as ConnectionError).code, code);
    assert.is((error as ConnectionError).status, null);
  });
}

test('a connection that is reset is lost', async () => {
  const { error } = await exchangeWith((socket) => socket.resetAndDestroy());
  assert.is((error as ConnectionError).code, 'CONNECTION_LOST');
});

test('the time limit covers the wait for the answer', async () => {
  const { error } = await exchangeWith(() => {}, { timeoutMs: 100 });
  assert.is((error as ConnectionError).code, 'TIMEOUT');
});

test('the time limit covers the body, however busy it is', async () => {
  const { error } = await exchangeWith(
    (socket) => {
      socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
      const drip = setInterval(() => socket.write('1\r\n \r\n'), 10);
      socket.on('close', () => clearInterval(drip));
    },
    { timeoutMs: 200 },
  );
  assert.is((error as ConnectionError).code, 'TIMEOUT');
});

for (const [status, code] of [
  ['201 Created', 'INVALID_RESPONSE'],
  ['404 Not Found', 'HTTP_404'],
] as const) {
  test(`a body over 16 MiB after ${status} is refused: ${code}`, async () => {
    let closed = false;
    const { error } = await exchangeWith((socket) => {
      socket.on('close', () => {
        closed = true;
      });
      socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 99000000\r\n\r\n`);
      socket.write('x'.repeat(16 * 1024 * 1024 + 1));
    });
    assert.instance(error, InvalidResponseError);
    assert.is((error as InvalidResponseError).code, code);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(closed, 'the rest is not read');
  });
}

test('a body of 16 MiB is read', async () => {
  const { answer } = await exchangeWith((socket) => socket.write(`${head}Content-Length: 16777216\r\n\r\n${'x'.repeat(16_777_216)}`));
  assert.is((await answer?.text())?.length, 16_777_216);
});

test('nothing has left where nobody listens', async () => {
  const { error } = await exchangeAt('http://127.0.0.1:1/');
  assert.is((error as ConnectionError).code, 'CONNECTION_FAILED');
  assert.match((error as Error).message, 'ECONNREFUSED');
});

test('nothing has left where there is no such host', async () => {
  const { error } = await exchangeAt('http://nowhere.invalid/');
  assert.is((error as ConnectionError).code, 'CONNECTION_FAILED');
});

test('nothing has left where the address is none', async () => {
  const { error } = await exchangeAt('http://host:99999/');
  assert.is((error as ConnectionError).code, 'CONNECTION_FAILED');
});

test('nothing has left where TLS finds no TLS', async () => {
  const server = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { error } = await exchangeAt(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  server.close();
  assert.is((error as ConnectionError).code, 'CONNECTION_FAILED');
});

test('a server that ends TLS with an alert is named in one line', async () => {
  const fatalInternalError = Buffer.from([0x15, 3, 3, 0, 2, 2, 80]);
  const server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(fatalInternalError)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { error } = await exchangeAt(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  server.close();
  assert.is((error as ConnectionError).code, 'CONNECTION_FAILED');
  assert.match((error as Error).message, /SSL alert number 80$/);
});

for (const [title, host, names] of [
  ['a name with control characters', 'a.example\n\u001b[2Jb\u0007', []],
  ['many names', 'a.example', Array.from({ length: 200 }, (_, index) => `name-${index}.example`)],
] as const) {
  test(`a certificate of ${title} is described in one short line without control characters`, async () => {
    const certificate = selfSigned(host, names);
    if (certificate === null) return;
    const [key, cert] = [readFileSync(certificate.key), readFileSync(certificate.cert)];
    const server = createTlsServer({ key, cert }, (socket) => socket.destroy()).on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { error } = await exchangeAt(`https://localhost:${(server.address() as AddressInfo).port}/`, { ca: cert });
    server.close();
    const { code, message } = error as ConnectionError;
    assert.is(code, 'CONNECTION_FAILED');
    assert.match(message, "not match certificate's altnames");
    assert.not.match(message, /\p{C}/u);
    assert.ok(message.length <= 320, message);
  });
}

test('nothing has left where TLS hangs until the time is over', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { error } = await exchangeAt(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`, { timeoutMs: 100 });
  for (const socket of sockets) socket.destroy();
  server.close();
  assert.is((error as ConnectionError).code, 'CONNECTION_FAILED');
  assert.is((error as Error).message, 'no connection within 100 ms');
});

test('stopped beforehand, nothing leaves', async () => {
  let served = false;
  const { error } = await exchangeWith(
    () => {
      served = true;
    },
    { signal: AbortSignal.abort() },
  );
  assert.is((error as ConnectionError).code, 'REQUEST_NOT_SENT');
  assert.not(served);
});

test('what may not leave any more when its connection stands does not leave', async () => {
  const [asked, served]: [string[], string[]] = [[], []];
  const mayLeave = (): boolean => asked.push('asked') === 0;
  const { error } = await exchangeWith(() => served.push('served'), { mayLeave });
  assert.is((error as ConnectionError).code, 'REQUEST_NOT_SENT');
  assert.equal([asked, served], [['asked'], []]);
});

test('stopped while the answer is on its way, it may have happened', async () => {
  const stop = new AbortController();
  const { error } = await exchangeWith(() => stop.abort(), { signal: stop.signal });
  assert.is((error as ConnectionError).code, 'INTERRUPTED');
});

test.run();
