import { applyUndo } from '../app.ts';
import type { Settings } from '../config.ts';
import { assertNever, EdictError, type ExitCode, exitCodes } from '../core/errors.ts';
import { heldDigest } from '../core/guards.ts';
import type { LogFormat, LogLevel } from '../core/log-options.ts';
import type { Plan } from '../core/plan.ts';
import type { LeftAlone, WayBack } from '../core/undo.ts';
import { type Asked, askedFor, readUndo, type Undo } from '../undoing.ts';
import { commandLine } from '../words/command-line.ts';
import { counted, momentInWords } from '../words/phrases.ts';
import { planJson } from '../words/plan-json.ts';
import { report } from './apply.ts';
import { columns } from './columns.ts';
import { type Context, paintersOf } from './context.ts';
import { shortId } from './history.ts';
import type { Paint } from './paint.ts';
import { planRenderers } from './render-plan.ts';

export interface UndoOptions {
  readonly format: string;
  /** Whether the calls are made. */
  readonly apply?: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat?: LogFormat;
}

/**
 * Shows the plan that undoes what is asked for, or makes it, and the change to the file that makes it last. Returns 0, and what `apply` does where
 * calls are made. Throws an EdictError as `readUndo` and `applyUndo` do.
 */
export async function undo(words: UndoWords, given: Settings, options: UndoOptions, context: Context): Promise<ExitCode> {
  const { asked, settings } = argumentsIn(words, given);
  const asJson = options.format === 'json';
  const { out } = paintersOf(context);
  if (!options.apply) {
    const shown = await readUndo(settings, context.environment, asked);
    const release = releaseOf(shown.plan, shown, settings);
    context.stdout.write(asJson ? `${JSON.stringify(toJson(shown, release), null, 2)}\n` : toText(shown, release, settings, out));
    return exitCodes.done;
  }
  let made: Undo | null = null;
  const code = await report(options, context, {
    verb: 'Undone',
    act: async (emit, stop) => {
      const { undo: planned, applied } = await applyUndo(settings, asked, context.environment, emit, stop);
      made = planned;
      if (!applied && asJson) context.stdout.write(`${JSON.stringify({ type: 'summary', format: 1, ...moreJson(planned) })}\n`);
      return applied;
    },
    release: (plan) => (made ? releaseOf(plan, made, settings) : null),
    more: () => (made ? moreJson(made) : {}),
  });
  if (made && !asJson) context.stdout.write(afterwards(made, out));
  return code;
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

function releaseOf(plan: Plan, { of }: Undo, settings: Settings): string | null {
  const digest = heldDigest(plan);
  if (digest === null || of === null) return null;
  return `${commandLine('approve', [digest, '--undo', of.id], settings)} --by YOU --why REASON`;
}

function toText(shown: Undo, release: string | null, settings: Settings, paint: Paint): string {
  const { of, plan } = shown;
  if (of === null) return nothing;
  const command = commandLine('undo', [of.kind === 'apply' ? shortId(of.id) : of.id, '--apply'], settings);
  const planned =
    plan.changes.length === 0
      ? [...leftLines(shown, paint), nothingToMake(shown)]
      : [planRenderers.text({ ...shown, release }, paint).trimEnd(), ...leftLines(shown, paint), `To make it: ${paint('bold', command)}`];
  return `${[paint('bold', titleOf(shown)), ...planned, ...fileLines(shown, plan.changes.length > 0, paint)].join('\n')}\n`;
}

function nothingToMake({ ways, left }: Undo): string {
  return ways.length + left.length === 0 ? 'Nothing to make: it has changed nothing, since no call of it succeeded.' : 'Nothing to make.';
}

const nothing = 'Nothing to undo: edict has changed nothing on this gateway.\n';

function titleOf({ of }: Undo): string {
  if (of === null) return '';
  return `Undo of ${of.kind} ${of.kind === 'apply' ? shortId(of.id) : of.id}, begun ${momentInWords(of.beganAtMs)}`;
}

/** What is said behind the report of what was made. */
function afterwards(made: Undo, paint: Paint): string {
  if (made.of === null) return nothing;
  const isMade = made.plan.changes.length > 0;
  return `${[...leftLines(made, paint), ...(isMade ? [] : [`${nothingToMake(made)} Nothing was sent.`]), ...fileLines(made, isMade, paint)].map((line) => `${line}\n`).join('')}`;
}

function leftLines({ left, ways }: Undo, paint: Paint): string[] {
  const doubtful = ways.filter(({ mayHaveBeenOnline }) => mayHaveBeenOnline);
  return [
    ...(left.length > 0 ? [paint('yellow', `Left as they are (${left.length})`)] : []),
    ...columns(left.map((one) => [`~ ${one.api}`, one.environment, leftInWords(one)])).map((line) => `  ${line}`),
    ...ways.filter(({ asNew }) => asNew).map((way) => `${way.api} in ${way.environment}: ${newInWords(way)}`),
    ...doubtful.map(
      ({ api, environment }) =>
        `${api} in ${environment}: nothing was recorded before, but the gateway keeps an older version: it may have been online without edict.`,
    ),
  ];
}

/** Returns why nothing is done, for a person. */
function leftInWords({ attempt, why }: LeftAlone): string {
  switch (why.kind) {
    case 'unrecorded':
      return `nothing is known of what was before attempt ${attempt}: an older edict made it`;
    case 'unresolved':
      return `attempt ${why.attempt} has no known outcome; \`edict apply\` finds it out`;
    case 'later':
      return `attempt ${why.attempt} has moved it since, at ${momentInWords(why.atMs)}`;
    case 'outside':
      return `somebody else has moved it since attempt ${attempt}`;
    case 'unknown version':
      return 'it cannot be brought back: the version that was effective before is not known';
    case 'gone':
      return `it cannot be brought back: version ${why.version}, which was effective before, is no longer kept (the gateway keeps ten)`;
    case 'unread':
      return `its versions cannot be read: ${why.message}`;
    case 'same':
      return 'it was before as it is now';
    default:
      return assertNever(why);
  }
}

function newInWords({ asNew }: WayBack): string {
  const why = asNew === 'gone' ? 'the version from before is no longer kept' : 'the version from before is not known';
  return `${why}, so going online makes a new version, of today's draft.`;
}

/** Says what the file has otherwise, and the change that makes the undo last; the diff comes last, so that all of it can be given to git apply. */
function fileLines({ file }: Undo, isMade: boolean, paint: Paint): string[] {
  const { against, diff, byHand, folder } = file;
  if (against.length === 0) return isMade ? ['The file agrees: it needs no change.'] : [];
  const what = against.length === 1 ? '1 publication' : counted(against.length, 'publication');
  return [
    `${paint('yellow', 'The file says otherwise')} of ${what}: the next apply, or a daemon, makes that again. To make the undo last, change the file.`,
    ...byHand.map(({ api, environment, state, version }) => `By hand: ${api} in ${environment}: ${inFile(state, version)}`),
    ...(diff === '' ? [] : [`For \`git apply\`${folder === null ? '' : ` in ${folder}`}:`, diff.trimEnd()]),
  ];
}

function inFile(state: string, version: string | null): string {
  return version === null ? state : `{ state: ${state}, version: ${version} }`;
}

function toJson(shown: Undo, release: string | null) {
  return { ...planJson({ ...shown, release }), ...moreJson(shown) };
}

function moreJson({ of, ways, left, file }: Undo) {
  return {
    undo: of && { kind: of.kind, id: of.id, began: momentInWords(of.beganAtMs) },
    back: ways.map(({ api, apiId, environment, environmentId, attempt, to, version, revision, asNew, mayHaveBeenOnline }) => ({
      ...{ api, apiId, environment, environmentId, attempt, to, version, revision, asNew, mayHaveBeenOnline },
    })),
    leftAlone: left.map((one) => {
      const { api, apiId, environment, environmentId, attempt, why } = one;
      return { api, apiId, environment, environmentId, attempt, why: why.kind, message: leftInWords(one) };
    }),
    file: {
      agrees: file.against.length === 0,
      diff: file.diff,
      folder: file.folder,
      byHand: file.byHand.map(({ api, environment, state, version }) => ({ api, environment, state, version })),
    },
  };
}
