import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

/** What exists at an emulated gateway when it starts. */
export interface Seed {
  readonly project: string;
  readonly instance: string;
  readonly apis: readonly Named[];
  readonly environments: readonly Named[];
  /** Tokens that the gateway knows. */
  readonly tokens?: readonly SeedToken[];
  /** Whether every token is taken, whatever `tokens` says. */
  readonly anyToken?: boolean;
  /** Who can log in at the identity service. */
  readonly users?: readonly SeedUser[];
  /** What is published from the start, by the IDs of API and environment. */
  readonly publications?: readonly SeedPublication[];
}

export interface Named {
  readonly id: string;
  readonly name: string;
}

export interface SeedToken {
  readonly value: string;
  /** Whether its user may publish; `true` if left out. */
  readonly permitted?: boolean;
}

export interface SeedUser {
  readonly name: string;
  readonly password: string;
  readonly domain: string;
}

export interface SeedPublication {
  readonly api: string;
  readonly environment: string;
  readonly versionId?: string;
}

/** What exists when nobody says otherwise: a few APIs, two environments, and every token is taken. */
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

/** Returns the seed in a YAML or JSON file. Throws an Error that names the file and the wrong field. */
export async function readSeed(file: string): Promise<Seed> {
  return parseSeed(await readFile(file, 'utf8'), file);
}

/** Returns the seed in `text`. Throws an Error that names `file` and the wrong field. */
export function parseSeed(text: string, file: string): Seed {
  const wrong = (what: string): Error => new Error(`${file}: ${what}`);
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
  if (!isMap(value)) throw wrong('expected a map with project, instance, apis and environments');
  for (const key of ['project', 'instance']) if (typeof value[key] !== 'string') throw wrong(`${key}: expected a text`);
  const lists: Readonly<Record<string, readonly string[]>> = {
    apis: ['id', 'name'],
    environments: ['id', 'name'],
    tokens: ['value'],
    users: ['name', 'password', 'domain'],
    publications: ['api', 'environment'],
  };
  for (const [key, fields] of Object.entries(lists)) {
    const list = value[key];
    if (list === undefined && key !== 'apis' && key !== 'environments') continue;
    if (!Array.isArray(list)) throw wrong(`${key}: expected a list`);
    for (const [index, item] of list.entries()) {
      for (const field of fields)
        if (!isMap(item) || typeof item[field] !== 'string') throw wrong(`${key}[${index}].${field}: expected a text`);
    }
  }
  const unknown = Object.keys(value).find((key) => !(key in lists) && !['project', 'instance', 'anyToken'].includes(key));
  if (unknown !== undefined) throw wrong(`unknown key ${unknown}`);
  return value as unknown as Seed;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
