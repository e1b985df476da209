import type { components } from '../../generated/edict-notification.d.ts';
import type { Change, Plan, PlanHolds } from '../model/change.ts';
import type { EdictEvent } from '../model/events.ts';
import type { DriftNotice } from '../model/observation.ts';
import type { PublicationKey } from '../model/publication.ts';
import { knownStateBefore } from '../model/recorded-state.ts';
import { isActionable } from '../plan/diff.ts';
import { approvalDigest } from '../plan/policies.ts';
import type { ApproveCommand } from '../render/command-line.ts';
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
 * Turns events into notices. A condition fires once when it begins and resolves once when it ends, so a failure of ten thousand publications
 * is one notice. Timing, windows and grouping are left to Alertmanager.
 */
type Schemas = components['schemas'];

/** The name of a condition. Each fires at most once at a time. */
type ConditionName = Schemas['Subject'] | 'invalid' | 'held' | 'unknown' | 'drift' | 'flapping';

/** Reports in a row after which a transient condition fires. A single failed call is retried a second later and needs no notice. */
const firesAfter = 2;

/** Turns the events of one file into notices. It keeps at most one entry per publication and condition. */
export class Notices {
  readonly #approveCommand: ApproveCommand;
  readonly #now: () => number;
  readonly #firing = new Map<ConditionName, ConditionNotice>();
  /** The members of each condition, mostly publications, with their number of reports in a row. */
  readonly #members = new Map<ConditionName, Map<string, number>>();
  readonly #applied = new Map<PublicationKey, Schemas['PublicationChange']>();
  readonly #external = new Map<PublicationKey, Schemas['ExternalChange']>();
  #ready: WebhookNotice[] = [];

  /** `now` returns the time in milliseconds since 1970. */
  constructor(approveCommand: ApproveCommand, now: () => number) {
    this.#approveCommand = approveCommand;
    this.#now = now;
  }

  /** Returns the notices caused by `event`. */
  of(event: EdictEvent): readonly WebhookNotice[] {
    this.#handle(event);
    return this.#takeReady();
  }

  /** Returns the notices of changes made since the last reconciliation finished. */
  rest(): readonly WebhookNotice[] {
    this.#flushChanges();
    return this.#takeReady();
  }

