import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { Env } from '../model/env.ts';
import { EdictError } from '../model/errors.ts';
import type { Attempt, AttemptSelector, StoreReader } from '../model/ports.ts';
import type { DesiredState, RecordedState } from '../model/publication.ts';
import type { Settings } from '../model/settings.ts';
import { computeUndo, filterMissingFromFile, filterRestorable, type Restoration, type UndoResult } from '../plan/undo.ts';
import type { FilePatch } from '../source/export/patch.ts';
import type { ParseInput } from '../source/parser.ts';
import { neverAborted, observationFailedError, openReadSession } from './read-session.ts';
import { withGatewayReader } from './session.ts';
import { systemClock } from './system-clock.ts';

/*
 * The change to the file that restores the states and versions from before an apply or an attempt. It only reads: the file is
 * changed by `git apply`, the gateway by the next `edict apply` or the daemon, under the usual guards.
 */

/** What is undone. `id` names it to the next command. */
export interface UndoTarget {
  readonly kind: 'apply' | 'attempt';
  readonly id: string;
  /** When its first attempt began, in milliseconds since 1970. */
  readonly startedAtMs: number;
}

/** A change to the file, and where it is to be made. */
export interface UndoFilePatch extends FilePatch {
  /** Whether the file asks for everything that can be restored already. */
  readonly isUpToDate: boolean;
  /** The folder in which the diff is to be applied; `null`: the working directory. */
  readonly folder: string | null;
}

/** What was asked to be undone, and how the file must change for it. */
export interface UndoReport extends UndoResult {
  /** `null`: edict has never changed anything here. */
  readonly target: UndoTarget | null;
  /** Why the gateway was not asked which versions it keeps; `null` if it was, or if no answer is needed. */
  readonly uncheckedReason: string | null;
  readonly file: UndoFilePatch;
}

/** What is asked for, as a person has written it. */
export interface UndoRequest {
  readonly text: string;
  readonly selector: AttemptSelector;
}

/** Returns what a person asks for: the number of an attempt, the begin of the ID of an apply, or `last`; `null` if it is none of these. */
export function parseUndoRequest(text: string): UndoRequest | null {
  if (text === 'last') return { text, selector: 'last' };
  if (/^\d{1,15}$/.test(text)) return { text, selector: { attempt: Number(text) } };
  return /^[0-9a-f][0-9a-f-]{3,35}$/.test(text) ? { text, selector: { reconcile: text } } : null;
}

/**
 * Returns the change to the file that undoes what is asked for. Writes nothing; the gateway is only asked for the versions that it
 * keeps, and not even that with `--emulate` or without credentials.
 *
 * @throws EdictError `ATTEMPT_NOT_FOUND` if there is no such attempt or apply, `OBSERVATION_FAILED` if the gateway cannot be asked
 */
export function readUndo(settings: Settings, environment: Env, asked: UndoRequest): Promise<UndoReport> {
  return openReadSession(settings, environment, 'ask', async (desired, record) => {
    const { gateway } = desired;
    const { of: target, attempts } = await findRequestedAttempts(asked, desired, record);
    const recorded = await record.readRecordedState(gateway);
    const found = computeUndo(attempts, await record.succeededAfter(gateway, attempts[0]?.id ?? 0), recorded);
    const checked = await checkVersions(found, recorded, desired, settings, environment);
    const file = await buildFilePatch(filterMissingFromFile(desired, recorded, checked.restorations), desired, settings, environment);
    return { target, ...checked, file };
  });
}

