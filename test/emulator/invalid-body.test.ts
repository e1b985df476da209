import type { ValidateFunction } from 'ajv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { changePublication_201, createToken_201, listVersions_200 } from '../../generated/roma-connect-answers.cjs';
import { firstHalf, invalidBody } from '../../src/emulator/delivery.ts';
import { seededRandom } from '../../src/emulator/random.ts';
import { loadOperations } from '../../src/emulator/specification.ts';

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

const change = { api_id: 'a', env_id: 'e', publish_id: 'p', publish_time: 't', version_id: 'v', remark: '' };

for (const [id, body, valid] of [
  ['changePublication', change, changePublication_201],
  ['listVersions', { size: 0, total: 0, api_versions: [] }, listVersions_200],
  ['createToken', { token: { expires_at: 't' } }, createToken_201],
] as const satisfies [string, object, ValidateFunction][]) {
  test(`no invalid body of ${id} is valid, and they violate the schema in several ways`, () => {
    assert.ok(valid(body));
    const required = loadOperations().find((operation) => operation.id === id)?.success.required ?? [];
    const random = seededRandom(1);
    const texts = Array.from({ length: 300 }, () => invalidBody(body, required, random));
    for (const text of texts) assert.ok(!isJson(text) || !valid(JSON.parse(text)), text);
    assert.ok(texts.some((text) => !isJson(text)) && texts.some(isJson));
    assert.ok(new Set(texts).size >= 6);
  });
}

test('half a text is its start', () => {
  assert.equal([firstHalf('abcd'), firstHalf('abc'), firstHalf('')], ['ab', 'a', '']);
});

test.run();
