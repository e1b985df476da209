/*
 * The HTTP server of the daemon: the page, the HTTP API under /api/v1, health checks and metrics. It reads the status cache and passes requests
 * to functions it is given. It must never answer a request that another site sent, act without the token, or serve any other file of the disk,
 * and no number of clients may cost it more than a bounded memory or an answer to a health check.
 */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { extname } from 'node:path';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { EdictError, errorMessage, ListenFailedError } from '../model/errors.ts';
import type { Emit } from '../model/events.ts';
import { toJson, visible, visibleLines } from '../model/visible.ts';
import { AccessControl, type AccessTokens, TokenDelayedError } from './access-control.ts';
import { type ApiDeps, addApi, type ClientControl } from './api.ts';
import { readApiDocument } from './api-document.ts';
import { ConnectionLimiter } from './connection-limiter.ts';
import { fileListJson } from './file-list.ts';
import type { Health, HealthResult } from './health.ts';
import { checkOrigin } from './origin-check.ts';
import { createBody, createJsonBody, type ResponseBody, sendBody } from './response-body.ts';

/** The address the server listens on. */
export interface ListenAddress {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
}

/** One file that the server shows. */
export interface ShownFile extends ApiDeps {
  /** The first path segment of its routes, in which no character is encoded; empty if the daemon serves a single file. */
  readonly pathPrefix: string;
}

export interface ServerDeps {
  /** The files to show. The server looks into the map at each request, so adding or removing one costs nothing else. By path prefix. */
  readonly shownFiles: ReadonlyMap<string, ShownFile>;
  /** Whether there is only one file, whose path prefix is empty. */
  readonly isSingleFile: boolean;
  readonly health: Pick<Health, 'live' | 'ready'>;
  readonly metrics: { text(): Promise<string>; readonly contentType: string };
  /** Accepted host names besides IP addresses, `localhost` and the listen host. */
  readonly allowedHosts: readonly string[];
  readonly tokens: AccessTokens;
  readonly monotonicMs: () => number;
  /** Receives the events of refused tokens. */
  readonly emit: Emit;
}

export interface Server {
  /** The URL of the address that the server really listens on. */
  readonly url: string;
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
  TOKEN_DELAYED: 429,
  NOT_FOUND: 404,
  APPROVAL_MISMATCH: 409,
  OPTION_INVALID: 400,
};

/** Limits of requests. Times are in milliseconds, sizes in bytes. */
const requestLimits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5000,
  /** Longer than the idle time of common proxies, which would otherwise send a request into a connection that is being closed. */
  keepAliveTimeout: 72_000,
  maxHeaderSize: 16 * 1024,
} as const;

/** The largest body of a request, in bytes: a name and a reason of 1,000 characters each. */
const maxRequestBytes = 16 * 1024;

/** The longest path prefix of a file: file systems allow names of 255 bytes. */
const maxPrefixLength = 300;

/**
 * Starts the server. Requests sent by a page of another site are rejected.
 *
 * @throws ListenFailedError if the address cannot be bound
 */
export async function startServer({ host, port }: ListenAddress, deps: ServerDeps): Promise<Server> {
  const names = new Set([host, ...deps.allowedHosts]);
  const files = await readUiBodies();
  const server = createServer(requestLimits);
  const limiter = new ConnectionLimiter(server, deps.monotonicMs);
  const routes = buildRoutes(deps, { access: new AccessControl(deps), limiter, files, names });
  await routes.ready();
  server.on('request', (request, response) => routes.routing(request, response));
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (cause) {
    limiter[Symbol.dispose]();
    throw new ListenFailedError(`cannot listen on ${host}:${port}: ${errorMessage(cause)}`, {
      hint: 'choose another address with --listen',
      cause,
    });
  }
  // A connection that cannot be accepted, as when the process has no descriptor left, must not end the daemon.
  server.on('error', () => undefined);
  return {
    url: urlOf(server.address() as AddressInfo),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      limiter[Symbol.dispose]();
    },
  };
}

function urlOf({ address, port }: AddressInfo): string {
  return `http://${isIPv6(address) ? `[${address}]` : address}:${port}`;
}

interface RoutesOptions extends ClientControl {
  readonly files: ReadonlyMap<string, ResponseBody>;
  /** The host names under which the server may be addressed. */
  readonly names: ReadonlySet<string>;
}

