/*
 * Every input costs bounded work.
 *
 * The author of a pull request writes the file, its includes and the folders around it; a gateway sends lists of any length. Each payload is
 * small or within the limit of size, and cost hours, gigabytes or the process. It must cost work in proportion to its size, be reported with at most a
 * hundred errors of bounded length, and never delay the control loop.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { resolveNames } from '../../src/controller/name-resolution.ts';
import type { Plan } from '../../src/model/change.ts';
import { EdictError, InvalidFileError } from '../../src/model/errors.ts';
import type { ObservedApi } from '../../src/model/observation.ts';
import { applyFreezes } from '../../src/plan/freeze.ts';
import { compileGlob } from '../../src/plan/glob.ts';
import { FileSource } from '../../src/source/file-source.ts';
import { mapLines } from '../../src/source/git/line-mapping.ts';
import { parseDesiredState } from '../../src/source/parser.ts';
import { WorkerParser } from '../../src/source/worker/worker-parser.ts';
import { parseYamlInSegments } from '../../src/source/yaml/segments.ts';
import { parseYaml } from '../../src/source/yaml/tree.ts';
import { answeringServer } from '../gateway/answering-server.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder } from '../support/edict-process.ts';
import { growth, linear } from '../support/growth.ts';
import { recordEmptyGatewayIn } from '../support/observed-gateway.ts';
import { change } from '../support/states.ts';

const test = suite('attacks with work');

const gateway = 'edict: 1\ngateway: { endpoint: "https://roma.example.invalid", project: p, instance: i }\n';
const environments = 'environments: { test: env-test }\n';
const head = `${gateway}${environments}`;
const apis = 'apis:\n  a: { id: api-a, environments: { test: online } }\n';

/** Joins `count` texts. */
const many = (count: number, text: (index: number) => string, separator = ''): string =>
  Array.from({ length: count }, (_, index) => text(index)).join(separator);

/** Returns the errors of a file; none if it is valid. */
function errorsOf(text: string): InvalidFileError['diagnostics'] {
  try {
    parseDesiredState({ text, file: 'edict.yaml', variables: {} });
    return [];
  } catch (error) {
    if (!(error instanceof InvalidFileError)) throw error;
    return error.diagnostics;
  }
}

// Actor: the author. Each of these files took memory, and most of them time, in proportion to the square of its size: an error for each character,
// each with the whole line.
const costly: Readonly<Record<string, (size: number) => string>> = {
  'unknown keys in one line': (size) => `${head}${apis}guards: { ${many(size, (index) => `k${index}: 1`, ', ')} }\n`,
  'a line of duplicate keys': (size) => `${head}${apis}x: { ${many(size, () => 'a: 1', ', ')} }\n`,
  'errors in every API': (size) => `${head}apis:\n${many(size, (index) => `  a${index}: { id: "", environments: { test: onlin } }\n`)}`,
  'invalid environments': (size) => `${gateway}environments:\n${many(size, (index) => `  e${index}: { id: "" }\n`)}${apis}`,
  'environments that are not declared': (size) =>
    `${gateway}environments:\n${many(size, (index) => `  e${index}: id${index}\n`)}apis:\n${many(size, (index) => `  a${index}: { id: a${index}, environments: { tets${index}: online } }\n`)}`,
  'a line of errors in the YAML': (size) => `${head}${apis}x: [${': '.repeat(size)}]\n`,
  'a text of wrong escapes': (size) => `${head}${apis}x: "${'\\x'.repeat(size)}"\n`,
  'keys that are lists': (size) => `${head}${apis}x: { ${many(size, () => '[a]: 1', ', ')} }\n`,
  'merge keys': (size) => `${head}${apis}x: &a { a: 1 }\ny: { ${many(size, () => '<<: *a', ', ')} }\n`,
  'duplicate anchors': (size) => `${head}${apis}x: [${many(size, () => '&a 1', ', ')}]\n`,
  'a list of aliases': (size) => `${head}${apis}x: &a [1]\ny: [${many(size, () => '*a', ', ')}]\n`,
  'aliases without an anchor': (size) => `${head}${apis}y: [${many(size, () => '*a', ', ')}]\n`,
  'openings of variables': (size) => `${head}apis:\n  a: { id: a, remark: "${'${'.repeat(size)}", environments: { test: online } }\n`,
  'variables in a text': (size) => `${head}apis:\n  a: { id: a, remark: "${`$\{}`.repeat(size)}", environments: { test: online } }\n`,
  'openings of placeholders in a probe URL': (size) =>
    `${head}${apis}rollout: [{ environment: test, probe: "https://x/${'{'.repeat(10 * size)}" }, test]\n`,
  'environments of a freeze': (size) =>
    `${head}${apis}freeze:\n  - { from: "2026-12-01T00:00", to: "2026-12-02T00:00", environments: [${many(size, (index) => `tes${index}`, ', ')}] }\n`,
  'steps of a rollout': (size) =>
    `${gateway}environments:\n${many(size, (index) => `  e${index}: id${index}\n`)}apis: {}\nrollout: [${many(size, (index) => `e${index}`, ', ')}]\n`,
  'a key of a list of numbers': (size) => `${head}${apis}"${'k'.repeat(1000 * size)}": [${many(size, () => '1', ',')}]\n`,
};
for (const [name, fileOf] of Object.entries(costly)) {
  test(`${name}: at most a hundred errors are reported, each in a few hundred characters`, () => {
    const errors = errorsOf(fileOf(1000));
    assert.ok(errors.length > 0 && errors.length <= 100, `${errors.length} errors`);
    for (const { message, hint, excerpt } of errors) {
      assert.ok(message.length <= 300 && (hint ?? '').length <= 500 && excerpt.text.length <= 200);
    }
  });
}

