/*
 * Nothing from outside becomes control.
 *
 * Authors of files and commits, gateways, viewers with a token and whoever wrote a saved plan or a store choose strings that edict prints. Each
 * payload would move the cursor of a terminal, reorder or hide text, forge a line, or run a command of the CI system that reads the output.
 * Every way in is tried with all of them at once, with every command and format that shows it; they must come out visible or not at all.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writePlanDocument } from '../../src/app/plan-document.ts';
import { startEmulator } from '../../src/emulator/emulator.ts';
import type { SavedPlan } from '../../src/plan/saved-plan.ts';
import { logEvents, openLogger } from '../../src/telemetry/log.ts';
import { answeringServer, json } from '../gateway/answering-server.ts';
import { assertHarmless, hostileFileName, hostileText, runHostile } from '../support/control-characters.ts';
import { startLoggedDaemon } from '../support/daemon.ts';
import { fileOf, scratchFolder, seedOf, until } from '../support/edict-process.ts';
import { everyEvent } from '../support/every-event.ts';
import { isFullRun } from '../support/fast-check.ts';
import { gitRepository } from '../support/git-repository.ts';
import { recordEmptyGatewayIn } from '../support/observed-gateway.ts';
import { lastAttempts, savedFrom } from '../support/saved-plans.ts';
import { desiredState, recordedState, wanted } from '../support/states.ts';

const test = suite('attacks through output');
const env = { HW_AUTH_TOKEN: 'token' };
const emulator = await startEmulator({ seed: seedOf('a', 'b', 'c') });
test.after(() => emulator.close());

/** Returns every string of a value, at any depth, replaced. */
function mapStrings<T>(value: T, change: (text: string, key: string) => string, key = ''): T {
  if (typeof value === 'string') return change(value, key) as T;
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change, key)) as T;
  if (typeof value !== 'object' || value === null || value instanceof Map || value instanceof Set || value instanceof Error) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapStrings(item, change, name)])) as T;
}

/** The commands that only show, each in every format. */
const showing: readonly (readonly string[])[] = [
  ...['text', 'json', 'github', 'sarif'].map((format) => ['validate', 'edict.yaml', '--format', format]),
  ...['text', 'json', 'markdown', 'github'].map((format) => ['plan', 'edict.yaml', '--blame', '--unmanaged', '--format', format]),
  ...['text', 'json'].flatMap((format) => [
    ['status', 'edict.yaml', '--format', format],
    ['explain', 'a', 'test', 'edict.yaml', '--format', format],
    ['history', 'edict.yaml', '--format', format],
    ['undo', 'last', 'edict.yaml', '--format', format],
    ['doctor', 'edict.yaml', '--format', format],
    ['state', 'show', '--state', 'sqlite:.edict/state.db', '--format', format],
  ]),
  ['import', '--update', 'edict.yaml'],
];

/** Runs the showing commands, and returns everything that they print. */
const showAll = (folder: string, more: readonly (readonly string[])[] = []): Promise<string> => show(folder, [...showing, ...more]);

async function show(folder: string, commands: readonly (readonly string[])[]): Promise<string> {
  let all = '';
  for (const args of commands) {
    const { stdout, stderr } = await runHostile(args, folder, env);
    all += stdout + stderr;
  }
  return all;
}

