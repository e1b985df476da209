/*
 * No secret leaves the place where it belongs.
 *
 * Every secret that a daemon or a CI job can have is planted, and every command runs in every format, with success and with each failure. A
 * gateway, a proxy and a store that repeat what they were sent take part. No secret may be in any output, in the log, in the store, in a patch, in a
 * saved plan, on the page, in a notification, or in the variables and arguments of a child process, in whichever form.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { buildProgram } from '../../src/cli/program.ts';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { type Answer, answeringServer, json, tokenAnswer } from '../gateway/answering-server.ts';
import { startLoggedDaemon } from '../support/daemon.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder, seedOf, startEdict, until } from '../support/edict-process.ts';
import { isFullRun } from '../support/fast-check.ts';
import { recordEmptyGatewayIn } from '../support/observed-gateway.ts';
import { postgresServer } from '../support/postgres.ts';
import { testContext } from '../support/streams.ts';

const test = suite('canaries');

/** Returns a secret unlike every other, with characters that each form of a text escapes differently. */
const secret = (name: string): string => `C4nary/${name}+"s&cret"`;

/** Writes a secret to a file as it is mounted into a container, and returns its path. */
function mount(folder: string, name: string, text = secret(name)): string {
  const path = join(folder, `${name}.mounted`);
  writeFileSync(path, `${text}\n`);
  return path;
}

/** What is only in a variable, beside the credentials. */
const others: Readonly<Record<string, string>> = {
  EDICT_TOKEN: secret('page-token'),
  EDICT_READ_TOKEN: secret('read-token'),
  EDICT_WEBHOOK_SECRET: `whsec_${Buffer.from(secret('webhook-secret-of-32-bytes')).toString('base64')}`,
  OTEL_EXPORTER_OTLP_HEADERS: `authorization=${encodeURIComponent(secret('otel-header'))}`,
  PGPASSWORD: secret('pg-password'),
  EDICT_VAR_UNUSED: secret('unused-variable'),
  GITHUB_TOKEN: secret('github-token'),
  ACTIONS_RUNTIME_TOKEN: secret('actions-token'),
  AWS_SECRET_ACCESS_KEY: secret('aws-key'),
  DATABASE_URL: `postgres://u:${encodeURIComponent(secret('database-url'))}@db/x`,
  npm_config__authToken: secret('npm-token'),
  GIT_ASKPASS_SECRET: secret('git-secret'),
  KUBECONFIG_TOKEN: secret('kubernetes-token'),
};

/** Credentials, of which a process has one kind. */
const credentials: Readonly<Record<string, (folder: string) => Readonly<Record<string, string>>>> = {
  token: () => ({ HW_AUTH_TOKEN: secret('auth-token') }),
  'token in a file': (folder) => ({ HW_AUTH_TOKEN_FILE: mount(folder, 'mounted-token') }),
  'temporary key in files': (folder) => ({
    HW_ACCESS_KEY_FILE: mount(folder, 'access-key', 'AKCANARY'),
    HW_SECRET_KEY_FILE: mount(folder, 'secret-key'),
    HW_SECURITY_TOKEN_FILE: mount(folder, 'security-token'),
  }),
  'user with a password in a file': (folder) => ({
    ...{ HW_USER_NAME: 'ada', HW_DOMAIN_NAME: 'acme' },
    HW_USER_PASSWORD_FILE: mount(folder, 'password'),
  }),
  'temporary key': () => ({ HW_ACCESS_KEY: 'AKCANARY', HW_SECRET_KEY: secret('secret-key'), HW_SECURITY_TOKEN: secret('security-token') }),
  user: () => ({ HW_USER_NAME: 'ada', HW_USER_PASSWORD: secret('password'), HW_DOMAIN_NAME: 'acme' }),
};

/** What a gateway gives, in place of a variable. */
const issuedToken = secret('issued-token');
const storePassword = secret('store-password');
const proxyPassword = secret('proxy-password');
const hookPath = secret('webhook-path');

const names = [
  ...[
    'page-token',
    'read-token',
    'webhook-secret',
    'otel-header',
    'pg-password',
    'unused-variable',
    'github-token',
    'actions-token',
    'aws-key',
  ],
  ...[
    'database-url',
    'npm-token',
    'git-secret',
    'kubernetes-token',
    'auth-token',
    'mounted-token',
    'secret-key',
    'security-token',
    'password',
  ],
  ...['issued-token', 'store-password', 'proxy-password', 'webhook-path'],
];

