/*
 * Files stay in the checkout.
 *
 * The author of a pull request writes the file, its includes and symbolic links; what is read is shown to whoever sees the job, and declares
 * what is published. Each payload leads to a file that is not the author's: a secret of the machine, of the job, or of another checkout. It
 * must be refused, and no output, log, page, notification or store may have a part of it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FileSource } from '../../src/source/file-source.ts';
import { edict } from '../support/edict-command.ts';
import { scratchFolder, startEdict, terminate, until } from '../support/edict-process.ts';
import { sourceFiles } from '../support/source-files.ts';

const test = suite('attacks with files');

/** Part of every secret. */
const mark = 'canary5ecret';

/** Secrets that are valid as an included file, and ones that make errors with code frames. */
const secrets: Readonly<Record<string, string>> = {
  'valid.yaml': `apis: { ${mark}: { id: ${mark}, environments: { test: online } } }\n`,
  'invalid.yaml': `${mark}: { token: ${mark}\n`,
  credentials: `[default]\naws_secret_access_key = ${mark}\n`,
};

/** The variables of this process, by which a test sees that they were read. */
const ownVariables = existsSync('/proc/self/environ')
  ? readFileSync('/proc/self/environ', 'latin1')
      .split('\0')
      .filter((text) => text.length > 9)
  : [];

const head =
  'edict: 1\ngateway: { endpoint: "https://roma.example.invalid", project: p, instance: i }\nenvironments: { test: env-test }\napis:\n  a: { id: api-a, environments: { test: online } }\n';

/** Returns a file that includes these. */
const including = (...patterns: readonly string[]): string => `${head}include: ${JSON.stringify(patterns)}\n`;

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** The checkout of the author, beside a folder of the operator with secrets. */
interface Place {
  readonly checkout: string;
  readonly outside: string;
}

function makePlace(): Place {
  const folder = scratchFolder();
  const place = { checkout: join(folder, 'checkout'), outside: join(folder, 'outside') };
  mkdirSync(place.checkout);
  for (const [name, text] of Object.entries(secrets)) write(join(place.outside, name), text);
  write(join(place.checkout, '.git/config'), `[http]\n  extraheader = AUTHORIZATION: basic ${mark}\n`);
  write(join(place.checkout, '.env'), `TOKEN: ${mark}\n`);
  return place;
}

interface Attack {
  readonly title: string;
  /** Writes the files of the checkout, with `edict.yaml` among them. */
  write(place: Place): void;
}