/** Those whose square of the size is felt in a test, and the size from which it is. */
const quadratic: Readonly<Record<string, number>> = {
  'errors in every API': 1250,
  'invalid environments': 2000,
  'environments that are not declared': 750,
  'openings of placeholders in a probe URL': 500,
  'environments of a freeze': 1500,
  'steps of a rollout': 1500,
  'a key of a list of numbers': 150,
};
for (const [name, size] of Object.entries(quadratic)) {
  test(`${name}: ten times as many cost ten times the work`, () => {
    assert.ok(growth((count) => errorsOf(costly[name]?.(count) ?? ''), size) < linear);
  });
}

// Actor: the author. 130,000 errors were more than one function call takes, and the process ended.
test('more errors than there are arguments of a function are reported as more than a hundred', () => {
  const text = `${head}apis:\n${many(20_000, (index) => `  a${index}: { id: "", environments: { test: onlin } }\n`)}`;
  try {
    parseDesiredState({ text, file: 'edict.yaml', variables: {} });
    assert.unreachable();
  } catch (error) {
    assert.instance(error, InvalidFileError);
    assert.is((error as InvalidFileError).message, 'edict.yaml has more than 100 errors');
  }
});

// Actor: the author. Long texts of equal length have the same hash, so that a map compares each with all others.
test('long entries of equal length that differ at their end: ten times as many cost ten times the work', () => {
  const padding = 'y'.repeat(17_000);
  const textOf = (size: number): string => many(size, (index) => `x${index}:\n  a: ${padding}${String(index).padStart(6, '0')}\n`);
  assert.ok(growth((size) => parseYamlInSegments(textOf(size), new Map()), 100) < linear);
});

test('long keys and anchors are errors', () => {
  const name = 'y'.repeat(17_000);
  assert.match(errorsOf(`${head}${apis}x: { "${name}": 1 }\n`)[0]?.message ?? '', 'the key has more than 1024 characters');
  assert.match(errorsOf(`${head}${apis}x: &${name} 1\n`)[0]?.message ?? '', 'the anchor has more than 1024 characters');
  assert.match(errorsOf(`${head}${apis}x:\n  ${name}:\n    a: 1\n`)[0]?.message ?? '', 'a key has at most 1024 characters');
});

// Actor: the author. One value that cannot be divided has as many parts as bytes, and each part may take a kilobyte.
test('a value with too many parts is an error before memory runs out', () => {
  const { problems } = parseYaml(`x: [${'1,'.repeat(50_000)}]\n`, 100_000);
  assert.equal(
    problems.map(({ message }) => message),
    ['the file has more than 100000 parts in one value'],
  );
});

