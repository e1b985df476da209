/*
 * Every parser of something that comes from outside meets changed copies of valid inputs.
 *
 * Actors: the author (file, seed, Git), the gateway (answers), a viewer (HTTP requests), whoever wrote a saved plan or an address. No input may crash
 * a parser, which throws only its own errors; take long; or get a planted secret or a control character into what is shown.
 *
 * `npm test` tries a thousand inputs for each parser, `EDICT_TEST_RUNS=full` a hundred thousand. A failure names the number of its input, from which
 * `EDICT_FUZZ_INPUT=NUMBER` starts.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readPlanDocument, writePlanDocument } from '../../src/app/plan-document.ts';
import { diagnosticRenderers, errorDocument } from '../../src/cli/output/errors.ts';
import { noColor } from '../../src/cli/output/terminal.ts';
import { parseSeed } from '../../src/emulator/seed.ts';
import { parseBatchResponse } from '../../src/gateway/batch-response.ts';
import { GatewayError } from '../../src/gateway/errors.ts';
import type { GatewayClient } from '../../src/gateway/gateway-client.ts';
import { createGatewayReader } from '../../src/gateway/lists.ts';
import { toOutcome } from '../../src/gateway/outcome.ts';
import { parseResponse } from '../../src/gateway/response.ts';
import { EdictError, InvalidFileError } from '../../src/model/errors.ts';
import { publicationKey } from '../../src/model/publication.ts';
import { isPostgresUrl, redactUrl } from '../../src/model/store-url.ts';
import { toJson, visible, visibleLines } from '../../src/model/visible.ts';
import type { SavedPlan } from '../../src/plan/saved-plan.ts';
import { commitJson } from '../../src/render/plan-json.ts';
import { parsePorcelain } from '../../src/source/git/blame.ts';
import { mapLines } from '../../src/source/git/line-mapping.ts';
import { parseDesiredState } from '../../src/source/parser.ts';
import { postgresSettings } from '../../src/store/postgres/settings.ts';
import { isFullRun } from '../support/fast-check.ts';
import { Mutations } from '../support/mutations.ts';
import { attemptAt, lastAttempts, savedFrom } from '../support/saved-plans.ts';
import { change, desiredState, recorded, recordedState, wanted } from '../support/states.ts';
import { startTestServer } from '../support/status-server.ts';

const test = suite('fuzzing');
const count = isFullRun ? 100_000 : 1000;
const first = Number(process.env['EDICT_FUZZ_INPUT'] ?? 0);
const canary = 'canary5ecret-9b1d';

/** No input takes a tenth of this. Slow machines and garbage collections do not add up to it. */
const maxSeconds = 10;
const maxMemory = 1_500_000_000;

interface Target {
  readonly name: string;
  /** Parses an input, and returns everything that may be shown of it. Throws only for a bug. */
  parse(mutations: Mutations): string | Promise<string>;
}

const control = /[^\P{C}\n]|[\u2028\u2029]/u;