const attacks: readonly Attack[] = [
  ...Object.keys(secrets).flatMap((name): Attack[] => [
    {
      title: `an include of ${name} by a relative path`,
      write: ({ checkout }) => write(join(checkout, 'edict.yaml'), including(`../outside/${name}`)),
    },
    {
      title: `an include of ${name} by an absolute path`,
      write: ({ checkout, outside }) => write(join(checkout, 'edict.yaml'), including(join(outside, name))),
    },
    {
      title: `an include of ${name} through a folder that does not exist`,
      write: ({ checkout }) => write(join(checkout, 'edict.yaml'), including(`apis/../../outside/${name}`)),
    },
    {
      title: `a link to ${name} that is included`,
      write: ({ checkout, outside }) => {
        write(join(checkout, 'edict.yaml'), including('apis.yaml'));
        symlinkSync(join(outside, name), join(checkout, 'apis.yaml'));
      },
    },
    {
      title: `a relative link to ${name} that a pattern matches`,
      write: ({ checkout }) => {
        write(join(checkout, 'apis/team.yaml'), 'apis: {}\n');
        write(join(checkout, 'edict.yaml'), including('apis/*.yaml'));
        symlinkSync(join('../../outside', name), join(checkout, 'apis/other.yaml'));
      },
    },
    {
      title: `a chain of links to ${name}`,
      write: ({ checkout, outside }) => {
        write(join(checkout, 'edict.yaml'), including('one.yaml'));
        symlinkSync('two.yaml', join(checkout, 'one.yaml'));
        symlinkSync('three/../three', join(checkout, 'two.yaml'));
        symlinkSync(join(outside, name), join(checkout, 'three'));
      },
    },
    {
      title: `the file itself as a link to ${name}`,
      write: ({ checkout, outside }) => symlinkSync(join(outside, name), join(checkout, 'edict.yaml')),
    },
  ]),
  {
    title: 'a pattern that leaves the folder',
    write: ({ checkout }) => write(join(checkout, 'edict.yaml'), including('../outside/*.yaml')),
  },
  {
    title: 'a pattern with an absolute path',
    write: ({ checkout }) => write(join(checkout, 'edict.yaml'), including('/proc/self/{environ,cmdline}', '/proc/*/environ')),
  },
  {
    title: 'a linked folder whose files a pattern matches',
    write: ({ checkout, outside }) => {
      write(join(checkout, 'edict.yaml'), including('apis/*.yaml'));
      symlinkSync(outside, join(checkout, 'apis'));
    },
  },
  {
    title: 'a linked folder below a pattern of any depth',
    write: ({ checkout }) => {
      write(join(checkout, 'apis/team.yaml'), 'apis: {}\n');
      write(join(checkout, 'edict.yaml'), including('apis/**/*.yaml'));
      symlinkSync('../../outside', join(checkout, 'apis/more'));
    },
  },
  { title: 'the variables of the process', write: ({ checkout }) => write(join(checkout, 'edict.yaml'), including('/proc/self/environ')) },
  {
    title: 'the variables of the process behind a link',
    write: ({ checkout }) => {
      write(join(checkout, 'edict.yaml'), including('apis.yaml'));
      symlinkSync('/proc/self/environ', join(checkout, 'apis.yaml'));
    },
  },
  {
    title: 'the file itself as the variables of the process',
    write: ({ checkout }) => symlinkSync('/proc/self/environ', join(checkout, 'edict.yaml')),
  },
  {
    title: 'the token that a job leaves in .git',
    write: ({ checkout }) => write(join(checkout, 'edict.yaml'), including('.git/config')),
  },
  {
    title: 'the token that a job leaves in .git, behind a link that looks like YAML',
    write: ({ checkout }) => {
      write(join(checkout, 'edict.yaml'), including('apis.yaml'));
      symlinkSync('.git/config', join(checkout, 'apis.yaml'));
    },
  },
  { title: 'the file itself as a link into .git', write: ({ checkout }) => symlinkSync('.git/config', join(checkout, 'edict.yaml')) },
  {
    title: 'a file of the job that is no YAML file',
    write: ({ checkout }) => write(join(checkout, 'edict.yaml'), including('.env', './.[e]nv')),
  },
  ...['/dev/zero', '/dev/stdin', '/dev/tty', '/proc/kmsg'].map(
    (device): Attack => ({
      title: `${device}, which may never end or never begin`,
      write: ({ checkout }) => {
        write(join(checkout, 'edict.yaml'), including('apis.yaml', device));
        symlinkSync(device, join(checkout, 'apis.yaml'));
      },
    }),
  ),
  {
    title: 'a pipe that nobody writes to',
    write: ({ checkout }) => {
      write(join(checkout, 'edict.yaml'), including('apis.yaml'));
      execFileSync('mkfifo', [join(checkout, 'apis.yaml')]);
    },
  },
  {
    title: 'a file of a terabyte',
    write: ({ checkout }) => {
      write(join(checkout, 'edict.yaml'), including('apis.yaml'));
      write(join(checkout, 'apis.yaml'), '');
      truncateSync(join(checkout, 'apis.yaml'), 2 ** 40);
    },
  },
  { title: 'a link to itself', write: ({ checkout }) => symlinkSync('edict.yaml', join(checkout, 'edict.yaml')) },
];

const commands: readonly (readonly [string, ...string[]])[] = [
  ...['text', 'json', 'github', 'sarif'].map((format) => ['validate', '--format', format] as const),
  ['plan', '--emulate', '--state', 'sqlite:data/state.db', '--format', 'markdown'],
  ['apply', '--emulate', '--state', 'sqlite:data/state.db', '--format', 'json'],
  ['import', '--update', '--state', 'sqlite:data/state.db'],
];

