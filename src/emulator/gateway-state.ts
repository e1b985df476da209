import { AuthState, type Caller } from './auth.ts';
import { type Api, apiNotFound, Catalog } from './catalog.ts';
import { EventuallyConsistentMap } from './eventually-consistent-map.ts';
import { newId } from './random.ts';
import type { EmulatedError } from './responses.ts';
import type { Seed, SeedResource } from './seed.ts';

/** One version of an API in an environment. */
export interface Version {
  readonly versionId: string;
  readonly publishTime: string;
  readonly remark: string;
}

/** The publication or switch that made a version effective. */
export interface PublicationRecord {
  readonly publishId: string;
  readonly publishTime: string;
}

/** An API in an environment: its versions and the number of calls for it. */
export interface EmulatedPublication {
  readonly api: string;
  readonly environment: string;
  /** Newest first, at most ten. */
  readonly versions: readonly Version[];
  /** The version that serves traffic; `null` while the API is offline here. */
  readonly effective: Version | null;
  /** `null` while the API is offline here. */
  readonly record: PublicationRecord | null;
  readonly onlineCalls: number;
  readonly offlineCalls: number;
  readonly switchCalls: number;
}

/** The result of an action; `effective` is `null` after `offline`. */
export interface PublishedApi {
  readonly api: Api;
  readonly environmentId: string;
  readonly effective: (Version & PublicationRecord) | null;
}

/** A version with its environment. */
export interface VersionInEnvironment {
  readonly environment: SeedResource;
  readonly version: Version;
  readonly isEffective: boolean;
}

/** An API with its publications, as lists show it. */
export interface ApiPlacement {
  readonly api: Api;
  /** Whether it was ever published anywhere. */
  readonly wasPublished: boolean;
  readonly placements: readonly { readonly environment: SeedResource; readonly record: PublicationRecord }[];
}

/** "At most 10 versions of an API are kept per environment": the service's reference on publishing. */
const maxVersions = 10;

/** "Valid 24 h": the identity service's reference. */
const defaultTokenLifetimeMs = 24 * 3_600_000;

/** Timing options of an emulated gateway, in milliseconds. */
export interface GatewayTiming {
  /** Lifetime of an issued token; default: 24 hours. */
  readonly tokenLifetimeMs?: number | undefined;
  /** Delay after which a change shows in lists; default: 0. */
  readonly propagationDelayMs?: number | undefined;
}

/** Behavior of the service that its references leave open, so that both ways occur. */
export interface UnknownBehavior {
  /** Whether `online` and a switch answer with `api_name`, as seen at API Gateway; the documentation's example has none. Default: `false`. */
  readonly apiNameOnline: boolean;
  /** Whether a change of an API is refused with APIG.3500 while another change of it is under way. Default: `false`. */
  readonly refuseOverlaps: boolean;
}

/** The state of the emulated gateway and all operations that change it. */
export class GatewayState {
  behavior: UnknownBehavior = { apiNameOnline: false, refuseOverlaps: false };
  readonly auth: AuthState;
  readonly catalog: Catalog;
  readonly #projects = new Set<string>();
  readonly #instances = new Set<string>();
  readonly #now: () => Date;
  readonly #publications: EventuallyConsistentMap<EmulatedPublication>;
  #changes = 0;
  #isDryRun = false;

  constructor(seed: Seed, now: () => Date, { tokenLifetimeMs = defaultTokenLifetimeMs, propagationDelayMs = 0 }: GatewayTiming = {}) {
    this.#now = now;
    this.auth = new AuthState(now, tokenLifetimeMs);
    this.catalog = new Catalog(now);
    this.#publications = new EventuallyConsistentMap(propagationDelayMs);
    this.add(seed);
  }

