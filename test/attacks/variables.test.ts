/*
 * A file reads only the variables that are meant for it.
 *
 * The author of a pull request writes the file; the operator's variables have secrets, and a viewer sees the page. Each payload names a
 * variable in the hope that its value is shown, sent or recorded. Every one must be refused before anything is sent, and the value must not
 * appear in any output, in the log, on the page, in a notification or in the store.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { edict } from '../support/edict-command.ts';
import { scratchFolder, startEdict, terminate, until } from '../support/edict-process.ts';

const test = suite('attacks with variables');

/** Part of every secret. */
const mark = 'canary5ecret';

/** What may be in the variables of a daemon or of a CI job. */
const secrets: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ...['HW_ACCESS_KEY', 'HW_SECRET_KEY', 'HW_SECURITY_TOKEN', 'HW_USER_PASSWORD', 'HW_AUTH_TOKEN'],
    ...['EDICT_TOKEN', 'EDICT_WEBHOOK_SECRET', 'PGPASSWORD', 'OTEL_EXPORTER_OTLP_HEADERS'],
    ...['AWS_SECRET_ACCESS_KEY', 'GITHUB_TOKEN', 'DATABASE_URL', 'npm_config__auth', 'MY_EDICT_VAR_X', 'edict_var_x'],
  ].map((name) => [name, `${mark}-${name}`]),
);

/** Returns a reference to a variable. */
const variable = (name: string): string => `$\{${name}}`;

const gateway = { endpoint: 'https://roma.example.invalid', project: 'p', instance: 'i' };

/** Returns a file with these keys in its `gateway`. */
function fileWith(keys: Readonly<Record<string, string>>, rest = ''): string {
  const block = Object.entries({ ...gateway, ...keys }).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`);
  return `edict: 1\ngateway:\n${block.join('')}environments: { test: env-test }\napis:\n  a: { id: api-a, environments: { test: online } }\n${rest}`;
}

const payloads: readonly (readonly [title: string, file: string])[] = [
  ...Object.keys(secrets).flatMap((name) => [
    [`${name} as the project, which every plan shows`, fileWith({ project: variable(name) })] as const,
    [`${name} in the host name that is asked`, fileWith({ endpoint: `https://${variable(name)}.attacker.invalid` })] as const,
  ]),
  ['a token where a duration is expected, for the error message', fileWith({ timeout: variable('EDICT_TOKEN') })],
  ['a token in the rate limit', fileWith({}).replace('  project', `  limit: { per: "${variable('EDICT_TOKEN')}" }\n  project`)],
  ['a token as a key that does not exist', fileWith({ note: variable('EDICT_TOKEN') })],
  ['a token instead of the block', 'edict: 1\ngateway: "$'.concat('{EDICT_TOKEN}"\nenvironments: { test: e }\napis: {}\n')],
  [
    'a token in a remark, which the gateway receives',
    fileWith({}).replace('id: api-a,', `id: api-a, remark: "${variable('HW_AUTH_TOKEN')}",`),
  ],
  ['a token in an include', fileWith({}, `include: ["${variable('EDICT_TOKEN')}.yaml"]\n`)],
  ['a token in a probe', fileWith({}, `rollout: [{ environment: test, probe: "https://${variable('EDICT_TOKEN')}.invalid/" }]\n`)],
  ['an allowed name around a secret one', fileWith({ project: `$\{EDICT_VAR_${variable('EDICT_TOKEN')}}` })],
  ['a secret name with spaces', fileWith({ project: `$\{ EDICT_TOKEN }` })],
  ['an allowed variable in another key', fileWith({ timeout: variable('EDICT_VAR_CANARY') })],
];

/** Returns the text of everything in a folder and below. */
function contents(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name !== 'edict.yaml',
  );
  return files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')).join('\n');
}

const env = { ...secrets, EDICT_VAR_CANARY: `${mark}-allowed` };

const commands: readonly (readonly [string, ...string[]])[] = [
  ...['text', 'json', 'github', 'sarif'].map((format) => ['validate', '--format', format] as const),
  ...['text', 'json', 'markdown', 'github'].map((format) => ['plan', '--emulate', '--format', format] as const),
  ['apply', '--emulate', '--format', 'json'],
  ['status', '--format', 'json'],
  ['history'],
];

for (const [title, file] of payloads) {
  test(`author: ${title}`, async () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'edict.yaml'), file);
    for (const [command, ...options] of commands) {
      const { code, stdout, stderr } = await edict([command, 'edict.yaml', ...options], folder, env);
      assert.not.match(stdout + stderr, mark, command);
      assert.is(code, 3, `${command} ${options.join(' ')}: ${stdout}${stderr}`);
    }
    assert.not.match(contents(folder), mark);
  });
}