for (const { title, write: writeAttack } of attacks) {
  test(`author: ${title}`, async () => {
    const place = makePlace();
    writeAttack(place);
    for (const [command, ...options] of commands) {
      const startedAt = performance.now();
      const { code, stdout, stderr } = await edict([command, 'edict.yaml', ...options], place.checkout, { HW_AUTH_TOKEN: mark });
      assert.not.match(stdout + stderr, mark, command);
      for (const variable of ownVariables) assert.not.ok((stdout + stderr).includes(variable), `${command} shows ${variable}`);
      assert.is(code, 3, `${command}: ${stdout}${stderr}`);
      assert.ok(performance.now() - startedAt < 20_000);
    }
  });
}

test('author: whether a file exists outside cannot be told from the error of a link that leads there', async () => {
  const messages = new Set<string>();
  for (const target of ['there.yaml', 'missing.yaml', 'nodir/missing.yaml', 'there.yaml/below.yaml', 'folder']) {
    for (const include of ['apis.yaml', '*.yaml']) {
      const { checkout, outside } = makePlace();
      write(join(outside, 'there.yaml'), `${mark}: 1\n`);
      mkdirSync(join(outside, 'folder'));
      write(join(checkout, 'edict.yaml'), including(include));
      symlinkSync(join(outside, target), join(checkout, 'apis.yaml'));
      const { code, stdout, stderr } = await edict(['validate', 'edict.yaml', '--format', 'json'], checkout);
      assert.is(code, 3, stderr);
      if (target !== 'folder' || include !== '*.yaml')
        messages.add(`${include} ${JSON.parse(stdout).errors[0].message.replace(/^.*?apis\.yaml"?/, '')}`);
    }
  }
  assert.equal([...messages], ["apis.yaml  leads out of this file's folder", "*.yaml  leads out of this file's folder"]);
});

