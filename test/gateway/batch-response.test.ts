import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseBatchResponse } from '../../src/gateway/batch-response.ts';
import type { Change } from '../../src/model/change.ts';
import { publicationKey } from '../../src/model/publication.ts';
import { changeTo } from './answering-server.ts';

const changes = ['a', 'b', 'c'].map((apiId): Change => changeTo('online', { apiId, key: publicationKey(apiId, 'env-1') }));
const made = (apiId: string, more: object = {}) => ({
  ...{ api_id: apiId, env_id: 'env-1', version_id: `v-${apiId}`, publish_id: `p-${apiId}`, ...more },
});

/** Returns the kinds of the outcomes, with the codes of those that failed. */
function kinds(answer: Parameters<typeof parseBatchResponse>[1], of: readonly Change[] = changes): string[] {
  return parseBatchResponse(of, answer, ['s3cret']).map((outcome) =>
    'failure' in outcome ? `${outcome.kind} ${outcome.failure.code}` : outcome.kind,
  );
}

test('each change gets the result of its own API, in any order', () => {
  const failure = [{ api_id: 'b', error_code: 'APIG.3002', error_msg: 'API b does not exist' }];
  assert.equal(kinds({ success: [made('c'), made('a')], failure }), ['succeeded', 'rejected APIG.3002', 'succeeded']);
  const [first] = parseBatchResponse(changes, { success: [made('a')] }, []);
  assert.equal(first, { kind: 'succeeded', versionId: 'v-a', publishId: 'p-a' });
});

test('a change that is already in effect is a success, as for a single call', () => {
  const failure = [{ api_id: 'a', error_code: 'APIG.3015' }];
  assert.equal(kinds({ failure }, [changeTo('offline', { apiId: 'a' })]), ['succeeded']);
});

test('an API in neither list or in both, or in another environment, may have been published', () => {
  const answer = { success: [made('a'), made('b', { env_id: 'env-2' })], failure: [{ api_id: 'a', error_code: 'APIG.3002' }] };
  assert.equal(kinds(answer), Array(3).fill('unknown INVALID_RESPONSE'));
  assert.equal(kinds({}), Array(3).fill('unknown INVALID_RESPONSE'));
});

for (const [code, kind] of [
  ['APIG.4711', 'rejected'],
  ['APIG.3202', 'rejected'],
  ['WHATEVER', 'rejected'],
  ['APIG.3500', 'unknown'],
  ['APIG.9123', 'unknown'],
  ['APIC.9001', 'unknown'],
  ['APIG.9008', 'throttled'],
] as const) {
  test(`a change that fails within a batch with ${code} is ${kind}, with its own code and message`, () => {
    const failure = [{ api_id: 'a', error_code: code, error_msg: 'of this API alone' }];
    const [outcome] = parseBatchResponse(changes.slice(0, 1), { failure }, []);
    assert.ok(outcome && 'failure' in outcome);
    assert.equal([outcome.kind, outcome.failure.code, outcome.failure.message], [kind, code, 'of this API alone']);
  });
}

test('no secret appears in a message', () => {
  const [outcome] = parseBatchResponse(changes, { failure: [{ api_id: 'a', error_code: 'APIG.9999', error_msg: 'with s3cret' }] }, [
    's3cret',
  ]);
  assert.not.match(JSON.stringify(outcome), 's3cret');
});

test.run();
