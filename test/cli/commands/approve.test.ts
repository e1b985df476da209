import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../../src/cli/program.ts';
import { openScene, type Scene } from '../../support/scenario.ts';
import { testContext } from '../../support/streams.ts';

const test = suite('approve');
const digest = `sha256:${'0'.repeat(64)}`;

async function heldScene(): Promise<Scene & AsyncDisposable> {
  const scene = await openScene();
  scene.write(scene.file({ apis: { orders: 'test', carts: 'test' } }));
  await scene.edict('apply');
  scene.write(scene.file({ apis: { orders: '-test', carts: '-test' } }));
  return scene;
}

test('the output names the approved changes, the approver, the expiry and the next step', async () => {
  await using scene = await heldScene();
  const { code, stdout } = await scene.approve();
  assert.is(code, 0);
  assert.match(stdout, /^Approved until \S+Z: 2 changes, by ada: CHG-7$/m);
  assert.match(stdout, /^ {2}- offline carts +test +desired offline, recorded online$/m);
  assert.match(stdout, /^A running daemon continues automatically\. Without one: edict apply .*$/m);
});

test('an approval of a part says who acts on it', async () => {
  await using scene = await heldScene();
  const planned = await scene.edict('plan', '--api', 'carts', '--format', 'json');
  const { approvalDigest: digest } = JSON.parse(planned.stdout) as { approvalDigest: string };
  const { code, stdout, stderr } = await scene.edict('approve', digest, '--api', 'carts', '--by', 'ada', '--reason', 'CHG-7');
  assert.is(code, 0, stderr);
  assert.match(
    stdout,
    /^To apply it: edict apply .*--api carts.* \(a running daemon waits until everything that it holds is approved together\)$/m,
  );
});

test('in JSON it is one document', async () => {
  await using scene = await heldScene();
  const { stdout } = await scene.approve('--format', 'json');
  const document = JSON.parse(stdout) as { by: string; approvedAt: string; expiresAt: string; changes: { api: string }[] };
  assert.is(document.by, 'ada');
  assert.is(Date.parse(document.expiresAt) - Date.parse(document.approvedAt), 3_600_000);
  assert.equal(
    document.changes.map(({ api }) => api),
    ['carts', 'orders'],
  );
});

test('warns if the approval would expire before the calls are made', async () => {
  await using scene = await heldScene();
  scene.write(scene.file({ apis: { orders: '-test', carts: '-test' } }).replace('{ calls: 1000, per: 100ms }', '{ calls: 1, per: 1m }'));
  assert.match(
    (await scene.approve('--expires', '30s')).stdout,
    '2 calls take about 1 min at the rate limit: longer than the approval is valid.',
  );
});

test('the command that the plan, the status and the log print can be pasted, and its short digest is enough', async () => {
  await using scene = await heldScene();
  const { context, stdout } = testContext({ HW_AUTH_TOKEN: 'token' });
  let log = '';
  const writeLog = (bytes: Buffer): number => {
    log += bytes.toString();
    return bytes.length;
  };
  await runCli(['apply', join(scene.folder, 'edict.yaml'), '--state', `sqlite:${join(scene.folder, 'state.db')}`, '--format', 'json'], {
    ...context,
    writeLog,
  });
  const printed = [(await scene.edict('plan')).stdout, (await scene.edict('status')).stdout, log].map(
    (text) => /edict (approve [0-9a-f]{12} .*--by NAME --reason TEXT)/.exec(text)?.[1],
  );
  assert.ok(printed[0]);
  assert.equal(printed, [printed[0], printed[0], printed[0]]);
  assert.is(await runCli(printed[0].split(' '), context), 0);
  assert.match(stdout(), /^Approved until \S+Z: 2 changes, by NAME: TEXT$/m);
});

test('a beginning of another digest is refused', async () => {
  await using scene = await heldScene();
  const { code, stderr } = await scene.edict('approve', '0'.repeat(12), '--by', 'ada', '--reason', 'x');
  assert.is(code, 1);
  assert.match(stderr, 'sha256:000000000000 does not match what is held now');
});

for (const [name, args, expected] of [
  ['an invalid digest', ['sha256:12', '--by', 'ada', '--reason', 'x'], /sha256:12 is not a digest/],
  ['an empty name', [digest, '--by', '', '--reason', 'x'], /--by needs a text/],
  ['an empty reason', [digest, '--by', 'ada', '--reason', ' '], /--reason needs a text/],
  ['an invalid duration', [digest, '--by', 'ada', '--reason', 'x', '--expires', 'soon'], /--expires soon is not a duration/],
  ['a zero duration', [digest, '--by', 'ada', '--reason', 'x', '--expires', '0s'], /--expires 0s is out of range/],
  ['a duration over 7 days', [digest, '--by', 'ada', '--reason', 'x', '--expires', '169h'], /--expires 169h is out of range/],
] as const) {
  test(`refuses ${name}`, async () => {
    await using scene = await openScene();
    scene.write(scene.file({ apis: { orders: 'test' } }));
    const { code, stderr } = await scene.edict('approve', ...args);
    assert.is(code, 1);
    assert.match(stderr, expected);
  });
}

test.run();
