import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { Settings } from './config.ts';
import { EdictError } from './core/errors.ts';
import type { Note } from './core/observe.ts';
import type { Plan } from './core/plan.ts';
import type { Attempt, GatewayReader, RecordReader, Which } from './core/ports.ts';
import { type DesiredState, publicationKey, type RecordedState } from './core/publication.ts';
import { againstFile, type LeftAlone, openWays, type Undoable, undoable, type WayBack } from './core/undo.ts';
import { type UndoPlan, undoPlan } from './core/undo-plan.ts';
import type { FileEdit } from './desired/edit-desired.ts';
import type { ParseInput } from './desired/parse-desired.ts';
import { seedFrom } from './emulated.ts';
import type { Seed } from './emulator/seed.ts';
import { systemClock } from './engine/system-clock.ts';
import { unending, unseen, withFile } from './reading.ts';
import { type Environment, withGatewayReader } from './rooms.ts';

/*
 * How what an apply or an attempt has done is led back: what of it can be, the plan for that, and the change to the file that makes it last.
 */

/** What is undone. `id` names it to the next command. */
export interface Undone {
  readonly kind: 'apply' | 'attempt';
  readonly id: string;
  /** When its first attempt began, in milliseconds since 1970. */
  readonly beganAtMs: number;
}

/** A change to the file, and where it is to be made. */
export interface FileChange extends FileEdit {
  /** What the file has otherwise. */
  readonly against: readonly WayBack[];
  /** The folder in which the diff is to be applied; `null`: the working directory. */
  readonly folder: string | null;
}

/** A plan that leads back, and all that there is to be said of it. */
export interface Undo {
  /** `null`: edict has never changed anything here. */
  readonly of: Undone | null;
  readonly desired: DesiredState;
  readonly plan: Plan;
  /** Nothing is looked at beside what is undone. */
  readonly notes: readonly Note[];
  /** What the engine needs to make the plan and nothing else. */
  readonly carriedOut: Pick<UndoPlan, 'desired' | 'saved'>;
  readonly ways: readonly WayBack[];
  readonly left: readonly LeftAlone[];
  readonly file: FileChange;
}

/** What is asked for, as a person has written it. */
export interface Asked {
  readonly text: string;
  readonly which: Which;
}

/** Returns what a person asks for: the number of an attempt, the begin of the ID of an apply, or `last`; `null` if it is none of these. */
export function askedFor(text: string): Asked | null {
  if (text === 'last') return { text, which: 'last' };
  if (/^\d{1,15}$/.test(text)) return { text, which: { attempt: Number(text) } };
  return /^[0-9a-f][0-9a-f-]{3,35}$/.test(text) ? { text, which: { pass: text } } : null;
}

/**
 * Returns the plan that undoes what is asked for. Writes nothing and makes no call that changes anything; the gateway is asked for the
 * versions that it keeps.
 *
 * @throws EdictError `UNDO_UNKNOWN` if there is no such attempt or apply, `UNSEEN` if the gateway cannot be asked
 */
export function readUndo(settings: Settings, environment: Environment, asked: Asked): Promise<Undo> {
  return withFile(settings, environment, 'ask', (desired, record) =>
    planUndo(asked, desired, settings, environment, record, (seed, use) => withGatewayReader(desired.gateway, seed, environment, use)),
  );
}

/** Lends a gateway for reading; an emulated one has what is in the seed. */
type LendGateway = <T>(seed: Seed | null, use: (gateway: GatewayReader) => Promise<T>) => Promise<T>;

/** Returns the plan that undoes what is asked for, as `readUndo` does, over a record and a gateway that are open. */
export async function planUndo(
  asked: Asked,
  desired: DesiredState,
  settings: Settings,
  environment: Environment,
  record: RecordReader,
  lendGateway: LendGateway,
): Promise<Undo> {
  const { gateway } = desired;
  const { of, attempts } = await attemptsAsked(asked, desired, record);
  const recorded = await record.readAll(gateway);
  const found = undoable(attempts, await record.succeededAfter(gateway, attempts[0]?.id ?? 0), recorded);
  const { ways, left } = found.ways.length === 0 ? found : await withVersions(found, recorded, desired, settings, record, lendGateway);
  const nowMs = systemClock.now();
  const condition = await record.condition(gateway);
  const { plan, ...carriedOut } = undoPlan(desired, ways, {
    recorded,
    past: await record.past(gateway, nowMs),
    attempts: await record.lastAttempts(gateway),
    probes: new Map(condition?.probes?.map((answer) => [answer.key, answer])),
    nowMs,
    emulated: settings.emulate,
  });
  const file = await fileChange(againstFile(desired, recorded, ways), desired, settings, environment);
  return { of, desired, plan, notes: [], carriedOut, ways, left, file };
}

