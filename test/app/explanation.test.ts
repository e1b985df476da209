import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createAppContext } from '../../src/app/context.ts';
import { readExplanation } from '../../src/app/explanation.ts';
import { parseSettings } from '../../src/app/settings.ts';
import { EdictError } from '../../src/model/errors.ts';
import { fileOf, scratchFolder } from '../support/edict-process.ts';
import { openScene } from '../support/scenario.ts';

const test = suite('explanation');

test('one publication has its own plan beside the whole one', async () => {
  await using scene = await openScene();
  scene.write(scene.file({ apis: { orders: 'test', carts: 'test', stock: 'test' } }));
  await scene.edict('apply');
  scene.write(scene.file({ apis: { orders: '-test', carts: '-test', stock: 'test' } }));
  const settings = parseSettings(join(scene.folder, 'edict.yaml'), { state: `sqlite:${join(scene.folder, 'state.db')}` });
  const { plan, wholePlan, attempts, recorded, declaration } = await readExplanation(
    createAppContext(settings, {}),
    { api: 'orders', environment: 'test' },
    5,
  );
  assert.equal(
    plan.changes.map(({ api, held }) => [api, held?.rule]),
    [['orders', 'maxOffline']],
  );
  assert.is(wholePlan.changes.length, 2);
  assert.equal([attempts.length, recorded?.state, declaration?.publication.state], [1, 'online', 'offline']);
});

test('a publication in neither the file nor the record is unknown', async () => {
  const file = join(scratchFolder(), 'edict.yaml');
  writeFileSync(file, fileOf('https://roma.example.com', { orders: 'online' }));
  try {
    await readExplanation(createAppContext(parseSettings(file, { emulate: true }), {}), { api: 'oders', environment: 'test' }, 5);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, EdictError);
    assert.is((error as EdictError).code, 'PUBLICATION_NOT_FOUND');
  }
});

test.run();
