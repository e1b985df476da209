import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyOnce, applySavedPlan } from '../../src/app/apply.ts';
import { createAppContext } from '../../src/app/context.ts';
import { readPlan, readStatus, writeSavedPlan } from '../../src/app/reports.ts';
import { parseSettings } from '../../src/app/settings.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { StalePlanError } from '../../src/model/saved-plan-diff.ts';
import type { Settings } from '../../src/model/settings.ts';
import { changeFingerprint } from '../../src/plan/policies.ts';
import { edict } from '../support/edict-command.ts';
import { type Finished, fileOf, scratchFolder, secretToken, seedOf, startEdict, until } from '../support/edict-process.ts';
import { fc, runs } from '../support/fast-check.ts';
import { recordEmptyGatewayIn } from '../support/observed-gateway.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f'];
let emulator: Emulator;
let folder: string;
let plan: string;

test.before.each(async () => {
  emulator = await startEmulator({ seed: seedOf(...names) });
  folder = scratchFolder();
  await recordEmptyGatewayIn(folder, emulator.url);
  plan = join(scratchFolder(), 'release.plan');
});
test.after.each(() => emulator.close());

const write = (states: Readonly<Record<string, string>>, limit?: string): void =>
  writeFileSync(join(folder, 'edict.yaml'), `${fileOf(emulator.url, states, limit)}refresh: never\n`);
const all = (state: string): Record<string, string> => Object.fromEntries(names.map((name) => [name, state]));
const calls = (): string[] =>
  emulator.requests
    .all()
    .filter(({ operation }) => operation === 'changePublication')
    .map(({ api = '', action }) => `${api.replace('api-', '')} ${action}`);
const versions = () =>
  Object.fromEntries(emulator.state.publications().map(({ api, onlineCalls }) => [api.replace('api-', ''), onlineCalls]));

/** Fails unless a command ended with exit code 1, this code and this text, and sent nothing. */
async function refused(args: readonly string[], code: string, ...words: readonly RegExp[]): Promise<Finished> {
  const before = emulator.requests.all().length;
  const finished = await edict(args, folder);
  assert.is(finished.code, 1, finished.stdout + finished.stderr);
  for (const word of words) assert.match(finished.stderr, word);
  assert.not.match(finished.stderr, /\n\s+at /);
  const asJson = await edict([...args, '--format', 'json'], folder);
  assert.is(asJson.code, 1);
  assert.is((JSON.parse(asJson.stdout) as { error: { code: string } }).error.code, code);
  assert.is(emulator.requests.all().length, before);
  return finished;
}

test('a plan is applied in another working copy with the same record, and a second time sends nothing', async () => {
  write({ a: 'online', b: 'online' });
  await edict(['apply'], folder);
  write({ a: 'offline', b: 'online', c: 'online' });
  const saved = await edict(['plan', '--out', plan], folder);
  assert.is(saved.code, 0);
  assert.is(saved.stdout, (await edict(['plan'], folder)).stdout);
  assert.is(statSync(plan).mode & 0o777, 0o600);
  const elsewhere = scratchFolder();
  cpSync(folder, elsewhere, { recursive: true });
  const shown = await edict(['apply', '--plan', plan, '--dry-run'], elsewhere);
  assert.match(shown.stdout, '1 going online, 1 going offline, ');
  assert.is(calls().length, 2);
  const applied = await edict(['apply', '--plan', plan], elsewhere);
  assert.is(applied.code, 0, applied.stderr);
  assert.match(applied.stdout, /^Applied in .*: 1 online, 1 offline, 1 unchanged\.\n$/);
  assert.equal(calls().slice(2).toSorted(), ['a offline', 'c online']);
  const again = await edict(['apply', '--plan', plan], elsewhere);
  assert.equal([again.code, again.stdout], [0, 'Nothing was sent. 2 changes of the saved plan were made already.\n']);
  assert.is(calls().length, 4);
});

test('the changes of the run itself, one environment after another, do not make its plan stale', async () => {
  const file = `${fileOf(emulator.url, { a: 'online' })}refresh: never\n`;
  const inOrder = file.replace('apis:', 'rollout: [test, release]\napis:').replace('test: online', 'test: online, release: online');
  writeFileSync(join(folder, 'edict.yaml'), inOrder);
  assert.is((await edict(['plan', '--out', plan], folder)).code, 0);
  const applied = await edict(['apply', '--plan', plan], folder);
  assert.match(applied.stdout, /^Applied in .*: 2 online, 0 offline, 0 unchanged\.\n$/);
});