/** Returns every form of the middle of a secret: as it is, in each alignment of base64, in hexadecimal and backwards. */
function formsOf(name: string): string[] {
  const core = Buffer.from(`C4nary/${name}`);
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), core]).toString('base64');
    // The first and the last characters depend on what is around.
    return text.slice(shift === 0 ? 0 : 4, text.replace(/=+$/, '').length - 2);
  });
  return [String(core), `C4nary%2F${name}`, `C4nary\\/${name}`, ...base64, core.toString('hex')];
}

/** Throws an AssertionError with the place if a text has a secret. */
function assertNoSecret(text: string, where: string): void {
  for (const name of names) {
    for (const form of formsOf(name)) {
      const at = text.indexOf(form);
      assert.is(at, -1, `${where} has ${name}: ${JSON.stringify(text.slice(Math.max(0, at - 120), at + 60))}`);
    }
  }
}

/** Returns everything in the files of a folder and below but what was planted there. */
function contents(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.name.endsWith('.mounted'),
  );
  return files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')).join('\n');
}

/** Repeats a whole request in every place of a response that is shown. */
const repeating =
  (status: number): Answer =>
  (response, { headers, body, path }) => {
    if (path.startsWith('/v3/auth') && status !== 401) return tokenAnswer(response, issuedToken);
    const said = JSON.stringify({ headers, body });
    const id = { 'x-request-id': encodeURIComponent(Object.values(headers).join(' ')).slice(0, 4000) };
    if (status === 302) return void response.writeHead(302, { ...id, location: `http://elsewhere/${encodeURIComponent(said)}` }).end();
    if (status === 502)
      return void response
        .writeHead(502, { ...id, 'content-type': 'text/html' })
        .end(`<h1>${said}</h1>${Buffer.from(said).toString('base64')}`);
    if (status === 200) return json(response, 200, { [said]: said, apis: [said], envs: said, api_versions: said }, id);
    // A 401 with an unlisted code is tried again after a minute.
    const code = status === 401 ? 'APIG.1002' : said.slice(0, 60);
    json(response, status, { error_code: code, error_msg: `${Object.values(headers).join(' ')} ${said}`, request_id: said }, id);
  };

const commands: readonly (readonly string[])[] = [
  ...['text', 'json', 'github', 'sarif'].map((format) => ['validate', 'edict.yaml', '--format', format]),
  ...['text', 'json', 'markdown', 'github'].map((format) => ['plan', 'edict.yaml', '--format', format]),
  ['plan', 'edict.yaml', '--refresh'],
  ['plan', 'edict.yaml', '--out', 'a.plan'],
  ['apply', 'edict.yaml', '--yes', '--log-level', 'debug', '--log-format', 'json'],
  ['apply', 'edict.yaml', '--yes', '--log-level', 'debug', '--log-format', 'pretty', '--format', 'json'],
  ...['text', 'json'].flatMap((format) => [
    ['status', 'edict.yaml', '--format', format],
    ['history', 'edict.yaml', '--format', format],
    ['explain', 'a', 'test', 'edict.yaml', '--refresh', '--format', format],
    ['undo', 'last', 'edict.yaml', '--format', format],
    ['state', 'show', '--state', 'sqlite:.edict/state.db', '--format', format],
  ]),
  ['history', '--versions', 'a', 'test', 'edict.yaml'],
  ['suspend', 'edict.yaml', '--by', 'me', '--reason', 'x'],
  ['resume', 'edict.yaml'],
];

/** The commands that start no call: each once with success where the gateway allows it. `ENDPOINT` stands for that of the file. */
const otherCommands: readonly (readonly string[])[] = [
  ['apply', 'edict.yaml', '--plan', 'a.plan'],
  ['apply', 'edict.yaml', '--dry-run'],
  ['run', 'edict.yaml', '--once', '--log-level', 'debug', '--log-format', 'json'],
  ['run', 'edict.yaml', '--once', '--dry-run', '--log-format', 'pretty'],
  ...['text', 'json'].map((format) => ['wait', 'edict.yaml', '--timeout', '0s', '--format', format]),
  ['approve', '0123456789ab', 'edict.yaml', '--by', 'me', '--reason', 'x'],
  ['import', '--endpoint', 'ENDPOINT', '--project', 'project', '--instance', 'instance'],
  ['import', '--endpoint', 'ENDPOINT', '--project', 'project', '--instance', 'instance', '--out', 'imported.yaml'],
  ['import', '--update', 'edict.yaml'],
  ['init', 'first.yaml'],
  ['init', 'imported-first.yaml', '--endpoint', 'ENDPOINT', '--project', 'project', '--instance', 'instance'],
  ...['text', 'json'].map((format) => ['doctor', 'edict.yaml', '--format', format]),
  ['state', 'copy', 'sqlite:copy.db', '--state', 'sqlite:.edict/state.db'],
  ['state', 'rm', 'a', 'test', 'edict.yaml'],
  // A seed that is none: as a service it is tried below.
  ['emulate', '--seed', 'edict.yaml'],
  ['schema'],
  ...['bash', 'zsh', 'fish'].map((shell) => ['completion', shell]),
  ['__complete', '--', 'explain', ''],
  ['__complete', '--', 'plan', '--state='],
];

