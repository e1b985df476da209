import { setImmediate } from 'node:timers/promises';
import type { components } from '../../generated/edict-api.d.ts';
import { apiIdOf } from '../model/publication.ts';
import { toJson } from '../model/visible.ts';
import { computeStatusCell, type PublicationStatus } from '../plan/status.ts';
import { planJson } from '../render/plan-json.ts';
import { publicationJson } from '../render/status-json.ts';
import { type DaemonInfo, daemonStatusJson } from './daemon-status.ts';
import { LatestValue } from './latest-value.ts';
import { createBody, type ResponseBody } from './response-body.ts';
import { publicationKeysOf, type StatusCache } from './status-cache.ts';

type Schemas = components['schemas'];

/** How many publications or changes are serialized before other work of the process goes on. */
const sliceSize = 1000;

const jsonType = 'application/json; charset=utf-8';

interface StatusDocument {
  readonly body: ResponseBody;
  readonly statusCounts: Readonly<Partial<Record<PublicationStatus, number>>>;
}

/** The documents that grow with the file, each made once for all requests of a revision, beside the other work of the process. */
export class SharedDocuments {
  readonly #statusCache: StatusCache;
  readonly #daemonInfo: DaemonInfo;
  readonly #status: LatestValue<StatusDocument>;
  readonly #plan: LatestValue<ResponseBody | null>;

  constructor(statusCache: StatusCache, daemonInfo: DaemonInfo) {
    this.#statusCache = statusCache;
    this.#daemonInfo = daemonInfo;
    this.#status = new LatestValue({ revision: () => statusCache.revision, make: () => this.#makeStatus() });
    this.#plan = new LatestValue({ revision: () => statusCache.holds, make: () => this.#makePlan() });
  }

  /** Returns the status of the daemon and of all publications. */
  async status(): Promise<ResponseBody> {
    return (await this.#status.get()).body;
  }

  /** Returns the status of the daemon and of the publications of one API. */
  async statusOf(apiId: string): Promise<Schemas['Status']> {
    const { statusCounts } = await this.#status.get();
    const { matrix } = this.#statusCache;
    const keys = [...publicationKeysOf(this.#statusCache)].filter((key) => apiIdOf(key) === apiId);
    const cells = keys.flatMap((key) => (matrix && computeStatusCell(key, matrix)) ?? []);
    return { daemon: daemonStatusJson(this.#statusCache, statusCounts, this.#daemonInfo), publications: cells.map(publicationJson) };
  }

  /** Returns the newest plan; `null` before the first. */
  plan(): Promise<ResponseBody | null> {
    return this.#plan.get();
  }

  async #makeStatus(): Promise<StatusDocument> {
    const { matrix } = this.#statusCache;
    const statusCounts: Partial<Record<PublicationStatus, number>> = {};
    const publications = await serialize([...publicationKeysOf(this.#statusCache)], (key) => {
      const cell = matrix && computeStatusCell(key, matrix);
      if (!cell) return [];
      statusCounts[cell.status] = (statusCounts[cell.status] ?? 0) + 1;
      return [publicationJson(cell)];
    });
    const daemon = toJson(daemonStatusJson(this.#statusCache, statusCounts, this.#daemonInfo));
    return { statusCounts, body: await createBody(jsonType, joined(`{"daemon":${daemon},"publications":[`, publications, ']}')) };
  }

  async #makePlan(): Promise<ResponseBody | null> {
    const { plan, matrix, holds } = this.#statusCache;
    if (!plan || !matrix || !holds) return null;
    const approveCommand = this.#daemonInfo.approveCommand(holds);
    const { changes, ...rest } = planJson({
      plan: { ...plan, fileHeld: holds.fileHeld },
      desired: matrix.desired,
      notices: [],
      approveCommand,
    });
    const start = toJson(rest).slice(0, -1);
    return createBody(jsonType, joined(`${start},"changes":[`, await serialize(changes, (change) => [change]), ']}'));
  }
}

/** Returns the JSON of every document that `toDocuments` returns for the items, in slices that each hold the items of one turn. */
async function serialize<T>(items: readonly T[], toDocuments: (item: T) => readonly unknown[]): Promise<readonly Buffer[]> {
  const slices: Buffer[] = [];
  for (let start = 0; start < items.length; start += sliceSize) {
    const texts = items
      .slice(start, start + sliceSize)
      .flatMap(toDocuments)
      .map((document) => toJson(document));
    if (texts.length > 0) slices.push(Buffer.from(`${slices.length > 0 ? ',' : ''}${texts.join(',')}`));
    await setImmediate();
  }
  return slices;
}

function joined(start: string, slices: readonly Buffer[], end: string): Buffer {
  return Buffer.concat([Buffer.from(start), ...slices, Buffer.from(end)]);
}
