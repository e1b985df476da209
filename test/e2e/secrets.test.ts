import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../src/cli/program.ts';
import { type Answer, answeringServer, json } from '../gateway/answering-server.ts';
import { scratchFolder, startEdict, until } from '../support/edict-process.ts';
import { recordEmptyGatewayIn } from '../support/observed-gateway.ts';
import { testContext } from '../support/streams.ts';

/** Every secret contains this. */
const mark = 'MARKED';
const token = `token-${mark}-token`;
const password = `pass"word\\${mark}/äöü`;
const secretKey = `SK${mark}`;
const securityToken = `temporary-${mark}`;
const issued = `issued-${mark}`;

const credentials: readonly (readonly [string, (folder: string) => Readonly<Record<string, string>>])[] = [
  ['a token', () => ({ HW_AUTH_TOKEN: token })],
  ['a token in a file', (folder) => ({ HW_AUTH_TOKEN_FILE: written(folder, token) })],
  ['a key', () => ({ HW_ACCESS_KEY: 'AKTEST', HW_SECRET_KEY: secretKey })],
  ['a temporary key', () => ({ HW_ACCESS_KEY: 'AKTEST', HW_SECRET_KEY: secretKey, HW_SECURITY_TOKEN: securityToken })],
  ['a user', () => ({ HW_USER_NAME: 'ada', HW_USER_PASSWORD: password, HW_DOMAIN_NAME: 'acme' })],
];

function written(folder: string, text: string): string {
  const file = join(folder, 'mounted-token');
  writeFileSync(file, text);
  return file;
}

/** The worst response: it repeats the whole request in every place that is shown. */
const talkative: Answer = (response, { path, headers, body }, count) => {
  const all = JSON.stringify({ headers, body });
  const texts = [all, decodeURIComponent(encodeURIComponent(all)), Object.values(headers).join(' '), body];
  const said = texts[count % texts.length] ?? '';
  const id = { 'x-request-id': encodeURIComponent(headers['x-auth-token']?.toString() ?? '') };
  if (path.startsWith('/v3/auth') && count % 3 !== 0) {
    const token = { issued_at: '2026-01-01T00:00:00Z', expires_at: '2026-01-02T00:00:00Z' };
    json(response, 201, { token }, { 'x-subject-token': issued });
    return;
  }
  const answers = [
    () => json(response, 500, { error_code: said.slice(0, 90), error_msg: said, request_id: said }, id),
    () => json(response, 400, { error_code: 'APIG.2011', error_msg: said }, id),
    () => response.writeHead(502, id).end(`<html><h1>${said}</h1></html>`),
    () => json(response, 201, { api_id: said, env_id: said, version_id: said }),
    () => response.writeHead(307, { location: encodeURI(`http://elsewhere/${said}`).slice(0, 2000) }).end(),
    () => json(response, 403, { error_code: 'APIG.1005', error_msg: said, request_id: said }),
    () => json(response, 409, { error_code: 'APIG.3718', error_msg: said }),
  ];
  (answers[count % answers.length] as () => void)();
};

test('nothing that edict writes shows a secret', async () => {
  await Promise.all(credentials.map(([what, envIn]) => showsNothingOf(what, envIn)));
});

/** Runs the daemon and every command with credentials that a gateway repeats in all its responses. Fails if they show. */
async function showsNothingOf(what: string, envIn: (folder: string) => Readonly<Record<string, string>>): Promise<void> {
  const folder = scratchFolder();
  const env = envIn(folder);
  const server = await answeringServer(talkative);
  const limit = 'limit: { calls: 1000, per: 100ms }, propagationDelay: 100ms, timeout: 500ms';
  const gateway = `gateway: { endpoint: "${server.url}", iam: "${server.url}", project: p, instance: i, ${limit} }`;
  const apis = Array.from({ length: 12 }, (_, index) => `  api${index}: { id: a${index}, environments: { test: online } }\n`);
  writeFileSync(join(folder, 'edict.yaml'), `edict: 1\nrefresh: never\n${gateway}\nenvironments: { test: e }\napis:\n${apis.join('')}`);

  await recordEmptyGatewayIn(folder, server.url, { project: 'p', instance: 'i' });
  const texts: string[] = [];
  const run = async (command: string, ...options: readonly string[]): Promise<readonly string[]> => {
    const { context, stdout, stderr } = testContext(env);
    const state = `sqlite:${join(folder, '.edict/state.db')}`;
    const writeLog = (bytes: Buffer): number => {
      context.stderr.write(bytes);
      return bytes.length;
    };
    await runCli([command, join(folder, 'edict.yaml'), '--state', state, ...options], { ...context, writeLog });
    return [stdout(), stderr()];
  };
  const daemon = startEdict(['run', '--log-format', 'json', '--log-level', 'debug'], folder, env);
  await until('it has received a few responses', () => server.requests.length >= 3 && daemon.output.stderr.includes('attempt:finished'));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  texts.push(...(await run('status')));
  daemon.child.kill('SIGTERM');
  const { stdout, stderr } = await daemon.finished;
  texts.push(stdout, stderr);
  for (const [command = '', ...options] of [
    ['apply', '--format', 'json', '--log-level', 'debug', '--log-format', 'json'],
    ['apply', '--log-format', 'pretty'],
    ['plan'],
    ['plan', '--format', 'json'],
    ['status', '--format', 'json'],
    ['history'],
    ['history', '--format', 'json'],
  ]) {
    texts.push(...(await run(command, ...options)));
  }
  await server.close();
  for (const file of readdirSync(join(folder, '.edict'))) texts.push(readFileSync(join(folder, '.edict', file), 'utf8'));
  assert.ok(server.requests.length > 3);
  for (const text of texts) {
    const at = text.indexOf(mark);
    assert.is(at, -1, `${what} shows: ${text.slice(Math.max(0, at - 200), at + 50)}`);
  }
}

test.run();