/** Runs every command, and checks what it prints and what it leaves in the folder. */
async function sweep(folder: string, env: Readonly<Record<string, string>>, what: string, all = commands): Promise<void> {
  for (const args of all) {
    const endpoint = /endpoint: "?([^",]+)/.exec(readFileSync(join(folder, 'edict.yaml'), 'utf8'))?.[1] ?? '';
    const words = args.map((word) => (word === 'ENDPOINT' ? endpoint : word));
    const { stdout, stderr } = await edict(words, folder, { ...others, ...env });
    assertNoSecret(stdout + stderr, `${what}: ${args.join(' ')}`);
  }
  assertNoSecret(contents(folder), `${what}: the folder`);
}

test('the sweep has every command of the program', async () => {
  const program = await buildProgram(testContext({}).context, () => undefined);
  const pathsOf = (command: Command, path: readonly string[] = []): string[] =>
    command.commands.length === 0
      ? [path.join(' ')]
      : command.commands.filter((one) => one.name() !== 'help').flatMap((one) => pathsOf(one, [...path, one.name()]));
  const swept = [...commands, ...otherCommands].map((args) => args.join(' '));
  const missing = pathsOf(program).filter((path) => !swept.some((line) => `${line} `.startsWith(`${path} `)));
  assert.equal(missing, []);
});

/** A program in place of Git that notes its variables and arguments, and does what Git does. */
function notingGit(): { readonly PATH: string; readonly noted: () => string } {
  const folder = scratchFolder();
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  const note = join(folder, 'noted');
  writeFileSync(note, '');
  writeFileSync(
    join(folder, 'git'),
    `#!/bin/sh\n{ env; cat "/proc/$$/environ" 2>/dev/null; echo "$@"; } >> '${note}'\nexec '${real}' "$@"\n`,
    { mode: 0o755 },
  );
  return { PATH: `${folder}:${process.env['PATH']}`, noted: () => readFileSync(note, 'latin1') };
}

for (const [kind, variables] of Object.entries(credentials)) {
  test(`gateway and anyone: every command, with success (${kind})`, async () => {
    const folder = scratchFolder();
    const { PATH, noted } = notingGit();
    const users = [{ name: 'ada', password: secret('password'), domain: 'acme' }];
    const keys = [{ access: 'AKCANARY', secret: secret('secret-key'), securityToken: secret('security-token') }];
    const emulator = await startEmulator({ seed: { ...seedOf('a'), users, keys } });
    writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, { a: 'online' }));
    execFileSync('git', ['init', '-q'], { cwd: folder });
    execFileSync('git', ['add', 'edict.yaml'], { cwd: folder });
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'x'], { cwd: folder });
    await sweep(folder, { ...variables(scratchFolder()), PATH }, kind, [...commands, ...otherCommands]);
    assert.match(noted(), 'blame', 'Git was run');
    assertNoSecret(noted(), 'the variables and arguments of Git');
    await emulator.close();
  });

  test(`gateway: answers that repeat the request, and failures (${kind})`, async () => {
    const statuses = isFullRun || kind === 'user' ? [200, 302, 400, 401, 403, 409, 500, 502] : [302, 401, 500];
    for (const status of statuses) {
      const server = await answeringServer(repeating(status));
      const folder = scratchFolder();
      await recordEmptyGatewayIn(folder, server.url);
      writeFileSync(join(folder, 'edict.yaml'), `${fileOf(server.url, { a: 'online' })}refresh: never\n`);
      // Reads are repeated for seconds if nobody has refused them, so that only the calls and one read are made then.
      const quick = [commands[8], commands[10], ...commands.slice(12)].filter((args) => args !== undefined);
      await sweep(
        folder,
        variables(scratchFolder()),
        `${kind}, ${status}`,
        status === 401 ? [...commands, ...otherCommands] : quick.filter(([command]) => command !== 'history' || status !== 502),
      );
      await server.close();
    }
  });
}

