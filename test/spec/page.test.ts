import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { actions, answers, exampleRequest, headerParameters, pathParameters, remarkLength, requestFields, uri } from './page.ts';

type Json = { readonly [key: string]: unknown };

const file = join(import.meta.dirname, '../../spec/roma-connect.openapi.yaml');
const document = parse(readFileSync(file, 'utf8')) as Json;

/** Follows `keys` down from `value`, resolving every reference. */
function at(value: unknown, ...keys: readonly string[]): Json {
  const reference = (value as Json | undefined)?.['$ref'];
  if (typeof reference === 'string') return at(at(document, ...reference.slice(2).split('/')), ...keys);
  const [key, ...rest] = keys;
  if (key === undefined) return value as Json;
  return at((value as Json)[key], ...rest);
}

const [method = '', path = ''] = uri.split(' ');
const operation = at(document, 'paths', path, method.toLowerCase());
const parameters = (operation['parameters'] as unknown[]).map((parameter) => at(parameter));
const requestSchema = at(operation, 'requestBody', 'content', 'application/json', 'schema');
const answerAt = (status: number): Json => at(operation, 'responses', String(status));
const answerSchema = (status: number): Json => at(answerAt(status), 'content', 'application/json', 'schema');
const namesIn = (place: string): unknown[] => parameters.filter((parameter) => parameter['in'] === place).map(({ name }) => name);

/** Whether a description starts with that of the page. */
function saysAsThePage(description: unknown, page: string): boolean {
  return typeof description === 'string' && description.startsWith(page.replace(/\.$/, ''));
}

test(`has ${uri}`, () => {
  assert.ok(operation);
});

for (const [place, rows] of [
  ['path', pathParameters],
  ['header', headerParameters],
] as const) {
  test(`has the parameters of the page's ${place} and no others`, () => {
    assert.equal(
      namesIn(place),
      rows.map(({ name }) => name),
    );
  });

  for (const { name, mandatory, type, description } of rows) {
    test(`${place} parameter ${name}: mandatory ${mandatory}, type ${type}`, () => {
      const parameter = at(parameters.find((each) => each['name'] === name));
      assert.is(parameter['in'], place);
      assert.is(parameter['required'] === true, mandatory === 'Yes');
      assert.equal(parameter['schema'], { type: type.toLowerCase() });
      assert.ok(saysAsThePage(parameter['description'], description), String(parameter['description']));
    });
  }
}

test('has no parameter elsewhere, and takes JSON alone', () => {
  assert.is(parameters.length, pathParameters.length + headerParameters.length);
  assert.is(at(operation, 'requestBody')['required'], true);
  assert.equal(Object.keys(at(operation, 'requestBody', 'content')), ['application/json']);
});

test('the request has the fields of the page and no others', () => {
  assert.is(requestSchema['type'], 'object');
  assert.equal(
    Object.keys(at(requestSchema, 'properties')),
    requestFields.map(({ name }) => name),
  );
});

for (const { name, mandatory, type, description } of requestFields) {
  test(`request field ${name}: mandatory ${mandatory}, type ${type}`, () => {
    const { description: said, ...field } = at(requestSchema, 'properties', name);
    const more = { action: { enum: [...actions] }, remark: { maxLength: remarkLength } }[name];
    assert.equal(field, { type: type.toLowerCase(), ...more });
    assert.is((requestSchema['required'] as string[]).includes(name), mandatory === 'Yes');
    assert.ok(saysAsThePage(said, description), String(said));
  });
}

test('answers with the statuses of the page and no others', () => {
  assert.equal(
    Object.keys(at(operation, 'responses')),
    answers.map(({ status }) => String(status)),
  );
});

/** Additions of the specification to a table of the page, which it marks as such. */
const beyondThePage: Readonly<Record<number, readonly string[]>> = Object.fromEntries(
  answers.map(({ status }) => [status, status === 201 ? [] : ['request_id']]),
);

for (const { status, phrase, fields, example } of answers) {
  test(`${status} is ${phrase}`, () => {
    assert.is(answerAt(status)['description'], phrase);
    assert.equal(Object.keys(at(answerAt(status), 'content')), ['application/json']);
  });

  test(`${status} has the fields of the page and no others`, () => {
    const names = Object.keys(at(answerSchema(status), 'properties'));
    assert.equal(names, [...fields.map(({ name }) => name), ...(beyondThePage[status] ?? [])]);
    assert.is(answerSchema(status)['type'], 'object');
  });

  for (const { name, type, description } of fields) {
    test(`${status} field ${name}: type ${type}`, () => {
      const { description: said, ...field } = at(answerSchema(status), 'properties', name);
      assert.equal(field, { type: type.toLowerCase() });
      assert.ok(saysAsThePage(said, description), String(said));
    });
  }

  test(`${status} has the example of the page, word for word`, () => {
    assert.equal(examplesIn(at(answerAt(status))), [example]);
  });
}

test('the request has the example of the page, word for word', () => {
  assert.equal(examplesIn(at(operation, 'requestBody')), [exampleRequest]);
});

function examplesIn(place: Json): unknown[] {
  return Object.values(at(place, 'content', 'application/json', 'examples')).map((example) => at(example)['value']);
}

const ajv = new Ajv2020({ strict: false });
ajv.addSchema({ $id: 'specification', components: document['components'] });
const schemas = 'specification#/components/schemas';

test('the examples of the page keep the schemas', () => {
  assert.ok(ajv.validate(`${schemas}/PublicationRequest`, exampleRequest), ajv.errorsText());
  for (const { status, example } of answers) {
    assert.ok(ajv.validate(`${schemas}/${status === 201 ? 'PublicationResponse' : 'Error'}`, example), ajv.errorsText());
  }
});

const valid = { ...exampleRequest, remark: 'r' };

for (const { name, mandatory } of requestFields) {
  test(`the request ${mandatory === 'Yes' ? 'needs' : 'may leave out'} ${name}, and wants a text there`, () => {
    const accepts = (body: unknown): boolean => ajv.validate(`${schemas}/PublicationRequest`, body);
    assert.ok(accepts(valid));
    assert.is(accepts(Object.fromEntries(Object.entries(valid).filter(([key]) => key !== name))), mandatory === 'No');
    for (const wrong of [null, 1, true, [], {}]) assert.not(accepts({ ...valid, [name]: wrong }), JSON.stringify(wrong));
  });
}

test.run();
