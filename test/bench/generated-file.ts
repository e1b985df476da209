export interface GeneratedFile {
  /** The edict file. */
  readonly text: string;
  /** The same content as JSON. */
  readonly json: string;
  /** The place of a one-line edit: the offset and length of an `online` after `test:`, in an unprotected environment. */
  readonly movable: readonly { readonly at: number; readonly length: number }[];
}

export interface GenerateOptions {
  readonly publications: number;
  /** Default: an address that nothing listens on. */
  readonly endpoint?: string;
  /** The maximum number of requests in flight. */
  readonly concurrency?: number;
  /** Requests a window of `perMs`; by default so many that there is no limit. */
  readonly calls?: number;
  /** Default: a second. */
  readonly perMs?: number;
}

type State = 'online' | 'offline';
type Setting = State | { readonly state: State; readonly revision?: string; readonly remark?: string };
type Random = () => number;

interface Api {
  readonly id: string;
  readonly revision?: string;
  readonly remark?: string;
  readonly environments: Readonly<Record<string, Setting>>;
}

const environmentNames = ['production', 'staging', 'test'] as const;
const teams = ['catalog', 'sales', 'billing', 'logistics', 'identity', 'partners', 'support', 'reporting'] as const;
const nouns = ['orders', 'prices', 'invoices', 'shipments', 'accounts', 'returns', 'contracts', 'tickets', 'stock', 'search'] as const;
const remarks = ['retired, see CHG-1042', 'until the partner has moved', 'for the audit in spring', 'owned by team 7'] as const;

/**
 * Returns a realistic edict file: three environments an API, publications in one line, in flow maps and in blocks of
 * their own, some revisions and remarks, and a comment here and there. The same options give the same text.
 */
export function generateFile({
  publications,
  endpoint = 'http://127.0.0.1:9',
  concurrency = 16,
  calls = 1_000_000,
  perMs = 1000,
}: GenerateOptions): GeneratedFile {
  const random = randomFrom(publications);
  const head = {
    edict: 1,
    gateway: {
      endpoint,
      project: hex(random),
      instance: hex(random),
      limit: { calls, per: `${perMs}ms`, concurrency },
    },
    environments: {
      production: { id: 'DEFAULT_ENVIRONMENT_RELEASE_ID', protected: true },
      staging: { id: hex(random) },
      test: hex(random),
    },
    prune: false,
    refresh: '24h',
  };
  const apis: Record<string, Api> = {};
  const parts = [headText(head)];
  const count = Math.ceil(publications / environmentNames.length);
  for (let index = 0; index < count; index += 1) {
    const width = Math.min(environmentNames.length, publications - index * environmentNames.length);
    const name = `${pick(random, teams)}-${pick(random, nouns)}-${index}`;
    const api = generateApi(random, environmentNames.slice(0, width));
    apis[name] = api.written;
    if (random() < 0.05) parts.push(`\n  # ${pick(random, teams)}\n`);
    parts.push(`  ${name}:\n${api.text}`);
  }
  const text = parts.join('');
  const movable = [...text.matchAll(/(?<=^ {6}test: )online$/gm)].map(({ index, 0: { length } }) => ({ at: index, length }));
  return { text, json: JSON.stringify({ ...head, apis }), movable };
}

interface Head {
  readonly gateway: {
    readonly endpoint: string;
    readonly project: string;
    readonly instance: string;
    readonly limit: { readonly calls: number; readonly per: string; readonly concurrency: number };
  };
  readonly environments: { readonly production: { readonly id: string }; readonly staging: { readonly id: string }; readonly test: string };
}

function headText({ gateway, environments: { production, staging, test } }: Head): string {
  const { calls, per, concurrency } = gateway.limit;
  return `# yaml-language-server: $schema=../spec/edict.schema.json
edict: 1
gateway:
  endpoint: ${gateway.endpoint}
  project: ${gateway.project}
  instance: ${gateway.instance}
  limit: { calls: ${calls}, per: ${per}, concurrency: ${concurrency} }
environments:
  production: { id: ${production.id}, protected: true }
  staging: { id: ${staging.id} }
  test: ${test}
prune: false
refresh: 24h
apis:
`;
}

function generateApi(random: Random, names: readonly string[]): { readonly written: Api; readonly text: string } {
  const id = hex(random);
  const own = {
    ...(random() < 0.2 && { revision: date(random) }),
    ...(random() < 0.1 && { remark: pick(random, remarks) }),
  };
  const lines = [`id: ${id}`, ...Object.entries(own).map(([key, value]) => `${key}: ${value}`)];
  const form = random();
  const environments: Record<string, Setting> = {};
  for (const name of names) {
    const state = random() < 0.92 ? 'online' : 'offline';
    environments[name] = form < 0.8 ? state : longSetting(random, state);
  }
  const settings = Object.entries(environments).map(([name, setting]) =>
    typeof setting === 'string' ? `${name}: ${setting}` : [`${name}:`, ...longLines(setting)].join('\n        '),
  );
  const block = ['environments:', ...settings.map((setting) => `  ${setting}`)];
  lines.push(...(form < 0.4 ? [`environments: { ${settings.join(', ')} }`] : block));
  return { written: { id, ...own, environments }, text: lines.map((line) => `    ${line}\n`).join('') };
}

function longSetting(random: Random, state: State): Exclude<Setting, State> {
  return {
    state,
    ...(random() < 0.3 && { revision: `v${Math.floor(random() * 9)}.${Math.floor(random() * 20)}.${Math.floor(random() * 9)}` }),
    ...(random() < 0.3 && { remark: pick(random, remarks) }),
  };
}

function longLines(setting: Exclude<Setting, State>): string[] {
  return Object.entries(setting).map(([key, value]) => `${key}: ${value}`);
}

/** The generator "mulberry32": small, and the same on every machine. */
function randomFrom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function pick<T>(random: Random, from: readonly [T, ...T[]]): T {
  return from[Math.floor(random() * from.length)] ?? from[0];
}

function hex(random: Random): string {
  return Array.from({ length: 4 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('');
}

function date(random: Random): string {
  return `2026-${String(1 + Math.floor(random() * 12)).padStart(2, '0')}-${String(1 + Math.floor(random() * 28)).padStart(2, '0')}`;
}
