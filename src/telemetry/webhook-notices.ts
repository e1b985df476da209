import type { components } from '../../generated/edict-notification.d.ts';
import type { Change, Plan } from '../model/change.ts';
import type { EdictEvent } from '../model/events.ts';
import type { DriftNotice } from '../model/observation.ts';
import type { PublicationKey } from '../model/publication.ts';
import { isActionable } from '../plan/diff.ts';
import { approvalDigest } from '../plan/policies.ts';
import {
  appliedNotice,
  type Condition,
  type ConditionNotice,
  type Drifted,
  driftedCondition,
  externalNotice,
  failedCondition,
  heldCondition,
  invalidCondition,
  publicationOf,
  unknownOutcomeCondition,
  type WebhookNotice,
} from './webhook-documents.ts';

/*
 * Which events become notices. A condition fires once when it begins and is resolved once when it ends, whatever happens in between, so a
 * failure of ten thousand publications is one notice. There is no clock, window or grouping here: that is for Alertmanager.
 */
type Schemas = components['schemas'];

/** Returns the command with which a person approves what a plan holds; `null` if there is none. */
export type Release = (plan: Plan) => string | null;

/** The name of a condition. Each is firing at most once. */
type ConditionName = Schemas['What'] | 'invalid' | 'held' | 'unknown' | 'drift' | 'flapping';

/** A condition that may end without a person fires when it is reported so often in a row: a single failed call is retried a second later. */
const firesAfter = 2;

/** Turns the events of one file into notices. It keeps at most one entry for each publication of the file in each condition. */
export class Notices {
  readonly #release: Release;
  readonly #now: () => number;
  readonly #firing = new Map<ConditionName, ConditionNotice>();
  /** The members of each condition, mostly publications, and how often in a row each was reported. */
  readonly #members = new Map<ConditionName, Map<string, number>>();
  readonly #applied = new Map<PublicationKey, Schemas['Move']>();
  readonly #external = new Map<PublicationKey, Schemas['ExternalChange']>();
  #ready: WebhookNotice[] = [];

  /** `now`: the time in milliseconds since 1970. */
  constructor(release: Release, now: () => number) {
    this.#release = release;
    this.#now = now;
  }

  /** Returns the notices that follow from `event`. */
  of(event: EdictEvent): readonly WebhookNotice[] {
    this.#note(event);
    return this.#taken();
  }

  /** Returns the changes that were made since the last reconciliation was over. */
  rest(): readonly WebhookNotice[] {
    this.#reconciled();
    return this.#taken();
  }