test('author: strings of an invalid file', async () => {
  const folder = scratchFolder();
  const text = JSON.stringify(hostileText('AUTHOR'));
  const raw = `"${hostileText('AUTHOR')
    .replaceAll(/["\\\n]/g, '')
    .toWellFormed()}"`;
  const gateway = `gateway: { endpoint: "${emulator.url}", project: project, instance: instance }\nenvironments: { test: env-test }\n`;
  const head = `edict: 1\n${gateway}`;
  const api = (keys: string): string => `${head}apis:\n  a: { id: api-a, ${keys}, environments: { test: online } }\n`;
  const good = 'apis:\n  a: { id: api-a, environments: { test: online } }\n';
  const files = [text, raw].flatMap((hostile) => [
    api(`remark: ${hostile}`),
    api(`revision: ${hostile}`),
    api(`name: ${hostile}`),
    api(`${hostile}: 1`),
    api(`suspend: { reason: ${hostile}, by: ${hostile} }`),
    api(`probe: ${hostile}`),
    `${head}apis:\n  ${hostile}: { id: api-a, environments: { test: online } }\n`,
    `${head}apis:\n  a: { id: ${hostile}, environments: { ${hostile}: ${hostile} } }\n`,
    `edict: ${hostile}\n${gateway}apis: { a: { id: x, environments: { test: online } } }\n`,
    `${head}freeze: [{ name: ${hostile}, reason: ${hostile}, from: ${hostile}, to: ${hostile}, timezone: ${hostile} }]\n${good}`,
    `${head}freeze: [{ name: ${hostile}, from: "2020-01-01", to: "2099-01-01" }]\n${good}`,
    `${head}rollout: [${hostile}, ${hostile}]\n${good}`,
    `${head}suspend: { reason: ${hostile}, until: ${hostile} }\n${good}`,
    `${head}include: [${hostile}]\n${good}`,
    head.replace(`"${emulator.url}"`, hostile) + good,
    head.replace('project: project', `project: ${hostile}`) + good,
    `${head}${good}# ${hostile}\n`,
    `${head}${good}? ${hostile}\n: - ]\n`,
    `${head}apis: &a ${hostile}\nx: *a\ny: *${raw.replaceAll(/[^\p{L}]/gu, '')}\n`,
    `%YAML 1.2 ${hostile}\n---\n${head}${good}`,
  ]);
  const commands = [...showing, ['apply', 'edict.yaml', '--yes'], ['apply', 'edict.yaml', '--yes', '--format', 'json']];
  for (const [index, file] of files.entries()) {
    writeFileSync(join(folder, 'edict.yaml'), file);
    // All commands show the same errors: `validate` those of each file, the others those of every fourth.
    await show(
      folder,
      commands.filter(([name], at) => isFullRun || name === 'validate' || at % 4 === index % 4),
    );
  }
});

test('author: free texts of a file are refused with control characters', async () => {
  const folder = scratchFolder();
  for (const place of [
    `apis:\n  a: { id: api-a, remark: VALUE, environments: { test: online } }\n`,
    `apis:\n  a: { id: api-a, revision: VALUE, environments: { test: online } }\n`,
    `apis:\n  a: { id: api-a, environments: { test: { state: online, remark: VALUE } } }\n`,
    `apis:\n  a: { name: VALUE, environments: { test: online } }\n`,
    `apis:\n  a: { id: api-a, suspend: { reason: VALUE }, environments: { test: online } }\n`,
    `suspend: { reason: x, by: VALUE }\napis: {}\n`,
    `freeze: [{ name: VALUE, from: "2020-01-01T00:00", to: "2020-01-02T00:00" }]\napis: {}\n`,
    `freeze: [{ reason: VALUE, from: "2020-01-01T00:00", to: "2020-01-02T00:00" }]\napis: {}\n`,
  ]) {
    for (const character of [
      '\u001B',
      '\n',
      '\r',
      '\t',
      '\u007F',
      '\u0085',
      '\u009B',
      '\u2028',
      '\u2029',
      '\u202E',
      '\u2066',
      '\u200F',
      '\uD800',
    ]) {
      const file = (value: string): string =>
        `edict: 1\ngateway: { endpoint: "${emulator.url}", project: project, instance: instance }\nenvironments: { test: env-test }\n${place.replace('VALUE', value)}`;
      writeFileSync(join(folder, 'edict.yaml'), file(JSON.stringify(`a${character}b`)));
      const { code, stdout } = await runHostile(['validate', 'edict.yaml', '--format', 'json'], folder, env);
      assert.is(code, 3, `${JSON.stringify(character)} in ${place}: ${stdout}`);
    }
    writeFileSync(
      join(folder, 'edict.yaml'),
      `edict: 1\ngateway: { endpoint: "${emulator.url}", project: project, instance: instance }\nenvironments: { test: env-test }\n${place.replace('VALUE', '"Ünïcode – 版本 ⚠️ 👩‍💻"')}`,
    );
    assert.is((await runHostile(['validate', 'edict.yaml', '--format', 'json'], folder, env)).code, 0, place);
  }
});

