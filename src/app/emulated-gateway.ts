import { createHash } from 'node:crypto';
import type { Emulator } from '../emulator/emulator.ts';
import type { Seed } from '../emulator/seed.ts';
import { type NameRef, type NameResolutions, nameKey } from '../model/name-ref.ts';
import type { Probe } from '../model/ports.ts';
import type { DesiredState, RecordedState } from '../model/publication.ts';

/*
 * What stands in for the gateway with --emulate.
 */

/** Starts an emulated gateway that holds nothing yet. */
export async function openEmulatedGateway(): Promise<Emulator> {
  const { startEmulator } = await import('../emulator/emulator.ts');
  return startEmulator({ seed: { project: '', instance: '', apis: [], environments: [], anyToken: true } });
}

/** Returns what an emulated gateway must hold so that the file's calls can succeed and the record is true. */
export function seedFromState({ gateway, environments, publications }: DesiredState, recorded: RecordedState): Seed {
  const known = [...publications.values(), ...recorded.values()];
  const apis = new Map(known.map(({ api, apiId }) => [apiId, { id: apiId, name: api }]));
  const places = new Map(known.map(({ environment, environmentId }) => [environmentId, { id: environmentId, name: environment }]));
  for (const { id, name } of environments.values()) places.set(id, { id, name });
  const online = [...recorded.values()].filter(({ state }) => state === 'online');
  return {
    project: gateway.project,
    instance: gateway.instance,
    apis: [...apis.values()],
    environments: [...places.values()],
    anyToken: true,
    publications: online.map(({ apiId, environmentId, versionId }) => ({
      api: apiId,
      environment: environmentId,
      ...(versionId && { versionId }),
    })),
    kept: [...publications.values()].flatMap(({ apiId, environmentId, version }) =>
      version === null ? [] : [{ api: apiId, environment: environmentId, versionId: version }],
    ),
  };
}

/** Returns IDs made from the names, the same each time: an emulated gateway has whatever the file names. */
export function placeholderIds(names: readonly NameRef[]): NameResolutions {
  return new Map(
    names.map((name) => {
      const id = createHash('sha256').update(nameKey(name)).digest('hex').slice(0, 32);
      return [nameKey(name), { kind: 'one', id }];
    }),
  );
}

/** What is published at an emulated gateway has no address of its own. */
export const emulatedProbe: Probe = async () => ({ isExpected: true, message: 'emulated' });
