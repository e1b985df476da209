import type { Settings } from './config.ts';
import { EdictError } from './core/errors.ts';
import { guardedPlan } from './core/guarded-plan.ts';
import { type Meaning, type NameKey, nameKey } from './core/names.ts';
import type { Plan } from './core/plan.ts';
import type { RecordReader } from './core/ports.ts';
import type { DesiredState, GatewayIdentity, RecordedState } from './core/publication.ts';
import type { SavedPlan } from './core/saved-plan.ts';
import type { Targets } from './core/targets.ts';
import { FileSource, type LookUp } from './desired/file-source.ts';
import { invented } from './emulated.ts';
import { systemClock } from './engine/system-clock.ts';
import { type Environment, withGatewayReader } from './rooms.ts';
import { openRecord } from './store/open-store.ts';

/*
 * How what only looks comes to a file, a record and a plan.
 */

/** Returns the plan that may be carried out, as the engine would make it now, with what probes have answered it last; with `saved` only what that plan has too. */
export async function planOf(
  desired: DesiredState,
  recorded: RecordedState,
  record: RecordReader,
  targets: Targets,
  saved: SavedPlan | null = null,
): Promise<Plan> {
  const nowMs = systemClock.now();
  const condition = await record.condition(desired.gateway);
  const probes = new Map(condition?.probes?.map((answer) => [answer.key, answer]));
  const keeping = saved && { saved, attempts: await record.lastAttempts(desired.gateway) };
  return guardedPlan(desired, recorded, await record.past(desired.gateway, nowMs), targets, nowMs, probes, keeping);
}

/**
 * Reads the file and opens the record. Names that were never looked up: the gateway is asked, or they mean nothing that is
 * recorded, and `madeUp` has the IDs that stand for them. `expect` throws for a gateway that must not be asked anything.
 */
export async function withFile<T>(
  settings: Settings,
  environment: Environment,
  names: 'ask' | 'never ask',
  use: (desired: DesiredState, record: RecordReader, madeUp: ReadonlySet<string>) => Promise<T>,
  expect: (gateway: GatewayIdentity) => void = () => undefined,
): Promise<T> {
  const record = await openRecord({ url: settings.state });
  const madeUp = new Set<string>();
  try {
    const lookUp: LookUp = async (of, unknown) => {
      expect(of);
      if (settings.emulate) return invented(unknown);
      const { lookUp } = await import('./engine/look-up.ts');
      const remembered = await record.names(of);
      const known = [...remembered].map(([key, id]): [NameKey, Meaning] => [key, { kind: 'one', id }]);
      if (names === 'never ask') {
        const made = invented(unknown.filter((name) => !remembered.has(nameKey(name))));
        for (const meaning of made.values()) if (meaning.kind === 'one') madeUp.add(meaning.id);
        return new Map([...made, ...known]);
      }
      return withGatewayReader(of, null, environment, (gateway) => lookUp(unknown, { gateway, remembered, signal: unending }));
    };
    const desired = await new FileSource(settings.file, environment, lookUp).load();
    expect(desired.gateway);
    return await use(desired, record, madeUp);
  } finally {
    await record.close();
  }
}

/** Returns the error of a gateway that cannot be seen. */
export function unseen(reason: string, hint: string | null): EdictError {
  return new EdictError('UNSEEN', `the gateway cannot be observed: ${reason}`, hint === null ? {} : { hint });
}

/** Ends nothing: what only looks is ended by ending its process. */
export const unending = new AbortController().signal;