test('new changes are reported and not made', async () => {
  write({ a: 'online' });
  await edict(['plan', '--out', plan], folder);
  write({ a: 'online', b: 'online', c: 'online' });
  const { stdout, code } = await edict(['apply', '--plan', plan, '--format', 'json'], folder);
  const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
  assert.equal([code, summary['online'], summary['savedPlan']], [0, 1, { applied: 0, notInPlan: 2, superseded: [] }]);
  assert.equal(calls(), ['a online']);
  assert.is(
    (await edict(['apply', '--plan', plan, '--dry-run'], folder)).stdout,
    'Nothing to do.\n1 change of the saved plan was made already. 2 newer changes are not in the saved plan.\n',
  );
});

test('a plan is rejected as a whole when record or file changed under one of its changes, with the reason', async () => {
  write({ a: 'online', b: 'online', c: 'online' });
  await edict(['plan', '--out', plan], folder);
  write({ a: '{ state: online, remark: by hand }', d: 'online' });
  await edict(['apply'], folder);
  write({ a: 'online', b: '{ state: online, revision: r2 }', c: 'online' });
  for (const more of [[], ['--dry-run']]) {
    const { stderr } = await refused(
      ['apply', '--plan', plan, ...more],
      'SAVED_PLAN_STALE',
      /the saved plan is out of date: 2 of its 3 changes cannot be made as planned/,
      /\n {2}a in test: not recorded when planned, online now \(attempt \d at 20\d\d-[\d-]+T[\d:]+Z\)\n/,
      /\n {2}b in test: the file has revision r2 now, and had no revision when planned\n/,
    );
    assert.not.match(stderr, 'c in test');
  }
});

test('a file that is not a plan, or was modified, is rejected before anything is sent', async () => {
  rmSync(join(folder, '.edict'), { recursive: true });
  write({ a: 'online' });
  await edict(['plan', '--out', plan], folder);
  const written = readFileSync(plan, 'utf8');
  for (const [text, word] of [
    [written.replace('"api-a"', '"api-b"'), /was changed after it was saved/],
    [written.slice(0, -20), /is incomplete or damaged/],
    [written.replace('"edictPlan":1', '"edictPlan":2'), /has format 2/],
    [written.replace('{"edictPlan":1', '{"edictPlan":1,"force":true'), /unknown key "force"/],
    ['apis: {}\n', /is not JSON/],
  ] as const) {
    writeFileSync(plan, text);
    await refused(['apply', '--plan', plan], 'SAVED_PLAN_INVALID', word);
    await refused(['apply', '--plan', plan, '--dry-run'], 'SAVED_PLAN_INVALID', word);
  }
  await refused(['apply', '--plan', join(folder, 'nowhere')], 'SAVED_PLAN_NOT_FOUND', /nowhere does not exist/);
  await refused(['apply', '--plan', '.'], 'SAVED_PLAN_INVALID', /is not a regular file/);
  assert.not.ok(existsSync(join(folder, '.edict')));
});

test('a plan for another gateway is rejected, even if the file has names that need a lookup', async () => {
  write({ a: 'online' });
  await edict(['plan', '--out', plan], folder);
  const other = `${fileOf(emulator.url, { a: 'online' })}refresh: never\n`.replace('instance: instance', 'instance: other');
  for (const text of [other, other.replace('id: api-a, ', '')]) {
    writeFileSync(join(folder, 'edict.yaml'), text);
    await refused(
      ['apply', '--plan', plan],
      'SAVED_PLAN_GATEWAY_MISMATCH',
      /for another gateway: .*instance instance; the file's is .*instance other/,
    );
    await refused(['apply', '--plan', plan, '--dry-run'], 'SAVED_PLAN_GATEWAY_MISMATCH', /for another gateway/);
  }
  write({ a: 'online' });
  await refused(['apply', '--plan', plan, '--emulate'], 'SAVED_PLAN_GATEWAY_MISMATCH', /for another gateway: a real one/);
  await edict(['plan', '--emulate', '--out', plan], folder);
  await refused(['apply', '--plan', plan], 'SAVED_PLAN_GATEWAY_MISMATCH', /for another gateway: an emulated one/);
  const applied = await edict(['apply', '--emulate', '--plan', plan], folder);
  assert.is(applied.code, 0, applied.stderr);
  assert.equal(emulator.requests.all(), []);
});

test('a plan with a recomputed checksum still can do nothing that the file does not ask for', async () => {
  write({ a: 'online', b: 'online' });
  await edict(['apply'], folder);
  write({ a: 'online', b: 'online', c: 'online' });
  await edict(['plan', '--out', plan], folder);
  const forged = await import('../../src/app/plan-document.ts');
  const saved = forged.readPlanDocument(readFileSync(plan, 'utf8'), plan);
  const [change] = saved.changes.values();
  assert.ok(change);
  const down = {
    ...change,
    key: [...(await readStatus(createAppContext(settingsOf(), {}))).input.recorded.keys()][0] ?? change.key,
    api: 'a',
    apiId: 'api-a',
  };
  const basis = { ...change.precondition, state: 'online' } as const;
  for (const evil of [
    { ...down, action: 'offline', basis },
    { ...change, action: 'offline' },
    { ...change, remark: 'mine' },
  ] as const) {
    writeFileSync(plan, forged.writePlanDocument({ ...saved, changes: new Map([[evil.key, evil]]) }));
    await refused(['apply', '--plan', plan], 'SAVED_PLAN_STALE');
  }
});

