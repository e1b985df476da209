import { createHash } from 'node:crypto';
import type { Emulator } from '../emulator/emulator.ts';
import type { Seed } from '../emulator/seed.ts';
import type { Probe } from '../gateway/interface.ts';
import type { DesiredState } from '../model/desired-state.ts';
import { type NameRef, type NameResolutions, nameKey } from '../model/name-ref.ts';
import type { RecordedState } from '../model/recorded-state.ts';

/*
 * The emulated gateway that replaces the real one with --emulate.
 */

/** Starts an empty emulated gateway, of either service. */
export async function openEmulatedGateway(): Promise<Emulator> {
  const { startEmulator } = await import('../emulator/emulator.ts');
  return startEmulator({ services: ['roma', 'apig'], seed: { project: '', instance: '', apis: [], environments: [], anyToken: true } });
}

/** Returns a seed with the APIs, environments and publications of both states, so that the file's calls succeed and the recorded state holds. */
export function seedFromState({ gateway, environments, publications }: DesiredState, recorded: RecordedState): Seed {
  const known = [...publications.values(), ...recorded.values()];
  const apis = new Map(known.map(({ api, apiId }) => [apiId, { id: apiId, name: api }]));
  const environmentSeeds = new Map(
    known.map(({ environment, environmentId }) => [environmentId, { id: environmentId, name: environment }]),
  );
  for (const { id, name } of environments.values()) environmentSeeds.set(id, { id, name });
  const online = [...recorded.values()].filter(({ state }) => state === 'online');
  return {
    project: gateway.project,
    instance: gateway.instance,
    apis: [...apis.values()],
    environments: [...environmentSeeds.values()],
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

/** Returns IDs derived from the names by a hash, the same each time: an emulated gateway has every API and environment that the file names. */
export function placeholderIds(names: readonly NameRef[]): NameResolutions {
  return new Map(
    names.map((name) => {
      const id = createHash('sha256').update(nameKey(name)).digest('hex').slice(0, 32);
      return [nameKey(name), { kind: 'one', id }];
    }),
  );
}

/** Always succeeds, since an API published at an emulated gateway cannot be reached at a URL. */
export const emulatedProbe: Probe = async () => ({ isExpected: true, message: 'emulated' });
