import type { ImportUpdate } from '../../app/edits/import.ts';
import type { UndoReport } from '../../app/edits/undo.ts';
import { assertNever } from '../../model/errors.ts';
import type { Settings } from '../../model/settings.ts';
import { toJson } from '../../model/visible.ts';
import type { NotRestored, Restoration } from '../../plan/undo.ts';
import { completeCommands, formatCommandLine } from '../../render/command-line.ts';
import { formatTimestamp, pluralize } from '../../render/format.ts';
import { shortReconcileId } from './history.ts';
import { type Colorize, formatTable, joinLines, type RenderOptions } from './terminal.ts';

/** Returns what the undo of an apply or an attempt restores and what not. As JSON, the patch is in it; as text, it follows. */
export function renderUndo(report: UndoReport, { settings, format, paint }: RenderOptions): string {
  return format === 'json' ? `${toJson(undoJson(report), 2)}\n` : undoText(report, settings, paint);
}

/** Returns the report as text. The diff follows it, since `git apply` skips any text before a diff. */
function undoText(report: UndoReport, settings: Settings, paint: Colorize): string {
  const { target, restorations, notRestored } = report;
  if (target === null) return 'Nothing to undo: edict has changed nothing on this gateway.\n';
  const lines =
    restorations.length + notRestored.length === 0
      ? ['It changed nothing: none of its calls succeeded.']
      : [...restoredLines(report), ...notRestoredLines(report, settings, paint), ...fileLines(report, settings, paint)];
  const id = target.kind === 'apply' ? shortReconcileId(target.id) : target.id;
  return `${joinLines([paint('bold', `Undo of ${target.kind} ${id}, started at ${formatTimestamp(target.startedAtMs)}`), ...lines])}\n`;
}

function restoredLines({ restorations, uncheckedReason }: UndoReport): string[] {
  return [
    ...(restorations.length > 0 ? [`Restores ${pluralize(restorations.length, 'publication')}:`] : []),
    ...formatTable(restorations.map((publication) => [publication.api, publication.environment, formatRestoredState(publication)])).map(
      (line) => `  ${line}`,
    ),
    ...(uncheckedReason === null
      ? []
      : [`Not checked at the gateway: versions may be gone, or changed outside edict (${uncheckedReason}).`]),
    ...restorations
      .filter(({ mayHaveBeenOnline }) => mayHaveBeenOnline && uncheckedReason === null)
      .map(
        ({ api, environment }) =>
          `${api} in ${environment}: may have been online before, published outside edict: no earlier state is recorded, and the gateway keeps an older version.`,
      ),
  ];
}

function formatRestoredState({ state, version, newVersionCause }: Restoration): string {
  if (newVersionCause === null) return version === null ? state : `${state}, version ${version}`;
  return `${state} as a new version of the current draft: the previous version is ${newVersionCause === 'deleted' ? 'no longer kept' : 'unknown'}`;
}

function notRestoredLines({ notRestored }: UndoReport, settings: Settings, paint: Colorize): string[] {
  return [
    ...(notRestored.length > 0 ? [paint('yellow', `Not restored (${notRestored.length})`)] : []),
    ...formatTable(
      notRestored.map((publication) => [
        `~ ${publication.api}`,
        publication.environment,
        completeCommands(formatNotRestored(publication), settings),
      ]),
    ).map((line) => `  ${line}`),
  ];
}

/** Returns the reason why a publication is not restored, as text. */
function formatNotRestored({ attemptId, cause }: NotRestored): string {
  switch (cause.kind) {
    case 'unrecorded':
      return `its state before attempt ${attemptId} is not recorded`;
    case 'unknownOutcome':
      return `the outcome of attempt ${cause.attemptId} is unknown; \`edict apply\` determines it`;
    case 'laterAttempt':
      return `attempt ${cause.attemptId} has changed it since, at ${formatTimestamp(cause.atMs)}`;
    case 'externalChange':
      return `changed outside edict since attempt ${attemptId}`;
    case 'unknownVersion':
      return 'the version that was effective before is unknown';
    case 'versionDeleted':
      return `version ${cause.version}, which was effective before, is no longer kept (the gateway keeps ten)`;
    case 'unreadable':
      return `its versions cannot be read: ${cause.message}`;
    case 'unchanged':
      return 'it is already in its previous state';
    default:
      return assertNever(cause);
  }
}

function fileLines({ restorations, file }: UndoReport, settings: Settings, paint: Colorize): string[] {
  const { isUpToDate, diff, manualEdits, folder } = file;
  if (restorations.length === 0) return [];
  const next = `run ${paint('bold', formatCommandLine('apply', [], settings))}, or let a daemon make the calls.`;
  if (isUpToDate) return [`The file already declares this. To apply it, ${next}`];
  return [
    `Nothing was changed. Change the file, then ${next}`,
    ...manualEdits.map((edit) => `Edit by hand: ${edit.api} in ${edit.environment}: ${formatSetting(edit.state, edit.version)}`),
    ...(diff === '' ? [] : [`For \`git apply\`${folder === null ? '' : ` in ${folder}`}:`]),
  ];
}

function formatSetting(state: string, version: string | null): string {
  return version === null ? state : `{ state: ${state}, version: ${version} }`;
}

function undoJson({ target, restorations, notRestored, uncheckedReason, file }: UndoReport) {
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

/** The most publications that are listed one by one. */
const maxListed = 20;

/** Returns what the patch of `edict import --update` adds, in one line, and one line for everything that it does not. */
export function describeImportUpdate(
  { added, newApis, newEnvironments, skipped, manualEdits, diff, folder }: ImportUpdate,
  { file }: Settings,
): { readonly summary: string; readonly warnings: readonly string[] } {
  const warnings = [
    ...listFirst(skipped.map(({ api, environment, reason }) => `${api} in ${environment} is online and not added: ${reason}`)),
    ...listFirst(
      manualEdits.map(
        ({ api, apiId, environment, environmentId }) => `add by hand: ${api} (${apiId}) in ${environment} (${environmentId}): online`,
      ),
    ),
  ];
  if (diff === '') {
    const isComplete = warnings.length === 0;
    return {
      warnings,
      summary: isComplete ? `Nothing is missing: ${file} declares everything that is online at the gateway.` : 'Nothing else is missing.',
    };
  }
  const parts = [
    ...(newApis.length > 0 ? [pluralize(newApis.length, 'new API')] : []),
    ...(newEnvironments.length > 0
      ? [`the new ${newEnvironments.length === 1 ? 'environment' : 'environments'} ${newEnvironments.join(', ')}`]
      : []),
  ];
  const including = parts.length === 0 ? '' : `, with ${parts.join(' and ')}`;
  return {
    warnings,
    summary: `The patch adds ${pluralize(added.length, 'publication')}${including}. Apply it with git apply${folder === null ? '' : ` in ${folder}`}.`,
  };
}

function listFirst(lines: readonly string[]): readonly string[] {
  const rest = lines.length - maxListed;
  return rest > 0 ? [...lines.slice(0, maxListed), `and ${rest} more like this`] : lines;
}
