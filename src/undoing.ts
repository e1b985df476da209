import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { Settings } from './config.ts';
import { EdictError } from './core/errors.ts';
import type { Attempt, RecordReader, Which } from './core/ports.ts';
import type { DesiredState, RecordedState } from './core/publication.ts';
import { missingFromFile, type Restoration, restorable, type Undoable, undoable } from './core/undo.ts';
import type { FileEdit } from './desired/edit-desired.ts';
import type { ParseInput } from './desired/parse-desired.ts';
import { systemClock } from './engine/system-clock.ts';
import { unending, unseen, withFile } from './reading.ts';
import { type Environment, withGatewayReader } from './rooms.ts';

/*
 * The change to the file that restores the states and versions from before an apply or an attempt. It only reads: the file is
 * changed by `git apply`, the gateway by the next `edict apply` or the daemon, under the usual guards.
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
  /** Whether the file asks for everything that can be restored already. */
  readonly agrees: boolean;
  /** The folder in which the diff is to be applied; `null`: the working directory. */
  readonly folder: string | null;
}

/** What was asked to be undone, and how the file must change for it. */
export interface Undo extends Undoable {
  /** `null`: edict has never changed anything here. */
  readonly of: Undone | null;
  /** Why the gateway was not asked which versions it keeps; `null` if it was, or if no answer is needed. */
  readonly unchecked: string | null;
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
 * Returns the change to the file that undoes what is asked for. Writes nothing; the gateway is only asked for the versions that it
 * keeps, and not even that with `--emulate` or without credentials.
 *
 * @throws EdictError `UNDO_UNKNOWN` if there is no such attempt or apply, `UNSEEN` if the gateway cannot be asked
 */
export function readUndo(settings: Settings, environment: Environment, asked: Asked): Promise<Undo> {
  return withFile(settings, environment, 'ask', async (desired, record) => {
    const { gateway } = desired;
    const { of, attempts } = await attemptsAsked(asked, desired, record);
    const recorded = await record.readAll(gateway);
    const found = undoable(attempts, await record.succeededAfter(gateway, attempts[0]?.id ?? 0), recorded);
    const checked = await checkVersions(found, recorded, desired, settings, environment);
    const file = await fileChange(missingFromFile(desired, recorded, checked.restored), desired, settings, environment);
    return { of, ...checked, file };
  });
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

/** An emulated gateway lives no longer than a command and has kept nothing: with `--emulate` the record alone tells. */
async function checkVersions(
  found: Undoable,
  recorded: RecordedState,
  { gateway: settings }: DesiredState,
  { emulate }: Settings,
  environment: Environment,
): Promise<Undoable & Pick<Undo, 'unchecked'>> {
  if (found.restored.length === 0 || emulate) return { ...found, unchecked: null };
  const { readKept } = await import('./engine/read-kept.ts');
  try {
    const read = await withGatewayReader(settings, null, environment, (gateway) =>
      readKept(found.restored, recorded, { gateway, settings, clock: systemClock, random: Math.random, signal: unending }),
    );
    if (read.kind !== 'read') throw unseen(`${read.failure.code} ${read.failure.message}`, read.failure.hint);
    return { ...restorable(found, recorded, read.value), unchecked: null };
  } catch (error) {
    if (!(error instanceof EdictError) || error.code !== 'CREDENTIALS_MISSING') throw error;
    return { ...found, unchecked: error.message };
  }
}

async function fileChange(
  missing: readonly Restoration[],
  desired: DesiredState,
  { file }: Settings,
  environment: Environment,
): Promise<FileChange> {
  const path = resolve(file);
  const fromHere = relative('', path);
  const isOutside = fromHere.startsWith('..') || isAbsolute(fromHere);
  const folder = isOutside ? dirname(path) : null;
  if (missing.length === 0) return { agrees: true, folder, diff: '', byHand: [] };
  const { editDesired } = await import('./desired/edit-desired.ts');
  const { main, included } = await readParts(path);
  const nameOf = (home: string): string =>
    relative(folder ?? '', join(dirname(path), home || basename(path)))
      .split(sep)
      .join('/');
  const edits = [{ file, home: '', text: main }, ...included].map(({ home, text }) => {
    const wishes = missing.filter(({ key }) => (desired.publications.get(key)?.home ?? '') === home);
    const whole = (other: string): ParseInput => ({
      file,
      text: home === '' ? other : main,
      variables: environment,
      included: included.map((one) => (one.home === home ? { ...one, text: other } : one)),
    });
    return wishes.length === 0 ? { diff: '', byHand: [] } : editDesired({ text, file: nameOf(home), whole, desired }, wishes);
  });
  return { agrees: false, folder, diff: edits.map(({ diff }) => diff).join(''), byHand: edits.flatMap(({ byHand }) => byHand) };
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