/** Runs all inputs of a parser, each made from its number. */
async function fuzz({ name, parse }: Target): Promise<void> {
  let slowest = { seconds: 0, input: 0 };
  for (let input = first; input < first + count; input += 1) {
    const startedAt = process.cpuUsage();
    let shown: string;
    try {
      shown = await parse(new Mutations(input));
    } catch (error) {
      throw new Error(`${name}: input ${input} crashes the parser: ${error instanceof Error ? error.stack : String(error)}`);
    }
    const { user, system } = process.cpuUsage(startedAt);
    const seconds = (user + system) / 1e6;
    if (seconds > slowest.seconds) slowest = { seconds, input };
    assert.ok(seconds < maxSeconds, `${name}: input ${input} takes ${seconds} s`);
    const [secretAt, controlAt] = [shown.indexOf(canary), shown.search(control)];
    const around = (at: number): string => JSON.stringify(shown.slice(Math.max(0, at - 60), at + 60));
    assert.is(secretAt, -1, `${name}: input ${input} shows the secret: ${around(secretAt)}`);
    assert.is(controlAt, -1, `${name}: input ${input} shows a control character: ${around(controlAt)}`);
  }
  const { rss } = process.memoryUsage();
  assert.ok(rss < maxMemory, `${name}: ${rss} bytes are in use`);
  if (count > 1000)
    process.stdout.write(`note: ${name}: ${count} inputs, the slowest (${slowest.input}) took ${slowest.seconds.toFixed(2)} s of CPU\n`);
}

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const secretFile = read('examples/shop/edict.yaml').replace(/project: .*/, `project: $\{EDICT_VAR_PROJECT}`);
const files = [
  secretFile,
  secretFile,
  ...['examples/quickstart/edict.yaml', 'examples/teams/edict.yaml', 'examples/shop/edict.yaml'].map(read),
  `${secretFile}\nrefresh: 5m\nfreeze:\n  - { from: "0 18 * * FRI", to: "0 8 * * MON", timezone: Europe/Berlin }\nguards: { maxOffline: { count: 10, share: "20%" } }\n`,
  'edict: 1\ngateway: { endpoint: "https://roma.example.invalid", project: p, instance: i, limit: { calls: 10, per: 1s } }\nenvironments: { test: &e env-test, b: *e }\nrollout: [{ environment: test, soak: 1m, probe: "https://x/{api}" }, b]\napis: { a: { id: a, environments: { test: online } } }\n',
];
const fileTokens = [
  'apis',
  'environments',
  'include: ["*"]',
  'online',
  `$\{EDICT_VAR_PROJECT}`,
  `$\{EDICT_TOKEN}`,
  'suspend',
  '* * * * *',
  '{api}',
];

test('files', () =>
  fuzz({
    name: 'file',
    parse: (mutations) => {
      const text = mutations.text(files, fileTokens);
      try {
        parseDesiredState({ text, file: 'edict.yaml', variables: { EDICT_TOKEN: canary, EDICT_VAR_PROJECT: canary } });
        return '';
      } catch (error) {
        if (!(error instanceof InvalidFileError)) throw error;
        assert.ok(error.diagnostics.length > 0 && error.diagnostics.length <= 100);
        const { text: toText, json, github, sarif } = diagnosticRenderers;
        return [visibleLines(toText(error, noColor), false), json(error), github(error), sarif(error)].join('');
      }
    },
  }));

const seedText = `project: p\ninstance: i\napis: [{ id: a, name: orders, group: shop, editedAt: 2026-11-20T08:00:00Z }]\nenvironments: [{ id: e, name: RELEASE }]\ntokens: [{ value: "${canary}" }]\nusers: [{ name: ada, password: "${canary}", domain: d }]\nkeys: [{ access: k, secret: "${canary}" }]\npublications: [{ api: a, environment: e, versionId: v, publishedAt: 2026-11-20T08:00:00Z, remark: r }]\nkept: [{ api: a, environment: e, versionId: w }]\n`;
test('seeds of the emulator', () =>
  fuzz({
    name: 'seed',
    parse: (mutations) => {
      try {
        parseSeed(mutations.text([seedText]), 'seed.yaml');
        return '';
      } catch (error) {
        if (!(error instanceof Error) || error.cause instanceof TypeError || !error.message.startsWith('seed.yaml: ')) throw error;
        return visible(error.message);
      }
    },
  }));

const saved = savedFrom(
  desiredState([wanted('a', 'test', { remark: 'two\nlines', revision: '2' }), wanted('b', 'release', { state: 'offline' })]),
  recordedState([recorded('b', 'release')]),
  lastAttempts(attemptAt('b', 'release', { id: 7 })),
);
test('saved plans', () =>
  fuzz({
    name: 'saved plan',
    parse: (mutations) => {
      const isForged = mutations.below(2) === 0;
      try {
        // A forged plan has the right digest, so that it is checked to its end.
        const text = isForged ? forgedPlan(mutations.json(saved)) : mutations.text([writePlanDocument(saved)]);
        if (text !== null) readPlanDocument(text, 'release.plan');
        return '';
      } catch (error) {
        return toJson(errorDocument(error));
      }
    },
  }));

/** Returns the text of a changed plan; `null` if it has none. */
function forgedPlan(plan: unknown): string | null {
  try {
    return writePlanDocument(plan as SavedPlan);
  } catch {
    return null;
  }
}

