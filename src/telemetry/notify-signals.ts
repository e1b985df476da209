import type { components } from '../../generated/edict-notification.d.ts';
import type { EngineEvent } from '../core/events.ts';
import { heldDigest } from '../core/guards.ts';
import type { Failure } from '../core/outcome.ts';
import { type Change, isMade, type Plan } from '../core/plan.ts';
import type { PublicationKey, PublicationNames } from '../core/publication.ts';
import { untoldHint } from './log-line.ts';

type Schemas = components['schemas'];

/** The kinds of notices, what is wrong first. */
export const noticeKinds = ['failed', 'held', 'invalid', 'drifted', 'recovered', 'applied'] as const;
export type NoticeKind = (typeof noticeKinds)[number];

/** What is told of one thing. Lists in it are as short as a message wants them. */
export type Matter =
  | { readonly kind: 'failed'; readonly failure: Omit<Schemas['Failure'], 'since'> }
  | {
      readonly kind: 'held';
      readonly count: number;
      readonly held: Pick<Schemas['Held'], 'digest' | 'command' | 'reasons' | 'publications'>;
    }
  | { readonly kind: 'invalid'; readonly count: number; readonly summary: string; readonly mistakes: Schemas['Invalid']['mistakes'] }
  | { readonly kind: 'drifted'; readonly drift: Schemas['Drift'] }
  | { readonly kind: 'applied'; readonly move: Schemas['Move'] };

/** What a thing is called: its group, and its name within. */
export interface MatterId {
  readonly group:
    | 'publication'
    | 'probe'
    | 'calls'
    | 'gateway'
    | 'store'
    | 'file'
    | 'held'
    | 'unresolved'
    | 'drift'
    | 'outside'
    | 'applied';
  readonly name: string;
}

/** What an event says about the things to be told. */
export type Signal =
  /** It is so, until it ends. `patience`: how many windows it must last before it is worth telling. */
  | { readonly type: 'is'; readonly id: MatterId; readonly matter: Matter; readonly patience: number }
  /** It has happened, and is no state that could end. */
  | { readonly type: 'happened'; readonly id: MatterId; readonly matter: Matter }
  | { readonly type: 'ended'; readonly id: MatterId; readonly isWell: boolean }
  /** Of this group everything has ended that `isKept` does not name. */
  | { readonly type: 'left'; readonly group: MatterId['group']; readonly isKept: (name: string) => boolean; readonly isWell: boolean }
  /** Nothing more comes for now: a good moment to tell. */
  | { readonly type: 'rested' };

/** Returns the command with which a person agrees to what a plan holds; `null` if there is none. */
export type Release = (plan: Plan) => string | null;

/** So many names, failures and reasons are told; the rest is counted. */
export const mostNamed = 10;
/** So many mistakes of a file are told. */
const mostMistakes = 5;
/** A look that saw nothing is repeated within a minute: one alone is not worth telling. */
const patienceForLooks = 4;

const none: readonly Signal[] = [];

/** Returns what `event` says about the things to be told. A pure function. */
export function signalsOf(event: EngineEvent, release: Release): readonly Signal[] {
  switch (event.type) {
    case 'file:accepted':
    case 'file:removed':
      return [ended('file', '')];
    case 'file:rejected': {
      const { message, mistakes } = event.error;
      const shown = mistakes.slice(0, mostMistakes).map(({ rule, file, line, column, message, hint }) => {
        return { rule, file, line, column, message, hint };
      });
      return [is('file', '', { kind: 'invalid', count: mistakes.length, summary: message, mistakes: shown })];
    }
    case 'file:missed':
    case 'file:failed':
      return [is('file', '', { kind: 'invalid', count: 0, summary: event.message, mistakes: [] })];
    case 'plan:made':
      return ofPlan(event.plan, release);
    case 'attempt:settled':
    case 'attempt:resolved':
      return ofAttempt(event);
    case 'attempt:untold':
      return event.isRepeated ? none : [is('unresolved', event.change.key, unresolved(event.change, event.reason))];
    case 'gateway:unseen':
      return [is('gateway', '', failed('gateway', `the gateway cannot be observed: ${event.reason}`), patienceForLooks)];
    case 'gateway:seen':
      return [ended('gateway', '')];
    case 'publication:noted': {
      const { kind, key, was, now } = event.note;
      if (kind === 'adopted') return none;
      const matter: Matter = { kind: 'drifted', drift: { ...named(event.note), how: kind, was, now } };
      if (kind === 'drift' || kind === 'fight') return [is('drift', driftName(key, kind), matter)];
      return [{ type: 'happened', id: { group: 'outside', name: key }, matter }];
    }
    case 'calls:stopped':
      if (event.why === 'pause') return none;
      return [is('calls', event.why, failed('calls', event.message), event.why === 'outage' ? 1 : 0)];
    case 'calls:resumed':
      return [ended('calls', 'outage'), ended('calls', 'credentials')];
    case 'probe:answered': {
      const { target, said, isExpected } = event;
      if (isExpected) return [ended('probe', target.key)];
      return [is('probe', target.key, failed('probe', `${target.url} ${said}`, { of: target }), 1)];
    }
    case 'store:failed':
      return [is('store', '', failed('store', event.message), 1)];
    case 'attempt:begun':
      return [ended('store', '')];
    case 'pass:finished':
      return [{ type: 'rested' }];
    case 'pass:started':
    case 'retry:scheduled':
    case 'token:taken':
    case 'rate:changed':
    case 'lease:waited':
    case 'lease:taken':
    case 'lease:ended':
    case 'store:waited':
    case 'daemon:awaited':
    case 'history:pruned':
    case 'notify:failed':
    case 'trace:failed':
    case 'daemon:stopped':
    case 'file:added':
      return none;
  }
}

