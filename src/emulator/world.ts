import type { Refusal } from './answers.ts';
import { type Caller, Callers } from './callers.ts';
import { LaggingMap } from './lagging-map.ts';
import { newId } from './new-id.ts';
import type { Named, Seed } from './seed.ts';

/** One version of an API in an environment. */
export interface Version {
  readonly versionId: string;
  readonly publishId: string;
  readonly publishTime: string;
  readonly remark: string;
}

/** What an environment holds of one API, and how often it was asked to change. */
export interface Publication {
  readonly api: string;
  readonly environment: string;
  /** Newest first, at most ten. */
  readonly versions: readonly Version[];
  /** The version that callers reach; `null` while the API is offline here. */
  readonly effective: Version | null;
  readonly onlineCalls: number;
  readonly offlineCalls: number;
}

export type Published = { readonly api: Named; readonly version: Version | null };

/** A version together with where it is. */
export interface PlacedVersion {
  readonly environment: Named;
  readonly version: Version;
  readonly isEffective: boolean;
}

/** "At most 10 versions of an API are kept per environment": the service's reference on publishing. */
const keptVersions = 10;

/** "Valid 24 h": the identity service's reference. */
const usualTokenLifeMs = 24 * 3_600_000;

/** What differs between one emulated service and another, in milliseconds. */
export interface WorldTimes {
  /** How long an issued token is taken; default: 24 hours. */
  readonly tokenLifeMs?: number | undefined;
  /** After which time a change shows in lists; default: 0. */
  readonly readLagMs?: number | undefined;
}

/** The gateway's state and the only ways in which it changes. */
export class World {
  readonly callers: Callers;
  readonly #projects = new Set<string>();
  readonly #instances = new Set<string>();
  readonly #now: () => Date;
  readonly #apis = new Map<string, Named>();
  readonly #environments = new Map<string, Named>();
  readonly #publications: LaggingMap<Publication>;
  #changes = 0;
  #isRehearsal = false;

  constructor(seed: Seed, now: () => Date, { tokenLifeMs = usualTokenLifeMs, readLagMs = 0 }: WorldTimes = {}) {
    this.#now = now;
    this.callers = new Callers(now, tokenLifeMs);
    this.#publications = new LaggingMap(readLagMs);
    this.add(seed);
  }

  /** Adds what `seed` has and the world lacks; changes nothing that is there. */
  add({ project, instance, apis, environments, publications = [], ...callers }: Seed): void {
    this.callers.add(callers);
    this.#projects.add(project);
    this.#instances.add(keyOf(project, instance));
    for (const api of apis) addNew(this.#apis, api.id, api);
    for (const environment of environments) addNew(this.#environments, environment.id, environment);
    for (const { api, environment, versionId } of publications) {
      const key = keyOf(api, environment);
      if (this.#publications.get(key)) continue;
      const version = this.#newVersion('', versionId);
      const publication = { api, environment, versions: [version], effective: version, onlineCalls: 0, offlineCalls: 0 };
      this.#publications.set(key, publication, Number.NEGATIVE_INFINITY);
    }
  }

  /** How many publications were made or taken offline since the world began, one by one. */
  get changes(): number {
    return this.#changes;
  }

  /** Returns what `run` returns, and lets it change no publication. */
  rehearse<T>(run: () => T): T {
    this.#isRehearsal = true;
    try {
      return run();
    } finally {
      this.#isRehearsal = false;
    }
  }

  /** Returns why a caller is refused at this project and instance, or `null`. */
  refusal(caller: Caller, project: string, instance: string): Refusal | null {
    if ('status' in caller) return caller;
    if (!caller.permitted || !this.#projects.has(project))
      return { status: 403, errorCode: 'APIG.1005', errorMsg: 'No permissions to request this method' };
    return this.#instances.has(keyOf(project, instance)) ? null : missing('APIG.3030', `The instance does not exist;id:${instance}`);
  }

  /** Makes a new version effective, as each `online` does, also where the API is online already. */
  publish(apiId: string, environmentId: string, remark: string): Published | Refusal {
    const api = this.#find(apiId, environmentId);
    if ('status' in api) return api;
    const before = this.#publication(apiId, environmentId);
    const version = this.#newVersion(remark);
    const versions = [version, ...before.versions].slice(0, keptVersions);
    this.#put({ ...before, versions, effective: version, onlineCalls: before.onlineCalls + 1 }, 1);
    return { api, version };
  }

  /** Takes the effective version out of service. Where there is none the service's answer is unknown; this one says 404 APIG.3015. */
  takeOffline(apiId: string, environmentId: string): Published | Refusal {
    const api = this.#find(apiId, environmentId);
    if ('status' in api) return api;
    const before = this.#publication(apiId, environmentId);
    this.#put({ ...before, effective: null, offlineCalls: before.offlineCalls + 1 }, before.effective ? 1 : 0);
    return before.effective
      ? { api, version: null }
      : missing('APIG.3015', `API ${apiId} has not been published in environment ${environmentId}`);
  }

  /** Returns the versions of an API in all environments, as far as lists show them by now. */
  versions(apiId: string): readonly PlacedVersion[] | Refusal {
    if (!this.#apis.has(apiId)) return noApi(apiId);
    const nowMs = this.#now().getTime();
    return [...this.#environments.values()].flatMap((environment) => {
      const { versions = [], effective = null } = this.#publications.getLate(keyOf(apiId, environment.id), nowMs) ?? {};
      return versions.map((version) => ({ environment, version, isEffective: version === effective }));
    });
  }

  /** Returns everything that was ever published or asked for. */
  publications(): readonly Publication[] {
    return [...this.#publications.values()];
  }

  #find(apiId: string, environmentId: string): Named | Refusal {
    const api = this.#apis.get(apiId);
    if (!api) return noApi(apiId);
    return this.#environments.has(environmentId) ? api : missing('APIG.3003', `The environment does not exist;id:${environmentId}`);
  }

  #publication(api: string, environment: string): Publication {
    return (
      this.#publications.get(keyOf(api, environment)) ?? {
        api,
        environment,
        versions: [],
        effective: null,
        onlineCalls: 0,
        offlineCalls: 0,
      }
    );
  }

  #put(publication: Publication, changes: number): void {
    if (this.#isRehearsal) return;
    this.#publications.set(keyOf(publication.api, publication.environment), publication, this.#now().getTime());
    this.#changes += changes;
  }

  #newVersion(remark: string, versionId = newId()): Version {
    // The service's times have nanoseconds; this machine's have milliseconds.
    const publishTime = this.#now().toISOString().replace('Z', '000000Z');
    return { versionId, publishId: newId(), publishTime, remark };
  }
}

function keyOf(...names: readonly string[]): string {
  return names.join('\0');
}

function addNew<T>(to: Map<string, T>, key: string, value: T): void {
  if (!to.has(key)) to.set(key, value);
}

function noApi(id: string): Refusal {
  return missing('APIG.3002', `API ${id} does not exist`);
}

function missing(errorCode: string, errorMsg: string): Refusal {
  return { status: 404, errorCode, errorMsg };
}
