import type { components } from '../../generated/edict-notification.d.ts';
import type { Change, PlanHolds } from '../model/change.ts';
import type { Diagnostic } from '../model/errors.ts';
import type { Failure } from '../model/outcome.ts';
import type { PublicationKey, PublicationNames, PublicationState } from '../model/publication.ts';
import { withoutSource } from '../render/diagnostic.ts';
import { unknownOutcomeHint } from './log-messages.ts';

/*
 * Builds the JSON documents of notices, as spec/notification.schema.json describes them.
 */
type Schemas = components['schemas'];

export type WebhookNotice = Schemas['Notice'];
/** A notice of a condition, which fires and is resolved. */
export type ConditionNotice = Extract<WebhookNotice, { readonly status: unknown }>;
/** The part of a condition notice that does not change between firing and resolved. */
export type Condition<T = ConditionNotice> = T extends unknown ? Omit<T, 'status' | 'since'> : never;

/** Maximum number of publications or reasons named in a notice; `count` covers the rest. */
const maxNamed = 10;
/** Maximum number of file errors in a notice. */
const maxErrors = 5;

/** A publication that was changed outside edict. */
export interface Drifted {
  readonly of: PublicationNames & { readonly key: PublicationKey };
  readonly was: PublicationState | null;
  readonly now: PublicationState | null;
}

/** Returns the condition for a failure. `of` is the affected publication, `failure` the gateway's error. */
export function failedCondition(
  subject: Schemas['Subject'],
  message: string,
  { of = null, failure = null }: { readonly of?: PublicationNames | null; readonly failure?: Failure | null } = {},
): Condition {
  const summary = of ? `${of.api} in ${of.environment} fails: ${message}` : message;
  const [code, hint] = [failure?.code ?? null, failure?.hint ?? null];
  return { kind: 'failed', summary, subject, publication: of && publicationOf(of), code, message, hint };
}

/** Returns the condition for an invalid file. `diagnostics` is empty if the file cannot be read. */
export function invalidCondition(message: string, diagnostics: readonly Diagnostic[]): Condition {
  const errors = diagnostics.slice(0, maxErrors).map(toDiagnostic);
  return { kind: 'invalid', summary: `${message}; the last valid file stays in force`, count: diagnostics.length, errors };
}

function toDiagnostic(diagnostic: Diagnostic): Schemas['Diagnostic'] {
  const { length: _, ...shown } = withoutSource(diagnostic);
  return shown;
}

/** Returns the condition for the held changes of a plan; `approveCommand` approves `digest`. */
export function heldCondition({ changes, fileHeld }: PlanHolds, digest: string, approveCommand: string | null): Condition {
  const heldChanges = changes.filter((change) => change.held);
  const holds = fileHeld ? [fileHeld] : heldChanges.flatMap(({ held }) => held ?? []);
  const reasons = new Map(holds.map(({ rule, message, hint }) => [message, { rule, message, hint }]));
  return {
    kind: 'held',
    summary: fileHeld
      ? 'the whole file is held for approval'
      : `${plural(heldChanges.length, 'change is', 'changes are')} held for approval`,
    count: heldChanges.length,
    approvalDigest: digest,
    approveCommand,
    reasons: [...reasons.values()].slice(0, maxNamed),
    publications: heldChanges.slice(0, maxNamed).map((change) => ({ ...publicationOf(change), action: change.action })),
  };
}

/** Returns the condition for an attempt with an unknown outcome that needs a person. */
export function unknownOutcomeCondition(change: Change, reason: string): Condition {
  const message = `the outcome of an attempt is unknown: ${reason}`;
  return {
    kind: 'held',
    summary: `${change.api} in ${change.environment} is held: ${message}`,
    count: 1,
    approvalDigest: null,
    approveCommand: null,
    reasons: [{ rule: 'unknownOutcome', message, hint: unknownOutcomeHint }],
    publications: [{ ...publicationOf(change), action: change.action }],
  };
}

/** Returns the condition for drifted or flapping publications. */
export function driftedCondition(name: 'drift' | 'flapping', all: readonly Drifted[]): Condition {
  const changed = `${plural(all.length, 'publication was', 'publications were')} changed outside edict, against the file`;
  return {
    kind: 'drifted',
    summary:
      name === 'drift'
        ? changed
        : `${changed}, again after several corrections; edict does not correct ${all.length === 1 ? 'it' : 'them'} for a time`,
    flapping: name === 'flapping',
    count: all.length,
    publications: all.slice(0, maxNamed).map(({ of, was, now }) => ({ ...publicationOf(of), was, now: now ?? 'offline' })),
  };
}

/** Returns the notice of changes that edict made. */
export function appliedNotice(changes: readonly Schemas['PublicationChange'][]): WebhookNotice {
  const count = changes.length;
  const online = changes.filter(({ action }) => action === 'online').length;
  const summary = `${plural(count, 'change', 'changes')} made: ${online} online, ${count - online} offline`;
  return { kind: 'applied', summary, count, online, offline: count - online, publications: changes.slice(0, maxNamed) };
}

/** Returns the notice of changes made outside edict. */
export function externalNotice(changes: readonly Schemas['ExternalChange'][]): WebhookNotice {
  const count = changes.length;
  const summary = `${plural(count, 'publication was', 'publications were')} changed outside edict`;
  return { kind: 'external', summary, count, publications: changes.slice(0, maxNamed) };
}

/** Picks the names and IDs of a publication. */
export function publicationOf({ api, apiId, environment, environmentId }: PublicationNames): Schemas['Publication'] {
  return { api, apiId, environment, environmentId };
}

function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
