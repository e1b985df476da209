import includedSchema from '../../../generated/edict-included.schema.json' with { type: 'json' };
import type { KeyPath } from '../yaml/source-ranges.ts';

/** A part of the file's schema, as far as messages need it. */
export interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: false | Schema;
  readonly items?: Schema;
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
}

/** A schema with the name of its definition, such as `Duration`; `null` if it has none of its own. */
export interface NamedSchema {
  readonly name: string | null;
  readonly schema: Schema;
}

/** The two kinds of files, by the names of their definitions. */
export type FileKind = 'File' | 'Included';

/** The definitions of both kinds of files. */
const definitions = includedSchema.$defs as Readonly<Record<string, Schema>>;

function definitionOf(name: string): Schema {
  return definitions[name] ?? {};
}

/** Returns the schema of the value at a path; `null` if the file has no such value. */
export function schemaAt(kind: FileKind, path: KeyPath): NamedSchema | null {
  let at: NamedSchema = { name: kind, schema: definitionOf(kind) };
  for (const step of path) {
    const { properties, additionalProperties, items } = mapForm(at.schema);
    const own = properties && Object.hasOwn(properties, step) ? properties[step] : undefined;
    const next = own ?? (additionalProperties === false ? undefined : additionalProperties) ?? items;
    if (next === undefined) return null;
    at = resolve(next);
  }
  return at;
}

/** Follows a reference. The description is that of the definition, which says what the value looks like. */
function resolve(schema: Schema): NamedSchema {
  if (schema.$ref === undefined) return { name: null, schema };
  const name = schema.$ref.slice('#/$defs/'.length);
  const { $ref, ...own } = definitionOf(name);
  return { name, schema: $ref === undefined ? own : { ...resolve({ $ref }).schema, ...own } };
}

/** Returns the form of a value that is a map, where a short form is allowed too. */
function mapForm(schema: Schema): Schema {
  return schema.anyOf?.map((form) => resolve(form).schema).find(({ type }) => type === 'object') ?? schema;
}

/** Returns the keys that are allowed in the map at a path; none where the keys are names. */
export function keysAt(kind: FileKind, path: KeyPath): readonly string[] {
  const schema = schemaAt(kind, path)?.schema;
  return schema ? Object.keys(mapForm(schema).properties ?? {}) : [];
}

/** Returns whether the keys of the map at a path are names, as those of `environments` and `apis`. */
export function hasNames(kind: FileKind, path: KeyPath): boolean {
  const schema = schemaAt(kind, path)?.schema;
  return typeof (schema && mapForm(schema).additionalProperties) === 'object';
}

/** Returns whether the last key of a path is required. */
export function isRequiredAt(kind: FileKind, path: KeyPath): boolean {
  const schema = schemaAt(kind, path.slice(0, -1))?.schema;
  return schema !== undefined && (mapForm(schema).required ?? []).includes(path.at(-1) ?? '');
}

/** Every level of the file, and where that is in words. */
const levels: readonly (readonly [path: KeyPath, words: string])[] = [
  [[], 'at the top level'],
  [['gateway'], 'in `gateway`'],
  [['gateway', 'limit'], 'in `gateway.limit`'],
  [['guards'], 'in `guards`'],
  [['environments', '*'], 'in an entry of the top-level `environments`'],
  [['apis', '*'], 'in an API'],
  [['apis', '*', 'environments', '*'], 'in an entry of `environments` of an API'],
  [['rollout', '0'], 'in an entry of `rollout`'],
  [['rollout', '0', 'probe'], 'in `probe` of an entry of `rollout`'],
  [['freeze', '0'], 'in an entry of `freeze`'],
  [['suspend'], 'in `suspend`'],
];

/** Returns the levels at which a key is allowed, in words; at most three. */
export function levelsOf(key: string): readonly string[] {
  return levels
    .filter(([path]) => keysAt('File', path).includes(key))
    .map(([, words]) => words)
    .slice(0, 3);
}