test('author: what a link outside leads to cannot be told from a pattern that looks into folders', async () => {
  const messages = new Set<string>();
  for (const target of ['there.yaml', 'missing', 'there.yaml/below', 'folder']) {
    const { checkout, outside } = makePlace();
    write(join(outside, 'there.yaml'), `${mark}: 1\n`);
    mkdirSync(join(outside, 'folder'));
    write(join(checkout, 'edict.yaml'), including('apis/**/*.yaml'));
    write(join(checkout, 'apis/valid.yaml'), 'apis: { b: { id: api-b, environments: { test: online } } }\n');
    symlinkSync(join(outside, target), join(checkout, 'apis/link'));
    const { code, stdout, stderr } = await edict(['validate', 'edict.yaml', '--format', 'json'], checkout);
    assert.is(code, 3, `${target} ${stdout} ${stderr}`);
    messages.add(JSON.parse(stdout).errors[0].message.replace(/^.*?apis\/link"?/, ''));
  }
  assert.equal([...messages], [" leads out of this file's folder"]);
});

test('the files of a checkout are read in one place', () => {
  const opensFiles = /\b(?:readFile|readFileSync|open|openSync|createReadStream)\b[^;]*from 'node:fs/;
  const texts = sourceFiles('src/source').map(({ path, text }) => ({ path, text }));
  const naming = (pattern: RegExp): readonly string[] => texts.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
  // The folder is opened, too, to see where it is.
  assert.equal(naming(opensFiles), ['src/source/source-folder.ts', 'src/source/text-file.ts']);
  assert.equal(naming(/\breadTextFile\b[^;]*from/), ['src/source/source-folder.ts']);
});

// Only Linux says where a file is that is open; elsewhere its identity is checked, which this many exchanges defeat.
const testOnLinux = process.platform === 'linux' ? test : test.skip;
testOnLinux('author: a file is exchanged for a link while it is read', async () => {
  const { checkout, outside } = makePlace();
  const [apis, honest, link] = ['apis', 'honest', 'link'].map((name) => join(checkout, name)) as [string, string, string];
  write(join(checkout, 'edict.yaml'), including('apis/valid.yaml'));
  write(join(honest, 'valid.yaml'), 'apis: { b: { id: api-b, environments: { test: online } } }\n');
  symlinkSync(outside, link);
  let isDone = false;
  const swap = async (): Promise<void> => {
    while (!isDone) {
      renameSync(honest, apis);
      await setImmediate();
      renameSync(apis, honest);
      renameSync(link, apis);
      await setImmediate();
      renameSync(apis, link);
    }
  };
  const swapping = swap();
  const seen: string[] = [];
  for (const endAt = performance.now() + 1500; performance.now() < endAt; ) {
    const source = new FileSource(join(checkout, 'edict.yaml'), { variables: {}, resolveNames: async () => new Map() });
    const loaded = await source.load().then(
      ({ publications }) => [...publications.values()].map(({ api }) => api).join(),
      (error: unknown) => JSON.stringify(error),
    );
    if (!seen.includes(loaded)) seen.push(loaded);
  }
  isDone = true;
  await swapping;
  assert.not.match(seen.join('\n'), mark);
});

/** Lines of other files, as one that is included by mistake has them. Messages and hints of `validate` quote them. */
const secretLines: readonly string[] = [
  `password=${mark}`,
  `url: postgres://u:${mark}@h: x`,
  `a: @${mark}`,
  `b: \`${mark}`,
  `c: %${mark}`,
  `d: *${mark}`,
  `e: '${mark}'e x`,
  `${mark} without colon`,
  `${mark}: 1`,
  `edict: ${mark}`,
];

test('author and viewer: the text of the file reaches neither the page nor the log nor a notification', async () => {
  const folder = scratchFolder();
  const notifications: string[] = [];
  const receiver = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => notifications.push(String(chunk))).on('end', () => response.end());
  }).listen(0, '127.0.0.1');
  await new Promise((listening) => receiver.once('listening', listening));
  const address = receiver.address();
  writeFileSync(join(folder, 'edict.yaml'), `${head}  b: { id: x, enviroments: {} } # ${mark}\nguards: { maxOffline: [${mark}] }\n`);
  const daemon = startEdict(
    ['run', 'edict.yaml', '--emulate', '--log-format', 'json', '--log-level', 'debug', '--listen', '127.0.0.1:0'],
    folder,
    {
      EDICT_WEBHOOK_URL: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`,
      EDICT_WEBHOOK_SECRET: `whsec_${Buffer.alloc(24).toString('base64')}`,
    },
  );
  try {
    await until('the error is known', () => daemon.events('file:invalid').length > 0, [daemon]);
    await until('it has been notified', () => notifications.length > 0, [daemon]);
    const page = String(daemon.events('daemon:started')[0]?.['url']);
    const status = await (await fetch(new URL('/api/v1/status', page))).text();
    assert.match(status, 'The key is not allowed here');
    assert.not.match(status, mark);
    for (const line of secretLines) {
      const known = daemon.events('file:invalid').length;
      writeFileSync(join(folder, 'edict.yaml'), `${head}${line}\n`);
      await until('the next error is known', () => daemon.events('file:invalid').length > known, [daemon]);
      assert.not.match(await (await fetch(new URL('/api/v1/status', page))).text(), mark, line);
    }
    const abort = new AbortController();
    const events = await fetch(new URL('/api/v1/events', page), { signal: abort.signal });
    const first = await events.body?.getReader().read();
    assert.not.match(Buffer.from(first?.value ?? '').toString(), mark);
    abort.abort();
  } finally {
    await terminate(daemon);
    receiver.close();
  }
  assert.not.match(daemon.output.stdout + daemon.output.stderr + notifications.join(''), mark);
  const files = readdirSync(join(folder, '.edict')).map((name) => readFileSync(join(folder, '.edict', name), 'latin1'));
  assert.not.match(files.join(''), mark);
  const shown = await edict(['validate', 'edict.yaml'], folder);
  assert.match(shown.stdout, mark, 'the author sees the line on the terminal');
});

/** Layouts of the operator, in which the same files must be read. */
const layouts: readonly (readonly [
  title: string,
  make: (folder: string) => { readonly path: string; readonly options?: readonly string[] },
])[] = [
  [
    'a ConfigMap, whose files are links',
    (folder) => {
      write(join(folder, '..2026_12_01/edict.yaml'), including('team-*.yaml'));
      write(join(folder, '..2026_12_01/team-a.yaml'), 'apis: {}\n');
      symlinkSync('..2026_12_01', join(folder, '..data'));
      for (const name of ['edict.yaml', 'team-a.yaml']) symlinkSync(`..data/${name}`, join(folder, name));
      return { path: 'edict.yaml' };
    },
  ],
  [
    'a second ConfigMap that is mounted below the first',
    (folder) => {
      write(join(folder, 'teams/..2026_12_01/a.yaml'), 'apis: {}\n');
      symlinkSync('..2026_12_01', join(folder, 'teams/..data'));
      symlinkSync('..data/a.yaml', join(folder, 'teams/a.yaml'));
      write(join(folder, '..2026_12_01/edict.yaml'), including('teams/*.yaml'));
      symlinkSync('..2026_12_01', join(folder, '..data'));
      symlinkSync('..data/edict.yaml', join(folder, 'edict.yaml'));
      return { path: 'edict.yaml' };
    },
  ],
  [
    'git-sync, whose checkout is a link',
    (folder) => {
      write(join(folder, '.worktrees/1f2e3d/config/edict.yaml'), including('apis/*.yaml'));
      write(join(folder, '.worktrees/1f2e3d/config/apis/a.yaml'), 'apis: {}\n');
      symlinkSync('.worktrees/1f2e3d', join(folder, 'current'));
      return { path: 'current/config/edict.yaml' };
    },
  ],
  [
    'another folder that the operator allows',
    (folder) => {
      write(join(folder, 'prod/edict.yaml'), including('../shared/*.yaml'));
      write(join(folder, 'shared/a.yaml'), 'apis: {}\n');
      return { path: 'prod/edict.yaml', options: ['--allow-include', 'shared'] };
    },
  ],
  [
    'a file that the operator links to, in a folder that the operator allows',
    (folder) => {
      write(join(folder, 'checkout/edict.yaml'), head);
      symlinkSync('checkout/edict.yaml', join(folder, 'edict.yaml'));
      mkdirSync(join(folder, 'etc'));
      symlinkSync('../checkout/edict.yaml', join(folder, 'etc/prod.yaml'));
      return { path: 'etc/prod.yaml', options: ['--allow-include', 'checkout'] };
    },
  ],
];

for (const [title, make] of layouts) {
  test(`operator: ${title}`, async () => {
    const folder = scratchFolder();
    const { path, options = [] } = make(folder);
    const { code, stdout, stderr } = await edict(['validate', path, ...options], folder);
    assert.is(code, 0, stdout + stderr);
    const applied = await edict(['apply', path, '--emulate', '--state', 'sqlite:data/state.db', ...options], folder);
    assert.is(applied.code, 0, applied.stdout + applied.stderr);
  });
}

test('operator: a file that leads elsewhere is an error with the option that allows it', async () => {
  const folder = scratchFolder();
  write(join(folder, 'real/edict.yaml'), head);
  mkdirSync(join(folder, 'etc'));
  symlinkSync('../real/edict.yaml', join(folder, 'etc/prod.yaml'));
  const { code, stderr } = await edict(['validate', 'etc/prod.yaml'], folder);
  assert.is(code, 3);
  const option = /--allow-include (\S+)/.exec(stderr)?.[1] ?? '';
  assert.is((await edict(['validate', 'etc/prod.yaml', '--allow-include', option], folder)).code, 0);
});

test('operator: a checkout that is swapped while it is read is read again', async () => {
  const folder = scratchFolder();
  for (const name of ['1', '2']) {
    write(join(folder, `.worktrees/${name}/edict.yaml`), including('apis/*.yaml'));
    write(join(folder, `.worktrees/${name}/apis/a.yaml`), `apis: { b: { id: api-${name}, environments: { test: online } } }\n`);
  }
  const point = (name: string): void => {
    rmSync(join(folder, 'next'), { force: true });
    symlinkSync(`.worktrees/${name}`, join(folder, 'next'));
    renameSync(join(folder, 'next'), join(folder, 'current'));
  };
  point('1');
  let isDone = false;
  const swapping = (async () => {
    for (let at = 0; !isDone; at += 1) {
      point(at % 2 === 0 ? '2' : '1');
      for (let turn = 0; turn < 40; turn += 1) await setImmediate();
    }
  })();
  for (const endAt = performance.now() + 1500; performance.now() < endAt; ) {
    const source = new FileSource(join(folder, 'current/edict.yaml'), { variables: {}, resolveNames: async () => new Map() });
    const error = await source.load().then(
      () => null,
      (thrown: unknown) => thrown as Error,
    );
    assert.ok(error === null || /faster than they can be read/.test(error.message), String(error));
  }
  isDone = true;
  await swapping;
});

test.run();