const publication = {
  publish_id: 'p',
  api_id: 'a',
  api_name: 'orders',
  env_id: 'e',
  version_id: 'v',
  publish_time: '2026-11-20T08:00:00Z',
};
const answers = {
  changePublication: { status: 201, body: publication },
  changePublications: {
    status: 200,
    body: { success: [publication], failure: [{ api_id: 'b', error_code: 'APIG.3002', error_msg: canary }] },
  },
  getApi: { status: 200, body: { id: 'a', name: 'orders', group_id: 'g', group_name: canary, update_time: '2026-11-20T08:00:00Z' } },
  listApis: {
    status: 200,
    body: {
      total: 1,
      size: 1,
      apis: [
        { id: 'a', name: 'orders', group_id: 'g', group_name: `x ${canary}`, run_env_id: 'e|f', run_env_name: 'E|F', publish_id: 'p|q' },
      ],
    },
  },
  listEnvironments: {
    status: 200,
    body: { total: 1, size: 1, envs: [{ id: 'e', name: `RELEASE ${canary}`, create_time: '2026-11-20T08:00:00Z' }] },
  },
  listVersions: {
    status: 200,
    body: {
      total: 1,
      size: 1,
      api_versions: [{ version_id: 'v', version_no: '1', api_id: 'a', env_id: 'e', remark: `[edict 3f9a1c0b7d2e] ${canary}`, status: 1 }],
    },
  },
  switchVersion: { status: 201, body: publication },
  createToken: { status: 201, body: { token: { expires_at: '2026-11-20T08:00:00.000000Z' } } },
} as const;
const errorBodies = [
  { error_code: 'APIG.3002', error_msg: `The API ${canary} does not exist`, request_id: 'r' },
  { error: { code: 401, message: `bad ${canary}`, title: 'Unauthorized' } },
  `<html><title>${canary}</title><body>502</body></html>`,
];
const operations = Object.keys(answers) as (keyof typeof answers)[];
const ofBatch = ['a', 'b', 'c'].map((apiId) => change(apiId, 'e', { apiId, environmentId: 'e', key: publicationKey(apiId, 'e') }));
const signal = new AbortController().signal;
const secrets = [canary];

test('answers of the gateway', () =>
  fuzz({
    name: 'answer',
    parse: async (mutations) => {
      const operation = mutations.pick(operations);
      const { status: success, body: valid } = answers[operation];
      const isError = mutations.below(3) === 0;
      const value: unknown = isError ? mutations.pick(errorBodies) : valid;
      const text = mutations.below(2) === 0 ? JSON.stringify(mutations.json(value)) : mutations.text([JSON.stringify(value)]);
      const status =
        mutations.below(8) === 0 ? mutations.pick([200, 201, 204, 301, 304, 400, 401, 429, 500, 599]) : isError ? 404 : success;
      const headers = new Map([
        ['x-request-id', mutations.text([`r ${canary}`])],
        ['retry-after', mutations.text(['120', 'Fri, 20 Nov 2026 08:00:00 GMT'])],
        ['date', mutations.text(['Fri, 20 Nov 2026 08:00:00 GMT'])],
        ['location', mutations.text([`https://x/${canary}`])],
      ]);
      const response = { status, headers: { get: (name: string) => headers.get(name) ?? null } };
      const raw = status < 400 ? { data: text, response } : { error: parsedOrText(text), response };
      const shown: unknown[] = [];
      try {
        const body = parseResponse(operation, raw, { secrets, nowMs: 0 });
        if (operation === 'changePublications')
          shown.push(parseBatchResponse(ofBatch, body as Parameters<typeof parseBatchResponse>[1], secrets));
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        shown.push(toOutcome(error, 'online'));
      }
      const client = { GET: async () => raw };
      const gatewayClient = {
        call: (_: AbortSignal, request: (roma: unknown, one: unknown) => Promise<unknown>) => request(client, { path: {}, secrets }),
      } as unknown as GatewayClient;
      const reader = createGatewayReader(gatewayClient);
      if (operation === 'listApis') shown.push(toPlain(await reader.listApis(signal)));
      if (operation === 'getApi') shown.push(toPlain(await reader.getApi('a', signal)));
      if (operation === 'listEnvironments') shown.push(await reader.listEnvironments(signal));
      if (operation === 'listVersions') shown.push(await reader.listVersions({ apiId: 'a', environmentId: 'e' } as never, signal));
      return stringsOf(shown).join('\n');
    },
  }));

