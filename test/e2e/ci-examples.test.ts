import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { answeringServer, json } from '../gateway/answering-server.ts';
import { fileOf, inheritedEnv, scratchFolder, secretToken, seedOf } from '../support/edict-process.ts';
import { serveCommand } from '../support/served-command.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(join(root, 'examples/ci', name), 'utf8');

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}
interface Workflow {
  readonly permissions: object;
  readonly jobs: Readonly<
    Record<
      'validate' | 'comment' | 'plan' | 'apply',
      {
        readonly permissions: object;
        readonly needs?: string;
        readonly environment?: string;
        readonly env?: object;
        readonly steps: readonly Step[];
      }
    >
  >;
}
interface GitlabJob {
  readonly environment?: object;
  readonly variables?: object;
  readonly script: readonly string[];
  readonly needs?: readonly string[];
  readonly cache: { readonly paths: readonly string[]; readonly policy: string };
  readonly artifacts?: { readonly paths: readonly string[] };
}
type Pipeline = Readonly<Record<'validate' | 'comment' | 'plan' | 'apply', GitlabJob>> & { readonly default: { readonly image: string } };
type Job = 'validate' | 'comment' | 'plan' | 'apply';

const workflow = parse(read('github-actions.yaml')) as Workflow;
const pipeline = parse(read('gitlab-ci.yaml'), { merge: true }) as Pipeline;

/** The use of edict in a pipeline, independent of the CI system. */
interface Ci {
  readonly name: string;
  /** The scripts of a job that run edict, in order. */
  scripts(job: Job): readonly string[];
  /** The script that writes the comment. */
  readonly comment: string;
  /** The artifacts passed from plan to apply, and those kept from run to run. */
  readonly handed: string;
  readonly kept: string;
}

const runsEdict = (script: string): boolean => /^\s*(?:code=0; )?edict /m.test(script);
const writesComment = (script: string): boolean => script.includes('node --input-type=module');
const stepUsing = (job: Job, action: string): Step | undefined =>
  workflow.jobs[job].steps.find(({ uses }) => uses?.startsWith(`actions/${action}@`));

const cis: readonly Ci[] = [
  {
    name: 'github-actions.yaml',
    scripts: (job) => workflow.jobs[job].steps.flatMap(({ run }) => (run && runsEdict(run) ? [run] : [])),
    comment: workflow.jobs.comment.steps.find(({ run }) => run && writesComment(run))?.run ?? '',
    handed: String(stepUsing('plan', 'upload-artifact')?.with?.['path']),
    kept: String(stepUsing('apply', 'cache/save')?.with?.['path']),
  },
  {
    name: 'gitlab-ci.yaml',
    scripts: (job) => pipeline[job].script.filter(runsEdict),
    comment: pipeline.comment.script.find(writesComment) ?? '',
    handed: pipeline.plan.artifacts?.paths[0] ?? '',
    kept: pipeline.apply.cache.paths[0] ?? '',
  },
];

const served = await serveCommand();
test.after(async () => served[Symbol.asyncDispose]());

/** Runs a script like a CI runner. Resolves to its exit code and output. */
async function shell(script: string, cwd: string, env: Readonly<Record<string, string>>) {
  const path = `${served.folder}:${resolve(process.execPath, '..')}:${process.env['PATH']}`;
  const child = spawn('bash', ['-eo', 'pipefail', '-c', script], { cwd, env: { ...inheritedEnv, ...env, PATH: path } });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, text };
}

/** A runner for one job: a new folder with the file and the artifacts. */
function runner(file: string, ...handed: readonly (readonly [folder: string, name: string])[]): string {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict.yaml'), file);
  for (const [from, name] of handed) if (existsSync(join(from, name))) cpSync(join(from, name), join(folder, name), { recursive: true });
  return folder;
}

const changes = (emulator: Emulator): string[] =>
  emulator.requests
    .all()
    .filter(({ operation }) => operation === 'changePublication')
    .map(({ api, action }) => `${api} ${action}`)
    .toSorted();

