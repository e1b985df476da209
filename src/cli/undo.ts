import type { Settings } from '../config.ts';
import { assertNever, EdictError, type ExitCode, exitCodes } from '../core/errors.ts';
import type { NotRestored, Restoration } from '../core/undo.ts';
import { type Asked, askedFor, readUndo, type Undo } from '../undoing.ts';
import { commandLine } from '../words/command-line.ts';
import { counted, momentInWords } from '../words/phrases.ts';
import { columns } from './columns.ts';
import { type Context, paintersOf } from './context.ts';
import { shortId } from './history.ts';
import type { Paint } from './paint.ts';

export interface UndoOptions {
  readonly format: string;
}

/**
 * Prints the change to the file that undoes what is asked for, and what it does not restore. Changes nothing itself. Returns 0.
 * Throws an EdictError: `OPTION`, and what `readUndo` throws.
 */
export async function undo(words: UndoWords, given: Settings, options: UndoOptions, context: Context): Promise<ExitCode> {
  const { asked, settings } = argumentsIn(words, given);
  const shown = await readUndo(settings, context.environment, asked);
  const { out } = paintersOf(context);
  context.stdout.write(options.format === 'json' ? `${JSON.stringify(toJson(shown), null, 2)}\n` : toText(shown, settings, out));
  return exitCodes.done;
}

/** The two words behind the command; the second one may be missing. */
export interface UndoWords {
  readonly what: string;
  readonly file: string | undefined;
}

/** A single word that names no attempt and no apply is the file. */
function argumentsIn({ what, file }: UndoWords, settings: Settings): { readonly asked: Asked; readonly settings: Settings } {
  const asked = askedFor(what);
  if (asked) return { asked, settings };
  if (file === undefined) return { asked: { text: 'last', which: 'last' }, settings: { ...settings, file: what } };
  throw new EdictError('OPTION', `${what} names no attempt or apply`, {
    hint: 'expected the number of an attempt, the ID of an apply or its begin (4 characters at least), or last',
  });
}

/** The diff comes last: `git apply` skips what stands before it. */
function toText(shown: Undo, settings: Settings, paint: Paint): string {
  const { of, restored, notRestored } = shown;
  if (of === null) return 'Nothing to undo: edict has changed nothing on this gateway.\n';
  const lines =
    restored.length + notRestored.length === 0
      ? ['It changed nothing: none of its calls succeeded.']
      : [...restoredLines(shown), ...notRestoredLines(shown, paint), ...fileLines(shown, settings, paint)];
  const id = of.kind === 'apply' ? shortId(of.id) : of.id;
  return `${[paint('bold', `Undo of ${of.kind} ${id}, begun ${momentInWords(of.beganAtMs)}`), ...lines].join('\n')}\n`;
}

function restoredLines({ restored, unchecked }: Undo): string[] {
  return [
    ...(restored.length > 0 ? [`Restores ${counted(restored.length, 'publication')}:`] : []),
    ...columns(restored.map((one) => [one.api, one.environment, stateInWords(one)])).map((line) => `  ${line}`),
    ...(unchecked === null ? [] : [`Not checked at the gateway: versions may be gone, or moved outside edict (${unchecked}).`]),
    ...restored
      .filter(({ mayHaveBeenOnline }) => mayHaveBeenOnline && unchecked === null)
      .map(
        ({ api, environment }) =>
          `${api} in ${environment}: nothing was recorded before, but the gateway keeps an older version: it may have been online without edict.`,
      ),
  ];
}

function stateInWords({ state, version, asNew }: Restoration): string {
  if (asNew === null) return version === null ? state : `${state}, version ${version}`;
  return `${state} as a new version of today's draft: the version from before is ${asNew === 'gone' ? 'no longer kept' : 'not known'}`;
}

function notRestoredLines({ notRestored }: Undo, paint: Paint): string[] {
  return [
    ...(notRestored.length > 0 ? [paint('yellow', `Not restored (${notRestored.length})`)] : []),
    ...columns(notRestored.map((one) => [`~ ${one.api}`, one.environment, reasonInWords(one)])).map((line) => `  ${line}`),
  ];
}

/** Returns why a publication is not restored, for a person. */
function reasonInWords({ attempt, why }: NotRestored): string {
  switch (why.kind) {
    case 'unrecorded':
      return `nothing is known of its state before attempt ${attempt}: an older edict made it`;
    case 'unresolved':
      return `attempt ${why.attempt} has no known outcome; \`edict apply\` finds it out`;
    case 'later':
      return `attempt ${why.attempt} has moved it since, at ${momentInWords(why.atMs)}`;
    case 'outside':
      return `somebody else has moved it since attempt ${attempt}`;
    case 'unknown version':
      return 'it cannot be restored: the version that was effective before is not known';
    case 'gone':
      return `it cannot be restored: version ${why.version}, which was effective before, is no longer kept (the gateway keeps ten)`;
    case 'unread':
      return `its versions cannot be read: ${why.message}`;
    case 'same':
      return 'it was before as it is now';
    default:
      return assertNever(why);
  }
}

function fileLines({ restored, file }: Undo, settings: Settings, paint: Paint): string[] {
  const { agrees, diff, byHand, folder } = file;
  if (restored.length === 0) return [];
  const next = `${paint('bold', commandLine('apply', [], settings))}, or a daemon, then makes the calls.`;
  if (agrees) return [`The file asks for this already: it needs no change. ${next}`];
  return [
    `Nothing was changed. Change the file; ${next}`,
    ...byHand.map((wish) => `By hand: ${wish.api} in ${wish.environment}: ${settingInWords(wish.state, wish.version)}`),
    ...(diff === '' ? [] : [`For \`git apply\`${folder === null ? '' : ` in ${folder}`}:`, diff.trimEnd()]),
  ];
}

function settingInWords(state: string, version: string | null): string {
  return version === null ? state : `{ state: ${state}, version: ${version} }`;
}

function toJson({ of, restored, notRestored, unchecked, file }: Undo) {
  return {
    format: 1,
    undo: of && { kind: of.kind, id: of.id, began: momentInWords(of.beganAtMs) },
    restores: restored.map(({ api, apiId, environment, environmentId, attempt, state, version, asNew, mayHaveBeenOnline }) => ({
      ...{ api, apiId, environment, environmentId, attempt, state, version, asNew, mayHaveBeenOnline },
    })),
    notRestored: notRestored.map((one) => {
      const { api, apiId, environment, environmentId, attempt, why } = one;
      return { api, apiId, environment, environmentId, attempt, why: why.kind, message: reasonInWords(one) };
    }),
    unchecked,
    file: {
      agrees: file.agrees,
      diff: file.diff,
      folder: file.folder,
      byHand: file.byHand.map(({ api, environment, state, version }) => ({ api, environment, state, version })),
    },
  };
}