// Actor: the author. A backtracking matcher tries every way to divide the name among the stars: 44 s for nine of them.
test('a pattern of many stars is matched in proportion to the length of the name', () => {
  const glob = compileGlob(`${'*a'.repeat(9)}b`, { isPath: true });
  const stepsFor = (length: number): number => {
    const before = glob.steps;
    assert.not(glob.matches('a'.repeat(length)));
    return glob.steps - before;
  };
  assert.ok(stepsFor(2550) < 11 * stepsFor(255));
});

interface Checkout {
  readonly folder: string;
  /** Returns the error of the file after it has included these. */
  including(...patterns: readonly string[]): Promise<Error>;
}

function makeCheckout(): Checkout {
  const folder = scratchFolder();
  return {
    folder,
    including: async (...patterns) => {
      const path = join(folder, 'edict.yaml');
      writeFileSync(path, `${head}${apis}include: ${JSON.stringify(patterns)}\n`);
      const loading = new FileSource(path, { variables: {}, resolveNames: () => Promise.reject(new Error('no names')) }).load();
      return loading.then(
        () => assert.unreachable() as never,
        (error: Error) => error,
      );
    },
  };
}

/** Returns the messages of all errors of a file. */
const messagesOf = (error: Error): string =>
  error instanceof InvalidFileError ? error.diagnostics.map(({ message }) => message).join('\n') : error.message;

// Actor: the author, with patterns and folders of the checkout.
test('an include with nine stars over long names is refused or answered at once', async () => {
  const { folder, including } = makeCheckout();
  writeFileSync(join(folder, `${'a'.repeat(240)}.yaml`), 'apis: {}\n');
  assert.match(messagesOf(await including(`${'*a'.repeat(9)}b.yaml`)), 'matches no file');
});

test('patterns that look at the same folders again and again are refused', async () => {
  const { folder, including } = makeCheckout();
  for (let index = 0; index < 30; index += 1) mkdirSync(join(folder, `d${index}`));
  writeFileSync(join(folder, 'a.yaml'), 'apis: {}\n');
  const patterns = Array.from({ length: 1000 }, (_, index) => `**/{a,n${index}}.yaml`);
  assert.match(messagesOf(await including(...patterns)), 'the patterns cover too many files and directories');
});

test('many costly patterns over many names are refused', async () => {
  const { folder, including } = makeCheckout();
  for (let index = 0; index < 200; index += 1) writeFileSync(join(folder, `${'a'.repeat(200)}${index}.yaml`), 'apis: {}\n');
  const patterns = Array.from({ length: 100 }, (_, index) => `{edict.yaml,a*,${'*a'.repeat(400)}b${index}}`);
  assert.match(messagesOf(await including(...patterns)), 'the patterns take too long to match');
});

test('included files that are too large only together are refused', async () => {
  const { folder, including } = makeCheckout();
  for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, `${name}.yaml`), `apis: {}\n#${'x'.repeat(12 * 1024 * 1024)}\n`);
  assert.match(messagesOf(await including('?.yaml')), 'all files together have more than 32 MB or 1,000,000 lines');
});

test('included files that have too many lines only together are refused', async () => {
  const { folder, including } = makeCheckout();
  for (const [name, lineEnd] of [
    ['a', '\n'],
    ['b', '\r\n'],
    ['c', '\r'],
  ]) {
    writeFileSync(join(folder, `${name}.yaml`), `apis: {}\n#${lineEnd?.repeat(340_000)}`);
  }
  assert.match(messagesOf(await including('?.yaml')), 'all files together have more than 32 MB or 1,000,000 lines');
});

test('a file with more than a million lines is refused', async () => {
  const path = join(scratchFolder(), 'edict.yaml');
  writeFileSync(path, `${head}${apis}${'\n'.repeat(1_000_001)}`);
  const source = new FileSource(path, { variables: {}, resolveNames: () => Promise.reject(new Error('no names')) });
  assert.match(await source.load().then(String, messagesOf), 'edict.yaml has more than 32 MB or 1,000,000 lines');
});

