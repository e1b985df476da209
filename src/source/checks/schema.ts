import type { ErrorObject } from 'ajv';
import { validateFile, validateIncluded } from '../../../generated/edict-file-validator.cjs';
import type { PathDiagnostic } from '../path-diagnostic.ts';
import type { KeyPath } from '../yaml/source-ranges.ts';
import { isMap } from '../yaml/value.ts';
import { describeInvalidName, describeKeySlip, describeMissingKey, describeUnknownKey } from './keys.ts';
import { type FileKind, schemaAt } from './levels.ts';
import { checkStructure } from './structure.ts';
import { describeWrongValue } from './values.ts';

/** The validator of each kind of file, by its name in the schema. */
const validators = { File: validateFile, Included: validateIncluded } as const;

/** A file as it is written. */
export interface WrittenFile {
  /** The value before variables were replaced: the value of a variable must not be shown. */
  readonly value: unknown;
  /** Returns the text of a value, to the end of its last line. */
  readonly textAt: (path: KeyPath) => string;
}

/**
 * Validates the value of a file against spec/edict.schema.json; returns an empty list if it conforms. Each mistake is one diagnostic: what only
 * follows from another error is left out.
 */
export function checkSchema(value: unknown, kind: FileKind, written: WrittenFile = { value, textAt: () => '' }): PathDiagnostic[] {
  const structure = checkStructure(value, kind);
  const validate = validators[kind];
  if (structure.diagnostics.length === 0 && validate(value)) return [];
  validate(value);
  const errors = (validate.errors ?? []).filter(({ instancePath, params }) => {
    const path = parseJsonPointer(instancePath);
    const key = (params as Record<string, unknown>)['additionalProperty'];
    return !structure.covers(path) && !(typeof key === 'string' && structure.covers([...path, key]));
  });
  return [...structure.diagnostics, ...new SchemaErrors(kind, written).describe(errors)];
}

class SchemaErrors {
  readonly #kind: FileKind;
  readonly #written: WrittenFile;

  constructor(kind: FileKind, written: WrittenFile) {
    this.#kind = kind;
    this.#written = written;
  }

