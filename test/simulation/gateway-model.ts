import { ServiceError } from '../../src/gateway/errors.ts';
import type { Change } from '../../src/model/change.ts';
import type { ListedVersion, Observation, ObservedApi } from '../../src/model/observation.ts';
import { type Action, type PublicationKey, publicationKey } from '../../src/model/publication.ts';
import type { Effect } from './checks/check.ts';
import type { Invariants } from './invariants.ts';
import { apiIdOf, apiNumberOf, keyOf } from './names.ts';
import type { GatewayFault, SimulationOptions } from './options.ts';
import type { Random } from './random.ts';

/** A publication at the gateway from `sinceMs` on. `versions`: the newest last; `null`: it is offline. */
interface PublishedState {
  readonly sinceMs: number;
  readonly versions: readonly ListedVersion[];
  readonly publishId: string | null;
}

/** The truth about the gateway: versions and publications, as they are and as its lists show them. */
export class GatewayModel {
  readonly effects: Effect[] = [];
  readonly #options: SimulationOptions;
  readonly #random: Random;
  readonly #invariants: Invariants;
  readonly #states = new Map<PublicationKey, PublishedState[]>();
  readonly #faults = new Set<GatewayFault>();
  #versionCount = 0;

  constructor(options: SimulationOptions, random: Random, invariants: Invariants) {
    this.#options = options;
    this.#random = random;
    this.#invariants = invariants;
    for (const { api, environment } of options.onlineAtStart)
      this.#publish(keyOf(api, environment), 'online', '', Number.NEGATIVE_INFINITY);
  }

  endFaults(): void {
    this.#faults.clear();
  }

  setFault(fault: GatewayFault, isOn: boolean): void {
    if (isOn) this.#faults.add(fault);
    else this.#faults.delete(fault);
  }

  hasFault(fault: GatewayFault): boolean {
    return this.#faults.has(fault);
  }

  isOnline(key: PublicationKey): boolean {
    return this.#at(key, Number.POSITIVE_INFINITY).publishId !== null;
  }

  /** Makes a change and returns what the gateway answers. `call`: the one of edict that asks for it; `null`: somebody else does. */
  change(
    key: PublicationKey,
    action: Action,
    call: { readonly change: Change; readonly remark: string } | null,
  ): { versionId: string; publishId: string } {
    const wasOnline = this.isOnline(key);
    const made = this.#publish(key, action, call?.remark ?? '', performance.now());
    const effect: Effect = { atMs: performance.now(), key, action, wasOnline, by: call ? 'edict' : 'other' };
    this.effects.push(effect);
    if (call) this.#invariants.effected(effect, call.change);
    else this.#invariants.changedOutside(effect);
    return made;
  }

  #publish(key: PublicationKey, action: Action, remark: string, sinceMs: number): { versionId: string; publishId: string } {
    const { versions } = this.#at(key, Number.POSITIVE_INFINITY);
    this.#versionCount += 1;
    const [versionId, publishId] = [`v${this.#versionCount}`, `p${this.#versionCount}`];
    const old = versions.map((version) => ({ ...version, isEffective: false }));
    const added: ListedVersion = {
      versionId,
      versionNumber: '',
      remark: this.#options.dropsRemarks ? '' : remark,
      publishedAtMs: Math.floor((clockStartMs + performance.now()) / 1000) * 1000 - (sinceMs < 0 ? dayMs : 0),
      isEffective: true,
    };
    const next = action === 'online' ? { versions: [...old, added].slice(-10), publishId } : { versions: old, publishId: null };
    this.#states.set(key, [...(this.#states.get(key) ?? []), { sinceMs, ...next }]);
    return { versionId, publishId };
  }

  /** The versions as a list shows them that lags. */
  listVersions(key: PublicationKey): ListedVersion[] {
    return [...this.#at(key, this.#listedAtMs()).versions];
  }

  /** The versions of an API in all environments, by environment ID. */
  listApiVersions(apiId: string): ReadonlyMap<string, ListedVersion[]> {
    const ids = [...Array(this.#options.environments).keys()].map((id) => `env-${id}`);
    return new Map(ids.map((id) => [id, this.listVersions(publicationKey(apiId, id))]));
  }

  listApis(): Observation {
    const apis = new Map<string, ObservedApi>();
    const atMs = this.#listedAtMs();
    const isLying = this.hasFault('lying');
    for (let api = 0; api < this.#options.apis; api += 1) {
      if (isLying && this.#random.isHit(0.3)) continue;
      const listed = this.#api(api, atMs);
      if (isLying) for (const id of listed.publications.keys()) if (this.#random.isHit(0.3)) listed.publications.delete(id);
      apis.set(apiIdOf(api), listed);
    }
    return apis;
  }

  getApi(apiId: string): ObservedApi | null {
    const api = apiNumberOf(apiId);
    return api < this.#options.apis ? this.#api(api, this.#listedAtMs()) : null;
  }

  #api(api: number, atMs: number) {
    const publications = new Map<string, { publishId: string | null; publishedAtMs: number | null }>();
    for (let environment = 0; environment < this.#options.environments; environment += 1) {
      const { publishId, versions } = this.#at(keyOf(api, environment), atMs);
      if (publishId !== null) publications.set(`env-${environment}`, { publishId, publishedAtMs: versions.at(-1)?.publishedAtMs ?? null });
    }
    return { apiId: apiIdOf(api), name: `api${api}`, groupId: '', group: '', editedAtMs: null, publications };
  }

  #listedAtMs(): number {
    return performance.now() - this.#random.next() * this.#options.propagationDelayMs;
  }

  #at(key: PublicationKey, atMs: number): PublishedState {
    return this.#states.get(key)?.findLast(({ sinceMs }) => sinceMs <= atMs) ?? offline;
  }
}

const dayMs = 86_400_000;

/** The gateway's own clock, which nobody sets. */
const clockStartMs = Date.UTC(2026, 0, 1);

const offline: PublishedState = { sinceMs: 0, versions: [], publishId: null };

/** Returns the error that the gateway answers with. */
export function answerOf(status: number, errorCode: string, retryAfterMs: number | null = null): ServiceError {
  return new ServiceError({ status, errorCode, errorMsg: 'simulated', requestId: null, retryAfterMs, rateLimit: null });
}
