import type { Settings } from '../config.ts';
import type { Change, Reason } from '../core/plan.ts';
import type { Attempt, Condition } from '../core/ports.ts';
import type { Action, UnresolvedAttempt } from '../core/publication.ts';
import { everything } from '../core/targets.ts';
import type { Explanation } from '../explanation.ts';
import { commandLine } from './command-line.ts';
import { releaseCommand } from './release-command.ts';
import { type Seen, seenOf } from './seen.ts';
import { durationInWords, momentInWords, reasonInWords } from './words.ts';

/** What happens next to one publication, for a person and for programs. */
export interface NextStep {
  /**
   * `change`: a call is made. `unresolved`: first it is found out what became of an attempt. `held`: a call is wanted and not
   * made until a person agrees. `waiting`: it is made later by itself. All else is left as it is.
   */
  readonly kind: 'change' | 'unresolved' | 'held' | 'waiting' | 'drift' | 'fight' | 'stale' | 'in sync' | 'left alone';
  readonly action: Action | null;
  readonly reason: Reason | null;
  /** A few words for a title. */
  readonly what: string;
  readonly why: string;
  /** When, and what it waits for; `null` if nothing is going to happen. */
  readonly when: string | null;
  /** What a person can do about it; empty if nothing is needed. */
  readonly advice: readonly string[];
}

/** Returns what happens next to the publication, why, when, and what a person can do. */
export function nextStepOf(of: Explanation, settings: Settings): NextStep {
  const [change] = of.plan.changes;
  if (change) return ofChange(change, of, settings);
  const [seen] = seenOf(of.plan, []);
  return seen ? ofSeen(seen, of) : ofRest(of);
}

function ofChange(change: Change, of: Explanation, settings: Settings): NextStep {
  const { action, reason, held, waits } = change;
  const failed = failureOf(change, of)?.attempt;
  const why = reasonInWords(change) + (failed?.code ? `; the last attempt at it: ${failed.code} ${failed.message ?? ''}`.trimEnd() : '');
  const moves = { action, reason } as const;
  if (held) {
    const what = `nothing: going ${action} is held by the rule \`${held.rule}\``;
    const release = releaseCommand(of.whole, { ...settings, targets: everything.patterns });
    const advice = [held.hint, ...(release === null ? [] : [`to agree to all that is held: \`${release}\``])];
    return { kind: 'held', ...moves, what, why: `${why}; ${held.message}`, when: 'not before a person agrees', advice };
  }
  if (waits) {
    const when = waits.untilMs === null ? 'when that is over' : `at ${momentInWords(waits.untilMs)}`;
    return { kind: 'waiting', ...moves, what: `goes ${action} later`, why: `${why}; ${waits.message}`, when, advice: [] };
  }
  const { when, advice } = timing(change, of, settings);
  const unresolved = beforeIt(of)?.unresolved;
  if (reason === 'unresolved' && unresolved) {
    const what = `attempt ${unresolved.attemptId} (${unresolved.action}) is looked for at the gateway, then ${action} if it is still missing`;
    return { kind: 'unresolved', ...moves, what, why: `${why}; ${lookedForBy(unresolved, of)}`, when, advice };
  }
  const how = change.version === null ? ', as a new version' : `, by a switch to version ${change.version}`;
  return { kind: 'change', ...moves, what: `goes ${action}${action === 'online' ? how : ''}`, why, when, advice };
}

/** The record that the plan starts from. */
function beforeIt({ gateway, recorded }: Explanation) {
  return gateway.kind === 'seen' ? gateway.recorded : recorded;
}

/** Says how the gateway's list tells what came of an attempt. */
function lookedForBy({ action, marker, version }: UnresolvedAttempt, { desired }: Explanation): string {
  const { lagMs, unresolved } = desired.gateway;
  const absent = `not there ${durationInWords(lagMs)} after it was over, it did not happen`;
  if (action === 'offline') return 'no effective version means that it happened';
  if (version !== null) return `it happened if version ${version} is effective; ${absent}`;
  if (marker !== null) return `it happened if a version carries its marker ${marker}; ${absent}`;
  return unresolved === 'hold'
    ? 'it carried no marker, so the gateway cannot tell, and the file says `unresolved: hold`'
    : 'it carried no marker, so the gateway cannot tell, and the file says `unresolved: repeat`: it is sent again';
}

type Timing = Pick<NextStep, 'when' | 'advice'>;