function ofAttempt({ change, outcome }: Extract<EngineEvent, { type: 'attempt:settled' | 'attempt:resolved' }>): readonly Signal[] {
  const { key, action } = change;
  switch (outcome.kind) {
    case 'succeeded': {
      const matter: Matter = { kind: 'applied', move: { ...named(change), action } };
      return [
        ended('publication', key),
        ended('unresolved', key, false),
        { type: 'happened', id: { group: 'applied', name: key }, matter },
      ];
    }
    case 'stalled':
      return [is('publication', key, failed('publication', outcome.failure.message, { of: change, failure: outcome.failure }))];
    case 'retry':
    case 'unknown':
      return [is('publication', key, failed('publication', outcome.failure.message, { of: change, failure: outcome.failure }), 1)];
    case 'absent':
      return [ended('unresolved', key, false)];
    // The gateway asks for patience, the credentials are told of by themselves, and what is dropped nobody wants.
    case 'wait':
    case 'refused':
    case 'dropped':
      return none;
  }
}

/** A plan knows the whole file: what it does not have any more is over. */
function ofPlan(plan: Plan, release: Release): readonly Signal[] {
  const changes = new Map<string, Change>(plan.changes.map((change) => [change.key, change]));
  const probed = new Set<string>(plan.changes.flatMap(({ waits }) => waits?.probe?.key ?? []));
  const drifts = plan.drifted.map((of): readonly [string, Matter] => {
    const how = of.drift?.truceUntilMs == null ? 'drift' : 'fight';
    const drift = { ...named(of), how, was: of.drift?.from ?? null, now: of.state ?? 'offline' } as const;
    return [driftName(of.key, how), { kind: 'drifted', drift }];
  });
  const drifted = new Set(drifts.map(([name]) => name));
  for (const { key, reason } of plan.changes) if (reason === 'drift') drifted.add(driftName(key, 'drift'));
  const digest = heldDigest(plan);
  const isMadeNow = (name: string): boolean => {
    const change = changes.get(name);
    return change !== undefined && isMade(change);
  };
  return [
    ended('store', ''),
    { type: 'left', group: 'publication', isKept: (name) => changes.has(name), isWell: true },
    { type: 'left', group: 'publication', isKept: isMadeNow, isWell: false },
    { type: 'left', group: 'unresolved', isKept: (name) => changes.get(name)?.reason === 'unresolved', isWell: false },
    { type: 'left', group: 'probe', isKept: (name) => probed.has(name), isWell: false },
    { type: 'left', group: 'drift', isKept: (name) => drifted.has(name), isWell: false },
    ...drifts.map(([name, matter]) => is('drift', name, matter)),
    { type: 'left', group: 'held', isKept: (name) => name === digest, isWell: false },
    ...(digest === null ? [] : [is('held', digest, held(plan, digest, release(plan)))]),
  ];
}

/** A drift that becomes a fight is told once more. */
function driftName(key: PublicationKey, how: 'drift' | 'fight'): string {
  return `${how} ${key}`;
}

function held({ changes, suspicion }: Plan, digest: string, command: string | null): Matter {
  const all = changes.filter((change) => change.held);
  const reasons = new Map<string, Schemas['HoldReason']>();
  for (const hold of suspicion ? [suspicion] : all.flatMap(({ held }) => held ?? [])) {
    const { rule, message, hint } = hold;
    if (reasons.size < mostNamed) reasons.set(message, { rule, message, hint });
  }
  const publications = all.slice(0, mostNamed).map((change) => ({ ...named(change), action: change.action }));
  return { kind: 'held', count: all.length, held: { digest, command, reasons: [...reasons.values()], publications } };
}

function unresolved(change: Change, reason: string): Matter {
  const message = `nobody can tell whether an attempt happened: ${reason}`;
  const reasons = [{ rule: 'unresolved', message, hint: untoldHint } as const];
  const publications = [{ ...named(change), action: change.action }];
  return { kind: 'held', count: 1, held: { digest: null, command: null, reasons, publications } };
}

function failed(
  what: Schemas['What'],
  message: string,
  { of = null, failure = null }: { readonly of?: PublicationNames | null; readonly failure?: Failure | null } = {},
): Matter {
  const [code, hint] = [failure?.code ?? null, failure?.hint ?? null];
  return { kind: 'failed', failure: { what, publication: of && named(of), code, message, hint } };
}

function is(group: MatterId['group'], name: string, matter: Matter, patience = 0): Signal {
  return { type: 'is', id: { group, name }, matter, patience };
}

function ended(group: MatterId['group'], name: string, isWell = true): Signal {
  return { type: 'ended', id: { group, name }, isWell };
}

function named({ api, apiId, environment, environmentId }: PublicationNames): Schemas['Publication'] {
  return { api, apiId, environment, environmentId };
}