test('author: control characters that a reviewer does not see, in a comment', async () => {
  const folder = scratchFolder();
  for (const character of ['\u001B', '\u0007', '\u007F', '\u009B', '\u2028', '\u202E', '\u2066']) {
    writeFileSync(join(folder, 'edict.yaml'), `${fileOf(emulator.url, { a: 'online' })}# a${character}b\n`);
    const { code, stdout } = await runHostile(['validate', 'edict.yaml'], folder, env);
    assert.is(code, 3, JSON.stringify(character));
    assert.match(stdout, 'edict.yaml:7:4', JSON.stringify(character));
  }
});

test('author: names of files', async () => {
  const repository = gitRepository();
  const { folder } = repository;
  const name = hostileFileName('FILE');
  mkdirSync(join(folder, 'apis'));
  const main = fileOf(emulator.url, {}).replace('apis: {}\n', 'include: ["apis/*"]\n');
  writeFileSync(join(folder, 'edict.yaml'), main);
  writeFileSync(join(folder, 'apis', name), 'apis:\n  a: { id: api-a, environments: { test: online } }\n');
  assert.match(await showAll(folder, [['apply', 'edict.yaml', '--yes']]), 'FILE');
  writeFileSync(
    join(folder, 'apis', name),
    'apis:\n  a: { id: api-a, environments: { test: offline } }\n  b: { id: api-b, environments: { test: online } }\n',
  );
  assert.match(await showAll(folder), 'FILE');
  writeFileSync(join(folder, 'apis', name), 'apis: { a: 1 }\n');
  await showAll(folder, [['apply', 'edict.yaml', '--yes']]);

  const dir = scratchFolder();
  for (const text of [fileOf(emulator.url, { a: 'online', b: 'offline' }), 'edict: 2\n']) {
    writeFileSync(join(dir, name), text);
    for (const args of showing) {
      await runHostile(
        args.map((word) => (word === 'edict.yaml' ? name : word)),
        dir,
        env,
      );
    }
    await runHostile(['apply', name, '--yes'], dir, env);
    await runHostile(['status', name, 'none.yaml'], dir, env);
  }
});

test('author: lines of a file that a CI system takes for commands, in a patch, which must stay as it is', async () => {
  const folder = scratchFolder();
  for (const line of ['  # ##[add-mask]x', '      ::stop-commands::x']) {
    const file = (state: string): string =>
      `${fileOf(emulator.url, {}).replace('apis: {}', `apis:\n  a: { id: api-a, environments: { test: ${state} }, remark: one\n${line}\n  }`)}`;
    writeFileSync(join(folder, 'edict.yaml'), file('online'));
    assert.is((await runHostile(['apply', 'edict.yaml', '--yes'], folder, env)).code, 0);
    writeFileSync(join(folder, 'edict.yaml'), file('offline'));
    assert.is((await runHostile(['apply', 'edict.yaml', '--yes'], folder, env)).code, 0);
    const { code, stderr } = await runHostile(['undo', 'last', 'edict.yaml'], folder, env);
    assert.is(code, 1);
    assert.match(stderr, 'takes for a command');
    const json = await runHostile(['undo', 'last', 'edict.yaml', '--format', 'json'], folder, env);
    assert.match((JSON.parse(json.stdout) as { file: { diff: string } }).file.diff, line);
  }
});