  /** Adds the content of a seed. Existing entries are not changed. */
  add({ project, instance, apis, environments, publications = [], kept = [], ...credentials }: Seed): void {
    this.auth.add(credentials);
    this.#projects.add(project);
    this.#instances.add(keyOf(project, instance));
    for (const api of apis) this.catalog.addApi(api);
    for (const environment of environments) this.catalog.addEnvironment(environment);
    for (const { api, environment, versionId = newId(), publishId = newId(), publishedAt, remark = '' } of publications) {
      const key = keyOf(api, environment);
      if (this.#publications.get(key)) continue;
      const publishTime = formatTime(publishedAt === undefined ? this.#now() : new Date(publishedAt));
      const version = { versionId, publishTime, remark };
      const effective = { versions: [version], effective: version, record: { publishId, publishTime } };
      this.#publications.set(key, { ...neverPublished(api, environment), ...effective }, Number.NEGATIVE_INFINITY);
    }
    for (const { api, environment, versionId } of kept) {
      const before = this.#publication(api, environment);
      if (before.versions.length >= maxVersions || before.versions.some((version) => version.versionId === versionId)) continue;
      const versions = [...before.versions, { versionId, publishTime: formatTime(this.#now()), remark: '' }];
      this.#publications.set(keyOf(api, environment), { ...before, versions }, Number.NEGATIVE_INFINITY);
    }
  }

  /** The number of changes since the start: publications, switches and offline calls. */
  get changes(): number {
    return this.#changes;
  }

  /** Runs `run` without storing changes of publications, and returns its result. */
  dryRun<T>(run: () => T): T {
    this.#isDryRun = true;
    try {
      return run();
    } finally {
      this.#isDryRun = false;
    }
  }

  /** Returns the error for a caller without access to this project and instance; `null` if access is allowed. */
  checkAccess(caller: Caller, project: string, instance: string): EmulatedError | null {
    if ('status' in caller) return caller;
    if (!caller.permitted || !this.#projects.has(project))
      return { status: 403, errorCode: 'APIG.1005', errorMsg: 'No permissions to request this method' };
    return this.#instances.has(keyOf(project, instance)) ? null : notFoundError('APIG.3030', `The instance does not exist;id:${instance}`);
  }

  /** Publishes a new version and makes it effective, even if the API is online already. */
  publish(apiId: string, environmentId: string, remark: string): PublishedApi | EmulatedError {
    return this.#change({ apiId, environmentId }, (before) => {
      const record = this.#newRecord();
      const version = { versionId: newId(), publishTime: record.publishTime, remark };
      const versions = [version, ...before.versions].slice(0, maxVersions);
      return { ...before, versions, effective: version, record, onlineCalls: before.onlineCalls + 1 };
    });
  }

  /** Takes the API offline. The service's response for an API that is offline already is unknown; the emulator answers 404 APIG.3015. */
  takeOffline(apiId: string, environmentId: string): PublishedApi | EmulatedError {
    const wasOnline = this.#publication(apiId, environmentId).effective !== null;
    const result = this.#change(
      { apiId, environmentId },
      (before) => ({ ...before, effective: null, record: null, offlineCalls: before.offlineCalls + 1 }),
      wasOnline ? 1 : 0,
    );
    if ('status' in result || wasOnline) return result;
    return notFoundError('APIG.3015', `API ${apiId} has not been published in environment ${environmentId}`);
  }

  /**
   * Makes an existing version effective. An API that is offline goes online again; the service's behavior in this case is unknown.
   */
  switchVersion(apiId: string, versionId: string): PublishedApi | EmulatedError {
    if (!this.catalog.api(apiId)) return apiNotFound(apiId);
    for (const { id } of this.catalog.environments()) {
      const version = this.#publication(apiId, id).versions.find((kept) => kept.versionId === versionId);
      if (!version) continue;
      return this.#change({ apiId, environmentId: id }, (before) => ({
        ...before,
        effective: version,
        record: this.#newRecord(),
        switchCalls: before.switchCalls + 1,
      }));
    }
    return notFoundError('APIG.3022', `The API version does not exist;id:${versionId}`);
  }

