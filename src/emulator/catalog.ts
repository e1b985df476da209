import { createHash } from 'node:crypto';
import type { EmulatedError } from './responses.ts';
import type { SeedApi, SeedResource } from './seed.ts';

/** An API, apart from where it is published. */
export interface Api extends SeedResource {
  readonly group: SeedResource;
  readonly registeredAt: Date;
  /** When its draft was last edited. */
  readonly editedAt: Date;
  /** Where it does not show: in lists only, or nowhere, as for a caller without the right to see it. */
  readonly hidden: 'list' | 'everywhere' | null;
}

/** Before everything that happens here. */
const initialTime = new Date('2020-01-01T00:00:00Z');

/** The APIs and environments that there are. */
export class Catalog {
  readonly #now: () => Date;
  readonly #apis = new Map<string, Api>();
  readonly #environments = new Map<string, SeedResource>();

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Adds an API if there is none with its ID. */
  addApi({ id, name, group = 'default', editedAt }: SeedApi): void {
    if (this.#apis.has(id)) return;
    const edited = editedAt === undefined ? initialTime : new Date(editedAt);
    this.#apis.set(id, { id, name, group: groupFor(group), registeredAt: initialTime, editedAt: edited, hidden: null });
  }

  /** Adds an environment if there is none with its ID. */
  addEnvironment({ id, name }: SeedResource): void {
    if (!this.#environments.has(id)) this.#environments.set(id, { id, name });
  }

  /** Changes an API; `edited` edits its draft now. Returns whether there is one. */
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

  /** Removes an API. Returns whether there was one. */
  deleteApi(id: string): boolean {
    return this.#apis.delete(id);
  }

  /** Returns an API that its caller may see. */
  api(id: string): Api | undefined {
    const api = this.#apis.get(id);
    return api?.hidden === 'everywhere' ? undefined : api;
  }

  /** Returns what lists show, newest first: what is added while somebody pages moves the rest to later places. */
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

/** What can be changed about an API while the emulator runs. */
export interface ApiUpdate {
  readonly name?: string;
  /** Whether its draft is edited now. */
  readonly edited?: boolean;
  /** When its draft was last edited, as an ISO time. */
  readonly editedAt?: string;
  readonly hidden?: Api['hidden'];
}

/** A group's ID follows from its name. */
function groupFor(name: string): SeedResource {
  return { id: createHash('sha256').update(name).digest('hex').slice(0, 32), name };
}

/** Returns the service's answer about an API that does not exist. */
export function apiNotFound(id: string): EmulatedError {
  return { status: 404, errorCode: 'APIG.3002', errorMsg: `API ${id} does not exist` };
}
