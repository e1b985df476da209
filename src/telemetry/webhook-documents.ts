import type { components } from '../../generated/edict-notification.d.ts';
import type { Change, Plan } from '../model/change.ts';
import type { Diagnostic } from '../model/errors.ts';
import type { Failure } from '../model/outcome.ts';
import type { PublicationKey, PublicationNames, PublicationState } from '../model/publication.ts';
import { unknownOutcomeHint } from './log-messages.ts';

/*
 * The documents of notices, as spec/notification.schema.json describes them.
 */
type Schemas = components['schemas'];

export type WebhookNotice = Schemas['Notice'];
/** A notice of a condition, which fires and is resolved. */
export type ConditionNotice = Extract<WebhookNotice, { readonly status: unknown }>;
/** The part of it that is the same when it fires and when it is resolved. */
export type Condition<T = ConditionNotice> = T extends unknown ? Omit<T, 'status' | 'since'> : never;

/** A notice names at most so many publications and reasons; the rest is counted. */
const maxNamed = 10;
/** A notice has at most so many errors of a file. */
const maxErrors = 5;

/** A publication that was changed outside edict. */
export interface Drifted {
  readonly of: PublicationNames & { readonly key: PublicationKey };
  readonly was: PublicationState | null;
  readonly now: PublicationState | null;
}

/** Returns what fails; `of` is the publication that it is about, `failure` the answer of the gateway. */
export function failedCondition(
  what: Schemas['What'],
  message: string,
  { of = null, failure = null }: { readonly of?: PublicationNames | null; readonly failure?: Failure | null } = {},
): Condition {
  const summary = of ? `${of.api} in ${of.environment} fails: ${message}` : message;
  const [code, hint] = [failure?.code ?? null, failure?.hint ?? null];
  return { kind: 'failed', summary, what, publication: of && publicationOf(of), code, message, hint };
}

/** Returns what is wrong with the file; `mistakes` is empty if it cannot be read. */
export function invalidCondition(message: string, mistakes: readonly Diagnostic[]): Condition {
  const errors = mistakes.slice(0, maxErrors).map(diagnosticOf);
  return { kind: 'invalid', summary: `${message}; the last valid file stays in force`, count: mistakes.length, errors };
}

/** Leaves out the line's text, which may hold a secret. */
function diagnosticOf({ rule, file, line, column, message, hint }: Diagnostic): Schemas['Diagnostic'] {
  return { rule, file, line, column, message, hint };
}

/** Returns what a plan holds under `digest`; `command` approves it. */
export function heldCondition({ changes, fileHeld }: Plan, digest: string, command: string | null): Condition {
  const all = changes.filter((change) => change.held);
  const holds = fileHeld ? [fileHeld] : all.flatMap(({ held }) => held ?? []);
  const reasons = new Map(holds.map(({ rule, message, hint }) => [message, { rule, message, hint }]));
  return {
    kind: 'held',
    summary: fileHeld ? 'the whole file is held for approval' : `${plural(all.length, 'change is', 'changes are')} held for approval`,
    count: all.length,
    digest,
    command,
    reasons: [...reasons.values()].slice(0, maxNamed),
    publications: all.slice(0, maxNamed).map((change) => ({ ...publicationOf(change), action: change.action })),
  };
}

/** Returns that an attempt has an unknown outcome, which waits for a person. */
export function unknownOutcomeCondition(change: Change, reason: string): Condition {
  const message = `the outcome of an attempt is unknown: ${reason}`;
  return {
    kind: 'held',
    summary: `${change.api} in ${change.environment} is held: ${message}`,
    count: 1,
    digest: null,
    command: null,
    reasons: [{ rule: 'unresolved', message, hint: unknownOutcomeHint }],
    publications: [{ ...publicationOf(change), action: change.action }],
  };
}

/** Returns the drift of some publications. */
export function driftedCondition(name: 'drift' | 'flapping', all: readonly Drifted[]): Condition {
  const changed = `${plural(all.length, 'publication was', 'publications were')} changed outside edict, against the file`;
  return {
    kind: 'drifted',
    summary: name === 'drift' ? changed : `${changed}, again and again; edict leaves ${all.length === 1 ? 'it' : 'them'} alone for a time`,
    flapping: name === 'flapping',
    count: all.length,
    publications: all.slice(0, maxNamed).map(({ of, was, now }) => ({ ...publicationOf(of), was, now: now ?? 'offline' })),
  };
}

/** Returns the changes that edict made. */
export function appliedNotice(moves: readonly Schemas['Move'][]): WebhookNotice {
  const count = moves.length;
  const online = moves.filter(({ action }) => action === 'online').length;
  const summary = `${plural(count, 'change', 'changes')} made: ${online} online, ${count - online} offline`;
  return { kind: 'applied', summary, count, online, offline: count - online, publications: moves.slice(0, maxNamed) };
}

/** Returns the changes that somebody else made. */
export function externalNotice(changes: readonly Schemas['ExternalChange'][]): WebhookNotice {
  const count = changes.length;
  const summary = `${plural(count, 'publication was', 'publications were')} changed outside edict`;
  return { kind: 'external', summary, count, publications: changes.slice(0, maxNamed) };
}

/** Returns the names of a publication alone. */
export function publicationOf({ api, apiId, environment, environmentId }: PublicationNames): Schemas['Publication'] {
  return { api, apiId, environment, environmentId };
}

function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