test('author: names of those who commit', async () => {
  const repository = gitRepository();
  const author = hostileText('COMMITTER').replaceAll(/[\n<>\uD800]/g, '');
  repository.commit('edict.yaml', fileOf(emulator.url, { a: 'online', b: 'online' }), author);
  assert.match(await showAll(repository.folder), 'COMMITTER');
});

test('gateway: everything that it answers', async () => {
  const folder = scratchFolder();
  const hostile = hostileText('GATEWAY');
  const api = {
    name: hostile,
    group_id: hostile,
    group_name: hostile,
    run_env_id: `env-test|${hostile}`,
    publish_id: `p|${hostile}`,
    publish_time: `2020-08-03T01:36:00Z|${hostile}`,
    update_time: hostile,
    remark: hostile,
  };
  const header = '\u0085\u009B2J::stop-commands::GATEWAY';
  let mode: 'lists' | 'error' | 'iam' | 'page' | 'redirect' | 'broken' | 'wrong' = 'lists';
  const server = await answeringServer((response, { method, path }) => {
    const headers = { 'x-request-id': header };
    const { pathname } = new URL(path, 'http://host');
    if (mode === 'redirect') return void response.writeHead(302, { ...headers, location: `http://evil.invalid/${header}` }).end();
    if (mode === 'page') return void response.writeHead(502, { ...headers, 'content-type': 'text/html' }).end(`<html>${hostile}</html>`);
    if (mode === 'broken') return void response.socket?.end(`HTTP/1.1 200 ${header}\r\n\u0001\r\n\r\n`);
    if (mode === 'wrong') return json(response, 200, { [hostile]: hostile, apis: [{ [hostile]: 1 }] }, headers);
    if (mode === 'error' || method !== 'GET')
      return json(response, 400, { error_code: hostile, error_msg: hostile, request_id: hostile }, headers);
    const [, apiId] = /\/apis\/([^/]+)$/.exec(pathname) ?? [];
    if (apiId !== undefined) return json(response, 200, { id: apiId, ...api }, headers);
    if (pathname.endsWith('/envs'))
      return json(response, 200, {
        size: 1,
        total: 2,
        envs: [
          { id: 'env-test', name: hostile },
          { id: hostile, name: 'x' },
        ],
      });
    if (pathname.includes('/publish/'))
      return json(response, 200, {
        size: 1,
        total: 1,
        api_versions: [
          {
            version_id: hostile,
            version_no: hostile,
            remark: hostile,
            status: 1,
            publish_time: hostile,
            env_id: 'env-test',
            env_name: hostile,
            api_id: 'api-a',
            api_name: hostile,
            req_method: 'GET',
            req_uri: hostile,
            auth_type: 'NONE',
          },
        ],
      });
    json(response, 200, {
      size: 2,
      total: 2,
      apis: [
        { id: 'api-a', ...api },
        { id: hostile, ...api },
        { id: 'api-z', ...api },
      ],
    });
  });
  writeFileSync(join(folder, 'edict.yaml'), `${fileOf(server.url, { b: 'online' })}  c: { id: api-c, environments: { test: online } }\n`);
  const asking: readonly (readonly string[])[] = [
    ...['text', 'json', 'markdown', 'github'].map((format) => ['plan', 'edict.yaml', '--refresh', '--unmanaged', '--format', format]),
    ['explain', 'b', 'test', 'edict.yaml', '--refresh'],
    ['explain', 'b', 'test', 'edict.yaml', '--refresh', '--format', 'json'],
    ['doctor', 'edict.yaml'],
    ['history', '--versions', 'b', 'test', 'edict.yaml'],
    ['history', '--versions', 'b', 'test', 'edict.yaml', '--format', 'json'],
    ['import', '--endpoint', server.url, '--project', 'project', '--instance', 'instance'],
    ...['text', 'json'].map((format) => ['apply', 'edict.yaml', '--yes', '--log-level', 'debug', '--format', format]),
    ['apply', 'edict.yaml', '--yes', '--log-format', 'json', '--log-level', 'debug'],
    ['apply', 'edict.yaml', '--yes', '--log-format', 'pretty', '--log-level', 'debug'],
  ];
  let shown = '';
  for (const next of ['lists', 'error', 'page', 'redirect', 'broken', 'wrong'] as const) {
    mode = next;
    // Reads are repeated for several seconds if nobody can have refused them.
    if (next === 'lists') shown += await showAll(folder, asking);
    else for (const args of asking.slice(0, 7)) shown += Object.values(await runHostile(args, folder, env)).join('');
    // Names instead of IDs are looked up.
    writeFileSync(
      join(folder, 'names.yaml'),
      fileOf(server.url, {}).replace('apis: {}\n', 'apis:\n  d: { environments: { test: online } }\n'),
    );
    await runHostile(['plan', 'names.yaml'], folder, env);
  }
  const user = { HW_USER_NAME: 'u', HW_USER_PASSWORD: 'p', HW_DOMAIN_NAME: 'd' };
  writeFileSync(join(folder, 'edict.yaml'), fileOf(server.url, { b: 'online' }));
  await runHostile(['plan', 'edict.yaml', '--refresh'], folder, user);
  assert.match(shown, 'GATEWAY');
  await server.close();
});