  #taken(): readonly WebhookNotice[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  #note(event: EdictEvent): void {
    switch (event.type) {
      case 'file:loaded':
        this.#resolve('invalid');
        break;
      case 'file:invalid':
        this.#report('invalid', '', invalidCondition(event.error.message, event.error.diagnostics));
        break;
      case 'file:unreadable':
      case 'file:failed':
        this.#report('invalid', '', invalidCondition(event.message, []));
        break;
      case 'file:removed':
        this.#resolve('invalid');
        this.#resolveAll();
        break;
      case 'plan:computed':
        this.#planned(event.plan);
        break;
      case 'attempt:started':
        this.#resolve('store');
        break;
      case 'attempt:finished':
      case 'attempt:recovered':
        this.#attempted(event);
        break;
      case 'attempt:unknown':
        if (!event.isRetried) this.#report('unknown', event.change.key, unknownOutcomeCondition(event.change, event.reason));
        break;
      case 'gateway:observed':
        this.#resolve('gateway');
        break;
      case 'gateway:observe_failed':
        this.#report('gateway', '', failedCondition('gateway', `the gateway cannot be observed: ${event.reason}`), 'transient');
        break;
      case 'publication:drift':
        this.#noted(event.notice);
        break;
      case 'requests:paused':
        if (event.reason !== 'pause') this.#report(event.reason, '', failedCondition(event.reason, event.message));
        break;
      case 'requests:resumed':
        this.#resolve('outage');
        this.#resolve('credentials');
        break;
      case 'probe:answered': {
        const { target, message, isExpected } = event;
        if (isExpected) this.#remove('probe', target.key);
        else this.#report('probe', target.key, failedCondition('probe', `${target.url} ${message}`, { of: target }), 'transient');
        break;
      }
      case 'store:error':
        this.#report('store', '', failedCondition('store', event.message));
        break;
      case 'reconcile:finished':
        this.#reconciled();
        break;
      // The next holder of the lease reports what it finds. Only a holder knows whether the store works.
      case 'lease:lost':
        this.#resolveAll('store');
        break;
      case 'lease:standby':
        this.#resolveAll();
        break;
      case 'reconcile:started':
      case 'retry:scheduled':
      case 'token:issued':
      case 'rate:changed':
      case 'lease:acquired':
      case 'store:waiting':
      case 'history:pruned':
      case 'webhook:failed':
      case 'trace:failed':
      case 'daemon:stopped':
      case 'file:added':
        break;
    }
  }

  #attempted({ change, outcome }: Extract<EdictEvent, { type: 'attempt:finished' | 'attempt:recovered' }>): void {
    const { key, action } = change;
    switch (outcome.kind) {
      case 'succeeded':
        for (const name of ['publication', 'unknown', 'drift'] as const) this.#remove(name, key);
        this.#applied.set(key, { ...publicationOf(change), action });
        break;
      case 'stalled':
        this.#report('publication', key, failedCondition('publication', outcome.failure.message, { of: change, failure: outcome.failure }));
        break;
      case 'retry':
      case 'unknown': {
        const { failure } = outcome;
        this.#report('publication', key, failedCondition('publication', failure.message, { of: change, failure }), 'transient');
        break;
      }
      case 'absent':
        this.#remove('unknown', key);
        break;
      // The gateway asks for fewer calls, refused credentials are a condition of their own, and a dropped change was not sent.
      case 'wait':
      case 'refused':
      case 'dropped':
        break;
    }
  }

  /** A plan knows the whole file, so a condition ends for each publication that the plan does not have any more. */
  #planned(plan: Plan): void {
    const changes = new Map<string, Change>(plan.changes.map((change) => [change.key, change]));
    const probed = new Set<string>(plan.changes.flatMap(({ deferred }) => deferred?.probe?.key ?? []));
    this.#resolve('store');
    this.#keep('publication', (key) => {
      const change = changes.get(key);
      return change !== undefined && isActionable(change);
    });
    this.#keep('unknown', (key) => changes.get(key)?.reason === 'unresolved');
    this.#keep('probe', (key) => probed.has(key));
    const reported = plan.drifted.map((of) => ({
      of,
      was: of.drift?.from ?? null,
      now: of.state,
      isFlapping: of.drift?.backoffUntilMs != null,
    }));
    const corrected = plan.changes
      .filter(({ reason }) => reason === 'drift')
      .map((of) => ({ of, was: of.drift?.from ?? null, now: of.from, isFlapping: false }));
    const all = [...reported, ...corrected];
    this.#drifted(
      'drift',
      all.filter(({ isFlapping }) => !isFlapping),
    );
    this.#drifted(
      'flapping',
      all.filter(({ isFlapping }) => isFlapping),
    );
    this.#held(plan);
  }

  #drifted(name: 'drift' | 'flapping', all: readonly Drifted[]): void {
    const keys = new Set<string>(all.map(({ of }) => of.key));
    this.#keep(name, (key) => keys.has(key));
    const notice = driftedCondition(name, all);
    for (const key of keys) this.#report(name, key, notice);
  }

  /** Another digest needs another approval, so it is another notice. */
  #held(plan: Plan): void {
    const digest = approvalDigest(plan);
    const firing = this.#firing.get('held');
    if (firing?.kind === 'held' && firing.digest !== digest) this.#resolve('held');
    if (digest !== null) this.#report('held', '', heldCondition(plan, digest, this.#release(plan)));
  }

  #noted(note: DriftNotice): void {
    const { kind, key, previousState, currentState } = note;
    // Drift is taken from the plan, which has all of it, and an adopted publication is as the file says.
    if (kind === 'outside' || kind === 'gone')
      this.#external.set(key, { ...publicationOf(note), was: previousState, now: currentState, apiDeleted: kind === 'gone' });
  }

  #reconciled(): void {
    const [moves, changes] = [[...this.#applied.values()], [...this.#external.values()]];
    this.#applied.clear();
    this.#external.clear();
    if (changes.length > 0) this.#ready.push(externalNotice(changes));
    if (moves.length > 0) this.#ready.push(appliedNotice(moves));
  }

  /** Adds a member to a condition, which fires unless it does already, or unless a `transient` member was reported only once. */
  #report(name: ConditionName, member: string, condition: Condition, duration: 'lasting' | 'transient' = 'lasting'): void {
    const members = this.#members.get(name) ?? new Map<string, number>();
    this.#members.set(name, members);
    const times = (members.get(member) ?? 0) + (duration === 'lasting' ? firesAfter : 1);
    members.set(member, times);
    if (times < firesAfter || this.#firing.has(name)) return;
    const notice: ConditionNotice = { status: 'firing', since: new Date(this.#now()).toISOString(), ...condition };
    this.#firing.set(name, notice);
    this.#ready.push(notice);
  }

  #remove(name: ConditionName, member: string): void {
    if (this.#members.get(name)?.delete(member)) this.#resolveIfOver(name);
  }

  #keep(name: ConditionName, isKept: (member: string) => boolean): void {
    const members = this.#members.get(name);
    if (!members || members.size === 0) return;
    for (const member of members.keys()) if (!isKept(member)) members.delete(member);
    this.#resolveIfOver(name);
  }

  #resolve(name: ConditionName): void {
    this.#keep(name, () => false);
  }

  /** Resolves everything but an invalid file, which needs no lease to be read, and `but`. */
  #resolveAll(but?: ConditionName): void {
    for (const name of this.#members.keys()) if (name !== 'invalid' && name !== but) this.#resolve(name);
  }

  #resolveIfOver(name: ConditionName): void {
    const firing = this.#firing.get(name);
    if (!firing) return;
    for (const times of this.#members.get(name)?.values() ?? []) if (times >= firesAfter) return;
    this.#firing.delete(name);
    this.#ready.push({ ...firing, status: 'resolved' });
  }
}
