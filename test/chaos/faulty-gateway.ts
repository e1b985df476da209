import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { type Random, seededRandom } from '../../src/emulator/random.ts';
import { type Attempt, hasMarker } from '../../src/model/attempt.ts';
import { causeFaults, openGatewayProxy } from './random-faults.ts';
import { fullestWindow } from './rate.ts';
import type { TcpProxy } from './tcp-proxy.ts';

/** The limit of every gateway. */
export const limit = { calls: 50, perMs: 200, concurrency: 8 };

/** The user for calls, from the environment variables. */
export const user = { HW_USER_NAME: 'ada', HW_USER_PASSWORD: 'hunter2', HW_DOMAIN_NAME: 'acme' };

/** The history of an attempt. */
export interface Recorded extends Pick<Attempt, 'outcome' | 'code' | 'marker' | 'apiId' | 'action'> {
  /** Finished long after its start: by a later process, or a later observation. */
  readonly resolvedLater: boolean;
}

/** Maps a row of `attempt`, with the milliseconds from start to end as `took`. */
export function toRecorded(row: Readonly<Record<string, unknown>>): Recorded {
  return {
    apiId: String(row['api_id']),
    action: row['action'] as Attempt['action'],
    outcome: row['outcome'] as Attempt['outcome'],
    code: row['code'] as string | null,
    marker: row['marker'] as string | null,
    resolvedLater: Number(row['took']) > 1000,
  };
}

/** The desired state of one publication, and the number of versions that it should have by now. */
interface Expected {
  state: 'online' | 'offline';
  versions: number;
}

/** An emulated gateway with random faults, and its desired state. */
export class FaultyGateway implements AsyncDisposable {
  readonly emulator: Emulator;
  readonly #proxy: TcpProxy;
  readonly #expected: Map<string, Expected>;
  readonly #ending = new AbortController();
  readonly #raging: Promise<void>;

  private constructor(emulator: Emulator, proxy: TcpProxy, names: readonly string[], seed: number) {
    this.emulator = emulator;
    this.#proxy = proxy;
    this.#expected = new Map(names.map((name) => [`api-${name}`, { state: 'offline', versions: 0 }]));
    this.#raging = causeFaults(emulator, proxy, seededRandom(seed), this.#ending.signal);
  }

  /** Starts a gateway whose APIs have names with `prefix`. */
  static async open(prefix: string, publications: number, seed: number): Promise<FaultyGateway> {
    const names = Array.from({ length: publications }, (_, index) => `${prefix}${index}`);
    const emulator = await startEmulator({
      seed: {
        project: 'project',
        instance: 'instance',
        apis: names.map((name) => ({ id: `api-${name}`, name })),
        environments: [{ id: 'env-test', name: 'test' }],
        users: [{ name: 'ada', password: 'hunter2', domain: 'acme' }],
      },
      tokenLifetimeMs: 5000,
      propagationDelayMs: 200,
      random: seed,
    });
    return new FaultyGateway(emulator, await openGatewayProxy(emulator, seededRandom(seed + 2)), names, seed + 1);
  }

  /** The number of versions that were ever wanted. */
  get versions(): number {
    return [...this.#expected.values()].reduce((sum, { versions }) => sum + versions, 0);
  }

  /** Saves a new desired state of every publication in `file`, at once or in parts: a new version, or offline. */
  async write(file: string, round: number, random: Random): Promise<void> {
    const apis = [...this.#expected].map(([id, publication]) => {
      publication.state = random() < 0.75 ? 'online' : 'offline';
      if (publication.state === 'online') publication.versions += 1;
      return `  ${id}: { id: ${id}, revision: r${round}, environments: { test: ${publication.state} } }\n`;
    });
    const { calls, perMs, concurrency } = limit;
    const { url } = this.#proxy;
    const settings = `limit: { calls: ${calls}, per: ${perMs}ms, concurrency: ${concurrency} }, timeout: 700ms, propagationDelay: 1s`;
    const gateway = `gateway: { endpoint: "${url}", iam: "${url}", project: project, instance: instance, ${settings} }\n`;
    const rest = `environments: { test: env-test }\nguards: { maxOffline: 100%, maxRemoved: 100%, maxRepublish: 100% }\napis:\n${apis.join('')}`;
    await save(file, `edict: 1\nrefresh: 1s\ndrift: correct\n${gateway}${rest}`, random);
  }

