import type { ErrorObject, ValidateFunction } from 'ajv';
import { validateApi, validateFile, validateIncluded, validateName } from '../../../generated/edict-file-validator.cjs';
import { FirstDiagnostics, type PathDiagnostic } from '../path-diagnostic.ts';
import { describeReplaced } from '../variables.ts';
import type { KeyPath } from '../yaml/source-ranges.ts';
import { isMap } from '../yaml/value.ts';
import { describeInvalidName, describeKeySlip, describeMissingKey, describeUnknownKey } from './keys.ts';
import { type FileKind, isRequiredAt, schemaAt } from './levels.ts';
import { checkStructure, hasSettingsAsEnvironments, type StructureErrors } from './structure.ts';
import { describeWrongValue } from './values.ts';

/** The validator of each kind of file, by its name in the schema. */
const validators = { File: validateFile, Included: validateIncluded } as const;

/** A file as it is written. */
export interface WrittenFile {
  /** The value before variables were replaced: the value of a variable must not be shown. */
  readonly value: unknown;
  /** Returns the start of the text of a value, to the end of its last line. */
  readonly textAt: (path: KeyPath) => string;
}

/** APIs that conform to the schema. An API that an edit leaves as it is keeps its value, see `toPlainValue`. */
const validApis = new WeakSet<object>();

/**
 * Validates the value of a file against spec/edict.schema.json; returns an empty list if it conforms. Each mistake is one diagnostic: what only
 * follows from another error is left out.
 */
export function checkSchema(value: unknown, kind: FileKind, written: WrittenFile = { value, textAt: () => '' }): readonly PathDiagnostic[] {
  const found = new FirstDiagnostics();
  const check = new SchemaCheck(kind, { value, written, found });
  const apis = isMap(value) && isMap(value['apis']) ? value['apis'] : null;
  check.validate([], validators[kind], apis ? { ...(value as object), apis: {} } : value);
  for (const [name, api] of Object.entries(apis ?? {})) {
    if (found.isFull) break;
    check.validateNamedApi(name, api);
  }
  return found.list;
}

interface SchemaCheckOptions {
  readonly value: unknown;
  readonly written: WrittenFile;
  readonly found: FirstDiagnostics;
}

class SchemaCheck {
  readonly #kind: FileKind;
  readonly #written: WrittenFile;
  readonly #value: unknown;
  /** Found when the first error shows that the file may have any, or settings stand among the environments, where they can be valid. */
  #structure: StructureErrors | null = null;
  readonly #found: FirstDiagnostics;

  constructor(kind: FileKind, { value, written, found }: SchemaCheckOptions) {
    this.#kind = kind;
    this.#written = written;
    this.#value = value;
    this.#found = found;
    if (hasSettingsAsEnvironments(value)) this.#covers([]);
  }