async function attemptsAsked(
  { text, which }: Asked,
  { gateway }: DesiredState,
  record: RecordReader,
): Promise<{ readonly of: Undone | null; readonly attempts: readonly Attempt[] }> {
  let attempts = await record.attemptsOf(gateway, which);
  const isNumber = typeof which === 'object' && 'attempt' in which;
  const isAttempt = isNumber && attempts.length > 0;
  if (isNumber && !isAttempt && text.length >= 4) attempts = await record.attemptsOf(gateway, { pass: text });
  const passes = [...new Set(attempts.map(({ passId }) => passId))];
  const [first] = attempts;
  const hint = '`edict history` shows attempts and the applies that they belong to';
  if (passes.length > 1) throw new EdictError('UNDO_UNKNOWN', `${text} is the begin of several applies: ${passes.join(', ')}`, { hint });
  if (!first && which !== 'last')
    throw new EdictError('UNDO_UNKNOWN', `the record has no attempt or apply ${text} on this gateway`, { hint });
  if (!first) return { of: null, attempts };
  const id = isAttempt ? String(first.id) : first.passId;
  return { of: { kind: isAttempt ? 'attempt' : 'apply', id, beganAtMs: first.beganAtMs }, attempts };
}

async function withVersions(
  found: Undoable,
  recorded: RecordedState,
  desired: DesiredState,
  { emulate }: Settings,
  record: RecordReader,
  lendGateway: LendGateway,
): Promise<Undoable> {
  const { readKept } = await import('./engine/read-kept.ts');
  const seed = emulate ? await seedWithVersions(found.ways, desired, recorded, record) : null;
  const read = await lendGateway(seed, (gateway) =>
    readKept(found.ways, recorded, {
      gateway,
      settings: desired.gateway,
      clock: systemClock,
      random: Math.random,
      signal: unending,
    }),
  );
  if (read.kind !== 'read') throw unseen(`${read.failure.code} ${read.failure.message}`, read.failure.hint);
  return openWays(found, recorded, read.value);
}

/** So many attempts of the past are looked through for versions that an emulated gateway is to keep. */
const mostRemembered = 10_000;

/** An emulated gateway is a new one each time: it keeps what the history tells of. */
async function seedWithVersions(
  ways: readonly WayBack[],
  desired: DesiredState,
  recorded: RecordedState,
  record: RecordReader,
): Promise<Seed> {
  const keys = new Set(ways.map(({ key }) => key));
  const apis = [...new Set(ways.map(({ apiId }) => apiId))];
  const attempts = await record.history(desired.gateway, { apis, limit: mostRemembered });
  const kept = attempts.flatMap(({ outcome, apiId, environmentId, versionId }) =>
    outcome === 'succeeded' && versionId !== null && keys.has(publicationKey(apiId, environmentId))
      ? [{ api: apiId, environment: environmentId, versionId }]
      : [],
  );
  return { ...seedFrom(desired, recorded), kept };
}

async function fileChange(
  against: readonly WayBack[],
  desired: DesiredState,
  { file }: Settings,
  environment: Environment,
): Promise<FileChange> {
  const path = resolve(file);
  const fromHere = relative('', path);
  const isOutside = fromHere.startsWith('..') || isAbsolute(fromHere);
  const folder = isOutside ? dirname(path) : null;
  if (against.length === 0) return { against, folder, diff: '', byHand: [] };
  const { editDesired } = await import('./desired/edit-desired.ts');
  const { main, included } = await readParts(path);
  const nameOf = (home: string): string =>
    relative(folder ?? '', join(dirname(path), home || basename(path)))
      .split(sep)
      .join('/');
  const edits = [{ file, home: '', text: main }, ...included].map(({ home, text }) => {
    const wishes = against
      .filter(({ key }) => (desired.publications.get(key)?.home ?? '') === home)
      .map((way) => ({ ...way, state: way.to }));
    const whole = (other: string): ParseInput => ({
      file,
      text: home === '' ? other : main,
      variables: environment,
      included: included.map((one) => (one.home === home ? { ...one, text: other } : one)),
    });
    return wishes.length === 0 ? { diff: '', byHand: [] } : editDesired({ text, file: nameOf(home), whole, desired }, wishes);
  });
  return { against, folder, diff: edits.map(({ diff }) => diff).join(''), byHand: edits.flatMap(({ byHand }) => byHand) };
}

/** Returns the texts of the file and of those that it includes, which have been read a moment ago. */
async function readParts(path: string) {
  const { readFileSet } = await import('./desired/file-set.ts');
  const { includeEntries } = await import('./desired/include-entries.ts');
  const { parseYaml } = await import('./desired/yaml-tree.ts');
  const { main, included } = await readFileSet(path, (text) => includeEntries(parseYaml(text)));
  if (main.kind !== 'read') throw new EdictError('FILE_UNREADABLE', `${path} cannot be read any more`);
  return { main: main.text, included };
}
