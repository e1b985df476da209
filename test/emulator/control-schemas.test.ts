import { Ajv } from 'ajv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { faultSchema, latencySchema, schemaError, sinceSchema, throttleSchema } from '../../src/emulator/control-schemas.ts';

const ajv = new Ajv({ allowUnionTypes: true, strictRequired: false });
const forms = { fault: ajv.compile(faultSchema(['change', 'list'])), latency: latencySchema, throttle: throttleSchema, since: sinceSchema };
const answer = { status: 500, errorCode: 'c', errorMsg: 'm' };

/** Returns what is wrong with a value, or `null`. */
function errorIn(form: keyof typeof forms, value: unknown): string | null {
  const schema = forms[form];
  const valid = typeof schema === 'function' ? schema : ajv.compile(schema);
  return valid(value) ? null : schemaError((valid.errors ?? []) as Parameters<typeof schemaError>[0], 'body').message;
}

for (const [form, value] of [
  ['fault', { times: 1, ...answer }],
  ['fault', { kind: 'answer', share: 0.1, ...answer, headers: { 'retry-after': '1' }, operation: '*', applied: true, apiId: 'a' }],
  ['fault', { kind: 'cut', times: 3, operation: 'list' }],
  ['fault', { kind: 'half', share: 0 }],
  ['fault', { kind: 'invalid', share: 1 }],
  ['fault', { kind: 'hang', times: 1 }],
  ['latency', { ms: 0 }],
  ['latency', { minMs: 1, maxMs: 600_000 }],
  ['latency', null],
  ['throttle', { calls: 1, perMs: 1 }],
  ['throttle', { calls: 10, perMs: 1_000, retryAfter: true, quiet: false }],
  ['throttle', null],
  ['since', {}],
  ['since', { since: '12' }],
] as const) {
  test(`accepts the ${form} ${JSON.stringify(value)}`, () => {
    assert.is(errorIn(form, value), null);
  });
}

for (const [form, value, message] of [
  ['fault', null, 'body must be object'],
  ['fault', { kind: 'hang', share: 0.5, times: 1 }, 'body/times does not go with the rest'],
  ['fault', { kind: 'hang' }, "body must have required property 'times'"],
  ['fault', { kind: 'half', times: 1, headers: {} }, 'body/headers does not go with the rest'],
  ['fault', { kind: 'cut', times: 1, operation: 'read' }, 'body/operation must be one of change, list, *'],
  ['fault', { kind: 'cut', times: 1, tmies: 2 }, 'body must NOT have additional properties, such as tmies'],
  ['fault', { share: 1, status: 500, errorCode: 'c' }, "body must have required property 'errorMsg'"],
  ['latency', { ms: 600_001 }, 'body/ms must be <= 600000'],
  ['latency', { ms: 1, minMs: 1, maxMs: 2 }, 'body/ms does not go with the rest'],
  ['throttle', { calls: 1.5, perMs: 1 }, 'body/calls must be integer'],
  ['since', { since: '-1' }, 'body/since must match pattern "^\\d{1,12}$"'],
] as const) {
  test(`rejects the ${form} ${JSON.stringify(value)}: ${message}`, () => {
    assert.is(errorIn(form, value), message);
  });
}

test.run();