  validateNamedApi(name: string, api: unknown): void {
    const path = ['apis', name];
    if (validateName(name)) {
      if (isMap(api) && validApis.has(api)) return;
      if (validateApi(api)) validApis.add(api as object);
      else this.validate(path, validateApi, api);
    } else if (!this.#covers(path)) this.#reportName(path, api);
  }

  /** Adds the errors of the value at a path. */
  validate(base: KeyPath, validate: ValidateFunction, value: unknown): void {
    if (validate(value)) return;
    const all = (validate.errors ?? []).map((error) => ({ error, path: [...base, ...parseJsonPointer(error.instancePath)] }));
    const unions = new Map(
      all.filter(({ error }) => error.keyword === 'anyOf').map(({ error }) => [error.instancePath, error.data as unknown]),
    );
    const errors = all.filter(({ error, path }) => isRelevant(error, unions) && !this.#covers(path));
    /** The keys that misspelt ones were probably meant for, by the path of their map. */
    const meant = new Set<string>();
    for (const { error, path } of errors) {
      if (this.#found.isFull) return;
      if (error.keyword === 'additionalProperties') this.#reportUnknownKey(error, path, meant);
    }
    const reported = new Set<string>();
    for (const { error, path } of errors) {
      if (this.#found.isFull) return;
      const { propertyName } = error;
      const name = propertyName === undefined ? null : [...path, propertyName];
      const id = (name ?? path).join('\0');
      if (error.keyword === 'additionalProperties') continue;
      if (error.keyword === 'required') this.#reportMissingKey(error, path, { meant, reported });
      else if (!reported.has(id)) {
        reported.add(id);
        if (name) this.#reportName(name, this.#valueAt(name));
        else this.#reportValue(error, path);
      }
    }
  }

  #reportUnknownKey({ instancePath, params }: ErrorObject, path: KeyPath, meant: Set<string>): void {
    const key = String((params as Record<string, unknown>)['additionalProperty']);
    const inner = [...path, key];
    if (this.#covers(inner)) return;
    const map = this.#valueAt(path);
    const siblings = isMap(map) ? Object.keys(map) : [];
    const unknown = describeUnknownKey({ kind: this.#kind, path, key, value: this.#valueAt(inner), siblings });
    for (const one of unknown.meant) meant.add(`${instancePath}/${one}`);
    this.#found.push({ cause: `unknown key ${levelOf(path)} ${key}`, ...unknown.diagnostic });
  }

  #reportMissingKey(
    { instancePath, params }: ErrorObject,
    path: KeyPath,
    { meant, reported }: { readonly meant: ReadonlySet<string>; readonly reported: Set<string> },
  ): void {
    const key = String((params as Record<string, unknown>)['missingProperty']);
    if (meant.has(`${instancePath}/${key}`)) return;
    const isThreshold = schemaAt(this.#kind, path)?.name === 'Threshold';
    if (!isThreshold) {
      const cause = `missing key ${levelOf(path)} ${key}`;
      if (!this.#found.repeats(cause, path)) this.#found.push({ ...describeMissingKey(this.#kind, path, key), cause });
    } else if (!reported.has(path.join('\0'))) this.#found.push(describeHalfThreshold(path, this.#valueAt(path)));
    reported.add(path.join('\0'));
  }

  #reportName(path: KeyPath, value: unknown): void {
    this.#found.push(describeInvalidName(path, value));
  }

  #reportValue({ keyword, params }: ErrorObject, path: KeyPath): void {
    const data = this.#valueAt(path);
    const { name, schema } = schemaAt(this.#kind, path) ?? { name: null, schema: {} };
    const shown = typeof data === 'object' && data !== null ? keyword : String(data).slice(0, 100);
    const cause = `${keyword} ${levelOf(path)} ${typeof data} ${shown}`;
    if (this.#found.repeats(cause, path)) return;
    const slip = name === 'Publication' && data === null ? describeKeySlip(path.at(-1) ?? '', data) : null;
    const error =
      slip ??
      describeWrongValue({
        path,
        data,
        isRequired: isRequiredAt(this.#kind, path),
        name,
        schema,
        written: this.#written.textAt(path),
        keyword,
        params: params as Record<string, unknown>,
      });
    // The text that is written is valid: it says nothing about the value of a variable, which is never shown.
    const replaced = describeReplaced(path, data);
    const message = replaced === null ? error.message : `\`${path.join('.')}\` is not valid with the value of ${replaced}`;
    const { hint } = error;
    this.#found.push({ path, target: slip ? 'key' : 'value', rule: 'invalid-value', message, hint, cause });
  }

  #covers(path: KeyPath): boolean {
    this.#structure ??= checkStructure(this.#value, this.#kind, this.#found);
    return this.#structure.covers(path);
  }

  #valueAt(path: KeyPath): unknown {
    return path.reduce<unknown>(
      (at, step) => (Array.isArray(at) ? at[Number(step)] : isMap(at) && Object.hasOwn(at, step) ? at[step] : undefined),
      this.#written.value,
    );
  }
}

/** Returns a path without the names in it. */
function levelOf(path: KeyPath): string {
  return path.map((step, index) => (index % 2 === 1 && (path[0] === 'apis' || path[0] === 'environments') ? '*' : step)).join('.');
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

function parseJsonPointer(instancePath: string): KeyPath {
  return instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
