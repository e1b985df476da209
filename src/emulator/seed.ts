import { readFile } from 'node:fs/promises';
import { type Document, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { validateSeed } from '../../generated/emulator-seed-validator.cjs';
import { schemaError } from './control-schemas.ts';

/** The initial content of an emulated gateway. */
export interface Seed {
  /** The service whose paths exist; default: `roma`. */
  readonly service?: 'roma' | 'apig';
  readonly project: string;
  readonly instance: string;
  readonly apis: readonly SeedApi[];
  readonly environments: readonly SeedResource[];
  /** Valid tokens. */
  readonly tokens?: readonly SeedToken[];
  /** Whether every token is accepted, regardless of `tokens`. */
  readonly anyToken?: boolean;
  /** Users of the identity service. */
  readonly users?: readonly SeedUser[];
  /** Access keys for signed requests. */
  readonly keys?: readonly SeedKey[];
  /** Initial publications, by the IDs of API and environment. */
  readonly publications?: readonly SeedPublication[];
  /** Further versions that are not effective, newest first. */
  readonly kept?: readonly SeedVersion[];
}

export interface SeedResource {
  readonly id: string;
  readonly name: string;
}

export interface SeedApi extends SeedResource {
  /** The name of its group; default: `default`. */
  readonly group?: string;
  /** When its draft was last edited, as an ISO time; default: before any change in the emulator. */
  readonly editedAt?: string;
}

export interface SeedToken {
  readonly value: string;
  /** Whether its user may publish; default: `true`. */
  readonly permitted?: boolean;
}

export interface SeedUser {
  /** Without one, the user logs in by name only. */
  readonly id?: string;
  readonly name: string;
  readonly password: string;
  readonly domain: string;
}

export interface SeedKey {
  readonly access: string;
  readonly secret: string;
  /** Set for a temporary key. */
  readonly securityToken?: string;
  /** Whether its user may publish; default: `true`. */
  readonly permitted?: boolean;
}

export interface SeedPublication {
  readonly api: string;
  readonly environment: string;
  readonly versionId?: string;
  readonly publishId?: string;
  /** As an ISO time; default: the start of the emulator. */
  readonly publishedAt?: string;
  readonly remark?: string;
}

export interface SeedVersion {
  readonly api: string;
  readonly environment: string;
  readonly versionId: string;
}

/** The default seed: a few APIs and two environments; every token is accepted. */
export const defaultSeed: Seed = {
  project: '73d69ae0cfcf460190522d06b60f05ad',
  instance: 'f0fa1789-3b76-433b-a787-9892951c620e',
  apis: [
    { id: '5f918d104dc84480a75166ba99efff21', name: 'orders' },
    { id: '9191cdb430724d4b8586ed7f1b962ca2', name: 'invoices' },
    { id: '2c4e6a8091b2d3f4a5c6e7f8091a2b3c', name: 'payments' },
  ],
  environments: [
    { id: 'DEFAULT_ENVIRONMENT_RELEASE_ID', name: 'RELEASE' },
    { id: '7a1c0e4f5b6d4c3f9a8b7c6d5e4f3a2b', name: 'TEST' },
  ],
  anyToken: true,
};

/** Reads a seed from a YAML or JSON file. Throws an Error that names the file and the invalid field. */
export async function readSeed(file: string): Promise<Seed> {
  return parseSeed(await readFile(file, 'utf8'), file);
}

/** Parses a seed. Throws an Error that names `file` and the invalid field. */
export function parseSeed(text: string, file: string): Seed {
  try {
    const seed = parseYamlSeed(text);
    if (!validateSeed(seed)) throw schemaError(validateSeed.errors ?? [], 'seed');
    checkReferences(seed as Seed);
    return seed as Seed;
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/**
 * Returns the value of a YAML text. Throws an Error without the text around the place, which may be a password.
 *
 * Keys are checked here: the yaml package compares every pair of keys in a map, and needs hours to write maps that are keys of each other as text. Its long errors take
 * a second for a line of 4,000 characters.
 */
function parseYamlSeed(text: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { uniqueKeys: false, logLevel: 'error', prettyErrors: false, lineCounter: lines });
  const problem = document.errors[0] ?? findWrongKey(document);
  if (problem) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw new Error(`it is not valid YAML (${problem.code}) at line ${line}, column ${col}`);
  }
  try {
    return document.toJS();
  } catch (cause) {
    throw new Error('it is not valid YAML: it has aliases without an anchor, or too many', { cause });
  }
}

interface WrongKey {
  readonly code: string;
  /** Where it starts. */
  readonly pos: readonly [number];
}

/** Returns a key that is no text or is in its map twice; `null` if there is none. */
function findWrongKey(document: Document.Parsed): WrongKey | null {
  let found: WrongKey | null = null;
  visit(document, {
    Map: (_, { items }) => {
      const names = new Set<unknown>();
      for (const { key } of items) {
        const pos = [(key as { readonly range?: readonly number[] } | null)?.range?.[0] ?? 0] as const;
        if (!isScalar(key)) found = { code: 'a key is not a text', pos };
        else if (names.has(key.value)) found = { code: 'DUPLICATE_KEY', pos };
        else names.add(key.value);
      }
      return found ? visit.BREAK : undefined;
    },
  });
  return found;
}

/** Checks references and times, which the schema cannot. */
function checkReferences({ apis, environments, publications = [] }: Seed): void {
  const [apiIds, environmentIds] = [apis, environments].map((named) => new Set(named.map(({ id }) => id)));
  for (const [index, { editedAt }] of apis.entries()) checkTime(editedAt, `seed/apis/${index}/editedAt`);
  for (const [index, { api, environment, publishedAt }] of publications.entries()) {
    const place = `seed/publications/${index}`;
    checkTime(publishedAt, `${place}/publishedAt`);
    if (!apiIds?.has(api)) throw new Error(`${place}/api: no API has the ID ${api}`);
    if (!environmentIds?.has(environment)) throw new Error(`${place}/environment: no environment has the ID ${environment}`);
  }
}

function checkTime(time: string | undefined, place: string): void {
  if (time === undefined || !Number.isNaN(Date.parse(time))) return;
  throw new Error(`${place} must be an ISO time such as 2026-11-20T08:00:00Z`);
}
