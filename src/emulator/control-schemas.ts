import type { FastifySchemaValidationError } from 'fastify/types/schema.js';

/*
 * The forms of what `/_emulator` takes, as JSON Schema.
 */

function ifThenElse(condition: object, fits: object, otherwise: object): object {
  // biome-ignore lint/suspicious/noThenProperty: it is JSON Schema's keyword.
  return { if: condition, then: fits, else: otherwise };
}

const maxDelayMs = 600_000;

/** Returns the form of a fault; `operationIds` are the operations that there are. */
export function faultSchema(operationIds: readonly string[]): object {
  const ofAnswer = {
    status: { type: 'integer', minimum: 400, maximum: 599 },
    errorCode: { type: 'string' },
    errorMsg: { type: 'string' },
  };
  return {
    type: 'object',
    additionalProperties: false,
    properties: {
      kind: { enum: ['answer', 'cut', 'half', 'invalid', 'hang'] },
      times: { type: 'integer', minimum: 1 },
      share: { type: 'number', minimum: 0, maximum: 1 },
      operation: { enum: [...operationIds, '*'] },
      apiId: { type: 'string' },
      environmentId: { type: 'string' },
      applied: { type: 'boolean' },
      ...ofAnswer,
      headers: {
        type: 'object',
        additionalProperties: false,
        // What HTTP allows in a header's name and value.
        patternProperties: { "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$": { type: 'string', pattern: '^[\\t -~]*$' } },
      },
    },
    allOf: [
      ifThenElse({ required: ['share'] }, { properties: { times: false } }, { required: ['times'] }),
      ifThenElse(
        { properties: { kind: { const: 'answer' } } },
        { required: Object.keys(ofAnswer) },
        { properties: { status: false, errorCode: false, errorMsg: false, headers: false } },
      ),
    ],
  };
}

const ms = { type: 'integer', minimum: 0, maximum: maxDelayMs };

/** The form of a latency; `null` ends it. */
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

/** The form of a throttle; `null` ends it. */
export const throttleSchema = {
  type: ['object', 'null'],
  required: ['calls', 'perMs'],
  additionalProperties: false,
  properties: {
    calls: { type: 'integer', minimum: 1, maximum: 100_000 },
    perMs: { type: 'integer', minimum: 1, maximum: 24 * 3_600_000 },
    retryAfter: { type: 'boolean' },
    quiet: { type: 'boolean' },
  },
};

const nonEmptyString = { type: 'string', minLength: 1 };

/** The form of a new API. */
export const apiSchema = {
  type: 'object',
  required: ['id', 'name'],
  additionalProperties: false,
  properties: { id: nonEmptyString, name: nonEmptyString, group: nonEmptyString, editedAt: { type: 'string', format: 'date-time' } },
};

/** The form of what changes about an API. */
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

/** The form of a new environment. */
export const environmentSchema = {
  type: 'object',
  required: ['id', 'name'],
  additionalProperties: false,
  properties: { id: nonEmptyString, name: nonEmptyString },
};

/** The form of a change that is made by hand. */
export const manualChangeSchema = {
  type: 'object',
  required: ['api', 'environment', 'action'],
  additionalProperties: false,
  properties: { api: nonEmptyString, environment: nonEmptyString, action: { enum: ['online', 'offline'] } },
};

/** The form of what a reader of the request log asks for. */
export const sinceSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { since: { type: 'string', pattern: '^\\d{1,12}$' } },
};

/** Returns an error that says in words what is wrong with what was sent. `where` is the part of the request. */
export function schemaError([error]: FastifySchemaValidationError[], where: string): Error {
  const place = `${where}${error?.instancePath ?? ''}`;
  switch (error?.keyword) {
    case 'false schema':
      return new Error(`${place} does not go with the rest`);
    case 'enum':
      return new Error(`${place} must be one of ${(error.params['allowedValues'] as string[]).join(', ')}`);
    case 'additionalProperties':
      return new Error(`${place} must NOT have additional properties, such as ${error.params['additionalProperty']}`);
    default:
      return new Error(`${place} ${error?.message}`);
  }
}
