import type { components } from '../../generated/edict-notification.d.ts';
import type { GatewayIdentity } from '../core/publication.ts';
import type { Entry, Told } from './notify-book.ts';
import { type Matter, mostNamed } from './notify-signals.ts';

type Schemas = components['schemas'];

/** A message as spec/notification.schema.json describes it, but for what each receiver has missed. */
export type Message = Omit<Schemas['Notification'], 'undelivered'>;

/** What every message says of where it comes from. */
export interface Sender {
  readonly file: string;
  readonly emulated: boolean;
  readonly gateway: GatewayIdentity | null;
}

/** Returns a message. `atMs` is in milliseconds since 1970. */
export function messageFor(told: readonly Told[], id: string, atMs: number, { file, emulated, gateway }: Sender): Message {
  const identity = gateway && { endpoint: gateway.endpoint, project: gateway.project, instance: gateway.instance };
  return { format: 1, id, at: moment(atMs), file, emulated, gateway: identity, notices: told.map(noticeOf) };
}

/** Returns a message as one receiver gets it, that has missed `undelivered` before. */
export function wholeMessage({ notices, ...head }: Message, undelivered: number): Schemas['Notification'] {
  return { ...head, undelivered, notices };
}

function noticeOf({ kind, entries, isReminder }: Told): Schemas['Notice'] {
  const count = entries.length;
  switch (kind) {
    case 'failed': {
      const failures = matters(entries, 'failed').map(({ failure }) => failure);
      return { kind, summary: failedInWords(failures), count, isReminder, failures: entries.slice(0, mostNamed).map(failureOf) };
    }
    case 'held':
      return heldNotice(matters(entries, 'held'), isReminder);
    case 'invalid': {
      const [file] = matters(entries, 'invalid');
      const summary = `${file?.summary ?? ''}; the last valid file stays in force`;
      return { kind, summary, count: file?.count ?? 0, isReminder, mistakes: file?.mistakes ?? [] };
    }
    case 'drifted': {
      const publications = matters(entries, 'drifted').map(({ drift }) => drift);
      const summary = `${plural(count, 'publication was', 'publications were')} changed outside edict`;
      return { kind, summary, count, isReminder, publications: publications.slice(0, mostNamed) };
    }
    case 'recovered': {
      const summary = `${plural(count, 'failure is', 'failures are')} over`;
      return { kind, summary, count, failures: entries.slice(0, mostNamed).map(failureOf) };
    }
    case 'applied': {
      const moves = matters(entries, 'applied').map(({ move }) => move);
      const online = moves.filter(({ action }) => action === 'online').length;
      const offline = count - online;
      const summary = `${plural(count, 'change', 'changes')} made: ${online} online, ${offline} offline`;
      return { kind, summary, count, online, offline, publications: moves.slice(0, mostNamed) };
    }
  }
}

/** What a plan holds, and attempts that nobody can tell of, are one notice: both wait for a person. */
function heldNotice(matters: readonly Extract<Matter, { kind: 'held' }>[], isReminder: boolean): Schemas['Held'] {
  const count = matters.reduce((sum, one) => sum + one.count, 0);
  const plan = matters.find(({ held }) => held.digest !== null);
  const reasons = new Map(matters.flatMap(({ held }) => held.reasons.map((reason) => [reason.message, reason] as const)));
  const wholeFile = plan?.held.reasons.some(({ rule }) => ['lost', 'empty', 'vanished', 'moved'].includes(rule));
  return {
    kind: 'held',
    summary: wholeFile
      ? 'the whole file is held until a person agrees'
      : `${plural(count, 'change is', 'changes are')} held until a person agrees`,
    count,
    isReminder,
    digest: plan?.held.digest ?? null,
    command: plan?.held.command ?? null,
    reasons: [...reasons.values()].slice(0, mostNamed),
    publications: matters.flatMap(({ held }) => held.publications).slice(0, mostNamed),
  };
}

function failureOf({ matter, sinceMs }: Entry): Schemas['Failure'] {
  const since = moment(sinceMs);
  if (matter.kind === 'failed') return { ...matter.failure, since };
  const message = matter.kind === 'invalid' ? matter.summary : '';
  return { what: 'file', publication: null, code: null, message, hint: null, since };
}

/** Names what is wrong for all first, then counts what is wrong for some by its code. */
function failedInWords(failures: readonly Omit<Schemas['Failure'], 'since'>[]): string {
  const alone = failures.filter(({ publication }) => publication === null).map(({ message }) => message);
  const codes = new Map<string, number>();
  for (const { publication, code } of failures) {
    if (publication !== null) codes.set(code ?? 'probe', (codes.get(code ?? 'probe') ?? 0) + 1);
  }
  const ranked = [...codes].sort(([, a], [, b]) => b - a);
  const shown = ranked.slice(0, 3).map(([code, count]) => `${count} ${code}`);
  const some = failures.length - alone.length;
  const counted = `${plural(some, 'publication fails', 'publications fail')} (${shown.join(', ')}${ranked.length > 3 ? ', …' : ''})`;
  return [...alone, ...(some > 0 ? [counted] : [])].join('; ');
}

function matters<K extends Matter['kind']>(entries: readonly Entry[], kind: K): Extract<Matter, { kind: K }>[] {
  return entries.flatMap(({ matter }) => (matter.kind === kind ? (matter as Extract<Matter, { kind: K }>) : []));
}

function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

function moment(ms: number): string {
  return new Date(ms).toISOString();
}