  #takeReady(): readonly WebhookNotice[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  #handle(event: EdictEvent): void {
    switch (event.type) {
      case 'file:loaded':
        this.#resolve('invalid');
        break;
      case 'file:invalid':
        this.#report('invalid', invalidCondition(event.error.message, event.error.diagnostics));
        break;
      case 'file:held':
        this.#resolve('invalid');
        this.#updateHeld(event.holds);
        break;
      case 'file:unreadable':
      case 'file:failed':
        this.#report('invalid', invalidCondition(event.message, []));
        break;
      case 'file:removed':
        this.#resolve('invalid');
        this.#resolveAll();
        break;
      case 'plan:computed':
        this.#onPlan(event.plan);
        break;
      case 'attempt:started':
        this.#resolve('store');
        break;
      case 'attempt:finished':
      case 'attempt:recovered':
        this.#onAttempt(event);
        break;
      case 'attempt:unknown':
        if (!event.isRetried) this.#report('unknown', unknownOutcomeCondition(event.change, event.reason), { member: event.change.key });
        break;
      case 'gateway:observed':
        this.#resolve('gateway');
        break;
      case 'gateway:observe_failed':
        this.#report('gateway', failedCondition('gateway', `the gateway cannot be observed: ${event.reason}`), { duration: 'transient' });
        break;
      case 'publication:drift':
        this.#onDriftNotice(event.notice);
        break;
      case 'requests:paused':
        if (event.reason !== 'pause') this.#report(event.reason, failedCondition(event.reason, event.message));
        break;
      case 'requests:resumed':
        this.#resolve('outage');
        this.#resolve('credentials');
        break;
      case 'probe:answered': {
        const { target, message, isExpected } = event;
        if (isExpected) this.#remove('probe', target.key);
        else
          this.#report('probe', failedCondition('probe', `${target.url} ${message}`, { of: target }), {
            member: target.key,
            duration: 'transient',
          });
        break;
      }
      case 'reconcile:failed':
      case 'store:error':
        this.#report('store', failedCondition('store', event.message));
        break;
      case 'reconcile:finished':
        this.#flushChanges();
        break;
      // The next lease holder reports its own conditions. The store condition stays: losing the lease does not show that the store works.
      case 'lease:lost':
        this.#resolveAll('store');
        break;
      case 'lease:standby':
        this.#resolveAll();
        break;
      default:
        break;
    }
  }

  #onAttempt({ change, outcome }: Extract<EdictEvent, { type: 'attempt:finished' | 'attempt:recovered' }>): void {
    const { key, action } = change;
    switch (outcome.kind) {
      case 'succeeded':
        for (const name of ['publication', 'unknown', 'drift'] as const) this.#remove(name, key);
        this.#applied.set(key, { ...publicationOf(change), action });
        break;
      case 'rejected':
        this.#report('publication', failedCondition('publication', outcome.failure.message, { of: change, failure: outcome.failure }), {
          member: key,
        });
        break;
      case 'retryable':
      case 'unknown': {
        const { failure } = outcome;
        this.#report('publication', failedCondition('publication', failure.message, { of: change, failure }), {
          member: key,
          duration: 'transient',
        });
        break;
      }
      case 'notApplied':
        this.#remove('unknown', key);
        break;
      // Throttling is not a failure, refused credentials have their own condition, and a superseded change was not sent.
      case 'throttled':
      case 'unauthorized':
      case 'superseded':
        break;
    }
  }

  /** A plan covers the whole file, so a condition ends for each publication that is no longer in the plan. */
  #onPlan(plan: Plan): void {
    const changes = new Map<string, Change>(plan.changes.map((change) => [change.key, change]));
    const probed = new Set<string>(plan.changes.flatMap(({ deferred }) => deferred?.probe?.key ?? []));
    this.#resolve('store');
    this.#keep('publication', (key) => {
      const change = changes.get(key);
      return change !== undefined && isActionable(change);
    });
    this.#keep('unknown', (key) => changes.get(key)?.reason === 'unknown');
    this.#keep('probe', (key) => probed.has(key));
    const reported = plan.drifted.map((of) => ({
      of,
      was: knownStateBefore(of.drift),
      now: of.state,
      isFlapping: of.drift?.backoffUntilMs != null,
    }));
    const corrected = plan.changes
      .filter(({ reason }) => reason === 'drift')
      .map((of) => ({ of, was: knownStateBefore(of.drift), now: of.from, isFlapping: false }));
    const all = [...reported, ...corrected];
    this.#updateDrift(
      'drift',
      all.filter(({ isFlapping }) => !isFlapping),
    );
    this.#updateDrift(
      'flapping',
      all.filter(({ isFlapping }) => isFlapping),
    );
    this.#updateHeld(plan);
  }

  #updateDrift(name: 'drift' | 'flapping', all: readonly Drifted[]): void {
    const keys = new Set<string>(all.map(({ of }) => of.key));
    this.#keep(name, (key) => keys.has(key));
    const notice = driftedCondition(name, all);
    for (const key of keys) this.#report(name, notice, { member: key });
  }

  /** A new digest needs a new approval, and so a new notice. */
  #updateHeld(holds: PlanHolds): void {
    const digest = approvalDigest(holds);
    const firing = this.#firing.get('held');
    if (firing?.kind === 'held' && firing.approvalDigest !== digest) this.#resolve('held');
    if (digest !== null) this.#report('held', heldCondition(holds, digest, this.#approveCommand(holds)));
  }

  #onDriftNotice(notice: DriftNotice): void {
    const { kind, key, previousState, currentState } = notice;
    // Drift is taken from the plan, which has all of it. An adopted publication matches the file and needs no notice.
    if (kind === 'externalChange' || kind === 'apiDeleted')
      this.#external.set(key, { ...publicationOf(notice), was: previousState, now: currentState, apiDeleted: kind === 'apiDeleted' });
  }

  #flushChanges(): void {
    const [moves, changes] = [[...this.#applied.values()], [...this.#external.values()]];
    this.#applied.clear();
    this.#external.clear();
    if (changes.length > 0) this.#ready.push(externalNotice(changes));
    if (moves.length > 0) this.#ready.push(appliedNotice(moves));
  }

  /** Adds a member to a condition. The condition fires unless it is firing, or a `transient` member was reported only once. */
  #report(
    name: ConditionName,
    condition: Condition,
    { member = '', duration = 'lasting' }: { readonly member?: string; readonly duration?: 'lasting' | 'transient' } = {},
  ): void {
    const members = this.#members.get(name) ?? new Map<string, number>();
    this.#members.set(name, members);
    const reports = (members.get(member) ?? 0) + (duration === 'lasting' ? firesAfter : 1);
    members.set(member, reports);
    if (reports < firesAfter || this.#firing.has(name)) return;
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

  /** Resolves all conditions except `invalid`, since reading the file needs no lease, and `except`. */
  #resolveAll(except?: ConditionName): void {
    for (const name of this.#members.keys()) if (name !== 'invalid' && name !== except) this.#resolve(name);
  }

  #resolveIfOver(name: ConditionName): void {
    const firing = this.#firing.get(name);
    if (!firing) return;
    for (const reports of this.#members.get(name)?.values() ?? []) if (reports >= firesAfter) return;
    this.#firing.delete(name);
    this.#ready.push({ ...firing, status: 'resolved' });
  }
}
