import type { AppContext } from '../../model/app-context.ts';
import type { Attempt, AttemptSelector } from '../../model/attempt.ts';
import type { DesiredState } from '../../model/desired-state.ts';
import { CredentialsMissingError, EdictError } from '../../model/errors.ts';
import type { RecordedState } from '../../model/recorded-state.ts';
import { computeUndo, filterMissingFromFile, filterRestorable, type Restoration, type UndoResult } from '../../plan/undo.ts';
import type { StoreReader } from '../../store/interface.ts';
import { observationFailedError, withApprovedReader, withReadSession } from '../read-session.ts';
import type { FilesPatch } from './file-patch.ts';

/*
 * `edict undo`: computes the patch to the file that restores the states and versions from before an apply or an attempt. It only reads:
 * `git apply` changes the file, then the next `edict apply` or the daemon changes the gateway, under the usual policies.
 */

/** The apply or attempt to undo. `id` identifies it on the command line. */
export interface UndoTarget {
  readonly kind: 'apply' | 'attempt';
  readonly id: string;
  /** When its first attempt began, in milliseconds since 1970. */
  readonly startedAtMs: number;
}

/** A patch to the file and its included files. */
export interface UndoFilePatch extends FilesPatch {
  /** Whether the file already declares everything that can be restored. */
  readonly isUpToDate: boolean;
}

/** The result of `edict undo`: what it restores, and the patch to the file. */
export interface UndoReport extends UndoResult {
  /** `null` if edict has never changed anything on this gateway. */
  readonly target: UndoTarget | null;
  /** Why the versions were not checked at the gateway; `null` if they were checked or no check was needed. */
  readonly uncheckedReason: string | null;
  readonly file: UndoFilePatch;
}

/** The command line argument that selects attempts, as text and parsed. */
export interface UndoRequest {
  readonly text: string;
  readonly selector: AttemptSelector;
}

/** Parses the number of an attempt, a prefix of an apply's ID, or `last`; returns `null` for any other text. */
export function parseUndoRequest(text: string): UndoRequest | null {
  if (text === 'last') return { text, selector: 'last' };
  if (/^\d{1,15}$/.test(text)) return { text, selector: { attempt: Number(text) } };
  return /^[0-9a-f][0-9a-f-]{3,35}$/.test(text) ? { text, selector: { reconcile: text } } : null;
}

/**
 * Returns the patch to the file that undoes the requested attempts. Writes nothing. Reads the versions that the gateway keeps, except
 * with `--emulate` or without credentials.
 *
 * @throws EdictError `ATTEMPT_NOT_FOUND` if there is no such attempt or apply, `OBSERVATION_FAILED` if the gateway cannot be read
 */
export function readUndo(context: AppContext, request: UndoRequest): Promise<UndoReport> {
  return withReadSession(context, { resolvesNames: true }, async ({ desired, store }) => {
    const { gateway } = desired;
    const { of: target, attempts } = await findRequestedAttempts(request, desired, store);
    const recorded = await store.readRecordedState(gateway);
    const undoResult = computeUndo(attempts, await store.succeededAfter(gateway, attempts[0]?.id ?? 0), recorded);
    const checked = await checkVersions(context, undoResult, { recorded, desired, store });
    const file = await buildFilePatch(context, filterMissingFromFile(desired, recorded, checked.restorations), desired);
    return { target, ...checked, file };
  });
}

async function findRequestedAttempts(
  { text, selector }: UndoRequest,
  { gateway }: DesiredState,
  store: StoreReader,
): Promise<{ readonly of: UndoTarget | null; readonly attempts: readonly Attempt[] }> {
  let attempts = await store.findAttempts(gateway, selector);
  const isNumber = typeof selector === 'object' && 'attempt' in selector;
  const isAttempt = isNumber && attempts.length > 0;
  if (isNumber && !isAttempt && text.length >= 4) attempts = await store.findAttempts(gateway, { reconcile: text });
  const reconcileIds = [...new Set(attempts.map(({ reconcileId }) => reconcileId))];
  const [first] = attempts;
  const hint = '`edict history` shows attempts and the applies that they belong to';
  if (reconcileIds.length > 1)
    throw new EdictError('ATTEMPT_NOT_FOUND', `${text} is the begin of several applies: ${reconcileIds.join(', ')}`, { hint });
  if (!first && selector !== 'last')
    throw new EdictError('ATTEMPT_NOT_FOUND', `the record has no attempt or apply ${text} on this gateway`, { hint });
  if (!first) return { of: null, attempts };
  const id = isAttempt ? String(first.id) : first.reconcileId;
  return { of: { kind: isAttempt ? 'attempt' : 'apply', id, startedAtMs: first.startedAtMs }, attempts };
}

/** Checks which versions can be restored. With `--emulate` the recorded state decides alone: an emulated gateway ends with its command and keeps no versions. */
async function checkVersions(
  context: AppContext,
  undoResult: UndoResult,
  {
    recorded,
    desired: { gateway: settings },
    store,
  }: { readonly recorded: RecordedState; readonly desired: DesiredState; readonly store: StoreReader },
): Promise<UndoResult & Pick<UndoReport, 'uncheckedReason'>> {
  if (undoResult.restorations.length === 0 || context.settings.emulate) return { ...undoResult, uncheckedReason: null };
  const { readKeptVersions } = await import('../../controller/observe/kept-versions.ts');
  try {
    const read = await withApprovedReader(context, { settings, seed: null, store }, (gateway) =>
      readKeptVersions(undoResult.restorations, recorded, { ...context, gateway, settings }),
    );
    if (read.kind !== 'read') throw observationFailedError(`${read.failure.code} ${read.failure.message}`, read.failure.hint);
    return { ...filterRestorable(undoResult, recorded, read.value), uncheckedReason: null };
  } catch (error) {
    if (!(error instanceof CredentialsMissingError)) throw error;
    return { ...undoResult, uncheckedReason: error.message };
  }
}

async function buildFilePatch(
  context: AppContext,
  missingRestorations: readonly Restoration[],
  desired: DesiredState,
): Promise<UndoFilePatch> {
  const { patchFolder, patchFiles, readPatchableFiles } = await import('./file-patch.ts');
  if (missingRestorations.length === 0) {
    return { isUpToDate: true, folder: patchFolder(context.settings.file), diff: '', manualEdits: [] };
  }
  const files = await readPatchableFiles(context);
  return { isUpToDate: false, ...(await patchFiles(files, missingRestorations, { desired })) };
}
