import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readApiDocument, requestSchemas } from '../../src/server/api-document.ts';

const schema = requestSchemas(readApiDocument());

test('a request is validated against its description', () => {
  const { querystring, body } = schema('GET', '/api/v1/history');
  assert.equal(Object.keys(querystring?.['properties'] as object), ['api', 'environment', 'limit']);
  assert.is(body, undefined);
  assert.equal(schema('POST', '/api/v1/approvals').body?.['required'], ['digest', 'by', 'reason']);
  assert.equal(schema('POST', '/api/v1/resync'), {});
});

test('an endpoint that is not described does not exist', () => {
  assert.throws(() => schema('DELETE', '/api/v1/history'), /the interface has no DELETE/);
});

test('the description is self-contained', () => {
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
