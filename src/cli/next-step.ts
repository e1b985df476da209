import type { Settings } from '../config.ts';
import type { Change, Reason } from '../core/plan.ts';
import type { Attempt, Condition } from '../core/ports.ts';
import type { Action, DesiredState, UnresolvedAttempt } from '../core/publication.ts';
import { everything } from '../core/targets.ts';
import type { Explanation } from '../explanation.ts';
import { commandLine } from '../words/command-line.ts';
import { durationInWords, momentInWords, reasonInWords } from '../words/phrases.ts';
import { releaseCommand } from '../words/release-command.ts';
import { type Seen, seenOf } from '../words/seen.ts';

/** What happens next to one publication, for a person and for programs. */
export interface NextStep {
  /**
   * `change`: a call is made. `failing`: the last one for it failed. `unresolved`: first it is found out what became of an
   * attempt. `held`: a call is wanted and not made until a person agrees. `waiting`: it is made later. All else is left as it is.
   */
  readonly kind: 'change' | 'failing' | 'unresolved' | 'held' | 'waiting' | 'drift' | 'fight' | 'stale' | 'in sync' | 'left alone';
  readonly action: Action | null;
  readonly reason: Reason | null;
  /** A few words for a title. */
  readonly what: string;
  readonly why: string;
  /** When, and what it waits for; `null` if nothing is going to happen. */
  readonly when: string | null;
  /** What a person can do about it; empty if nothing is needed. */
  readonly advice: readonly string[];
  /** The command line that brings it on, ready for a shell; `null` if there is none. */
  readonly command: string | null;
}

/** Returns what happens next to the publication, why, when, and what a person can do. */
export function nextStepOf(of: Explanation, settings: Settings): NextStep {
  const [change] = of.plan.changes;
  if (change) return ofChange(change, of, settings);
  const [seen] = seenOf(of.plan, []);
  const step = seen ? ofSeen(seen, of) : ofRest(of);
  const { suspicion } = of.plan;
  if (!suspicion) return step;
  const why = `${step.why}; the file is held: ${suspicion.message}`;
  return {
    ...step,
    what: `${step.what}; and the whole file is held`,
    why,
    advice: [...step.advice, suspicion.hint, agreeing],
    command: releaseOf(of, settings),
  };
}

const agreeing = 'the command below agrees to all that is held, not to this alone';

/** Guards look at the whole file, so an agreement is to all that they hold. */
function releaseOf({ whole }: Explanation, settings: Settings): string | null {
  return releaseCommand(whole, { ...settings, targets: everything.patterns });
}

function ofChange(change: Change, of: Explanation, settings: Settings): NextStep {
  const { action, reason, held, waits } = change;
  const failed = failureOf(change, of)?.attempt;
  const why = reasonInWords(change) + (failed?.code ? `; the last attempt at it: ${failed.code} ${failed.message ?? ''}`.trimEnd() : '');
  const moves = { action, reason } as const;
  if (held) {
    const what = `nothing: going ${action} is held by the rule \`${held.rule}\``;
    const when = `not before a person agrees${isAtWork(of) ? '' : `, and then ${whenApplied(of)}`}`;
    return {
      kind: 'held',
      ...moves,
      what,
      why: `${why}; ${held.message}`,
      when,
      advice: [held.hint, agreeing],
      command: releaseOf(of, settings),
    };
  }
  if (waits) {
    const from = waits.untilMs === null ? 'when that is over' : `from ${momentInWords(waits.untilMs)} on`;
    const when = isAtWork(of) ? `${from}, by itself` : `${from}, ${whenApplied(of)}`;
    return { kind: 'waiting', ...moves, what: `goes ${action} later: ${waits.message}`, why, when, advice: [], command: null };
  }
  const time = timing(change, of, settings);
  const unresolved = beforeIt(of)?.unresolved;
  if (reason === 'unresolved' && unresolved) {
    const attempt = `attempt ${unresolved.attemptId} (${unresolved.action})`;
    const isUnderWay = isAtWork(of) && failed?.outcome === null;
    const what = isUnderWay ? `${attempt} is under way` : `first it is found out whether ${attempt} happened; if not, it goes ${action}`;
    return { kind: 'unresolved', ...moves, what, why: `${why}; ${lookedForBy(unresolved, of)}`, ...time };
  }
  const how = change.version === null ? ', as a new version' : `, by a switch to version ${change.version}`;
  const what = `goes ${action}${action === 'online' ? how : ''}`;
  if (failed === undefined) return { kind: 'change', ...moves, what, why, ...time };
  const isForPeople = isAtWork(of) && (failed.outcome === 'stalled' || failed.outcome === 'refused');
  const again = isForPeople ? `nothing: going ${action} failed, and waits for a person` : `going ${action} failed, and is tried again`;
  return { kind: 'failing', ...moves, what: again, why, ...time };
}