  /** Returns whether the gateway is in sync with the file. Throws an Error if a publication has more versions than were ever wanted. */
  isReached(): boolean {
    const found = new Map(this.emulator.state.publications().map((publication) => [publication.api, publication]));
    let isReached = true;
    for (const [api, { state, versions }] of this.#expected) {
      const { effective = null, onlineCalls = 0 } = found.get(api) ?? {};
      if (onlineCalls > versions) throw new Error(`${api} has ${onlineCalls} versions, and ${versions} were wanted`);
      if ((effective !== null) !== (state === 'online') || onlineCalls < versions) isReached = false;
    }
    return isReached;
  }

  /** Returns how many requests the fullest window held. Throws an Error if there are more than allowed. */
  fullest(): number {
    const fullest = fullestWindow(
      this.emulator.requests.all().map(({ atMs }) => atMs),
      limit.perMs,
    );
    if (fullest <= limit.calls) return fullest;
    throw new Error(`a window of ${limit.perMs} ms held ${fullest} requests, and ${limit.calls} are allowed`);
  }

  /** Throws an Error unless every request is one attempt of the history, and every attempt has an outcome. */
  check(history: readonly Recorded[]): void {
    const nameOf = (api: string, marker: string | null): string => marker ?? `offline ${api}`;
    const attempts = countOf(history.map(({ apiId, marker }) => nameOf(apiId, marker)));
    // A rejected token says nothing about the attempt, which continues with another one.
    const changes = this.emulator.requests.all().filter(({ operation, status }) => operation === 'changePublication' && status !== 401);
    const requests = countOf(changes.map(({ api = '', remark = '' }) => nameOf(api, /\[edict ([0-9a-f]+)\]$/.exec(remark)?.[1] ?? null)));
    for (const [name, times] of requests) {
      const begun = attempts.get(name) ?? 0;
      if (times > begun) throw new Error(`${name}: ${times} requests, and ${begun} attempts in the history`);
    }
    const open = history.filter(({ outcome }) => outcome === null || outcome === 'unknown').length;
    if (open > 0) throw new Error(`${open} attempts have no outcome`);
    for (const { api, versions } of this.emulator.state.publications()) {
      for (const version of versions) {
        if (!history.some(({ marker }) => marker !== null && hasMarker(version.remark, marker)))
          throw new Error(`a version of ${api} is of no attempt`);
      }
    }
    for (const [api, { versions }] of this.#expected) {
      const succeeded = history.filter(
        ({ apiId, action, outcome }) => apiId === api && action === 'online' && outcome === 'succeeded',
      ).length;
      if (succeeded !== versions) throw new Error(`${api} has ${succeeded} successful attempts and ${versions} versions`);
    }
  }

  /** Ends all faults. */
  async endFaults(): Promise<void> {
    this.#ending.abort();
    await this.#raging;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endFaults();
    await this.emulator.close();
    await this.#proxy[Symbol.asyncDispose]();
  }
}

/** Saves a file as editors and copies do: with a rename, in two parts, or after it was deleted. */
async function save(file: string, text: string, random: Random): Promise<void> {
  const chance = random();
  const gapMs = random() * 200;
  if (chance < 0.4) {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  } else if (chance < 0.8) {
    const end = Math.floor(random() * text.length);
    writeFileSync(file, text.slice(0, end));
    await sleep(gapMs);
    appendFileSync(file, text.slice(end));
  } else {
    rmSync(file, { force: true });
    await sleep(gapMs);
    writeFileSync(file, text);
  }
}

function countOf(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Returns how many attempts without a response had taken effect, and how many had not. */
export function late(history: readonly Recorded[]): { readonly found: number; readonly absent: number } {
  return {
    found: history.filter(({ outcome, code, resolvedLater }) => outcome === 'succeeded' && (code !== null || resolvedLater)).length,
    absent: history.filter(({ outcome }) => outcome === 'notApplied').length,
  };
}
