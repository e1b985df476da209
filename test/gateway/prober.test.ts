import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openProber } from '../../src/gateway/prober.ts';
import { type Answer, answeringServer } from './answering-server.ts';

const unending = new AbortController().signal;

/** Probes a real server once and returns the result and the request. */
async function probed(
  answer: Answer,
  {
    status: expectedStatus = null,
    timeoutMs = 5_000,
    path = '/health?deep=1',
  }: { status?: number | null; timeoutMs?: number; path?: string } = {},
) {
  const server = await answeringServer(answer);
  const prober = openProber({ allowedHosts: ['127.0.0.1'] });
  const said = await prober.probe({ url: server.url + path, expectedStatus, timeoutMs }, unending);
  await prober.close();
  await server.close();
  return { ...said, requests: server.requests };
}

for (const [status, expected, isExpected, said] of [
  [200, null, true, 'answered 200'],
  [204, null, true, 'answered 204'],
  [503, null, false, 'answered 503, expected 200 to 299'],
  [302, null, false, 'answered 302, expected 200 to 299'],
  [401, 401, true, 'answered 401'],
  [200, 204, false, 'answered 200, expected 204'],
] as const) {
  test(`${status} where ${expected ?? 'any success'} is expected: ${said}`, async () => {
    const result = await probed((response) => response.writeHead(status, { location: '/elsewhere' }).end('x'), { status: expected });
    assert.equal([result.isExpected, result.message, result.requests.length], [isExpected, said, 1]);
  });
}

test('sends one GET without credentials', async () => {
  const { requests } = await probed((response) => response.end('ok'));
  const [{ method, path, headers, body } = { method: '', path: '', headers: {}, body: '' }] = requests;
  assert.equal([method, path, body], ['GET', '/health?deep=1', '']);
  assert.equal(Object.keys(headers).toSorted(), ['accept', 'connection', 'host', 'user-agent']);
});

test('an endless body is not read', async () => {
  const { isExpected } = await probed((response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'.repeat(1000)), 1);
    response.on('close', () => clearInterval(timer));
  });
  assert.ok(isExpected);
});

test('a timeout, a broken connection and a refused connection are results too', async () => {
  assert.equal((await probed(() => {}, { timeoutMs: 50 })).message, 'no answer within 50 ms');
  assert.match((await probed((response) => response.socket?.destroy())).message, /^no answer: ./);
  const prober = openProber({ allowedHosts: ['127.0.0.1'] });
  const { message } = await prober.probe({ url: 'http://127.0.0.1:1/', expectedStatus: null, timeoutMs: 5_000 }, unending);
  assert.match(message, 'ECONNREFUSED');
  await prober.close();
});

test('is aborted when no change waits for it any more', async () => {
  const server = await answeringServer(() => {});
  const prober = openProber({ allowedHosts: ['127.0.0.1'] });
  const stopping = new AbortController();
  const asked = prober.probe({ url: server.url, expectedStatus: null, timeoutMs: 60_000 }, stopping.signal);
  stopping.abort();
  assert.is((await asked).isExpected, false);
  await prober.close();
  await server.close();
});

test.run();