  describe(errors: readonly ErrorObject[]): PathDiagnostic[] {
    const unions = new Map(
      errors.filter(({ keyword }) => keyword === 'anyOf').map(({ instancePath, data }) => [instancePath, data as unknown]),
    );
    const relevant = errors.filter((error) => isRelevant(error, unions));
    const diagnostics: PathDiagnostic[] = [];
    /** The keys that misspelt ones were probably meant for, by the path of their map. */
    const meant = new Set<string>();
    for (const error of relevant.filter(({ keyword }) => keyword === 'additionalProperties')) {
      const path = parseJsonPointer(error.instancePath);
      const key = String((error.params as Record<string, unknown>)['additionalProperty']);
      const unknown = describeUnknownKey({ kind: this.#kind, path, key, value: this.#valueAt([...path, key]) });
      if (unknown.meant !== null) meant.add(`${error.instancePath}/${unknown.meant}`);
      diagnostics.push({ ...unknown.diagnostic, cause: `unknown key ${this.#levelOf(path)} ${key}` });
    }
    const wrong = new Set<string>();
    for (const error of relevant) {
      const path = parseJsonPointer(error.instancePath);
      const params = error.params as Record<string, unknown>;
      if (error.keyword === 'additionalProperties') continue;
      if (error.keyword === 'required') {
        const key = String(params['missingProperty']);
        if (meant.has(`${error.instancePath}/${key}`)) continue;
        if (this.#isThreshold(path)) {
          if (!wrong.has(error.instancePath)) diagnostics.push(describeHalfThreshold(path, this.#valueAt(path)));
          wrong.add(error.instancePath);
        } else diagnostics.push({ ...describeMissingKey(this.#kind, path, key), cause: `missing key ${this.#levelOf(path)} ${key}` });
      } else if (error.propertyName !== undefined) {
        const name = error.propertyName;
        diagnostics.push(describeInvalidName(path, name, this.#valueAt([...path, name])));
        wrong.add(`${error.instancePath}/${name}`);
      } else if (!wrong.has(error.instancePath)) {
        wrong.add(error.instancePath);
        diagnostics.push(this.#describeValue(path, error));
      }
    }
    const names = new Set(
      diagnostics.filter(({ target, rule }) => target === 'key' && rule === 'invalid-value').map(({ path }) => path.join('\0')),
    );
    return diagnostics.filter(({ path, target }) => target === 'key' || !names.has(path.join('\0')));
  }

  #describeValue(path: KeyPath, { keyword, params }: ErrorObject): PathDiagnostic {
    const data = this.#valueAt(path);
    const { name, schema } = schemaAt(this.#kind, path) ?? { name: null, schema: {} };
    const written = this.#written.textAt(path);
    const key = path.at(-1) ?? '';
    const slip = name === 'Publication' && data === null ? describeKeySlip(key, data) : null;
    if (slip) return { path, target: 'key', rule: 'invalid-value', message: slip.message, hint: slip.hint };
    if (keyword === 'minItems')
      return wrongValue(path, `\`${path.join('.')}\` needs at least ${String((params as Record<string, unknown>)['limit'])} entries`);
    if (keyword === 'minProperties') return wrongValue(path, `${path.at(-1)} is empty; at least one entry is required`);
    const error = describeWrongValue({ path, data, name, schema, written, keyword, params: params as Record<string, unknown> });
    return {
      ...wrongValue(path, error.message, error.hint),
      cause: `${this.#levelOf(path)} ${String(name)} ${JSON.stringify(data) ?? ''}`.slice(0, 200),
    };
  }

  #isThreshold(path: KeyPath): boolean {
    return schemaAt(this.#kind, path)?.name === 'Threshold';
  }

  /** Returns a path without the names in it. */
  #levelOf(path: KeyPath): string {
    return path.map((step, index) => (index === 1 && (path[0] === 'apis' || path[0] === 'environments') ? '*' : step)).join('.');
  }

  #valueAt(path: KeyPath): unknown {
    return path.reduce<unknown>(
      (at, step) => (Array.isArray(at) ? at[Number(step)] : isMap(at) && Object.hasOwn(at, step) ? at[step] : undefined),
      this.#written.value,
    );
  }
}

/**
 * Where the schema allows a word or a map, ajv reports errors for both forms. Only errors of the form that was written are
 * relevant.
 */
function isRelevant(error: ErrorObject, unions: ReadonlyMap<string, unknown>): boolean {
  if (error.keyword === 'anyOf' || error.keyword === 'propertyNames' || error.keyword === 'if') return false;
  if (!unions.has(error.instancePath)) return true;
  const ofMapForm = error.keyword === 'required' || error.keyword === 'additionalProperties';
  return isMap(unions.get(error.instancePath)) ? ofMapForm : !ofMapForm;
}

function describeHalfThreshold(path: KeyPath, data: unknown): PathDiagnostic {
  const key = path.at(-1) ?? '';
  const { count, share } = isMap(data) ? data : {};
  const form = count !== undefined ? `\`${key}: ${String(count)}\`` : `\`${key}: ${share === undefined ? '20%' : String(share)}\``;
  return {
    path,
    target: 'key',
    rule: 'missing-key',
    message: `\`${path.join('.')}\` needs both \`count\` and \`share\``,
    hint: `write ${form} for one of them alone, or \`{ count: ${String(count ?? 10)}, share: ${String(share ?? '20%')} }\``,
  };
}

function wrongValue(path: KeyPath, message: string, hint: string | null = null): PathDiagnostic {
  return { path, target: 'value', rule: 'invalid-value', message, hint };
}

function parseJsonPointer(instancePath: string): KeyPath {
  return instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
