/*
 * The HTTP server of the daemon: the page, the HTTP API under /api/v1, health checks and metrics. It reads the status cache and passes requests
 * to functions it is given. It must never answer a request that another site sent, act without the token, or serve any other file of the disk.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyServerOptions } from 'fastify';
import { EdictError, errorMessage, ListenFailedError } from '../model/errors.ts';
import { type ApiDeps, addApi } from './api.ts';
import type { Health, HealthResult } from './health.ts';
import { checkOrigin } from './origin-check.ts';
import { renderOverview } from './overview.ts';

/** The address the server listens on. */
export interface ListenAddress {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
}

/** The routes of one file. */
export interface FileRoutes extends ApiDeps {
  /** The first path segment of its routes; empty if the daemon serves a single file. */
  readonly pathPrefix: string;
}

export interface ServerDeps {
  readonly routes: readonly FileRoutes[];
  readonly health: Pick<Health, 'live' | 'ready'>;
  readonly metrics: { text(): Promise<string>; readonly contentType: string };
  /** Accepted host names besides IP addresses, `localhost` and the listen host. */
  readonly allowedHosts: readonly string[];
}

export interface Server {
  /** The base URL of the server. */
  readonly url: string;
  /** Replaces the routes for new requests. Requests in flight finish on the old ones. */
  setRoutes(fileRoutes: readonly FileRoutes[]): Promise<void>;
  close(): Promise<void>;
}

/** A browser loads scripts, styles and data from this server only, and no other site may frame the page. */
const securityHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

/** HTTP status by error code; all other codes are answered with 500. */
const statusByErrorCode: Readonly<Record<string, number>> = {
  PLAN_NOT_READY: 503,
  BUSY: 503,
  TOKEN_NOT_CONFIGURED: 403,
  TOKEN: 401,
  APPROVAL_MISMATCH: 409,
  OPTION_INVALID: 400,
};

/**
 * Starts the server. Requests sent by a page of another site are rejected.
 *
 * @throws ListenFailedError if the address cannot be bound
 */
export async function startServer({ host, port }: ListenAddress, deps: ServerDeps): Promise<Server> {
  const names = new Set([host, ...deps.allowedHosts]);
  // fastify cannot add routes to a listening server. So `setRoutes` builds a new instance, and requests go to the newest one.
  const listening = buildServer(deps, {
    fileRoutes: deps.routes,
    names,
    serverFactory: () => createServer((request, response) => newest.routing(request, response)),
  });
  let newest = listening;
  try {
    const url = await listening.listen({ host, port });
    return {
      url,
      setRoutes: async (fileRoutes) => {
        const routes = buildServer(deps, { fileRoutes, names });
        await routes.ready();
        newest = routes;
      },
      close: () => listening.close(),
    };
  } catch (cause) {
    throw new ListenFailedError(`cannot listen on ${host}:${port}: ${errorMessage(cause)}`, {
      hint: 'choose another address with --listen',
      cause,
    });
  }
}

interface BuildOptions extends Pick<FastifyServerOptions, 'serverFactory'> {
  readonly fileRoutes: readonly FileRoutes[];
  /** The host names under which the server may be addressed. */
  readonly names: ReadonlySet<string>;
}

function buildServer({ health, metrics }: ServerDeps, { fileRoutes, names, ...options }: BuildOptions): FastifyInstance {
  const server = fastify({
    ...options,
    logger: false,
    forceCloseConnections: true,
    // Reject unknown properties instead of silently removing them.
    ajv: { customOptions: { removeAdditional: false } },
  });
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders);
    const rejection = checkOrigin(request, names);
    if (rejection) return sendError(reply, rejection.status, { code: 'REFUSED', ...rejection });
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
      hint: 'the page is at /; /api/v1/openapi.json describes the API',
    });
  });
  for (const [path, check] of [
    ['/livez', (): HealthResult => health.live()],
    ['/readyz', (): HealthResult => health.ready()],
  ] as const) {
    server.get(path, async (_request, reply) => {
      const { ok, message } = check();
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
  for (const routes of fileRoutes) {
    const prefix = routes.pathPrefix === '' ? '' : `/${routes.pathPrefix}`;
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
        addApi(scope, routes);
        done();
      },
      { prefix },
    );
  }
  if (fileRoutes.every(({ pathPrefix }) => pathPrefix !== '')) {
    server.get('/', async (_request, reply) =>
      reply.header('cache-control', 'no-cache').type('text/html; charset=utf-8').send(renderOverview(fileRoutes)),
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

/** One static file of the page. */
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

/** Reads the files of the page into memory, by URL path. No other file is served. */
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
