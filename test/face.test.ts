import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { settingsFrom } from '../src/config.ts';
import { plan } from '../src/core/plan.ts';
import { openFace } from '../src/face.ts';
import { desiredState, recorded, recordedState, wanted } from './support/states.ts';

const test = suite('face');

const last = { id: 3, action: 'offline', revision: null, outcome: 'stalled', code: 'X', message: '', beganAtMs: 1 };

function open(environment: Readonly<Record<string, string>> = {}, onResync = () => {}) {
  return openFace(
    { host: '127.0.0.1', port: 0 },
    {
      settings: settingsFrom('shop.yaml', {}),
      environment,
      record: {
        history: async () => [],
        approvals: async () => [],
        lastAttempts: async () => new Map([[wanted('orders', 'test').key, last as never]]),
      },
      ...{ approve: async () => undefined, suspend: async () => undefined, resync: onResync, now: Date.now },
    },
  );
}

test('what happens in the engine is what it answers', async () => {
  const face = await open();
  const ask = async (path: string) => {
    const response = await fetch(face.url + path);
    return [response.status, await response.text()] as const;
  };
  assert.is((await ask('/readyz'))[0], 503);
  const desired = desiredState([wanted('orders', 'test', { state: 'offline' })], { protectedNames: [] });
  const was = recordedState([recorded('orders', 'test')]);
  face.emit({ type: 'file:accepted', desired });
  face.emit({ type: 'plan:made', passId: 'p', cause: 'start', plan: plan(desired, was), recorded: was });
  assert.is((await ask('/readyz'))[0], 200);
  assert.match((await ask('/metrics'))[1], 'edict_file_valid 1\n');
  const status = (await ask('/api/v1/status'))[1];
  assert.match(status, '"path":"shop.yaml"');
  assert.match(status, '"standing":"failed"', 'what an earlier process has tried is known');
  await face.close();
});

test('a token in the environment lets a request act, a name there is answered to', async () => {
  let resyncs = 0;
  const onResync = (): void => {
    resyncs += 1;
  };
  const resync = async (environment: Readonly<Record<string, string>>): Promise<number> => {
    const face = await open(environment, onResync);
    const { status } = await fetch(`${face.url}/api/v1/resync`, { method: 'POST', headers: { authorization: 'Bearer right' } });
    await face.close();
    return status;
  };
  assert.equal([await resync({}), await resync({ EDICT_TOKEN: '' }), await resync({ EDICT_TOKEN: 'other' }), resyncs], [403, 403, 401, 0]);
  assert.equal([await resync({ EDICT_TOKEN: 'right' }), resyncs], [202, 1]);
});

test.run();
