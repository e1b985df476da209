import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import * as assert from 'uvu/assert';

const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });

function compiled(path: string): ValidateFunction {
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  return ajv.compile(JSON.parse(text) as object);
}

const validators = {
  plan: compiled('spec/plan.schema.json'),
  apply: compiled('generated/edict-apply.schema.json'),
  notification: compiled('generated/edict-notification.schema.json'),
};

/** Returns whether a value matches the published schema. */
export function conforms(of: keyof typeof validators, value: unknown): boolean {
  return validators[of](value);
}

/** Throws an AssertionError if a value does not match the published schema. */
export function assertConforms(of: keyof typeof validators, value: unknown): void {
  const validate = validators[of];
  assert.ok(validate(value), `${JSON.stringify(validate.errors, null, 2)}\n${JSON.stringify(value, null, 2)}`);
}

/** Returns the document written by `plan --format json`. Throws an AssertionError if it does not match the schema. */
export function planDocument<T = Readonly<Record<string, unknown>>>(stdout: string): T {
  const value = JSON.parse(stdout) as T;
  assertConforms('plan', value);
  return value;
}

/** Returns the lines written by `apply --format json`. Throws an AssertionError if one does not match the schema. */
export function applyLines(stdout: string): Readonly<Record<string, unknown>>[] {
  assert.ok(stdout.endsWith('\n'), stdout);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  for (const line of lines) assertConforms('apply', line);
  return lines;
}