  /** Makes a change outside edict, as in the service's console. It is not counted as a call. */
  changeManually(apiId: string, environmentId: string, action: 'online' | 'offline'): PublishedApi | EmulatedError {
    const { onlineCalls, offlineCalls } = this.#publication(apiId, environmentId);
    const result = action === 'online' ? this.publish(apiId, environmentId, '') : this.takeOffline(apiId, environmentId);
    if (!('status' in result)) this.#store({ ...this.#publication(apiId, environmentId), onlineCalls, offlineCalls }, 0);
    return result;
  }

  /** Deletes an API with all its publications. Returns whether it existed. */
  deleteApi(apiId: string): boolean {
    for (const { id } of this.catalog.environments()) this.#publications.delete(keyOf(apiId, id));
    return this.catalog.deleteApi(apiId);
  }

  /** Returns the versions of an API in all environments, as lists show them after the read lag. */
  versions(apiId: string): readonly VersionInEnvironment[] | EmulatedError {
    if (!this.catalog.api(apiId)) return apiNotFound(apiId);
    const nowMs = this.#now().getTime();
    return this.catalog.environments().flatMap((environment) => {
      const { versions = [], effective = null } = this.#publications.getLagged(keyOf(apiId, environment.id), nowMs) ?? {};
      return versions.map((version) => ({ environment, version, isEffective: version === effective }));
    });
  }

  /** Returns the publications of `api`: the current ones with `now`, those visible in lists after the read lag with `late`. */
  placementOf(api: Api, when: 'now' | 'late'): ApiPlacement {
    const nowMs = this.#now().getTime();
    const all = this.catalog.environments().map((environment) => {
      const key = keyOf(api.id, environment.id);
      const publication = when === 'now' ? this.#publications.get(key) : this.#publications.getLagged(key, nowMs);
      return { environment, publication };
    });
    const placements = all.flatMap(({ environment, publication }) =>
      publication?.record ? [{ environment, record: publication.record }] : [],
    );
    return { api, placements, wasPublished: all.some(({ publication }) => (publication?.versions.length ?? 0) > 0) };
  }

  /** Returns every publication that was ever made or requested. */
  publications(): readonly EmulatedPublication[] {
    return [...this.#publications.values()];
  }

  #change(
    { apiId, environmentId }: { readonly apiId: string; readonly environmentId: string },
    next: (before: EmulatedPublication) => EmulatedPublication,
    changes = 1,
  ): PublishedApi | EmulatedError {
    const api = this.catalog.api(apiId);
    if (!api) return apiNotFound(apiId);
    if (!this.catalog.environment(environmentId)) return notFoundError('APIG.3003', `The environment does not exist;id:${environmentId}`);
    const after = next(this.#publication(apiId, environmentId));
    this.#store(after, changes);
    const { effective, record } = after;
    return { api, environmentId, effective: effective && record && { ...effective, ...record } };
  }

  #publication(api: string, environment: string): EmulatedPublication {
    return this.#publications.get(keyOf(api, environment)) ?? neverPublished(api, environment);
  }

  #store(publication: EmulatedPublication, changes: number): void {
    if (this.#isDryRun) return;
    this.#publications.set(keyOf(publication.api, publication.environment), publication, this.#now().getTime());
    this.#changes += changes;
  }

  #newRecord(): PublicationRecord {
    return { publishId: newId(), publishTime: formatTime(this.#now()) };
  }
}

function neverPublished(api: string, environment: string): EmulatedPublication {
  return { api, environment, versions: [], effective: null, record: null, onlineCalls: 0, offlineCalls: 0, switchCalls: 0 };
}

/** Formats a time with nine fractional digits, as the service does. */
function formatTime(date: Date): string {
  return date.toISOString().replace('Z', '000000Z');
}

function keyOf(...names: readonly string[]): string {
  return names.join('\0');
}

function notFoundError(errorCode: string, errorMsg: string): EmulatedError {
  return { status: 404, errorCode, errorMsg };
}