// Actor: the author, with times. The next 29 February is years away, and a window that begins every minute has half a million ends a year.
const freezes = (count: number, from: string, to: string): string =>
  `${head}${apis}freeze:\n${many(count, (index) => `  - { name: f${index}, from: "${from}", to: "${to}" }\n`)}`;

test('more than a hundred freezes are refused', () => {
  assert.match(errorsOf(freezes(101, '0 0 29 2 *', '0 1 29 2 *'))[0]?.message ?? '', '`freeze` has 101 entries; at most 100 are allowed');
});

test('a hundred freezes that never end are looked at only so far', () => {
  const startedAt = process.cpuUsage();
  assert.match(errorsOf(freezes(100, '* * * * *', '* * * * *'))[0]?.message ?? '', 'the freeze never ends');
  assert.ok(process.cpuUsage(startedAt).user < 15_000_000, 'it took 40 s');
});

test('the ends of a hundred freezes are searched for only so far, however many APIs are suspended', () => {
  const text = `${gateway}${environments}apis:\n${many(300, (index) => `  a${index}: { id: a${index}, environments: { test: online }, suspend: { reason: r, until: "2027-01-01T00:${String(index % 60).padStart(2, '0')}Z" } }\n`)}freeze:\n${many(100, (index) => `  - { from: "${index % 60} * * * *", to: "${(index + 1) % 60} * * * *" }\n`)}`;
  const desired = parseDesiredState({ text, file: 'edict.yaml', variables: {} });
  let questions = 0;
  const counted = desired.freezes.map((freeze) => ({
    ...freeze,
    endsAtMs: (atMs: number) => {
      questions += 1;
      return freeze.endsAtMs(atMs);
    },
  }));
  const changes = [...desired.publications.values()].map(({ key, apiId, environmentId }) =>
    change('a', 'test', { key, apiId, environmentId }),
  );
  applyFreezes({ changes } as unknown as Plan, { ...desired, freezes: counted }, Date.UTC(2026, 11, 1));
  assert.ok(questions > 0 && questions <= 2100, `${questions} questions`);
});

// Actor: the author, with a name that is repeated for every change.
test('a probe URL that repeats the name of an API hundreds of times is refused', () => {
  const [error] = errorsOf(`${head}${apis}rollout: [{ environment: test, probe: "https://x/${'{api}'.repeat(400)}" }, test]\n`);
  assert.match(error?.message ?? '', 'at most 5 are allowed');
});

// Actor: the author, with a variable of the operator that is repeated until no string is long enough.
test('a long text of variables is not replaced', () => {
  const reference = `$\{EDICT_VAR_A}`;
  const text = `${head}${apis}`.replace('project: p', `project: "${reference.repeat(200_000)}"`);
  try {
    parseDesiredState({ text, file: 'edict.yaml', variables: { EDICT_VAR_A: 'x'.repeat(100_000) } });
    assert.unreachable();
  } catch (error) {
    assert.instance(error, InvalidFileError);
  }
});

// Actors: the author and the gateway together. Each name in the file was compared with each API of the gateway.
test('names are looked up in proportion to the number of names and APIs', async () => {
  const group = { groupId: 'g', group: 'shop', editedAtMs: null, publications: new Map() };
  const cpuOf = async (size: number): Promise<number> => {
    const names = Array.from({ length: size }, (_, index) => ({ kind: 'api' as const, name: 'same', group: `g${index}` }));
    const listed = Array.from({ length: size }, (_, index): ObservedApi => ({ apiId: `id${index}`, name: 'same', ...group }));
    const before = process.cpuUsage();
    await resolveNames(names, {
      knownIds: new Map(),
      signal: new AbortController().signal,
      gateway: {
        listApis: async () => ({ kind: 'read', value: new Map(listed.map((api) => [api.apiId, api])) }),
        listEnvironments: () => Promise.reject(new Error('not asked')),
      },
    });
    return process.cpuUsage(before).user;
  };
  await cpuOf(1000);
  const ratios: number[] = [];
  for (let tries = 0; tries < 5; tries += 1) ratios.push((await cpuOf(10_000)) / Math.max(1000, await cpuOf(1000)));
  assert.ok(Math.min(...ratios) < linear, ratios.join(' '));
});

