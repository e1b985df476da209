import { isIP } from 'node:net';
import fastify from 'fastify';
import { EdictError, messageOf } from '../core/errors.ts';
import type { Answer, Health } from './health.ts';

/** Where the daemon can be asked. */
export interface ListenAddress {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

export interface ServerDeps {
  readonly health: Pick<Health, 'live' | 'ready'>;
  readonly metrics: { text(): Promise<string>; readonly contentType: string };
}

export interface Server {
  /** The address at which it can be asked. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts what answers health checks and monitoring. Requests that a page of another site has sent under a name of its own (DNS
 * rebinding) are refused: an address, `localhost` and the host that it listens on are the only names it answers to.
 *
 * @throws EdictError `LISTEN` if the address cannot be had
 */
export async function startServer({ host, port }: ListenAddress, { health, metrics }: ServerDeps): Promise<Server> {
  const server = fastify({ logger: false });
  server.addHook('onRequest', async (request, reply) => {
    const name = request.hostname.replace(/^\[|\]$/g, '');
    if (isIP(name) === 0 && name !== 'localhost' && name !== host)
      await reply.code(421).type('text/plain').send('not known by this name\n');
  });
  for (const [path, ask] of [
    ['/livez', (): Answer => health.live()],
    ['/readyz', (): Answer => health.ready()],
  ] as const) {
    server.get(path, async (_request, reply) => {
      const { ok, message } = ask();
      return reply
        .code(ok ? 200 : 503)
        .type('text/plain')
        .send(`${message}\n`);
    });
  }
  server.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
  try {
    const url = await server.listen({ host, port });
    return { url, close: () => server.close() };
  } catch (cause) {
    throw new EdictError('LISTEN', `${host}:${port} cannot be listened on: ${messageOf(cause)}`, {
      hint: 'name another address with --listen',
      cause,
    });
  }
}