for (const { name, scripts, handed, kept, comment } of cis) {
  const run = async (job: Job, folder: string): Promise<{ code: number | null; text: string }> => {
    assert.is(scripts(job).length, 1, `${name}: ${job} runs edict in one script`);
    const outputs = { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STEP_SUMMARY: join(folder, 'summary') };
    const done = await shell(scripts(job)[0] ?? '', folder, { ...outputs, HW_AUTH_TOKEN: secretToken });
    assert.not.match(done.text, secretToken);
    return done;
  };

  test(`${name}: a pull request only shows the plan, and a merge applies the plan of its first job`, async () => {
    const emulator = await startEmulator({ seed: seedOf('orders', 'carts', 'users') });
    const file = fileOf(emulator.url, { orders: 'online', carts: 'online', users: 'offline' });
    const [request, planning] = [runner(file), runner(file)];
    assert.is((await run('comment', request)).code, 0);
    assert.match(readFileSync(join(request, 'plan.md'), 'utf8'), '### edict: 2 going online, ');
    const planned = await run('plan', planning);
    assert.is(planned.code, 0, planned.text);
    assert.equal(changes(emulator), []);

    const applying = runner(file, [planning, handed]);
    const applied = await run('apply', applying);
    assert.is(applied.code, 0, applied.text);
    assert.match(applied.text, '2 online, 0 offline, 1 unchanged.');
    assert.equal(changes(emulator), ['api-carts online', 'api-orders online']);

    // The next merge finds the record that the last one kept.
    const later = fileOf(emulator.url, { orders: '{ state: online, revision: r2 }', carts: 'offline', users: 'offline' });
    const next = runner(later, [applying, kept]);
    assert.is((await run('plan', next)).code, 0);
    const last = runner(later, [applying, kept], [next, handed]);
    const finished = await run('apply', last);
    assert.is(finished.code, 0, finished.text);
    assert.match(finished.text, '1 online, 1 offline, 1 unchanged.');
    assert.is(changes(emulator).length, 4);
    await emulator.close();
  });

  test(`${name}: without a plan the comment says why`, async () => {
    const emulator = await startEmulator({ seed: seedOf('orders') });
    const file = fileOf(emulator.url, { orders: 'online' });
    const invalid = runner(file.replace('online', 'onlin'));
    await run('comment', invalid);
    const mark = '<!-- edict plan edict.yaml -->\n### edict: ';
    assert.match(readFileSync(join(invalid, 'plan.md'), 'utf8'), `${mark}no plan: edict.yaml has 1 error.\n`);
    await emulator.close();
    const unreachable = runner(file);
    await run('comment', unreachable);
    assert.match(readFileSync(join(unreachable, 'plan.md'), 'utf8'), `${mark}no plan: the gateway cannot be observed: CONNECTION`);
  });

  test(`${name}: a lost record costs no version, and a change between the two jobs is not overwritten`, async () => {
    const emulator = await startEmulator({ seed: seedOf('orders', 'carts') });
    emulator.state.publish('api-orders', 'env-test', 'by hand');
    const file = fileOf(emulator.url, { orders: 'online', carts: 'online' });
    const planning = runner(file);
    assert.is((await run('plan', planning)).code, 0);
    emulator.state.publish('api-carts', 'env-test', 'by hand');
    const stale = await run('apply', runner(file, [planning, handed]));
    assert.is(stale.code, 1);
    assert.match(stale.text, 'carts in test: not recorded when planned, online now');
    assert.equal(changes(emulator), []);
    await emulator.close();
  });

  test(`${name}: a pull request has one comment, which is updated`, async () => {
    const mine = { user: { type: 'Bot' }, author: { id: 7 } };
    const comments: Record<string, unknown>[] = [
      { id: 1, user: { type: 'User' }, author: { id: 8 }, body: '<!-- edict plan edict.yaml --> quoted' },
      ...Array.from({ length: 100 }, (_, index) => ({ ...mine, id: index + 2, body: 'of another kind' })),
    ];
    const server = await answeringServer((response, { path, method, body }) => {
      const url = new URL(path, 'http://forge');
      if (url.pathname.endsWith('/user')) return json(response, 200, { id: 7 });
      if (method === 'GET') {
        const page = Number(url.searchParams.get('page'));
        return json(response, 200, comments.slice((page - 1) * 100, page * 100));
      }
      const text = (JSON.parse(body) as { body: string }).body;
      const known = comments.find(({ id }) => url.pathname.endsWith(`/${id}`));
      if (method === 'POST') comments.push({ ...mine, id: comments.length + 1, body: text });
      else Object.assign(known ?? {}, { body: text });
      return json(response, 200, {});
    });
    const folder = scratchFolder();
    const env = {
      ...{ GITHUB_API_URL: server.url, GITHUB_REPOSITORY: 'acme/apis', GITHUB_TOKEN: secretToken, NUMBER: '12' },
      ...{ CI_API_V4_URL: server.url, CI_PROJECT_ID: '3', CI_MERGE_REQUEST_IID: '12', EDICT_NOTE_TOKEN: secretToken },
    };
    const mark = '<!-- edict plan edict.yaml -->';
    for (const plan of [`${mark}\n### first`, `${mark}\n### second`]) {
      writeFileSync(join(folder, 'plan.md'), plan);
      const { code, text } = await shell(comment, folder, env);
      assert.is(code, 0, text);
      assert.not.match(text, secretToken);
      assert.is(comments.length, 102);
      assert.is(comments.at(-1)?.['body'], plan);
    }
    await server.close();
  });
}