// Actor: the author, with a file and its last commit.
test('long lines of equal length that differ at their end are mapped in proportion to their number', () => {
  const padding = 'y'.repeat(17_000);
  const linesOf = (size: number, start: number): string => many(size, (index) => `${padding}${String(start + index).padStart(6, '0')}\n`);
  assert.ok(growth((size) => mapLines(linesOf(size, 0), linesOf(size, 1))(1), 60) < linear);
});

// Actor: the author, with a file that costs more than any limit foresees. In a daemon, it has a thread of its own.
const large = `${head}apis:\n${many(12_000, (index) => `  a${index}: { id: a${index}, environments: { test: online } }\n`)}`;
const { signal } = new AbortController();

test('in a daemon, a file that takes too long is given up, and the next one is parsed', async () => {
  await using workers = new WorkerParser({ deadlineMs: 50 });
  using parser = workers.open();
  const error = await parser.parse({ text: large, file: 'edict.yaml', variables: {} }, signal).catch((thrown: unknown) => thrown);
  assert.instance(error, EdictError);
  assert.equal(
    [(error as EdictError).code, (error as EdictError).message],
    ['FILE_UNREADABLE', 'edict.yaml cannot be checked: it takes longer than 0.05 s'],
  );
  await using patient = new WorkerParser();
  using next = patient.open();
  assert.is((await next.parse({ text: `${head}${apis}`, file: 'edict.yaml', variables: {} }, signal)).gateway.project, 'p');
});

test('in a daemon, a file that takes too much memory is given up, and the daemon goes on', async () => {
  await using workers = new WorkerParser({ maxMemoryMb: 20 });
  using parser = workers.open();
  const error = await parser.parse({ text: large, file: 'edict.yaml', variables: {} }, signal).catch((thrown: unknown) => thrown);
  assert.match((error as EdictError).message, 'edict.yaml cannot be checked: it takes more than 20 MB of memory');
  const parsed = await parser.parse({ text: `${head}${apis}`, file: 'edict.yaml', variables: {} }, signal);
  assert.is((await parsed.toDesiredState(new Map(), signal)).publications.size, 1);
});

test('in a daemon, the loop goes on while a large file is parsed, and receives it in parts', async () => {
  await using workers = new WorkerParser();
  using parser = workers.open();
  let turns = 0;
  const counting = setInterval(() => {
    turns += 1;
  }, 1);
  const parsed = await parser.parse({ text: large, file: 'edict.yaml', variables: {} }, signal);
  const whileParsed = turns;
  const desired = await parsed.toDesiredState(new Map(), signal);
  clearInterval(counting);
  assert.is(desired.publications.size, 12_000);
  assert.ok(whileParsed >= 10, `${whileParsed} turns of the loop while it was parsed`);
  assert.ok(turns - whileParsed >= 2, `${turns - whileParsed} turns while it was handed over`);
});

// Actor: the gateway. JSON can be read at any depth and written only to some thousand levels, so that a small answer ended the daemon.
for (const status of [200, 201, 400]) {
  test(`answers that are nested a hundred thousand times are invalid ones (${status})`, async () => {
    for (const [start, open, close] of [
      ['', '{"error_msg":', '}'],
      ['', '[', ']'],
      [' '.repeat(500), '{"apis":[', ']}'],
      ['{"error_msg":"\\"","x":', '[', ']'],
    ] as const) {
      const body = `${start}${open.repeat(100_000)}1${close.repeat(100_000)}`;
      const server = await answeringServer((response) => response.writeHead(status, { 'content-type': 'application/json' }).end(body));
      const folder = scratchFolder();
      await recordEmptyGatewayIn(folder, server.url);
      writeFileSync(join(folder, 'edict.yaml'), `${fileOf(server.url, { a: 'online' })}refresh: never\n`);
      const results = [await edict(['apply', 'edict.yaml', '--yes'], folder), await edict(['plan', 'edict.yaml', '--refresh'], folder)];
      await server.close();
      for (const { code, stdout, stderr } of results) {
        assert.ok(code === 1 || code === 5, `${code}`);
        assert.match(stdout + stderr, 'nested deeper than 100 levels');
      }
    }
  });
}

test.run();
