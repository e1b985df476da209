import { randomUUID } from 'node:crypto';
import type { Named, Seed, SeedUser } from './seed.ts';

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

/** Why the service refuses a call. */
export interface Refusal {
  readonly status: number;
  readonly errorCode: string;
  readonly errorMsg: string;
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

/** Returns a random ID in the service's form, 32 hex digits. */
export function newId(): string {
  return randomUUID().replaceAll('-', '');
}

/** The gateway's state and the only ways in which it changes. */
export class World {
  readonly #projects = new Set<string>();
  readonly #instances = new Set<string>();
  readonly #now: () => Date;
  readonly #apis = new Map<string, Named>();
  readonly #environments = new Map<string, Named>();
  readonly #publications = new Map<string, Publication>();
  readonly #permissions = new Map<string, boolean>();
  readonly #users = new Map<string, SeedUser>();
  #anyToken = false;

  constructor(seed: Seed, now: () => Date) {
    this.#now = now;
    this.add(seed);
  }

  /** Adds what `seed` has and the world lacks; changes nothing that is there. */
  add({ project, instance, apis, environments, tokens = [], users = [], publications = [], anyToken = false }: Seed): void {
    this.#projects.add(project);
    this.#instances.add(keyOf(project, instance));
    for (const api of apis) addNew(this.#apis, api.id, api);
    for (const environment of environments) addNew(this.#environments, environment.id, environment);
    for (const { value, permitted = true } of tokens) addNew(this.#permissions, value, permitted);
    for (const user of users) addNew(this.#users, keyOf(user.domain, user.name), user);
    for (const { api, environment, versionId } of publications) {
      const key = keyOf(api, environment);
      if (this.#publications.has(key)) continue;
      const version = this.#newVersion('', versionId);
      this.#publications.set(key, { api, environment, versions: [version], effective: version, onlineCalls: 0, offlineCalls: 0 });
    }
    this.#anyToken ||= anyToken;
  }

  /** Returns a new token, and when it was made, if the login is right, else `null`. */
  logIn(user: string, password: string, domain: string): { readonly token: string; readonly at: Date } | null {
    if (this.#users.get(keyOf(domain, user))?.password !== password) return null;
    const token = `token-${newId()}`;
    this.#permissions.set(token, true);
    return { token, at: this.#now() };
  }

  /** Returns why a caller with `token` is refused at this project and instance, or `null`. */
  refusal(token: string, project: string, instance: string): Refusal | null {
    const permitted = this.#permissions.get(token) ?? (this.#anyToken && token !== '' ? true : undefined);
    if (permitted === undefined) return { status: 401, errorCode: 'APIG.1002', errorMsg: 'Incorrect token or token resolution failed' };
    if (!permitted || !this.#projects.has(project))
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
    this.#publications.set(keyOf(apiId, environmentId), { ...before, versions, effective: version, onlineCalls: before.onlineCalls + 1 });
    return { api, version };
  }

  /** Takes the effective version out of service. Where there is none the service's answer is unknown; this one says 404 APIG.3015. */
  takeOffline(apiId: string, environmentId: string): Published | Refusal {
    const api = this.#find(apiId, environmentId);
    if ('status' in api) return api;
    const before = this.#publication(apiId, environmentId);
    this.#publications.set(keyOf(apiId, environmentId), { ...before, effective: null, offlineCalls: before.offlineCalls + 1 });
    return before.effective
      ? { api, version: null }
      : missing('APIG.3015', `API ${apiId} has not been published in environment ${environmentId}`);
  }

  /** Returns the versions of an API in all environments. */
  versions(apiId: string): readonly PlacedVersion[] | Refusal {
    if (!this.#apis.has(apiId)) return noApi(apiId);
    return [...this.#environments.values()].flatMap((environment) => {
      const { versions, effective } = this.#publication(apiId, environment.id);
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