function settingsOf(): Settings {
  const storeUrl = `sqlite:${join(folder, '.edict', 'state.db')}`;
  return parseSettings(join(folder, 'edict.yaml'), { state: storeUrl });
}

test('held changes are saved as held, and only an approval releases them', async () => {
  const text = `${fileOf(emulator.url, { a: 'online' })}refresh: never\n`.replace('test: online', 'release: online');
  writeFileSync(join(folder, 'edict.yaml'), text);
  await edict(['apply'], folder);
  writeFileSync(join(folder, 'edict.yaml'), text.replace('release: online', 'release: offline'));
  assert.is((await edict(['plan', '--out', plan, '--detailed-exitcode'], folder)).code, 4);
  writeFileSync(
    join(folder, 'edict.yaml'),
    text.replace('release: online', 'release: offline').replace('protected: true', 'protected: false'),
  );
  const held = await edict(['apply', '--plan', plan], folder);
  assert.is(held.code, 4);
  assert.match(held.stdout, /a in release is held: .*environment release is protected/);
  assert.equal(calls(), ['a online']);
  writeFileSync(join(folder, 'edict.yaml'), text.replace('release: online', 'release: offline'));
  const digest = /edict approve ([0-9a-f]{12}) /.exec(held.stdout)?.[1] ?? '';
  const approved = await edict(['approve', digest, '--by', 'ada', '--reason', 'retired'], folder);
  assert.is(approved.code, 0, approved.stderr + approved.stdout);
  const released = await edict(['apply', '--plan', plan], folder);
  assert.is(released.code, 0, released.stdout);
  assert.equal(calls(), ['a online', 'a offline']);
});

test('a targeted plan is applied as such', async () => {
  write(all('online'));
  await edict(['plan', '--api', '{a,b}', '--out', plan], folder);
  const applied = await edict(['apply', '--plan', plan], folder);
  assert.match(applied.stdout, '2 online, 0 offline, 0 unchanged. Only --api {a,b}: 4 changes left out.');
  assert.equal(calls().toSorted(), ['a online', 'b online']);
});

test('an apply that is killed halfway and run again makes the rest, and nothing twice', async () => {
  write(all('online'), '{ calls: 2, per: 700ms }');
  await edict(['plan', '--out', plan], folder);
  const running = startEdict(['apply', '--plan', plan, '--log-format', 'json'], folder);
  await until('a change is made and another in flight', () => calls().length >= 3);
  running.child.kill('SIGKILL');
  await running.finished;
  const again = await edict(['apply', '--plan', plan], folder);
  assert.is(again.code, 0, again.stdout + again.stderr);
  assert.match(again.stdout, /changes? of the saved plan (?:was|were) made already\./);
  assert.equal(versions(), { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 });
});

test('a call whose response was lost does not make the plan stale', async () => {
  write({ a: 'online', b: 'online' });
  await edict(['plan', '--out', plan], folder);
  emulator.faults.add({ kind: 'cut', times: 1, applied: true });
  const applied = await edict(['apply', '--plan', plan], folder);
  assert.is(applied.code, 0, applied.stdout + applied.stderr);
  assert.equal(versions(), { a: 1, b: 1 });
});

test('of two concurrent applies of one plan one is rejected, or finds everything done', async () => {
  write(all('online'), '{ calls: 4, per: 500ms }');
  await edict(['plan', '--out', plan], folder);
  const [one, two] = await Promise.all([
    edict(['apply', '--plan', plan, '--lock-timeout', '20s'], folder),
    edict(['apply', '--plan', plan, '--lock-timeout', '20s'], folder),
  ]);
  assert.equal([one.code, two.code], [0, 0], one.stderr + two.stderr);
  assert.ok([one, two].some(({ stdout }) => stdout.includes('6 online')));
  assert.ok([one, two].some(({ stdout }) => stdout === 'Nothing was sent. 6 changes of the saved plan were made already.\n'));
  assert.equal(versions(), { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 });
});