/** The record that the plan starts from. */
function beforeIt({ gateway, recorded }: Explanation) {
  return gateway.kind === 'seen' ? gateway.recorded : recorded;
}

/** Says how the gateway's list tells what came of an attempt. */
function lookedForBy({ action, marker, version }: UnresolvedAttempt, { desired }: Explanation): string {
  const { lagMs, unresolved } = desired.gateway;
  const absent = `if not, ${durationInWords(lagMs)} after the call was over, it did not`;
  if (action === 'offline') return 'no effective version means that it happened';
  if (version !== null) return `it happened if version ${version} is effective; ${absent}`;
  if (marker !== null) return `it happened if a version carries its marker ${marker}; ${absent}`;
  return unresolved === 'hold'
    ? 'it carried no marker, so the gateway cannot tell, and the file says `unresolved: hold`'
    : 'it carried no marker, so the gateway cannot tell, and the file says `unresolved: repeat`: it is sent again';
}

type Timing = Pick<NextStep, 'when' | 'advice' | 'command'>;

function isAtWork({ holder }: Explanation): boolean {
  return holder !== null;
}

function whenApplied({ condition }: Explanation): string {
  return condition
    ? `when somebody applies it or edict is started again: pid ${condition.pid}, which last wrote the record, is not a process of this machine`
    : 'when somebody applies it: no edict is at work on this gateway';
}

function timing(change: Change, of: Explanation, settings: Settings): Timing {
  const { condition, desired } = of;
  const failed = failureOf(change, of);
  const hints = failed?.hint ? [failed.hint] : [];
  const unresolved = beforeIt(of)?.unresolved;
  if (change.reason === 'unresolved' && unresolved && isUntold(unresolved) && desired.gateway.unresolved === 'hold') {
    const advice = [
      'the command below lists the versions: look whether it happened',
      'to send it once more whatever came of it, set `gateway.unresolved: repeat`',
    ];
    const command = commandLine('history', ['--versions', of.names.api, of.names.environment], settings);
    return { when: 'not before a person decides', advice, command };
  }
  if (!condition || !isAtWork(of)) {
    const narrowed = ['--api', of.names.api, '--environment', of.names.environment];
    const command = commandLine('apply', [...narrowed, ...(settings.refresh ? ['--refresh'] : [])], settings);
    return { when: whenApplied(of), advice: hints, command };
  }
  if (condition.stopped) return { when: afterStop(condition.stopped), advice: hints, command: null };
  if (failed) return { when: afterFailure(failed.attempt, condition, desired), advice: hints, command: null };
  const when = "at the daemon's next pass: when the file changes, at SIGHUP, or after its --resync (5m unless it was told)";
  return { when, advice: [], command: null };
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

function afterFailure({ outcome, beganAtMs, settledAtMs }: Attempt, { pid }: Condition, { gateway }: DesiredState): string {
  switch (outcome) {
    case null:
      return `when the call that is under way is over: it began at ${momentInWords(beganAtMs)}, and takes ${durationInWords(gateway.timeoutMs)} at most`;
    case 'stalled':
      return `when the file changes, at SIGHUP (kill -HUP ${pid}), or when the daemon starts again; not by itself`;
    case 'refused':
      return 'when the credentials change, or at SIGHUP';
    default:
      return `by itself, at most 5 min after the last attempt was over (${momentInWords(settledAtMs ?? beganAtMs)}); the log has the moment`;
  }
}

function ofSeen({ kind, message }: Seen, { desired, wanted }: Explanation): NextStep {
  const rest = { action: null, reason: null, why: message, command: null } as const;
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
  const rest = { action: null, reason: null, when: null, advice: [] as readonly string[], command: null } as const;
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