test('author: a wrong value of an allowed variable is not shown, by no command', async () => {
  const folder = scratchFolder();
  for (const keys of [
    { project: variable('EDICT_VAR_X') },
    { instance: `a-${variable('EDICT_VAR_X')}` },
    { endpoint: variable('EDICT_VAR_X') },
    { endpoint: `https://${variable('EDICT_VAR_X')}` },
    { iam: `https://[${variable('EDICT_VAR_X')}` },
  ]) {
    writeFileSync(join(folder, 'edict.yaml'), fileWith(keys));
    for (const [command, ...options] of commands) {
      const { code, stdout, stderr } = await edict([command, 'edict.yaml', ...options], folder, { EDICT_VAR_X: `${mark} ${mark}/` });
      assert.not.match(stdout + stderr, mark, JSON.stringify(keys));
      assert.is(code, 3, JSON.stringify(keys));
      assert.match(
        stdout + stderr,
        `\`gateway.${Object.keys(keys)[0]}\` is not valid with the value of the variable EDICT_VAR_X`,
        'nothing that is written is the reason',
      );
      assert.not.match(stdout + stderr, 'contains');
    }
  }
});

test('author: a variable in the value of a variable is not replaced', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), fileWith({ project: variable('EDICT_VAR_X') }));
  const { code, stdout, stderr } = await edict(['validate', 'edict.yaml'], folder, { ...secrets, EDICT_VAR_X: variable('EDICT_TOKEN') });
  assert.is(code, 3);
  assert.not.match(stdout + stderr, mark);
});

test('author and viewer: a token in an error of the file reaches neither the page nor the log nor a notification', async () => {
  const folder = scratchFolder();
  mkdirSync(join(folder, 'data'));
  const notifications: string[] = [];
  const receiver = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => notifications.push(String(chunk))).on('end', () => response.end());
  }).listen(0, '127.0.0.1');
  await new Promise((listening) => receiver.once('listening', listening));
  const address = receiver.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`;
  const token = secrets['EDICT_TOKEN'] ?? '';
  writeFileSync(join(folder, 'edict.yaml'), fileWith({ timeout: variable('EDICT_TOKEN'), project: variable('HW_AUTH_TOKEN') }));
  const args = ['run', 'edict.yaml', '--emulate', '--state', 'sqlite:data/state.db', '--log-format', 'json', '--log-level', 'debug'];
  const daemon = startEdict([...args, '--listen', '127.0.0.1:0'], folder, {
    EDICT_TOKEN: token,
    HW_AUTH_TOKEN: `${mark}-token`,
    EDICT_WEBHOOK_URL: url,
    EDICT_WEBHOOK_SECRET: `whsec_${Buffer.alloc(24).toString('base64')}`,
  });
  try {
    await until('the error is known', () => daemon.events('file:invalid').length > 0, [daemon]);
    await until('it has been notified', () => notifications.length > 0, [daemon]);
    const page = String(daemon.events('daemon:started')[0]?.['url']);
    for (const path of ['/api/v1/status', '/metrics', '/']) {
      assert.not.match(await (await fetch(new URL(path, page))).text(), mark, path);
    }
  } finally {
    await terminate(daemon);
    receiver.close();
  }
  assert.not.match(daemon.output.stdout + daemon.output.stderr + notifications.join(''), mark);
  assert.not.match(contents(folder), mark);
});

test('a pull request of a fork, which has no variables: `validate` takes placeholders for the allowed ones, and says so', async () => {
  const folder = scratchFolder();
  const keys = {
    endpoint: `https://roma.${variable('HW_REGION_NAME')}.myhuaweicloud.com`,
    project: variable('HW_PROJECT_ID'),
    instance: variable('EDICT_VAR_I'),
  };
  writeFileSync(join(folder, 'edict.yaml'), fileWith(keys));
  const valid = await edict(['validate', 'edict.yaml'], folder, { EDICT_VAR_I: '' });
  assert.is(valid.code, 0, valid.stdout);
  assert.match(valid.stderr, 'HW_REGION_NAME, HW_PROJECT_ID, EDICT_VAR_I');
  assert.is((await edict(['plan', 'edict.yaml', '--emulate'], folder, {})).code, 3, 'nothing else does');
  writeFileSync(join(folder, 'edict.yaml'), fileWith({ project: variable('EDICT_TOKEN') }));
  assert.is((await edict(['validate', 'edict.yaml'], folder, {})).code, 3, 'not for others');
});

test.run();