function timing(change: Change, of: Explanation, settings: Settings): Timing {
  const { condition, desired } = of;
  const failed = failureOf(change, of);
  const hints = failed?.hint ? [failed.hint] : [];
  const unresolved = beforeIt(of)?.unresolved;
  if (change.reason === 'unresolved' && unresolved && isUntold(unresolved) && desired.gateway.unresolved === 'hold') {
    const advice = [
      `look at the versions: \`${commandLine('history', ['--versions', of.names.api, of.names.environment], settings)}\``,
      'to send it once more whatever came of it, set `gateway.unresolved: repeat`',
    ];
    return { when: 'not before a person decides', advice };
  }
  if (!condition) {
    const narrowed = ['--api', of.names.api, '--environment', of.names.environment];
    const command = commandLine('apply', [...narrowed, ...(settings.refresh ? ['--refresh'] : [])], settings);
    return { when: 'when somebody applies it: no edict is at work on this gateway', advice: [...hints, `\`${command}\``] };
  }
  if (condition.stopped) return { when: afterStop(condition.stopped), advice: hints };
  if (failed) return { when: afterFailure(failed.attempt, condition), advice: hints };
  return { when: "at the daemon's next pass: when the file changes, at SIGHUP, or after its --resync (5m unless it was told)", advice: [] };
}

function isUntold({ action, marker, version }: UnresolvedAttempt): boolean {
  return action === 'online' && marker === null && version === null;
}

/** Returns the last attempt if it asked for the same as the change and did not succeed. */
function failureOf(change: Change, { attempts: [last] }: Explanation) {
  if (!last || last.attempt.outcome === 'succeeded') return null;
  const { action, revision, askedVersionId } = last.attempt;
  return action === change.action && revision === change.revision && askedVersionId === change.version ? last : null;
}

function afterStop({ why, sinceMs }: NonNullable<Condition['stopped']>): string {
  const ends = {
    pause: 'by itself when the pause is over that the gateway asked for',
    outage: 'by itself when the gateway answers again: it is asked once a second',
    credentials: 'when the credentials change, or at SIGHUP',
  } as const;
  return `no call is made since ${momentInWords(sinceMs)}; it goes on ${ends[why]}`;
}

function afterFailure({ outcome }: Attempt, { pid }: Condition): string {
  switch (outcome) {
    case 'stalled':
      return `not by itself: when the file changes, at SIGHUP (kill -HUP ${pid}), or when the daemon starts again`;
    case 'refused':
      return 'when the credentials change, or at SIGHUP';
    default:
      return 'by itself: after a second, then later each time, up to five minutes; the moment is in the log alone';
  }
}

function ofSeen({ kind, message }: Seen, { desired, wanted }: Explanation): NextStep {
  const rest = { action: null, reason: null, why: message } as const;
  if (kind === 'fight') {
    const looks = desired.observeEveryMs === null ? '`edict apply --refresh`' : "the daemon's";
    const advice = ['find out who works against the file: the console and the audit log of the gateway know'];
    return { kind, ...rest, what: 'nothing, for the time being', when: `at the first look at the gateway after that: ${looks}`, advice };
  }
  if (kind === 'stale') {
    const advice = ['a new `revision` publishes the newest draft; `republish: edited` in the file does it every time'];
    return { kind, ...rest, what: 'nothing, though an older draft is online', when: null, advice };
  }
  const advice = [`with \`drift: correct\` it is brought back to ${wanted?.publication.state}; or let the file say what is there`];
  return {
    kind: 'drift',
    ...rest,
    why: message.replace(/;[^;]*$/, '; the file says `drift: report`'),
    what: 'nothing, the drift is only told',
    when: null,
    advice,
  };
}

/** There is nothing to do, and nothing to be seen. */
function ofRest(of: Explanation): NextStep {
  const { desired, wanted } = of;
  const before = beforeIt(of);
  const rest = { action: null, reason: null, when: null, advice: [] as readonly string[] } as const;
  if (wanted) {
    const { state, version, revision } = wanted.publication;
    if (state === 'offline' && (before?.state ?? null) === null) {
      const why = 'the file says offline, and edict never saw it online: it takes down only what it knows to be up';
      return { kind: 'left alone', ...rest, what: 'nothing', why };
    }
    const waits = version !== null && revision !== null && revision !== before?.revision;
    const why = waits
      ? `the pinned version is effective; revision ${revision} waits until \`version\` leaves the file`
      : 'the record is as the file says';
    return { kind: 'in sync', ...rest, what: 'nothing, it is in sync', why };
  }
  if (before?.state !== 'online') {
    return { kind: 'left alone', ...rest, what: 'nothing', why: 'it left the file, and is not online as far as edict knows' };
  }
  if (desired.removed === 'offline') {
    const why = 'it is not in the file, and somebody else put it online: edict takes down only what was put online by edict';
    return { kind: 'left alone', ...rest, what: 'nothing', why };
  }
  const advice = ['put it back into the file to have it managed; `removed: offline` takes down all that has left the file'];
  return { kind: 'left alone', ...rest, what: 'nothing', why: 'it left the file, and the file says `removed: keep`', advice };
}
