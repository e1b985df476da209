import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createAppContext } from '../../src/app/context.ts';
import { computeCurrentPlan, observationFailedError, withReadSession } from '../../src/app/read-session.ts';
import { parseSettings } from '../../src/app/settings.ts';
import { approvalDigest, approvalScope } from '../../src/plan/policies.ts';
import { openStore } from '../../src/store/open.ts';
import { writeApproval } from '../../src/store/requests.ts';
import { fileOf, scratchFolder } from '../support/edict-process.ts';

const test = suite('read session');

test('a plan uses the record: previous files and approvals', async () => {
  const folder = scratchFolder();
  const url = `sqlite:${join(folder, 'state.db')}`;
  const settings = parseSettings(join(folder, 'edict.yaml'), { state: url });
  writeFileSync(settings.file, fileOf('https://roma.example.com', { orders: 'online' }));
  const context = createAppContext(settings, {});
  await withReadSession(context, { resolvesNames: false }, async ({ desired }) => {
    const store = await openStore({ url, isEmulated: false });
    await store.acquire(desired.gateway, 0);
    await store.saveDeclared(desired.gateway, {
      sourceFiles: new Map([...desired.publications.keys()].map((key) => [key, ''])),
      digest: 'digest',
      approvalId: null,
    });
    await store.close();
  });
  writeFileSync(settings.file, fileOf('https://roma.example.com', {}));
  const plan = () =>
    withReadSession(context, { resolvesNames: false }, ({ desired, store }) =>
      computeCurrentPlan(context, { desired, recorded: new Map(), store }),
    );
  const held = await plan();
  assert.is(held.fileHeld?.rule, 'empty');
  const approval = {
    digest: approvalDigest(held) ?? '',
    by: 'ada',
    reason: 'CHG-7',
    approvedAtMs: Date.now(),
    expiresAtMs: Date.now() + 60_000,
  };
  await writeApproval({ url, isEmulated: false }, held.gateway, { ...approval, scope: approvalScope(held) });
  assert.is((await plan()).approval?.by, 'ada');
});

test('names that were never looked up get placeholder IDs, and nothing is sent', async () => {
  const folder = scratchFolder();
  const settings = parseSettings(join(folder, 'edict.yaml'), { state: `sqlite:${join(folder, 'state.db')}` });
  writeFileSync(settings.file, fileOf('https://127.0.0.1:1', { orders: 'online' }).replace('id: api-orders, ', ''));
  const [apiIds, madeUp] = await withReadSession(
    createAppContext(settings, {}),
    { resolvesNames: false },
    async ({ desired, placeholders }) => [[...desired.publications.values()].map(({ apiId }) => apiId), [...placeholders]],
  );
  assert.equal(apiIds, madeUp);
  rmSync(settings.file);
});

test('a gateway that cannot be observed is an error with a hint', () => {
  const { code, message, hint } = observationFailedError('no answer', 'try again');
  assert.equal([code, hint], ['OBSERVATION_FAILED', 'try again']);
  assert.match(message, 'no answer');
});

test.run();
