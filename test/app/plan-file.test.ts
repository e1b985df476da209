import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readPlanFile, writePlanFile } from '../../src/app/plan-file.ts';
import type { EdictError } from '../../src/model/errors.ts';
import { savedFrom } from '../support/saved-plans.ts';
import { desiredState, recordedState, wanted } from '../support/states.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const saved = savedFrom(desiredState([wanted('orders', 'test')]), recordedState([]));
const other = savedFrom(desiredState([wanted('carts', 'test')]), recordedState([]));

/** Returns the error with which a promise rejects. */
async function thrown(promise: Promise<unknown>): Promise<EdictError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason as EdictError,
  );
  assert.ok(error, 'it failed');
  return error;
}

test('a saved plan can be read by its owner alone, and nothing is left beside it', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'release.plan');
  await writePlanFile(path, saved);
  assert.equal(await readPlanFile(path), saved);
  assert.is(statSync(path).mode & 0o777, 0o600);
  assert.equal(readdirSync(folder), ['release.plan']);
});

test('a saved plan is replaced, even if others could read it or it is truncated', async () => {
  const path = join(temporaryFolder(), 'release.plan');
  writeFileSync(path, '{"edictPlan":1,"dig', { mode: 0o644 });
  await writePlanFile(path, saved);
  await writePlanFile(path, other);
  assert.equal(await readPlanFile(path), other);
  assert.is(statSync(path).mode & 0o777, 0o600);
});

test('any other file is left as it is', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'edict.yaml');
  writeFileSync(path, 'edict: 1\nrefresh: never\n');
  const error = await thrown(writePlanFile(path, saved));
  assert.is(error.code, 'SAVED_PLAN_WRITE_FAILED');
  assert.match(error.message, 'exists and is not a saved plan');
  assert.is(readFileSync(path, 'utf8'), 'edict: 1\nrefresh: never\n');
  assert.equal(readdirSync(folder), ['edict.yaml']);
});

test('a missing folder is named, and nothing is created', async () => {
  const folder = temporaryFolder();
  const error = await thrown(writePlanFile(join(folder, 'nowhere', 'release.plan'), saved));
  assert.is(error.code, 'SAVED_PLAN_WRITE_FAILED');
  assert.match(error.message, `there is no folder ${join(folder, 'nowhere')}`);
  assert.equal(readdirSync(folder), []);
});

test('a symbolic link is replaced, not followed', async () => {
  const folder = temporaryFolder();
  const [path, linked] = [join(folder, 'release.plan'), join(folder, 'linked')];
  await writePlanFile(linked, other);
  symlinkSync(linked, path);
  await writePlanFile(path, saved);
  assert.equal(await readPlanFile(linked), other);
  assert.equal(await readPlanFile(path), saved);
});

test('a file that is missing, not regular or far too large is rejected before it is read', async () => {
  const folder = temporaryFolder();
  const [large, inside] = [join(folder, 'large'), join(folder, 'inside')];
  writeFileSync(large, '{"edictPlan":1');
  truncateSync(large, 300 * 1024 * 1024);
  mkdirSync(inside);
  for (const [path, code, message] of [
    [join(folder, 'nowhere'), 'SAVED_PLAN_NOT_FOUND', 'nowhere does not exist'],
    ['', 'SAVED_PLAN_NOT_FOUND', 'does not exist'],
    [inside, 'SAVED_PLAN_INVALID', 'is not a regular file'],
    ['/dev/zero', 'SAVED_PLAN_INVALID', 'is not a regular file'],
    [large, 'SAVED_PLAN_INVALID', 'is too large: 314572800 bytes'],
  ] as const) {
    const error = await thrown(readPlanFile(path));
    assert.is(error.code, code);
    assert.match(error.message, message);
  }
});

test('its content is validated, and errors name the given path', async () => {
  const path = join(temporaryFolder(), 'release.plan');
  writeFileSync(path, '{"edictPlan":9}');
  const error = await thrown(readPlanFile(path));
  assert.is(error.code, 'SAVED_PLAN_INVALID');
  assert.match(error.message, `the saved plan ${path} has format 9`);
});

test.run();