test('anyone: no connection, TLS that fails, a proxy, stores that fail, and invalid files', async () => {
  const plain = await answeringServer((response) => json(response, 500, {}));
  const env = { HW_AUTH_TOKEN: secret('auth-token') };
  const closed = 'http://127.0.0.1:1';
  const quick = [
    ['plan', 'edict.yaml', '--refresh'],
    ['explain', 'a', 'test', 'edict.yaml', '--refresh'],
    ['status', 'edict.yaml', '--format', 'json'],
    ['doctor', 'edict.yaml'],
  ];
  const proxy = `http://user:${encodeURIComponent(proxyPassword)}@127.0.0.1:1`;
  for (const [what, endpoint, more] of [
    ['unreachable', closed, {}],
    ['TLS', plain.url.replace('http:', 'https:'), {}],
    [
      'an unknown host',
      'https://roma.cn-north-4.myhuaweicloud.com.invalid',
      { EDICT_ALLOWED_HOSTS: 'roma.cn-north-4.myhuaweicloud.com.invalid' },
    ],
    ['a proxy', 'https://roma.cn-north-4.myhuaweicloud.com', { HTTPS_PROXY: proxy, HTTP_PROXY: proxy }],
    ['a proxy that is none', 'https://roma.cn-north-4.myhuaweicloud.com', { HTTPS_PROXY: `http://user:${proxyPassword}@[` }],
  ] as const) {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'edict.yaml'), fileOf(endpoint, { a: 'online' }));
    await sweep(folder, { ...env, ...more }, what, quick);
  }
  const folder = scratchFolder();
  mkdirSync(join(folder, 'folder'));
  writeFileSync(join(folder, 'edict.yaml'), fileOf(closed, { a: 'online' }));
  writeFileSync(join(folder, 'broken.db'), 'not a store');
  const password = encodeURIComponent(storePassword);
  for (const state of [
    ...['sqlite:folder', 'sqlite:broken.db', 'sqlite:none/x.db', 'oracle://x'],
    ...[
      `postgres://u:${password}@127.0.0.1:1/x`,
      `postgres://u:${storePassword}@127.0.0.1:1/x`,
      `postgres://u@127.0.0.1:1/x?password=${password}`,
    ],
    ...[`postgres://u:${password}@127.0.0.1:99999/x`, `postgres://u:${password}@/x?sslmode=wrong`, `u:${password}@127.0.0.1/x`],
  ]) {
    for (const args of [
      ['plan', 'edict.yaml', '--no-refresh'],
      ['apply', 'edict.yaml', '--yes'],
      ['status', 'edict.yaml', '--format', 'json'],
      ['state', 'show'],
      ['state', 'copy', 'sqlite:copy.db'],
    ]) {
      // commander reads the variables of the process itself.
      process.env['EDICT_STATE'] = state;
      await sweep(folder, env, `EDICT_STATE ${state.slice(0, 12)}`, [args]);
      delete process.env['EDICT_STATE'];
      await sweep(folder, env, `--state ${state.slice(0, 12)}`, [[...args, '--state', state]]);
    }
  }
  for (const file of [
    `edict: 1\ngateway: { project: "$\{EDICT_TOKEN}" }\n`,
    'edict: [\n',
    `edict: 1\ninclude: ["$\{GITHUB_TOKEN}", "/proc/self/environ"]\n`,
  ]) {
    writeFileSync(join(folder, 'edict.yaml'), file);
    await sweep(folder, env, 'an invalid file');
  }
  await plain.close();
});

test('anyone: an approval', async () => {
  const folder = scratchFolder();
  const emulator = await startEmulator({ seed: { ...seedOf('a'), tokens: [{ value: secret('auth-token') }] } });
  const env = { HW_AUTH_TOKEN: secret('auth-token') };
  const write = (state: string): void =>
    writeFileSync(
      join(folder, 'edict.yaml'),
      fileOf(emulator.url, { a: state }).replace('test: env-test', 'test: { id: env-test, protected: true }'),
    );
  write('online');
  await sweep(folder, env, 'an apply', [['apply', 'edict.yaml', '--yes']]);
  write('offline');
  const { stdout } = await edict(['plan', 'edict.yaml', '--format', 'json'], folder, { ...others, ...env });
  const { approvalDigest } = JSON.parse(stdout) as { readonly approvalDigest: string };
  for (const format of ['text', 'json'])
    await sweep(folder, env, 'an approval', [['approve', approvalDigest, 'edict.yaml', '--by', 'me', '--reason', 'x', '--format', format]]);
  await sweep(folder, env, 'an apply of what was approved', [['apply', 'edict.yaml', '--yes'], ...commands]);
  assert.is(emulator.requests.all().filter(({ action }) => action === 'offline').length, 1, 'the approval was used');
  await emulator.close();
});

