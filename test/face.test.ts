import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openFace } from '../src/face.ts';
import { desiredState } from './support/states.ts';

const test = suite('face');

test('what happens in the engine is what it answers', async () => {
  const face = await openFace({ host: '127.0.0.1', port: 0 });
  const ask = async (path: string) => {
    const response = await fetch(face.url + path);
    return [response.status, await response.text()] as const;
  };
  assert.is((await ask('/readyz'))[0], 503);
  face.emit({ type: 'file:accepted', desired: desiredState([]) });
  assert.is((await ask('/readyz'))[0], 200);
  assert.match((await ask('/metrics'))[1], 'edict_file_valid 1\n');
  await face.close();
});

test.run();
