import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReceivedRequest } from '../../src/emulator/request-log.ts';
import type { Seed } from '../../src/emulator/seed.ts';
import { startNode } from './measured-process.ts';

/** `edict emulate` as a process of its own. */
export interface EmulatedGateway extends AsyncDisposable {
  readonly url: string;
  /** Returns the requests since the last call. */
  takeRequests(): Promise<readonly ReceivedRequest[]>;
}

export interface EmulatedGatewayOptions {
  /** More options of `edict emulate`. */
  readonly options?: readonly string[];
  /** Whether everything that the file declares `online` is published from the start; default: nothing is. */
  readonly isPublished?: boolean;
}

/** Starts the emulator with the APIs and environments that `json`, a generated file as JSON, declares. */
export async function startEmulatedGateway(
  main: string,
  folder: string,
  json: string,
  { options = [], isPublished = false }: EmulatedGatewayOptions = {},
): Promise<EmulatedGateway> {
  const seedFile = join(folder, 'seed.json');
  const file = JSON.parse(json) as WrittenParts;
  writeFileSync(seedFile, JSON.stringify({ ...seedFor(file), ...(isPublished && { publications: publishedIn(file) }) }));
  const running = startNode([main, 'emulate', '--seed', seedFile, '--port', '0', ...options]);
  const url = (await running.line(/listens on (\S+)/))[1] ?? '';
  return {
    url,
    takeRequests: async () => {
      const requests = (await (await fetch(`${url}/_emulator/requests`)).json()) as ReceivedRequest[];
      await fetch(`${url}/_emulator/requests`, { method: 'DELETE' });
      return requests;
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

interface WrittenParts {
  readonly gateway: { readonly project: string; readonly instance: string };
  readonly environments: Readonly<Record<string, string | { readonly id: string }>>;
  readonly apis: Readonly<Record<string, { readonly id: string; readonly environments: Readonly<Record<string, WrittenState>> }>>;
}

type WrittenState = string | { readonly state: string };

function publishedIn({ environments, apis }: WrittenParts): Seed['publications'] {
  const idOf = (setting: string | { readonly id: string } | undefined): string =>
    typeof setting === 'object' ? setting.id : (setting ?? '');
  return Object.values(apis).flatMap(({ id, environments: states }) =>
    Object.entries(states)
      .filter(([, setting]) => (typeof setting === 'string' ? setting : setting.state) === 'online')
      .map(([name]) => ({ api: id, environment: idOf(environments[name]) })),
  );
}

function seedFor({ gateway: { project, instance }, environments, apis }: WrittenParts): Seed {
  return {
    project,
    instance,
    apis: Object.entries(apis).map(([name, { id }]) => ({ id, name })),
    environments: Object.entries(environments).map(([name, setting]) => ({ id: typeof setting === 'string' ? setting : setting.id, name })),
    anyToken: true,
  };
}