test('a plan made after an observation is compared after an observation, so a lost record does no harm', async () => {
  emulator.state.publish('api-a', 'env-test', 'by hand');
  write({ a: 'online', b: 'online' });
  const saved = await edict(['plan', '--refresh', '--out', plan], folder);
  assert.match(saved.stdout, /^1 going online, 1 unchanged\./);
  const elsewhere = scratchFolder();
  cpSync(join(folder, 'edict.yaml'), join(elsewhere, 'edict.yaml'));
  const applied = await edict(['apply', '--plan', plan], elsewhere);
  assert.is(applied.code, 0, applied.stderr);
  assert.equal(calls(), ['b online']);
  const lost = scratchFolder();
  cpSync(join(folder, 'edict.yaml'), join(lost, 'edict.yaml'));
  const before = calls().length;
  const stale = await edict(['apply', '--plan', plan], lost);
  assert.is(stale.code, 1);
  assert.match(stale.stderr, 'b in test: not recorded when planned, online now\n');
  assert.is(calls().length, before);
});

test('a saved plan holds no secret, and saving one needs no credentials', async () => {
  writeFileSync(
    join(folder, 'edict.yaml'),
    `${fileOf(emulator.url, { a: 'online' })}refresh: never\n`.replace('project: project', 'project: "$' + '{HW_PROJECT_ID}"'),
  );
  const secrets = {
    HW_AUTH_TOKEN: secretToken,
    HW_SECRET_KEY: 'secret-key-value',
    HW_USER_PASSWORD: 'password-value',
    HW_SECURITY_TOKEN: 'security-token-value',
  };
  const { code } = await edict(['plan', '--refresh', '--out', plan], folder, { ...secrets, HW_PROJECT_ID: 'project' });
  assert.is(code, 0);
  const text = readFileSync(plan, 'utf8');
  for (const secret of Object.values(secrets)) assert.not.ok(text.includes(secret), secret);
  assert.is((await edict(['plan', '--out', plan], folder, { HW_PROJECT_ID: 'project' })).code, 0);
});

test('a file that exists and is not a saved plan is not replaced', async () => {
  write({ a: 'online' });
  const before = readFileSync(join(folder, 'edict.yaml'), 'utf8');
  const { code, stderr } = await edict(['plan', '--out', 'edict.yaml'], folder);
  assert.is(code, 1);
  assert.match(stderr, 'edict.yaml exists and is not a saved plan');
  assert.is(readFileSync(join(folder, 'edict.yaml'), 'utf8'), before);
});

const someStates = fc.record(
  Object.fromEntries(names.map((name) => [name, fc.constantFrom('online', 'offline', '{ state: online, revision: r2 }')])),
);

test('an apply makes exactly the plan or nothing, whatever changes in between', async () => {
  rmSync(join(folder, '.edict'), { recursive: true });
  const outcomes = { made: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(
      someStates,
      someStates,
      someStates,
      fc.subarray(names),
      fc.subarray(names),
      async (first, second, third, inFile, inRecord) => {
        const state = scratchFolder();
        const settings = { ...settingsOf(), file: join(state, 'edict.yaml'), state: `sqlite:${join(state, 'state.db')}`, emulate: true };
        const context = createAppContext(settings, {});
        const put = (states: Readonly<Record<string, string>>): void => writeFileSync(settings.file, fileOf(emulator.url, states));
        const out = join(state, 'release.plan');
        put(first);
        await applyOnce(context);
        put(second);
        const { plan: planned } = await writeSavedPlan(context, out);
        put(third);
        if (inRecord.length > 0) {
          await applyOnce({ ...context, settings: { ...settings, targets: { apis: inRecord, environments: [] } } });
        }
        put(Object.fromEntries(names.map((name) => [name, (inFile.includes(name) ? third[name] : second[name]) ?? 'offline'])));
        const needed = (await readPlan(context)).plan.changes.map(changeFingerprint);
        const sent: string[] = [];
        using _subscription = context.events.subscribe((event) => {
          if (event.type === 'attempt:started') sent.push(changeFingerprint(event.change));
        });
        const applied = await applySavedPlan(context, out).catch((error: unknown) => error);
        if (applied instanceof StalePlanError) {
          outcomes.refused += 1;
          assert.equal(sent, []);
          assert.ok(inFile.length + inRecord.length > 0);
          return;
        }
        if (applied instanceof Error) throw applied;
        outcomes.made += 1;
        assert.equal(
          sent.toSorted(),
          planned.changes
            .map(changeFingerprint)
            .filter((work) => needed.includes(work))
            .toSorted(),
        );
        const recorded = (await readStatus(createAppContext(settings, {}))).input.recorded;
        for (const { key, action, revision } of planned.changes) {
          assert.is(recorded.get(key)?.state, action);
          if (revision !== null) assert.is(recorded.get(key)?.revision, revision);
        }
      },
    ),
    { numRuns: runs(60) },
  );
  assert.ok(outcomes.made > 5 && outcomes.refused > 5, JSON.stringify(outcomes));
});

test.run();