test('store: strings that another process has recorded', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, { a: 'online', b: 'online' }));
  for (const args of [
    ['apply', 'edict.yaml', '--yes'],
    ['suspend', 'edict.yaml', '--by', 'me', '--reason', 'x'],
  ])
    await runHostile(args, folder, env);
  const db = new DatabaseSync(join(folder, '.edict/state.db'));
  const hostile = hostileText('STORE').toWellFormed();
  const texts = {
    attempt: [
      'api',
      'environment',
      'revision',
      'remark',
      'marker',
      'commit_id',
      'code',
      'message',
      'request_id',
      'version_id',
      'publish_id',
    ],
    publication: ['api', 'environment', 'revision', 'version_id', 'publish_id'],
    declared: ['source_file'],
  };
  for (const [table, columns] of Object.entries(texts)) {
    for (const column of columns) db.prepare(`UPDATE ${table} SET ${column} = ?`).run(hostile);
  }
  const reason = (more: object): string => JSON.stringify({ reason: hostile, ...more });
  db.prepare('UPDATE gateway SET suspension = ?, unobserved = ?').run(
    reason({ by: hostile, sinceMs: 1, untilMs: null }),
    reason({ remedy: hostile }),
  );
  db.prepare(
    "INSERT INTO approval (gateway_id, digest, approved_by, reason, approved_at_ms, expires_at_ms, scope) VALUES (1, 'sha256:0', ?, ?, 1, 2, '[]')",
  ).run(hostile, hostile);
  assert.match(await showAll(folder), 'STORE');
  db.exec("UPDATE attempt SET outcome = 'rejected'");
  assert.match(await showAll(folder, [['resume', 'edict.yaml']]), 'STORE');
  writeFileSync(join(folder, 'edict.yaml'), 'edict: 2\n');
  await showAll(folder);
  db.close();
});