test('anyone: a store in PostgreSQL, with its password in the address and in a file', async () => {
  const server = await postgresServer();
  const folder = scratchFolder();
  const url = new URL(await server.database());
  const admin = new pg.Client({ connectionString: String(url) });
  await admin.connect();
  const role = `canary_${process.pid}`;
  await admin.query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD ${admin.escapeLiteral(storePassword)}`);
  const at = (password: string, query = ''): string => `postgres://${role}${password}@${url.host}${url.pathname}${query}`;
  const inAddress = at(`:${encodeURIComponent(storePassword)}`);
  const emulator = await startEmulator({ seed: { ...seedOf('a'), tokens: [{ value: secret('auth-token') }] } });
  writeFileSync(join(folder, 'edict.yaml'), fileOf(emulator.url, { a: 'online' }));
  const env = { HW_AUTH_TOKEN: secret('auth-token') };
  const isLocal = (args: readonly string[]): boolean =>
    args.includes('--state') || /^(?:validate|schema|completion|__complete|emulate)$/.test(args[0] ?? '');
  const stored = [...commands, ...otherCommands].filter((args) => !isLocal(args));
  const more = [
    ['state', 'show'],
    ['state', 'show', '--format', 'json'],
    ['state', 'copy', 'sqlite:from-postgres.db'],
  ];
  for (const state of [inAddress, at('', `?password_file=${mount(scratchFolder(), 'store-password')}`)]) {
    await sweep(
      folder,
      env,
      'a store in PostgreSQL',
      [...stored, ...more].map((args) => [...args, ...(args.includes('--endpoint') ? [] : ['--state', state])]),
    );
  }
  await sweep(folder, env, 'a copy into PostgreSQL', [['state', 'copy', inAddress, '--state', 'sqlite:from-postgres.db']]);
  await sweep(folder, env, 'a wrong password', [['state', 'show', '--state', at(`:${encodeURIComponent(`${storePassword}x`)}`)]]);
  const { rows: tables } = await admin.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'edict'",
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const { rows } = await admin.query<{ row: string }>(`SELECT t::text AS row FROM edict.${name} t`);
    found.push(...rows.map(({ row }) => row));
  }
  assert.ok(
    found.some((row) => row.includes('succeeded')),
    'the store has attempts',
  );
  assertNoSecret(found.join('\n'), 'the store in PostgreSQL');
  await admin.query(`REASSIGN OWNED BY ${role} TO CURRENT_USER; DROP OWNED BY ${role}; DROP ROLE ${role}`);
  await admin.end();
  await emulator.close();
  await server.close();
});

test('anyone: the emulator as a service, whose seed has secrets', async () => {
  const folder = scratchFolder();
  const users = [{ name: 'ada', password: secret('password'), domain: 'acme' }];
  const keys = [{ access: 'AKCANARY', secret: secret('secret-key'), securityToken: secret('security-token') }];
  const tokens = [{ value: secret('auth-token') }];
  writeFileSync(join(folder, 'seed.mounted'), JSON.stringify({ ...seedOf('a'), users, keys, tokens }));
  const emulator = startEdict(['emulate', '--seed', 'seed.mounted', '--port', '0'], folder, others);
  await until('it listens', () => emulator.output.stdout.includes('http://'), [emulator]);
  const url = /http:\/\/\S+/.exec(emulator.output.stdout)?.[0] ?? '';
  writeFileSync(join(folder, 'edict.yaml'), fileOf(url, { a: 'online' }));
  for (const kind of ['token', 'temporary key', 'user'])
    await sweep(folder, credentials[kind]?.(folder) ?? {}, `emulated, ${kind}`, [['plan', 'edict.yaml', '--refresh']]);
  await sweep(folder, { HW_USER_NAME: 'ada', HW_USER_PASSWORD: `${secret('password')}x`, HW_DOMAIN_NAME: 'acme' }, 'a wrong password', [
    ['plan', 'edict.yaml', '--refresh'],
  ]);
  for (const path of ['requests', 'publications', 'apis', 'tokens', 'users', 'keys', 'x'])
    assertNoSecret(await (await fetch(`${url}/_emulator/${path}`)).text(), `/_emulator/${path}`);
  emulator.child.kill('SIGTERM');
  const { stdout, stderr } = await emulator.finished;
  assertNoSecret(stdout + stderr, 'the output of the emulator');
});