test('the workflow pins actions by commit, requests no more permissions than it needs, and puts no secret into a script', () => {
  assert.equal(workflow.permissions, {});
  assert.equal(
    Object.values(workflow.jobs).map(({ permissions }) => permissions),
    [{ contents: 'read' }, { contents: 'read', 'pull-requests': 'write' }, { contents: 'read' }, { contents: 'read' }],
  );
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
  for (const { uses, run } of steps) {
    if (uses) assert.match(uses, /^actions\/[a-z/-]+@[0-9a-f]{40}$/);
    if (run) assert.not.match(run, /\$\{\{/);
  }
  assert.is(workflow.jobs.apply.needs, 'plan');
  const [up, down] = [stepUsing('plan', 'upload-artifact'), stepUsing('apply', 'download-artifact')];
  assert.is(up?.with?.['name'], down?.with?.['name']);
});

test('no step that validates has credentials, since the author of the file is not trusted', () => {
  const validating = (script: string): boolean => /\bedict validate\b/.test(script);
  for (const [name, job] of Object.entries(workflow.jobs)) {
    for (const { run, env } of job.steps) {
      if (!run || !validating(run)) continue;
      assert.equal([name, job.environment, job.env, env], ['validate', undefined, undefined, undefined]);
    }
  }
  assert.not.match(JSON.stringify(workflow.jobs.validate), /secrets\.|github\.token/);
  for (const name of ['validate', 'comment', 'plan', 'apply'] as const) {
    const { script, environment, variables } = pipeline[name];
    if (!script.some(validating)) continue;
    assert.equal([name, environment, variables], ['validate', undefined, undefined]);
  }
});

for (const { name, scripts } of cis) {
  test(`${name}: a pull request of a fork, which has no variables, is validated`, async () => {
    assert.is(scripts('validate').length, 1);
    const file = fileOf('https://roma.example.com', { orders: 'online' }).replace('project: project', () =>
      'project: "$'.concat('{HW_PROJECT_ID}"'),
    );
    assert.match(file, 'HW_PROJECT_ID');
    const valid = await shell(scripts('validate')[0] ?? '', runner(file), {});
    assert.is(valid.code, 0, valid.text);
    assert.is((await shell(scripts('validate')[0] ?? '', runner(file.replace('online', 'on')), {})).code, 3);
  });
}

test('the image of the pipeline is named by digest', () => {
  assert.match(pipeline.default.image, /^node:24\.\d+\.\d+-bookworm@sha256:[0-9a-f]{64}$/);
});

test('the pipeline passes the plan from one job to the next, and only apply changes the record', () => {
  assert.equal(pipeline.apply.needs, ['plan']);
  assert.equal(
    [pipeline.comment, pipeline.plan, pipeline.apply].map(({ cache }) => [cache.paths, cache.policy]),
    [
      [['.edict/'], 'pull'],
      [['.edict/'], 'pull'],
      [['.edict/'], 'pull-push'],
    ],
  );
});

test.run();