test('operator: strings of the command line and of variables', async () => {
  const folder = scratchFolder();
  const hostile = hostileText('OPTION').toWellFormed();
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, { a: 'online' }));
  const lines: readonly (readonly string[])[] = [
    [hostile],
    ['plan', hostile],
    ['plan', `--${hostile}`],
    ['plan', 'edict.yaml', '--format', hostile],
    ['plan', 'edict.yaml', '--api', hostile],
    ['plan', 'edict.yaml', '--environment', `*${hostile}`],
    ['plan', 'edict.yaml', '--state', hostile],
    ['plan', 'edict.yaml', '--state', `sqlite:${hostile}`],
    ['plan', 'edict.yaml', '--state', `postgres://${hostile}@127.0.0.1:1/x`],
    ['plan', 'edict.yaml', '--allow-host', hostile],
    ['plan', 'edict.yaml', '--allow-include', hostile],
    ['plan', 'edict.yaml', '--out', `${hostile}/x`],
    ['apply', 'edict.yaml', '--plan', hostile],
    ['apply', 'edict.yaml', '--lock-timeout', hostile],
    ['approve', hostile, 'edict.yaml', '--by', 'me', '--reason', 'x'],
    ['approve', '0123456789ab', 'edict.yaml', '--by', hostile, '--reason', 'x'],
    ['approve', '0123456789ab', 'edict.yaml', '--by', 'x', '--reason', hostile, '--expires', hostile],
    ['suspend', 'edict.yaml', '--by', hostile, '--reason', hostile],
    ['explain', hostile, hostile, 'edict.yaml'],
    ['history', 'edict.yaml', '--api', hostile],
    ['history', '--versions', hostile, hostile, 'edict.yaml'],
    ['undo', hostile, 'edict.yaml'],
    ['state', 'copy', hostile],
    ['state', 'rm', hostile, hostile],
    ['wait', 'edict.yaml', '--timeout', hostile],
    ['run', 'edict.yaml', '--listen', hostile],
    ['run', 'edict.yaml', '--history-retention', hostile],
    ['emulate', '--fault', hostile],
    ['emulate', '--seed', hostile],
    ['completion', hostile],
    ['import', '--endpoint', hostile, '--project', hostile, '--instance', hostile],
    ['import', '--update', hostile, '--out', hostile],
    ['doctor', hostile],
    ['doctor', 'edict.yaml', '--state', `sqlite:${hostile}`],
    ['init', `${hostile}/x`, '--instance', hostile],
    ['init', `${hostile}/x`],
  ];
  for (const args of lines) {
    const variants = [
      args,
      ...(args.includes('--format') ? [] : ['json', 'github', 'sarif'].map((format) => [...args, '--format', format])),
    ];
    for (const one of variants) await runHostile(one, folder, env);
  }
  for (const name of [
    'EDICT_STATE',
    'EDICT_ALLOWED_HOSTS',
    'EDICT_LOG_LEVEL',
    'EDICT_LOG_FORMAT',
    'EDICT_LISTEN',
    'HW_REGION_NAME',
    'HW_AUTH_TOKEN_FILE',
    'HW_AUTH_TOKEN',
    'HTTPS_PROXY',
    'HTTP_PROXY',
    'EDICT_WEBHOOK_URL',
    'EDICT_HISTORY_RETENTION',
  ]) {
    for (const args of [
      ['plan', 'edict.yaml', '--refresh'],
      ['apply', 'edict.yaml', '--yes'],
      ['run', 'edict.yaml', '--resync', 'x'],
      ['import', '--project', 'x', '--instance', 'y'],
    ]) {
      // commander reads the variables of the process itself.
      process.env[name] = hostile;
      await runHostile(args, folder, { ...env, [name]: hostile }).finally(() => delete process.env[name]);
    }
  }
});

test('author: strings of a saved plan', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, { a: 'online' }));
  const good = savedFrom(
    desiredState([wanted('a', 'test'), wanted('b', 'test', { remark: 'r', revision: '1' })]),
    recordedState([]),
    lastAttempts(),
  );
  const forged = [...good.changes].map(
    ([key, change]) =>
      [key, mapStrings(change, (text, name) => (/action|reason|from|to|key|state/.test(name) ? text : hostileText('SAVED')))] as const,
  );
  const gateway = { endpoint: emulator.url, project: 'project', instance: 'instance' };
  const plans: readonly SavedPlan[] = [
    { ...good, gateway, changes: new Map(forged) },
    { ...good, gateway: { endpoint: hostileText('SAVED'), project: hostileText('SAVED'), instance: hostileText('SAVED') } },
    { ...good, gateway, targets: { apis: [hostileText('SAVED')], environments: [] } },
  ];
  for (const text of [
    ...plans.map(writePlanDocument),
    JSON.stringify({ edictPlan: hostileText('SAVED') }),
    JSON.stringify({ edictPlan: 1, [hostileText('SAVED')]: hostileText('SAVED') }),
  ]) {
    writeFileSync(join(folder, 'a.plan'), text);
    for (const format of ['text', 'json']) await runHostile(['apply', 'edict.yaml', '--plan', 'a.plan', '--format', format], folder, env);
    await runHostile(['apply', 'edict.yaml', '--plan', 'a.plan', '--dry-run'], folder, env);
  }
});

