import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createAppContext } from '../../src/app/context.ts';
import { readImportUpdate } from '../../src/app/edits/import.ts';
import { readPlan } from '../../src/app/reports.ts';
import { parseSettings } from '../../src/app/settings.ts';
import { startEmulator } from '../../src/emulator/emulator.ts';
import type { ObservedApi } from '../../src/model/observation.ts';
import { assignApiNames, assignEnvironmentNames, isValidId } from '../../src/source/export/identifiers.ts';
import { edict } from '../support/edict-command.ts';
import { scratchFolder, seedOf } from '../support/edict-process.ts';
import { fc, runs } from '../support/fast-check.ts';
import { listings } from '../support/gateway-listings.ts';
import { type Listed, listingServer } from '../support/listing-server.ts';

const env = { HW_AUTH_TOKEN: 'token' };

/** Applies a patch with Git in a folder. */
function gitApply(diff: string, folder: string): void {
  execFileSync('git', ['apply', '-'], { cwd: folder, input: diff, stdio: 'pipe', env: { PATH: process.env['PATH'] } });
}

interface Style {
  readonly isJson: boolean;
  /** Whether APIs, and the environments of an API, are written in braces. */
  readonly isFlowApi: boolean;
  readonly isFlowEnvironments: boolean;
  readonly indent: number;
  readonly lineEnd: string;
  readonly isEnded: boolean;
  readonly isSpaced: boolean;
  readonly hasComments: boolean;
  /** Which share of the publications is declared, and which APIs are in an included file. */
  readonly declared: readonly boolean[];
  readonly isIncluded: readonly boolean[];
}

const styles: fc.Arbitrary<Style> = fc.record({
  isJson: fc.constantFrom(false, false, false, false, true),
  isFlowApi: fc.boolean(),
  isFlowEnvironments: fc.boolean(),
  indent: fc.constantFrom(1, 2, 3, 4),
  lineEnd: fc.constantFrom('\n', '\n', '\r\n'),
  isEnded: fc.boolean(),
  isSpaced: fc.boolean(),
  hasComments: fc.boolean(),
  declared: fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
  isIncluded: fc.oneof(fc.constant([false]), fc.array(fc.boolean(), { minLength: 3, maxLength: 3 })),
});

/** Returns the texts of a file for a part of the gateway's APIs and environments: the main file, and the included one if there is one. */
function textsOf(url: string, { apis, environments }: Listed, style: Style): { readonly main: string; readonly included: string | null } {
  const { isJson, isFlowApi, isFlowEnvironments, indent, lineEnd, isEnded, isSpaced, hasComments } = style;
  const isDeclared = (index: number): boolean => style.declared[index % style.declared.length] === true;
  const published = new Set(apis.flatMap(({ publications }) => [...publications.keys()]));
  const named = assignEnvironmentNames(environments, published).named.filter((_, index) => index === 0 || isDeclared(index));
  const keyOf = new Map(named.map(({ id, key }) => [id, key]));
  const some = assignApiNames(apis).named.filter((_, index) => isDeclared(index + 3));
  const isInIncluded = (index: number): boolean => style.isIncluded[index % style.isIncluded.length] === true;
  const quoted = (text: string): string => JSON.stringify(text);
  const placesOf = ({ publications }: ObservedApi): string[] =>
    [...publications.keys()]
      .flatMap((id, index) => (isDeclared(index + 5) ? (keyOf.get(id) ?? []) : []))
      .map((key) => `${quoted(key)}: ${quoted('online')}`);
  const gateway = `{ "endpoint": ${quoted(url)}, "project": "project", "instance": "instance" }`;
  const places = named.map(({ key, id }) => `${quoted(key)}: ${quoted(id)}`);
  const pad = ' '.repeat(indent);
  const finish = (lines: readonly string[]): string => lines.join(lineEnd) + (isEnded ? lineEnd : '');
  if (isJson) {
    const entries = some.map(
      ({ key, api }) => `${pad}${pad}${quoted(key)}: { "id": ${quoted(api.apiId)}, "environments": { ${placesOf(api).join(', ')} } }`,
    );
    const list = entries.length === 0 ? ['{}'] : ['{', entries.join(`,${lineEnd}`), `${pad}}`];
    const top = [
      `${pad}"edict": 1,`,
      `${pad}"gateway": ${gateway},`,
      `${pad}"environments": { ${places.join(', ')} },`,
      `${pad}"apis": ${list.join(lineEnd)}`,
    ];
    return { main: finish(['{', ...top, '}']), included: null };
  }
  const comment = (spaces: string, text: string): string[] => (hasComments ? [`${spaces}# ${text}`] : []);
  const entryOf = ({ key, api }: (typeof some)[number]): string[] => {
    const [id, all] = [quoted(api.apiId), placesOf(api)];
    const isFlow = isFlowEnvironments || all.length === 0;
    if (isFlowApi) return [`${pad}${quoted(key)}: { id: ${id}, environments: { ${all.join(', ')} } }${hasComments ? ' # ours' : ''}`];
    const lines = isFlow
      ? [`${pad}${pad}environments: { ${all.join(', ')} }`]
      : [`${pad}${pad}environments:`, ...all.map((one) => `${pad}${pad}${pad}${one}`)];
    return [`${pad}${quoted(key)}:`, `${pad}${pad}id: ${id}`, ...lines, ...comment(pad + pad + pad, 'after its environments')];
  };
  const apisOf = (of: typeof some): string[] =>
    of.length === 0
      ? ['apis: {}']
      : [
          'apis:',
          ...of.flatMap((one, index) => [...(isSpaced && index > 0 ? [''] : []), ...comment(pad, 'before an API'), ...entryOf(one)]),
        ];
  const [own, others] = [some.filter((_, index) => !isInIncluded(index)), some.filter((_, index) => isInIncluded(index))];
  const hasIncluded = others.length > 0;
  const head = [
    'edict: 1',
    `gateway: ${gateway}`,
    'environments:',
    ...places.map((one) => `${pad}${one}`),
    ...comment(pad, 'more to come'),
  ];
  const list = own.length === 0 && hasIncluded ? [] : apisOf(own);
  const tail = [...list, ...comment('', 'the end')];
  return {
    main: finish([...head, ...(hasIncluded ? ['include: [apis/*.yaml]'] : []), ...tail]),
    included: hasIncluded ? finish(apisOf(others)) : null,
  };
}

