import type { ErrorObject, ValidateFunction } from 'ajv';
import { validateApi, validateFile, validateIncluded, validateName } from '../../../generated/edict-file-validator.cjs';
import type { DiagnosticRule } from '../../model/errors.ts';
import { FirstDiagnostics, type PathDiagnostic } from '../path-diagnostic.ts';
import type { KeyPath } from '../yaml/source-ranges.ts';
import { isMap } from '../yaml/value.ts';
import { closestMatch } from './spelling.ts';

/** The validator of each kind of file, by its name in the schema. */
const validators = { File: validateFile, Included: validateIncluded } as const;

/**
 * Validates the value of a file against spec/edict.schema.json; returns an empty list if it conforms. Diagnostics show the values of `written`,
 * the file before variables were replaced: the value of a variable must not be shown.
 */
export function checkSchema(value: unknown, kind: keyof typeof validators, written: unknown = value): readonly PathDiagnostic[] {
  const found = new FirstDiagnostics();
  const apis = isMap(value) && isMap(value['apis']) ? value['apis'] : null;
  validateAt([], { validate: validators[kind], value: apis ? { ...(value as object), apis: {} } : value, written, found });
  for (const name of Object.keys(apis ?? {})) {
    if (found.isFull) break;
    const path = ['apis', name];
    if (!validateName(name)) found.push(wrongName(path, validateName.errors?.[0]?.parentSchema?.['description'] ?? null));
    validateAt(path, { validate: validateApi, value: apis?.[name], written, found });
  }
  return found.list;
}

interface Validation {
  readonly validate: ValidateFunction;
  readonly value: unknown;
  readonly written: unknown;
  readonly found: FirstDiagnostics;
}

/** Adds the errors of the value at a path. */
function validateAt(base: KeyPath, { validate, value, written, found }: Validation): void {
  if (validate(value)) return;
  const errors = validate.errors ?? [];
  const unions = new Map(errors.filter((error) => error.keyword === 'anyOf').map((error) => [error.instancePath, error.data]));
  for (const error of errors) {
    if (found.isFull) return;
    if (isRelevant(error, unions)) found.push({ ...toDiagnostic(error, base, written), rule: toRule(error) });
  }
}

function wrongName(path: KeyPath, hint: string | null): PathDiagnostic {
  return { rule: 'invalid-value', path, target: 'key', message: `the name "${path.at(-1)}" is not allowed`, hint };
}

/**
 * Where the schema allows a string or a map, ajv reports errors for both forms. Only errors of the form that was written are
 * relevant.
 */
function isRelevant(error: ErrorObject, unions: ReadonlyMap<string, unknown>): boolean {
  if (error.keyword === 'anyOf' || error.keyword === 'propertyNames' || error.keyword === 'if') return false;
  if (!unions.has(error.instancePath)) return true;
  const ofMapForm = error.keyword === 'required' || error.keyword === 'additionalProperties';
  if (isMap(unions.get(error.instancePath))) return ofMapForm;
  return !ofMapForm && error.params['type'] !== 'object';
}

function toRule({ keyword }: ErrorObject): DiagnosticRule {
  if (keyword === 'additionalProperties') return 'unknown-key';
  return keyword === 'required' ? 'missing-key' : 'invalid-value';
}

function toDiagnostic(error: ErrorObject, base: KeyPath, written: unknown): PathDiagnostic {
  const path = [...base, ...parseJsonPointer(error.instancePath)];
  const { params, parentSchema } = error as { params: Record<string, unknown>; parentSchema: Schema };
  const data = valueAt(written, path);
  const key = path.at(-1);
  const name = key === undefined || /^\d+$/.test(key) ? formatPath(path) : key;
  const wrong = (message: string, hint: string | null = null): PathDiagnostic => ({ path, target: 'value', message, hint });
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(path, String(params['additionalProperty']), Object.keys(parentSchema.properties ?? {}));
    case 'required':
      return {
        path,
        target: 'key',
        message: `missing key \`${params['missingProperty']}\` in ${formatPath(path)}`,
        hint: descriptionOf(parentSchema, String(params['missingProperty'])),
      };
    case 'enum': {
      const allowed = params['allowedValues'] as readonly string[];
      const near = closestMatch(String(data), allowed);
      return wrong(
        `${formatValue(data)} is not allowed for ${formatPath(path)}; expected ${allowed.join(' or ')}`,
        near && `did you mean \`${near}\`?`,
      );
    }
    case 'const':
      return wrong(`${formatValue(data)} is not allowed for ${formatPath(path)}; expected ${params['allowedValue']}`);
    case 'type':
      return wrong(
        `${formatPath(path)} is ${describeType(data)}; expected ${typeNames[String(params['type'])] ?? params['type']}`,
        data === null ? 'set a value or remove the key' : null,
      );
    case 'pattern':
      if (error.propertyName !== undefined) {
        return wrongName([...path, error.propertyName], parentSchema.description ?? null);
      }
      return wrong(
        `${formatValue(data)} is not allowed for ${formatPath(path)}`,
        `expected: ${lowerFirst(parentSchema.description ?? String(params['pattern']))}`,
      );
    case 'maxLength':
      return wrong(`${name} has ${[...String(data)].length} characters; at most ${params['limit']} are allowed`);
    case 'minLength':
      return wrong(`${name} is empty`, 'set a value or remove the key');
    case 'minItems':
      return wrong(`${formatPath(path)} needs at least ${params['limit']} entries`);
    case 'maxItems':
      return wrong(`${formatPath(path)} has ${(data as readonly unknown[]).length} entries; at most ${params['limit']} are allowed`);
    case 'minProperties':
      return wrong(`${name} is empty; at least one entry is required`);
    case 'minimum':
    case 'maximum':
      return wrong(
        `${formatValue(data)} is not allowed for ${formatPath(path)}; expected a number ${params['comparison']} ${params['limit']}`,
      );
    default:
      return wrong(`${name} ${error.message}`);
  }
}

function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (at, step) => (Array.isArray(at) ? at[Number(step)] : isMap(at) && Object.hasOwn(at, step) ? at[step] : undefined),
    value,
  );
}

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
}

const typeNames: Readonly<Record<string, string>> = {
  object: 'a map (`key: value`)',
  string: 'a string',
  integer: 'an integer',
  boolean: 'true or false',
  array: 'a list',
};

function unknownKey(path: KeyPath, key: string, known: readonly string[]): PathDiagnostic {
  const near = closestMatch(key, known);
  const list = `allowed keys: ${known.join(', ')}`;
  return {
    path: [...path, key],
    target: 'key',
    message: `unknown key \`${key}\` in ${formatPath(path)}`,
    hint: near ? `did you mean \`${near}\`? (${list})` : list,
  };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function descriptionOf(schema: Schema, key: string): string | null {
  return schema.properties?.[key]?.description?.split('\n')[0] ?? null;
}

function parseJsonPointer(instancePath: string): KeyPath {
  return instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function formatPath(path: KeyPath): string {
  return path.length === 0 ? 'the file' : `\`${path.join('.')}\``;
}

function formatValue(value: unknown): string {
  if (typeof value !== 'string') return isMap(value) || Array.isArray(value) ? describeType(value) : `\`${String(value)}\``;
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
}

function describeType(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (isMap(value)) return 'a map';
  return typeof value === 'string' ? 'a string' : `the ${typeof value} ${String(value)}`;
}