for (const way of ['variables', 'files']) {
  test(`viewer: the page, the API, metrics, notifications and the log of a daemon (secrets in ${way})`, async () => {
    const server = await answeringServer(repeating(400));
    const hook = await answeringServer((response, { headers, body }) => json(response, 500, { headers, body }));
    const folder = scratchFolder();
    await recordEmptyGatewayIn(folder, server.url);
    writeFileSync(join(folder, 'edict.yaml'), `${fileOf(server.url, { a: 'online' })}refresh: never\n`);
    const url = `${hook.url}/${encodeURIComponent(hookPath)}?key=${encodeURIComponent(hookPath)}`;
    const { EDICT_TOKEN = '', EDICT_READ_TOKEN = '', EDICT_WEBHOOK_SECRET = '', ...rest } = others;
    const mountable = { EDICT_TOKEN, EDICT_READ_TOKEN, EDICT_WEBHOOK_SECRET, EDICT_WEBHOOK_URL: url, HW_AUTH_TOKEN: secret('auth-token') };
    const mounted = Object.entries(mountable).map(([name, text]) => [`${name}_FILE`, mount(folder, name, text)] as const);
    const env = { ...rest, ...(way === 'files' ? Object.fromEntries(mounted) : mountable), OTEL_EXPORTER_OTLP_ENDPOINT: hook.url };
    const log: unknown[] = [];
    {
      await using daemon = await startLoggedDaemon(folder, { env, listen: { host: '127.0.0.1', port: 0 }, resyncMs: 200 });
      await until('it has notified', () => hook.requests.some(({ path }) => path.includes('C4nary')));
      for (const path of ['/', '/api/v1/status', '/api/v1/plan', '/api/v1/history', '/metrics', '/livez', '/readyz', '/api/v1/nothing']) {
        const headers = { authorization: `Bearer ${others['EDICT_TOKEN']}` };
        const answer = await fetch(new URL(path, daemon.url ?? ''), { headers });
        assertNoSecret(`${JSON.stringify([...answer.headers])}${await answer.text()}`, path);
      }
      const events = await fetch(new URL('/api/v1/events', daemon.url ?? ''), { headers: { authorization: `Bearer ${EDICT_READ_TOKEN}` } });
      for await (const bytes of events.body ?? []) {
        const text = Buffer.from(bytes).toString();
        assertNoSecret(text, 'the events');
        if (text.includes('"complete"')) break;
      }
      await until('a failure was logged', () => daemon.events('webhook:failed').length > 0);
      for (const event of ['file:loaded', 'plan:computed', 'attempt:finished', 'webhook:failed', 'trace:failed', 'requests:paused'])
        log.push(daemon.events(event));
    }
    assertNoSecret(JSON.stringify(log), 'the log');
    for (const { body } of hook.requests) assertNoSecret(body, 'a notification');
    assertNoSecret(contents(folder), 'the store');
    await Promise.all([server.close(), hook.close()]);
  });
}

test('anyone: a crash, and the report that Node.js writes of it', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileOf('http://127.0.0.1:1', { a: 'online' }));
  writeFileSync(join(folder, 'crash.cjs'), "process.on('SIGUSR2', () => { throw new Error('a bug'); });\n");
  const options = `--require ${join(folder, 'crash.cjs')} --report-uncaught-exception --report-on-fatalerror --report-directory=${folder}`;
  const env = { ...others, HW_AUTH_TOKEN: secret('auth-token'), NODE_OPTIONS: options };
  const daemon = startEdict(['run', 'edict.yaml', '--log-level', 'debug', '--log-format', 'json'], folder, env);
  await until('it runs', () => daemon.events('daemon:started').length > 0, [daemon]);
  daemon.child.kill('SIGUSR2');
  const { code, stdout, stderr } = await daemon.finished;
  assert.is.not(code, 0);
  assert.match(stderr, 'a bug');
  assertNoSecret(stdout + stderr, 'a crash');
  assert.ok(
    readdirSync(folder).some((name) => name.startsWith('report.')),
    'a report was written',
  );
  assertNoSecret(contents(folder), 'the report of a crash');
});

test.run();
