import type { FastifySchemaValidationError } from 'fastify/types/schema.js';
import { connectionFaults } from './faults.ts';

/*
 * JSON Schemas of the requests to `/_emulator`.
 */

function ifThenElse(condition: object, thenSchema: object, elseSchema: object): object {
  // biome-ignore lint/suspicious/noThenProperty: it is JSON Schema's keyword.
  return { if: condition, then: thenSchema, else: elseSchema };
}

const maxDelayMs = 600_000;

/** Returns the schema of a fault; `operationIds` are the known operations. */
export function faultSchema(operationIds: readonly string[]): object {
  const errorProperties = {
    status: { type: 'integer', minimum: 400, maximum: 599 },
    errorCode: { type: 'string' },
    errorMsg: { type: 'string' },
  };
  return {
    type: 'object',
    additionalProperties: false,
    properties: {
      kind: { enum: ['answer', ...connectionFaults] },
      times: { type: 'integer', minimum: 1 },
      share: { type: 'number', minimum: 0, maximum: 1 },
      operation: { enum: [...operationIds, '*'] },
      apiId: { type: 'string' },
      environmentId: { type: 'string' },
      applied: { type: 'boolean' },
      ...errorProperties,
      headers: {
        type: 'object',
        additionalProperties: false,
        // The characters that HTTP allows in a header's name and value.
        patternProperties: { "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$": { type: 'string', pattern: '^[\\t -~]*$' } },
      },
    },
    allOf: [
      ifThenElse({ required: ['share'] }, { properties: { times: false } }, { required: ['times'] }),
      ifThenElse(
        { properties: { kind: { const: 'answer' } } },
        { required: Object.keys(errorProperties) },
        { properties: { status: false, errorCode: false, errorMsg: false, headers: false } },
      ),
    ],
  };
}

const ms = { type: 'integer', minimum: 0, maximum: maxDelayMs };

/** The schema of a latency; `null` removes it. */
export const latencySchema = {
  type: ['object', 'null'],
  additionalProperties: false,
  properties: { ms, minMs: ms, maxMs: ms },
  ...ifThenElse(
    { required: ['minMs'] },
    { required: ['maxMs'], properties: { ms: false } },
    { required: ['ms'], properties: { maxMs: false } },
  ),
};

/** The schema of a throttle; `null` removes it. */
export const throttleSchema = {
  type: ['object', 'null'],
  required: ['calls', 'perMs'],
  additionalProperties: false,
  properties: {
    calls: { type: 'integer', minimum: 1, maximum: 100_000 },
    perMs: { type: 'integer', minimum: 1 },
    retryAfter: { type: 'boolean' },
    quiet: { type: 'boolean' },
  },
};

/** The schema of the behavior that the service's references leave open. */
export const behaviorSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { apiNameOnline: { type: 'boolean' }, refuseOverlaps: { type: 'boolean' } },
};

const nonEmptyString = { type: 'string', minLength: 1 };

/** The schema of a new API. */
export const apiSchema = {
  type: 'object',
  required: ['id', 'name'],
  additionalProperties: false,
  properties: { id: nonEmptyString, name: nonEmptyString, group: nonEmptyString, editedAt: { type: 'string', format: 'date-time' } },
};

/** The schema of an API update. */
export const apiUpdateSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    name: nonEmptyString,
    edited: { type: 'boolean' },
    editedAt: { type: 'string', format: 'date-time' },
    hidden: { enum: ['list', 'everywhere', null] },
  },
};

/** The schema of a new environment. */
export const environmentSchema = {
  type: 'object',
  required: ['id', 'name'],
  additionalProperties: false,
  properties: { id: nonEmptyString, name: nonEmptyString },
};

/** The schema of a manual change. */
export const manualChangeSchema = {
  type: 'object',
  required: ['api', 'environment', 'action'],
  additionalProperties: false,
  properties: { api: nonEmptyString, environment: nonEmptyString, action: { enum: ['online', 'offline'] } },
};

/** The query schema of the request log. */
export const sinceSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { since: { type: 'string', pattern: '^\\d{1,12}$' } },
};

/** Returns a readable error for a schema violation. `where` is the part of the request. */
export function schemaError([error]: FastifySchemaValidationError[], where: string): Error {
  const place = `${where}${error?.instancePath ?? ''}`;
  switch (error?.keyword) {
    case 'false schema':
      return new Error(`${place} does not go with the rest`);
    case 'enum':
      return new Error(`${place} must be one of ${(error.params['allowedValues'] as string[]).join(', ')}`);
    case 'additionalProperties': {
      const name = String(error.params['additionalProperty']);
      // A quote in the wrong place makes a password of a seed part of a key, so that only words are shown.
      const isShown = where !== 'seed' || /^[a-z_]{1,40}$/i.test(name);
      return new Error(`${place} must NOT have additional properties${isShown ? `, such as ${name}` : ''}`);
    }
    default:
      return new Error(`${place} ${error?.message}`);
  }
}