test('anyone: strings in every event, in the log', async () => {
  for (const format of ['json', 'pretty'] as const) {
    let written = '';
    const logger = await openLogger({ level: 'debug', format }, (bytes) => {
      written += String(bytes);
      return bytes.length;
    });
    const emit = logEvents(logger, { approveCommand: () => hostileText('LOG') });
    const fixed = /^(?:type|kind|reason|cause|action|state|from|to|rule|status)$/;
    for (const event of Object.values(everyEvent).flat()) {
      written = '';
      for (const hasReason of [true, false]) {
        emit(
          mapStrings<unknown>(event, (text, key) =>
            key !== 'message' && fixed.test(key) && !(hasReason && key === 'reason') ? text : hostileText('LOG'),
          ) as typeof event,
        );
      }
      assertHarmless(written, `${event.type} as ${format}`);
    }
    logger.warn({ event: 'x', [`${hostileText('KEY')}`]: hostileText('LOG') }, hostileText('LOG'));
    assertHarmless(written, format);
  }
});

test('gateway, and a viewer with the token: notifications, the HTTP API and what it records', async () => {
  const folder = scratchFolder();
  const hostile = hostileText('VIEWER');
  const server = await answeringServer((response) => json(response, 400, { error_code: hostile, error_msg: hostile, request_id: hostile }));
  const receiver = await answeringServer((response) => json(response, 200, {}));
  await recordEmptyGatewayIn(folder, server.url);
  writeFileSync(join(folder, 'edict.yaml'), `${fileOf(server.url, { a: 'online' })}refresh: never\n`);
  const token = 'token-of-a-viewer';
  const webhook = { EDICT_WEBHOOK_URL: receiver.url, EDICT_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}` };
  {
    await using daemon = await startLoggedDaemon(folder, {
      listen: { host: '127.0.0.1', port: 0 },
      env: { ...env, ...webhook, EDICT_TOKEN: token },
    });
    await until('the failure is known', () => daemon.events('attempt:finished').length > 0);
    await until('it was notified', () => receiver.requests.length > 0);
    const ask = async (method: string, path: string, body?: object): Promise<Response> =>
      fetch(new URL(path, daemon.url ?? ''), {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
      });
    for (const path of ['/api/v1/status', '/api/v1/history', '/api/v1/plan', '/metrics', '/readyz', '/livez']) {
      assertHarmless(await (await ask('GET', path)).text(), path);
    }
    for (const text of [hostile, 'a\u202eb', 'a\u0085b', 'a\nb']) {
      const approval = { digest: `sha256:${'0'.repeat(64)}`, by: 'me', reason: 'x' };
      for (const [method, path, body] of [
        ['POST', '/api/v1/approvals', { ...approval, by: text }],
        ['POST', '/api/v1/approvals', { ...approval, reason: text }],
        ['PUT', '/api/v1/suspension', { by: text, reason: 'x' }],
        ['PUT', '/api/v1/suspension', { by: 'me', reason: text }],
      ] as const) {
        assert.is((await ask(method, path, body)).status, 400, `${path} ${JSON.stringify(text)}`);
      }
    }
  }
  for (const { body } of receiver.requests) assertHarmless(body, 'a notification');
  await showAll(folder);
  await Promise.all([server.close(), receiver.close()]);
});

test.run();
