import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readApiDocument, requestSchemas } from '../../src/server/api-document.ts';

const schema = requestSchemas(readApiDocument());

test('a request is checked by what the description says of it', () => {
  const { querystring, body } = schema('GET', '/api/v1/history');
  assert.equal(Object.keys(querystring?.['properties'] as object), ['api', 'environment', 'limit']);
  assert.is(body, undefined);
  assert.equal(schema('POST', '/api/v1/approvals').body?.['required'], ['digest', 'by', 'reason']);
  assert.equal(schema('POST', '/api/v1/resync'), {});
});

test('what is not described is not there', () => {
  assert.throws(() => schema('DELETE', '/api/v1/history'), /the interface has no DELETE/);
});

test('the description stands by itself', () => {
  const text = readApiDocument();
  const { components } = JSON.parse(text) as { components: { schemas: Record<string, unknown> } };
  const named = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name ?? '');
  assert.ok(named.length > 50);
  assert.equal(
    named.filter((name) => !(name in components.schemas)),
    [],
  );
});

test.run();
