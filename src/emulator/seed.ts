import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

/** What exists at an emulated gateway when it starts. */
export interface Seed {
  readonly project: string;
  readonly instance: string;
  readonly apis: readonly SeedApi[];
  readonly environments: readonly Named[];
  /** Tokens that the gateway knows. */
  readonly tokens?: readonly SeedToken[];
  /** Whether every token is taken, whatever `tokens` says. */
  readonly anyToken?: boolean;
  /** Who can log in at the identity service. */
  readonly users?: readonly SeedUser[];
  /** With which keys a request can be signed instead of carrying a token. */
  readonly keys?: readonly SeedKey[];
  /** What is published from the start, by the IDs of API and environment. */
  readonly publications?: readonly SeedPublication[];
  /** Versions that are kept beside those, the newest first. */
  readonly kept?: readonly SeedVersion[];
}

export interface Named {
  readonly id: string;
  readonly name: string;
}

export interface SeedApi extends Named {
  /** The name of its group; left out: `default`. */
  readonly group?: string;
  /** When its draft was last edited, as an ISO time; left out: before everything that happens here. */
  readonly editedAt?: string;
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

export interface SeedKey {
  readonly access: string;
  readonly secret: string;
  /** What makes the key a temporary one. */
  readonly securityToken?: string;
  /** Whether its user may publish; `true` if left out. */
  readonly permitted?: boolean;
}

export interface SeedPublication {
  readonly api: string;
  readonly environment: string;
  readonly versionId?: string;
  readonly publishId?: string;
  /** As an ISO time; left out: when the emulator started. */
  readonly publishedAt?: string;
  readonly remark?: string;
}

export interface SeedVersion {
  readonly api: string;
  readonly environment: string;
  readonly versionId: string;
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
  try {
    const seed: unknown = parse(text);
    checkSeed(seed);
    return seed;
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

const kinds = {
  text: { type: 'string', optional: false, words: 'a text' },
  'optional text': { type: 'string', optional: true, words: 'a text' },
  'optional time': { type: 'string', optional: true, words: 'an ISO time such as 2026-11-20T08:00:00Z' },
  'optional boolean': { type: 'boolean', optional: true, words: 'true or false' },
} as const;

type Kind = keyof typeof kinds;

const lists: Readonly<Record<string, Readonly<Record<string, Kind>>>> = {
  apis: { id: 'text', name: 'text', group: 'optional text', editedAt: 'optional time' },
  environments: { id: 'text', name: 'text' },
  tokens: { value: 'text', permitted: 'optional boolean' },
  users: { name: 'text', password: 'text', domain: 'text' },
  keys: { access: 'text', secret: 'text', securityToken: 'optional text', permitted: 'optional boolean' },
  publications: {
    ...{ api: 'text', environment: 'text', versionId: 'optional text', publishId: 'optional text' },
    ...{ publishedAt: 'optional time', remark: 'optional text' },
  },
  kept: { api: 'text', environment: 'text', versionId: 'text' },
};

const needed = ['project', 'instance', 'apis', 'environments'];

function checkSeed(seed: unknown): asserts seed is Seed {
  checkMap(seed, '', { project: 'text', instance: 'text', anyToken: 'optional boolean' }, Object.keys(lists));
  for (const [key, fields] of Object.entries(lists)) {
    const list = seed[key];
    if (list === undefined && !needed.includes(key)) continue;
    if (!Array.isArray(list)) throw new Error(`${key}: expected a list`);
    for (const [index, item] of list.entries()) checkMap(item, `${key}[${index}]`, fields);
  }
  const { apis, environments, publications = [] } = seed as unknown as Seed;
  const [apiIds, environmentIds] = [apis, environments].map((named) => new Set(named.map(({ id }) => id)));
  for (const [index, { api, environment }] of publications.entries()) {
    const place = `publications[${index}]`;
    if (!apiIds?.has(api)) throw new Error(`${place}.api: no API has the ID ${api}`);
    if (!environmentIds?.has(environment)) throw new Error(`${place}.environment: no environment has the ID ${environment}`);
  }
}

function checkMap(
  value: unknown,
  place: string,
  fields: Readonly<Record<string, Kind>>,
  others: readonly string[] = [],
): asserts value is Record<string, unknown> {
  const at = place && `${place}: `;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${at}expected a map with ${(place ? Object.keys(fields) : needed).join(', ')}`);
  }
  for (const [name, kind] of Object.entries(fields)) {
    const field: unknown = (value as Record<string, unknown>)[name];
    const { type, optional, words } = kinds[kind];
    const isWrong = kind === 'optional time' && typeof field === 'string' && Number.isNaN(Date.parse(field));
    if (isWrong || (typeof field !== type && !(optional && field === undefined)))
      throw new Error(`${place && `${place}.`}${name}: expected ${words}`);
  }
  const unknown = Object.keys(value).find((key) => !Object.hasOwn(fields, key) && !others.includes(key));
  if (unknown !== undefined) throw new Error(`${at}unknown key ${unknown}`);
}
