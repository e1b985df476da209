import { createHash } from 'node:crypto';
import type { EmulatedError } from './responses.ts';
import type { SeedApi, SeedResource } from './seed.ts';

/** An API without its publications. */
export interface Api extends SeedResource {
  readonly group: SeedResource;
  readonly registeredAt: Date;
  /** When its draft was last edited. */
  readonly editedAt: Date;
  /** Where it is hidden: from lists only, or everywhere, as from a caller without permission. */
  readonly hidden: 'list' | 'everywhere' | null;
}

/** Earlier than any change in the emulator. */
const initialTime = new Date('2020-01-01T00:00:00Z');

/** The APIs and environments of the emulated gateway. */
export class Catalog {
  readonly #now: () => Date;
  readonly #apis = new Map<string, Api>();
  readonly #environments = new Map<string, SeedResource>();

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Adds an API unless its ID exists. */
  addApi({ id, name, group = 'default', editedAt }: SeedApi): void {
    if (this.#apis.has(id)) return;
    const edited = editedAt === undefined ? initialTime : new Date(editedAt);
    this.#apis.set(id, { id, name, group: groupFor(group), registeredAt: initialTime, editedAt: edited, hidden: null });
  }

  /** Adds an environment unless its ID exists. */
  addEnvironment({ id, name }: SeedResource): void {
    if (!this.#environments.has(id)) this.#environments.set(id, { id, name });
  }

  /** Updates an API; `edited` marks its draft as edited now. Returns whether it exists. */
  updateApi(id: string, { name, edited, editedAt, hidden }: ApiUpdate): boolean {
    const before = this.#apis.get(id);
    if (!before) return false;
    this.#apis.set(id, {
      ...before,
      ...(name !== undefined && { name }),
      ...(hidden !== undefined && { hidden }),
      ...(editedAt !== undefined && { editedAt: new Date(editedAt) }),
      ...(edited && { editedAt: this.#now() }),
    });
    return true;
  }

  /** Deletes an API. Returns whether it existed. */
  deleteApi(id: string): boolean {
    return this.#apis.delete(id);
  }

  /** Returns an API, unless it is hidden everywhere. */
  api(id: string): Api | undefined {
    const api = this.#apis.get(id);
    return api?.hidden === 'everywhere' ? undefined : api;
  }

  /** Returns the APIs in lists, newest first, so that an API added while a client pages shifts the others, as at the service. */
  listApis(): Api[] {
    return [...this.#apis.values()].filter(({ hidden }) => hidden === null).reverse();
  }

  environment(id: string): SeedResource | undefined {
    return this.#environments.get(id);
  }

  environments(): readonly SeedResource[] {
    return [...this.#environments.values()];
  }
}

/** Fields of an API that can change at run time. */
export interface ApiUpdate {
  readonly name?: string;
  /** Whether its draft is edited now. */
  readonly edited?: boolean;
  /** When its draft was last edited, as an ISO time. */
  readonly editedAt?: string;
  readonly hidden?: Api['hidden'];
}

/** Derives a group's ID from its name. */
function groupFor(name: string): SeedResource {
  return { id: createHash('sha256').update(name).digest('hex').slice(0, 32), name };
}

/** Returns the service's error for an unknown API. */
export function apiNotFound(id: string): EmulatedError {
  return { status: 404, errorCode: 'APIG.3002', errorMsg: `API ${id} does not exist` };
}
