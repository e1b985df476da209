import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyServerOptions } from 'fastify';
import { EdictError, errorMessage } from '../model/errors.ts';
import { type ApiDeps, addApi } from './api.ts';
import type { Health, HealthResult } from './health.ts';
import { checkOrigin } from './origin-check.ts';
import { renderOverview } from './overview.ts';

/** Where the daemon can be asked. */
export interface ListenAddress {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** What is shown of one file. */
export interface FileRoutes extends ApiDeps {
  /** The first part of its paths; empty if there will be no other. */
  readonly pathPrefix: string;
}

export interface ServerDeps {
  readonly routes: readonly FileRoutes[];
  readonly health: Pick<Health, 'live' | 'ready'>;
  readonly metrics: { text(): Promise<string>; readonly contentType: string };
  /** The names that it answers to besides addresses, `localhost` and the host that it listens on. */
  readonly allowedHosts: readonly string[];
}

export interface Server {
  /** The address at which it can be asked. */
  readonly url: string;
  /** Shows these from the next request on; what is being answered goes on. */
  setRoutes(sites: readonly FileRoutes[]): Promise<void>;
  close(): Promise<void>;
}

/** A browser runs and shows what comes from here alone, and no other page frames it. */
const securityHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

/** With which status an error is told; every other one with 500. */
const statusByErrorCode: Readonly<Record<string, number>> = {
  PLAN_NOT_READY: 503,
  BUSY: 503,
  TOKEN_NOT_CONFIGURED: 403,
  TOKEN: 401,
  APPROVAL_MISMATCH: 409,
  OPTION_INVALID: 400,
};

/**
 * Starts what answers people, health checks and monitoring. Requests that a page of another site has sent are refused.
 *
 * @throws EdictError `LISTEN_FAILED` if the address cannot be had
 */
export async function startServer({ host, port }: ListenAddress, deps: ServerDeps): Promise<Server> {
  const names = new Set([host, ...deps.allowedHosts]);
  // Routes cannot be added to those of a server that listens: all are made anew, and the server asks the newest.
  const listening = buildServer(deps.routes, deps, names, {
    serverFactory: () => createServer((request, answer) => newest.routing(request, answer)),
  });
  let newest = listening;
  try {
    const url = await listening.listen({ host, port });
    return {
      url,
      setRoutes: async (sites) => {
        const routes = buildServer(sites, deps, names);
        await routes.ready();
        newest = routes;
      },
      close: () => listening.close(),
    };
  } catch (cause) {
    throw new EdictError('LISTEN_FAILED', `${host}:${port} cannot be listened on: ${errorMessage(cause)}`, {
      hint: 'name another address with --listen',
      cause,
    });
  }
}

function buildServer(
  sites: readonly FileRoutes[],
  { health, metrics }: ServerDeps,
  names: ReadonlySet<string>,
  options: Pick<FastifyServerOptions, 'serverFactory'> = {},
): FastifyInstance {
  const server = fastify({
    ...options,
    logger: false,
    forceCloseConnections: true,
    // What nobody knows is refused, not dropped in silence.
    ajv: { customOptions: { removeAdditional: false } },
  });
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders);
    const refusal = checkOrigin(request, names);
    if (refusal) return sendError(reply, refusal.status, { code: 'REFUSED', ...refusal });
  });
  server.setErrorHandler((error: FastifyError | EdictError, _request, reply) => {
    if (error instanceof EdictError) return sendError(reply, statusByErrorCode[error.code] ?? 500, error);
    const { statusCode = 500, code, message } = error;
    return sendError(reply, statusCode, statusCode < 500 ? { code, message, hint: null } : { code: 'INTERNAL_ERROR', message, hint: null });
  });
  server.setNotFoundHandler((request, reply) => {
    const message = `there is no ${request.method} ${request.url.split('?')[0]}`;
    return sendError(reply, 404, {
      code: 'NOT_FOUND',
      message,
      hint: 'the page is at /, the interface is described by /api/v1/openapi.json',
    });
  });
  for (const [path, ask] of [
    ['/livez', (): HealthResult => health.live()],
    ['/readyz', (): HealthResult => health.ready()],
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
  const files = readUiFiles();
  for (const [path, { type, body }] of files) {
    if (path !== '/') server.get(path, async (_request, reply) => reply.header('cache-control', 'no-cache').type(type).send(body));
  }
  for (const site of sites) {
    const prefix = site.pathPrefix === '' ? '' : `/${site.pathPrefix}`;
    const page = files.get('/');
    server.get(`${prefix}/`, async (_request, reply) =>
      reply
        .header('cache-control', 'no-cache')
        .type(page?.type ?? '')
        .send(page?.body),
    );
    if (prefix !== '') server.get(prefix, async (_request, reply) => reply.redirect(`${prefix}/`));
    server.register(
      (scope, _options, done) => {
        addApi(scope, site);
        done();
      },
      { prefix },
    );
  }
  if (sites.every(({ pathPrefix }) => pathPrefix !== '')) {
    server.get('/', async (_request, reply) =>
      reply.header('cache-control', 'no-cache').type('text/html; charset=utf-8').send(renderOverview(sites)),
    );
  }
  return server;
}

function sendError(
  reply: FastifyReply,
  status: number,
  { code, message, hint }: { readonly code: string; readonly message: string; readonly hint: string | null },
): FastifyReply {
  return reply.code(status).send({ format: 1, error: { code, message, hint } });
}

/** One file that a browser asks for. */
export interface UiFile {
  readonly type: string;
  readonly body: Buffer;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Returns the files of the page by their paths; nothing else of the disk can be asked for. */
export function readUiFiles(): ReadonlyMap<string, UiFile> {
  const files = new Map<string, UiFile>();
  for (const folder of [new URL('../ui/', import.meta.url), new URL('../../generated/ui/', import.meta.url)]) {
    for (const name of readdirSync(folder)) {
      const type = contentTypes[extname(name)];
      if (type) files.set(name === 'page.html' ? '/' : `/ui/${name}`, { type, body: readFileSync(new URL(name, folder)) });
    }
  }
  return files;
}