function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Returns a value with its maps as lists, as JSON has them. */
function toPlain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, inner: unknown) => (inner instanceof Map ? [...inner] : inner)));
}

/** Returns all texts in a value. */
function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : [];
}

const requests = [
  'GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  'GET /api/v1/history?api=a&environment=b&limit=10 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  `POST /api/v1/reconcile HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
  'POST /api/v1/suspend HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 16\r\nConnection: close\r\n\r\n{"reason":"why"}',
  'GET /ui/page.js HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: "x"\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n',
  'GET /metrics HTTP/1.0\r\n\r\n',
];
test('HTTP requests', async () => {
  await using server = await startTestServer({ act: canary });
  const port = Number(new URL(server.url).port);
  await fuzz({
    name: 'request',
    parse: async (mutations) => {
      const answer = await answerTo(
        port,
        mutations.text(requests, ['GET ', 'HTTP/1.1', 'Content-Length: 5', 'Transfer-Encoding: chunked', '/api/v1/events']),
      );
      return mutations.below(50) === 0 && (await fetch(`${server.url}/livez`)).status !== 200 ? canary : answer.replaceAll('\r', '');
    },
  });
});

/** Returns what the server answers to these bytes. A connection that it keeps open is closed. */
function answerTo(port: number, request: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let answer = '';
    const timer = setTimeout(() => socket.destroy(), 25);
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk;
      // Compressed or endless answers are not what a parser shows.
      if (/content-encoding|event-stream/i.test(answer)) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(/content-encoding|event-stream/i.test(answer) ? '' : answer);
    });
    socket.end(Buffer.from(request, 'latin1'));
  });
}

const addresses = [
  `postgres://ada:${canary}@db.example.com:5432/edict?sslmode=verify-full&application_name=x`,
  `postgresql://ada:${canary}@[::1]/edict?connect_timeout=10`,
  `postgres://ada:${canary}@%2Fvar%2Frun/edict?password=${canary}`,
  'postgres:///edict?host=/var/run/postgresql',
];
test('PostgreSQL addresses', () =>
  fuzz({
    name: 'address',
    parse: (mutations) => {
      const url = mutations.text(addresses, ['%40', '%3a', '?', '#', 'host=', 'sslmode=', '@']);
      const shown = [redactUrl(url)];
      if (isPostgresUrl(url)) {
        try {
          postgresSettings(url, {});
        } catch (error) {
          if (!(error instanceof EdictError)) throw error;
          shown.push(error.message, error.hint ?? '');
        }
      }
      // Only what still is where a password is must not be shown.
      const isPassword = new RegExp(`^postgres(ql)?://[^:/?#@]*:${canary}`).test(url) && url.split(canary).length === 2;
      return visible(shown.join(' ').replaceAll(canary, isPassword ? canary : '…'));
    },
  }));

const blamed = `${'a'.repeat(40)} 1 1 2\nauthor Ada\nauthor-mail <ada@example.com>\nauthor-time 1700000000\nauthor-tz +0100\nsummary x\nboundary\nfilename edict.yaml\n\tedict: 1\n${'a'.repeat(40)} 2 2\n\tgateway:\n${'b'.repeat(40)} 3 3 1\nauthor Bob\nauthor-time 1700000001\nfilename edict.yaml\n\tapis: {}\n`;
test('output of Git', () =>
  fuzz({
    name: 'Git output',
    parse: (mutations) => {
      const lines = parsePorcelain(mutations.text([blamed], ['author ', 'author-time ', '\tx', `${'c'.repeat(40)} 1 1`]));
      const mapLine = mapLines(mutations.text([secretFile]), mutations.text([secretFile]));
      for (let line = 1; line < 40; line += 1) assert.ok((mapLine(line) ?? 1) >= 1);
      return toJson(lines.map(({ commit }) => commitJson(commit)));
    },
  }));

test.run();
