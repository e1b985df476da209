import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openScene, type Scene } from '../../support/danger.ts';

const test = suite('approve');
const digest = `sha256:${'0'.repeat(64)}`;

async function heldScene(): Promise<Scene & AsyncDisposable> {
  const scene = await openScene();
  scene.write(scene.file({ apis: { orders: 'test', carts: 'test' } }));
  await scene.edict('apply');
  scene.write(scene.file({ apis: { orders: '-test', carts: '-test' } }));
  return scene;
}

test('says what is approved, by whom, until when, and what happens next', async () => {
  await using scene = await heldScene();
  const { code, stdout } = await scene.approve();
  assert.is(code, 0);
  assert.match(stdout, /^Approved until \S+Z: 2 changes, by ada: CHG-7$/m);
  assert.match(stdout, /^ {2}- offline carts +test +the file says offline, the record online$/m);
  assert.match(stdout, 'A daemon goes on by itself; without one, run `edict apply`.');
});

test('as JSON it is one document', async () => {
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

test('warns where the approval would end before the calls do', async () => {
  await using scene = await heldScene();
  scene.write(scene.file({ apis: { orders: '-test', carts: '-test' } }).replace('{ calls: 1000, per: 1s }', '{ calls: 1, per: 1m }'));
  assert.match((await scene.approve('--expires', '30s')).stdout, '2 calls take about 1 min at the limit: longer than the approval holds.');
});

for (const [name, args, expected] of [
  ['a digest that is none', ['sha256:12', '--by', 'ada', '--reason', 'x'], /sha256:12 is not a digest/],
  ['nobody', [digest, '--by', '', '--reason', 'x'], /--by needs a text/],
  ['no reason', [digest, '--by', 'ada', '--reason', ' '], /--reason needs a text/],
  ['a time that is none', [digest, '--by', 'ada', '--reason', 'x', '--expires', 'soon'], /--expires soon is not a duration/],
  ['no time', [digest, '--by', 'ada', '--reason', 'x', '--expires', '0s'], /--expires 0s is out of range/],
  ['too long a time', [digest, '--by', 'ada', '--reason', 'x', '--expires', '169h'], /--expires 169h is out of range/],
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