test('after git apply of the patch nothing is missing and the plan has no changes, whatever the gateway and the file', async () => {
  let listed: Listed = { apis: [], environments: [] };
  const server = await listingServer(() => listed);
  let [added, skipped] = [0, 0];
  const property = fc.asyncProperty(listings, styles, async (listing, style) => {
    listed = listing;
    const folder = scratchFolder();
    const { main, included } = textsOf(server.url, listing, style);
    const names = ['edict.yaml', ...(included === null ? [] : ['apis/team.yaml'])];
    if (included !== null) {
      mkdirSync(join(folder, 'apis'));
      writeFileSync(join(folder, 'apis/team.yaml'), included);
    }
    writeFileSync(join(folder, 'edict.yaml'), main);
    process.chdir(folder);
    const context = createAppContext(parseSettings('edict.yaml', { refresh: true, state: 'sqlite:state.db' }), env);
    const texts = (): string[] => names.map((name) => readFileSync(join(folder, name), 'utf8'));
    const before = texts();
    const update = await readImportUpdate(context);
    assert.equal(update.manualEdits, []);
    assert.equal(texts(), before);
    if (update.diff === '') assert.equal(update.added, []);
    else gitApply(update.diff, folder);

    const again = await readImportUpdate(context);
    assert.equal([again.diff, again.added, again.skipped], ['', [], update.skipped]);
    const { plan, notices } = await readPlan(context);
    const online = listing.apis.flatMap(({ apiId, publications }) =>
      [...publications.keys()].filter((id) => isValidId(id) && isValidId(apiId)),
    );
    assert.equal([plan.changes, plan.unchanged, notices.length], [[], online.length, online.length]);
    assert.is(plan.unmanaged.length, update.skipped.length);
    for (const [index, text] of texts().entries()) {
      const old = before[index] ?? '';
      const comments = (of: string) => of.match(/# (?:ours|after its environments|before an API|more to come|the end)/g);
      assert.equal(comments(text), comments(old));
      assert.equal([text.endsWith('\n'), /[^\r]\n/.test(text)], [old.endsWith('\n'), /[^\r]\n/.test(old)]);
      if (style.isJson) JSON.parse(text);
    }
    added += update.added.length;
    skipped += update.skipped.length;
  });
  await fc.assert(property, { numRuns: runs(500) });
  await server.close();
  assert.ok(added > runs(500), `only ${added} publications were added, ${skipped} skipped`);
});

test('on the command line: unmanaged, patched, in sync', async () => {
  const publications = ['test', 'release'].flatMap((name) =>
    ['orders', 'carts'].map((api) => ({ api: `api-${api}`, environment: `env-${name}` })),
  );
  const emulator = await startEmulator({ seed: { ...seedOf('orders', 'carts'), publications } });
  try {
    const folder = scratchFolder();
    const gateway = `gateway: { endpoint: "${emulator.url}", project: project, instance: instance }`;
    writeFileSync(
      join(folder, 'edict.yaml'),
      `edict: 1\n${gateway}\nenvironments: { test: env-test }\napis:\n  orders: { id: api-orders, environments: { test: online } } # ours\n`,
    );
    assert.match((await edict(['plan'], folder)).stdout, /^In sync \(3 unmanaged\)\. 1 publication matches the file\.\n/);
    const sent = emulator.state.changes;
    const { code, stdout, stderr } = await edict(['import', '--update'], folder);
    assert.is(code, 0, stderr);
    assert.is(stderr, 'The patch adds 3 publications, with 1 new API and the new environment release. Apply it with git apply.\n');
    gitApply(stdout, folder);
    assert.is(
      readFileSync(join(folder, 'edict.yaml'), 'utf8'),
      `edict: 1
${gateway}
environments: { test: env-test, release: env-release }
apis:
  orders: { id: api-orders, environments: { test: online, release: online } } # ours
  carts: { id: api-carts, environments: { test: online, release: online } }
`,
    );
    assert.is((await edict(['validate'], folder)).code, 0);
    const planned = await edict(['plan', '--refresh', '--detailed-exitcode', '--format', 'json'], folder);
    const { summary, unmanaged } = JSON.parse(planned.stdout) as {
      summary: { unchanged: number; unmanaged: number };
      unmanaged: unknown[];
    };
    assert.equal([planned.code, summary.unchanged, summary.unmanaged, unmanaged], [0, 4, 0, []]);
    assert.match((await edict(['plan'], folder)).stdout, /^In sync\. 4 publications match the file\.\n/);
    assert.match((await edict(['apply'], folder)).stdout, /^In sync\. .* Nothing was sent\.\n/);
    const again = await edict(['import', '--update'], folder);
    assert.equal([again.code, again.stdout], [0, '']);
    assert.is(again.stderr, 'Nothing is missing: edict.yaml declares everything that is online at the gateway.\n');
    assert.is(emulator.state.changes, sent);
  } finally {
    await emulator.close();
  }
});

test.run();
