import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Change } from '../../src/model/change.ts';
import type { GatewaySettings } from '../../src/model/gateway.ts';
import { publicationKey } from '../../src/model/publication.ts';

/** A received request. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface AnsweringServer {
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** How many connections were opened. */
  readonly connections: () => number;
  close(): Promise<void>;
}

/** The answer of a server to the request number `count`, from 1. */
export type Answer = (response: ServerResponse, request: SeenRequest, count: number) => void;

/** Starts a local server that records every request and responds with `answer`. */
export async function answeringServer(answer: Answer): Promise<AnsweringServer> {
  const requests: SeenRequest[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    void text(request).then(
      (body) => {
        const seen = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
        requests.push(seen);
        answer(response, seen, requests.length);
      },
      () => {}, // the client went away
    );
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    connections: () => connections,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Responds with JSON. */
export function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** The documented response to a change that took effect. */
export function created(response: ServerResponse, request: SeenRequest): void {
  const { api_id, env_id } = JSON.parse(request.body) as Record<string, string>;
  json(response, 201, { api_id, env_id, publish_id: 'publish-1', version_id: 'version-1', publish_time: '2020-08-03T01:36:00.592970615Z' });
}

/** Responds to a login with `token`, which lives for a day. */
export function tokenAnswer(response: ServerResponse, token: string): void {
  const [issued_at, expires_at] = ['2026-01-01T00:00:00.000000Z', '2026-01-02T00:00:00.000000Z'];
  json(response, 201, { token: { issued_at, expires_at } }, { 'x-subject-token': token });
}

/** Returns the settings of a gateway at `url`. */
export function settingsFor(url: string, more: Partial<GatewaySettings> = {}): GatewaySettings {
  const limit = { calls: 1_000, perMs: 1_000, concurrency: 4 };
  return {
    service: 'roma',
    endpoint: url,
    iamEndpoint: url,
    project: 'project-1',
    instance: 'instance-1',
    limit,
    timeoutMs: 5_000,
    isMarkerEnabled: true,
    unknownOutcome: 'hold',
    propagationDelayMs: 0,
    batchSize: 1,
    ...more,
  };
}

/** Returns the change that publishes API `api-1` in environment `env-1`. */
export function changeTo(action: 'online' | 'offline', more: Partial<Change> = {}): Change {
  return {
    key: publicationKey('api-1', 'env-1'),
    api: 'orders',
    apiId: 'api-1',
    environment: 'release',
    environmentId: 'env-1',
    action,
    reason: 'new',
    from: null,
    to: action,
    revision: null,
    remark: null,
    version: null,
    drift: null,
    held: null,
    deferred: null,
    approval: null,
    source: null,
    ...more,
  };
}
