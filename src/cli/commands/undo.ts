import { createAppContext } from '../../app/context.ts';
import { parseUndoRequest, readUndo, type UndoReport, type UndoRequest } from '../../app/undo.ts';
import { assertNever, EdictError, type ExitCode, exitCodes } from '../../model/errors.ts';
import type { Settings } from '../../model/settings.ts';
import type { NotRestored, Restoration } from '../../plan/undo.ts';
import { formatCommandLine } from '../../render/command-line.ts';
import { formatTimestamp, pluralize } from '../../render/format.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import type { Colorize } from '../output/colors.ts';
import { formatTable } from '../output/table.ts';
import { shortReconcileId } from './history.ts';

export interface UndoOptions {
  readonly format: string;
}

/**
 * Prints the patch to the file that undoes the requested attempts, and the publications that it does not restore. Changes nothing.
 * Returns 0. Throws an EdictError `OPTION_INVALID`, and as `readUndo` does.
 */
export async function undo(args: UndoArguments, given: Settings, options: UndoOptions, context: CliContext): Promise<ExitCode> {
  const { asked: request, settings } = parseUndoArguments(args, given);
  const report = await readUndo(createAppContext(settings, context.env), request);
  const { out } = colorizersFor(context);
  context.stdout.write(options.format === 'json' ? `${JSON.stringify(toJson(report), null, 2)}\n` : toText(report, settings, out));
  return exitCodes.done;
}

/** The two arguments of the command; the second is optional. */
export interface UndoArguments {
  readonly what: string;
  readonly file: string | undefined;
}

/** Parses the arguments. A single argument that is neither an attempt nor an apply is the file. */
function parseUndoArguments(
  { what, file }: UndoArguments,
  settings: Settings,
): { readonly asked: UndoRequest; readonly settings: Settings } {
  const request = parseUndoRequest(what);
  if (request) return { asked: request, settings };
  if (file === undefined) return { asked: { text: 'last', selector: 'last' }, settings: { ...settings, file: what } };
  throw new EdictError('OPTION_INVALID', `${what} names no attempt or apply`, {
    hint: 'expected the number of an attempt, the ID of an apply or its begin (4 characters at least), or last',
  });
}

/** Returns the report as text, with the diff last, since `git apply` skips any text before a diff. */
function toText(report: UndoReport, settings: Settings, paint: Colorize): string {
  const { target, restorations, notRestored } = report;
  if (target === null) return 'Nothing to undo: edict has changed nothing on this gateway.\n';
  const lines =
    restorations.length + notRestored.length === 0
      ? ['It changed nothing: none of its calls succeeded.']
      : [...restoredLines(report), ...notRestoredLines(report, paint), ...fileLines(report, settings, paint)];
  const id = target.kind === 'apply' ? shortReconcileId(target.id) : target.id;
  return `${[paint('bold', `Undo of ${target.kind} ${id}, begun ${formatTimestamp(target.startedAtMs)}`), ...lines].join('\n')}\n`;
}

function restoredLines({ restorations, uncheckedReason }: UndoReport): string[] {
  return [
    ...(restorations.length > 0 ? [`Restores ${pluralize(restorations.length, 'publication')}:`] : []),
    ...formatTable(restorations.map((publication) => [publication.api, publication.environment, formatRestoredState(publication)])).map(
      (line) => `  ${line}`,
    ),
    ...(uncheckedReason === null ? [] : [`Not checked at the gateway: versions may be gone, or moved outside edict (${uncheckedReason}).`]),
    ...restorations
      .filter(({ mayHaveBeenOnline }) => mayHaveBeenOnline && uncheckedReason === null)
      .map(
        ({ api, environment }) =>
          `${api} in ${environment}: nothing was recorded before, but the gateway keeps an older version: it may have been online without edict.`,
      ),
  ];
}

function formatRestoredState({ state, version, newVersionCause }: Restoration): string {
  if (newVersionCause === null) return version === null ? state : `${state}, version ${version}`;
  return `${state} as a new version of today's draft: the version from before is ${newVersionCause === 'deleted' ? 'no longer kept' : 'not known'}`;
}

function notRestoredLines({ notRestored }: UndoReport, paint: Colorize): string[] {
  return [
    ...(notRestored.length > 0 ? [paint('yellow', `Not restored (${notRestored.length})`)] : []),
    ...formatTable(notRestored.map((publication) => [`~ ${publication.api}`, publication.environment, formatNotRestored(publication)])).map(
      (line) => `  ${line}`,
    ),
  ];
}

/** Returns the reason why a publication is not restored, as text. */
function formatNotRestored({ attemptId, cause }: NotRestored): string {
  switch (cause.kind) {
    case 'unrecorded':
      return `nothing was recorded before attempt ${attemptId}`;
    case 'unknownOutcome':
      return `attempt ${cause.attemptId} has no known outcome; \`edict apply\` finds it out`;
    case 'laterAttempt':
      return `attempt ${cause.attemptId} has moved it since, at ${formatTimestamp(cause.atMs)}`;
    case 'externalChange':
      return `somebody else has moved it since attempt ${attemptId}`;
    case 'unknownVersion':
      return 'it cannot be restored: the version that was effective before is not known';
    case 'versionDeleted':
      return `it cannot be restored: version ${cause.version}, which was effective before, is no longer kept (the gateway keeps ten)`;
    case 'unreadable':
      return `its versions cannot be read: ${cause.message}`;
    case 'unchanged':
      return 'it was before as it is now';
    default:
      return assertNever(cause);
  }
}

function fileLines({ restorations, file }: UndoReport, settings: Settings, paint: Colorize): string[] {
  const { isUpToDate, diff, manualEdits, folder } = file;
  if (restorations.length === 0) return [];
  const next = `${paint('bold', formatCommandLine('apply', [], settings))}, or a daemon, then makes the calls.`;
  if (isUpToDate) return [`The file asks for this already: it needs no change. ${next}`];
  return [
    `Nothing was changed. Change the file; ${next}`,
    ...manualEdits.map((edit) => `By hand: ${edit.api} in ${edit.environment}: ${formatSetting(edit.state, edit.version)}`),
    ...(diff === '' ? [] : [`For \`git apply\`${folder === null ? '' : ` in ${folder}`}:`, diff.trimEnd()]),
  ];
}

function formatSetting(state: string, version: string | null): string {
  return version === null ? state : `{ state: ${state}, version: ${version} }`;
}

function toJson({ target, restorations, notRestored, uncheckedReason, file }: UndoReport) {
  return {
    format: 1,
    target: target && { kind: target.kind, id: target.id, startedAt: formatTimestamp(target.startedAtMs) },
    restorations: restorations.map(
      ({ api, apiId, environment, environmentId, attemptId, state, version, newVersionCause, mayHaveBeenOnline }) => ({
        ...{ api, apiId, environment, environmentId, attempt: attemptId, state, version, newVersionCause, mayHaveBeenOnline },
      }),
    ),
    notRestored: notRestored.map((publication) => {
      const { api, apiId, environment, environmentId, attemptId, cause } = publication;
      return { api, apiId, environment, environmentId, attempt: attemptId, cause: cause.kind, message: formatNotRestored(publication) };
    }),
    uncheckedReason,
    file: {
      upToDate: file.isUpToDate,
      diff: file.diff,
      folder: file.folder,
      manualEdits: file.manualEdits.map(({ api, environment, state, version }) => ({ api, environment, state, version })),
    },
  };
}