/** Returns the routes, which stay the same when files are added or removed. */
function buildRoutes(
  { health, metrics, shownFiles, isSingleFile }: ServerDeps,
  { files, names, ...control }: RoutesOptions,
): FastifyInstance {
  const server = fastify({
    logger: false,
    bodyLimit: maxRequestBytes,
    routerOptions: { maxParamLength: maxPrefixLength },
    // An address that cannot be parsed reaches no hook and no serializer.
    frameworkErrors: ({ code, message }, request, reply) => {
      reply.type('application/json; charset=utf-8').serializer((document: unknown) => toJson(document));
      if (!guard(request, reply, names)) sendError(reply, 400, { code, message, hint: null });
    },
    // Reject unknown properties instead of silently removing them. `npm run generate` has validated the schemas already.
    ajv: { customOptions: { removeAdditional: false, meta: false, validateSchema: false } },
  });
  server.setReplySerializer((document) => toJson(document));
  server.addHook('onRequest', async (request, reply) => guard(request, reply, names) ?? undefined);
  server.setErrorHandler((error: FastifyError | EdictError, _request, reply) => {
    if (error instanceof TokenDelayedError) reply.header('retry-after', error.retryAfterSeconds);
    if (error instanceof EdictError) {
      if (error.code === 'TOKEN') reply.header('www-authenticate', 'Bearer');
      return sendError(reply, statusByErrorCode[error.code] ?? 500, error);
    }
    const { statusCode = 500, code, message } = error;
    return sendError(reply, statusCode, statusCode < 500 ? { code, message, hint: null } : { code: 'INTERNAL_ERROR', message, hint: null });
  });
  server.setNotFoundHandler((request, reply) => sendError(reply, 404, notFound(request)));
  for (const [path, check] of [
    ['/livez', (): HealthResult => health.live()],
    ['/readyz', (): HealthResult => health.ready()],
  ] as const) {
    server.get(path, async (_request, reply) => {
      const { ok, message } = check();
      return reply
        .code(ok ? 200 : 503)
        .type('text/plain')
        .send(`${visibleLines(visible(message))}\n`);
    });
  }
  const read = { onRequest: async ({ raw }: Pick<FastifyRequest, 'raw'>) => control.access.requireReader(raw) };
  server.get('/metrics', read, async (request, reply) =>
    sendBody(request, reply, await createBody(metrics.contentType, Buffer.from(await metrics.text()))),
  );
  server.get('/api/v1/files', read, async (request, reply) =>
    sendBody(request, reply, await createJsonBody(fileListJson([...shownFiles.values()]))),
  );
  const bodyOf = (file: string): ResponseBody => {
    const body = files.get(file);
    if (!body) throw new TypeError(`there is no file ${file}`);
    return body;
  };
  const serve = (path: string, file: string): void => {
    const body = bodyOf(file);
    server.get(path, async (request, reply) => sendBody(request, reply, body));
  };
  for (const path of files.keys()) if (path.startsWith('/')) serve(path, path);
  serve('/', isSingleFile ? 'page.html' : 'overview.html');
  serve('/api/v1/openapi.json', 'openapi.json');
  const fileOf = (request: FastifyRequest): ShownFile => {
    const { file = '' } = request.params as { readonly file?: string };
    const shown = shownFiles.get(file);
    if (shown) return shown;
    throw notFound(request);
  };
  const prefix = isSingleFile ? '' : '/:file';
  if (!isSingleFile) {
    const serveFor = (path: string, file: string): void => {
      const body = bodyOf(file);
      server.get(path, async (request, reply) => {
        fileOf(request);
        return sendBody(request, reply, body);
      });
    };
    server.get(prefix, async (request, reply) => reply.redirect(`/${fileOf(request).pathPrefix}/`));
    serveFor(`${prefix}/`, 'page.html');
    serveFor(`${prefix}/api/v1/openapi.json`, 'openapi.json');
  }
  server.register(
    (scope, _options, done) => {
      addApi(scope, fileOf, control);
      done();
    },
    { prefix },
  );
  return server;
}

function notFound({ method, url }: FastifyRequest): EdictError {
  return new EdictError('NOT_FOUND', `there is no ${method} ${url.split('?')[0]}`, {
    hint: 'the page is at /; /api/v1/openapi.json describes the API',
  });
}

/** Adds the security headers. Returns the answer to a request that another site sent or that names another host; `null` for others. */
function guard(request: FastifyRequest, reply: FastifyReply, names: ReadonlySet<string>): FastifyReply | null {
  reply.headers(securityHeaders);
  const rejection = checkOrigin(request, names);
  return rejection && sendError(reply, rejection.status, { code: 'REFUSED', ...rejection });
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

/** Reads the files of the page into memory, by URL path; pages by name. No other file is served. */
export function readUiFiles(): ReadonlyMap<string, UiFile> {
  const files = new Map<string, UiFile>();
  for (const folder of [new URL('../ui/', import.meta.url), new URL('../../generated/ui/', import.meta.url)]) {
    for (const name of readdirSync(folder)) {
      const type = contentTypes[extname(name)];
      if (type) files.set(name.endsWith('.html') ? name : `/ui/${name}`, { type, body: readFileSync(new URL(name, folder)) });
    }
  }
  return files;
}

/** Returns the files of the page and the description of the API, compressed. */
async function readUiBodies(): Promise<ReadonlyMap<string, ResponseBody>> {
  const description = { type: 'application/json', body: Buffer.from(readApiDocument()) };
  const files = [...readUiFiles(), ['openapi.json', description] as const];
  return new Map(await Promise.all(files.map(async ([path, { type, body }]) => [path, await createBody(type, body)] as const)));
}