async function findRequestedAttempts(
  { text, selector }: UndoRequest,
  { gateway }: DesiredState,
  record: StoreReader,
): Promise<{ readonly of: UndoTarget | null; readonly attempts: readonly Attempt[] }> {
  let attempts = await record.findAttempts(gateway, selector);
  const isNumber = typeof selector === 'object' && 'attempt' in selector;
  const isAttempt = isNumber && attempts.length > 0;
  if (isNumber && !isAttempt && text.length >= 4) attempts = await record.findAttempts(gateway, { reconcile: text });
  const passes = [...new Set(attempts.map(({ reconcileId }) => reconcileId))];
  const [first] = attempts;
  const hint = '`edict history` shows attempts and the applies that they belong to';
  if (passes.length > 1)
    throw new EdictError('ATTEMPT_NOT_FOUND', `${text} is the begin of several applies: ${passes.join(', ')}`, { hint });
  if (!first && selector !== 'last')
    throw new EdictError('ATTEMPT_NOT_FOUND', `the record has no attempt or apply ${text} on this gateway`, { hint });
  if (!first) return { of: null, attempts };
  const id = isAttempt ? String(first.id) : first.reconcileId;
  return { of: { kind: isAttempt ? 'attempt' : 'apply', id, startedAtMs: first.startedAtMs }, attempts };
}

/** An emulated gateway lives no longer than a command and has kept nothing: with `--emulate` the record alone tells. */
async function checkVersions(
  found: UndoResult,
  recorded: RecordedState,
  { gateway: settings }: DesiredState,
  { emulate }: Settings,
  environment: Env,
): Promise<UndoResult & Pick<UndoReport, 'uncheckedReason'>> {
  if (found.restorations.length === 0 || emulate) return { ...found, uncheckedReason: null };
  const { readKeptVersions } = await import('../controller/observe/kept-versions.ts');
  try {
    const read = await withGatewayReader(settings, null, environment, (gateway) =>
      readKeptVersions(found.restorations, recorded, { gateway, settings, clock: systemClock, random: Math.random, signal: neverAborted }),
    );
    if (read.kind !== 'read') throw observationFailedError(`${read.failure.code} ${read.failure.message}`, read.failure.hint);
    return { ...filterRestorable(found, recorded, read.value), uncheckedReason: null };
  } catch (error) {
    if (!(error instanceof EdictError) || error.code !== 'CREDENTIALS_MISSING') throw error;
    return { ...found, uncheckedReason: error.message };
  }
}

async function buildFilePatch(
  missing: readonly Restoration[],
  desired: DesiredState,
  { file }: Settings,
  environment: Env,
): Promise<UndoFilePatch> {
  const path = resolve(file);
  const fromHere = relative('', path);
  const isOutside = fromHere.startsWith('..') || isAbsolute(fromHere);
  const folder = isOutside ? dirname(path) : null;
  if (missing.length === 0) return { isUpToDate: true, folder, diff: '', manualEdits: [] };
  const { createPatch } = await import('../source/export/patch.ts');
  const { main, included } = await readSourceFiles(path);
  const nameOf = (home: string): string =>
    relative(folder ?? '', join(dirname(path), home || basename(path)))
      .split(sep)
      .join('/');
  const edits = [{ file, relativePath: '', text: main }, ...included].map(({ relativePath, text }) => {
    const wishes = missing.filter(({ key }) => (desired.publications.get(key)?.sourceFile ?? '') === relativePath);
    const toParseInput = (other: string): ParseInput => ({
      file,
      text: relativePath === '' ? other : main,
      variables: environment,
      included: included.map((one) => (one.relativePath === relativePath ? { ...one, text: other } : one)),
    });
    return wishes.length === 0
      ? { diff: '', manualEdits: [] }
      : createPatch({ text, file: nameOf(relativePath), toParseInput, desired }, wishes);
  });
  return {
    isUpToDate: false,
    folder,
    diff: edits.map(({ diff }) => diff).join(''),
    manualEdits: edits.flatMap(({ manualEdits }) => manualEdits),
  };
}

/** Returns the texts of the file and of those that it includes, which have been read a moment ago. */
async function readSourceFiles(path: string) {
  const { readFileSet } = await import('../source/include-reader.ts');
  const { parseIncludes } = await import('../source/include-reader.ts');
  const { parseYaml } = await import('../source/yaml/tree.ts');
  const { main, included } = await readFileSet(path, (text) => parseIncludes(parseYaml(text)));
  if (main.kind !== 'read') throw new EdictError('FILE_UNREADABLE', `${path} cannot be read any more`);
  return { main: main.text, included };
}
