import { ConnectionError, RequestNotSentError } from '../../src/gateway/errors.ts';
import type { AcquireRequestSlot, Gateway, SendBatchOptions, SendBatchResult, SendOptions } from '../../src/gateway/interface.ts';
import { toOutcome, toReadFailure } from '../../src/gateway/outcome.ts';
import { withRateLimit } from '../../src/gateway/request-middleware.ts';
import { addMarker } from '../../src/model/attempt.ts';
import type { Change } from '../../src/model/change.ts';
import type { GatewaySettings } from '../../src/model/gateway.ts';
import type { Outcome, ReadResult } from '../../src/model/outcome.ts';
import { publicationKey } from '../../src/model/publication.ts';
import type { Sender } from './checks/check.ts';
import { answerOf, type GatewayModel } from './gateway-model.ts';
import type { Invariants } from './invariants.ts';
import { apiNumberOf } from './names.ts';
import type { BadApi, SimulationOptions } from './options.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface NetworkDeps {
  readonly options: SimulationOptions;
  readonly random: Random;
  readonly time: VirtualTime;
  readonly model: GatewayModel;
  readonly invariants: Invariants;
}

/** A request as the gateway and the invariants see it. */
interface RequestToSend {
  readonly sender: Sender;
  /** The changes that it makes; none for a read. */
  readonly changes: readonly Change[];
}

/** Returns a new promise each time: what awaits one that all histories share would never be freed. */
const neverHeard = (): Promise<never> => new Promise(() => {});

/** The way to the gateway and back: connections, latencies, lost requests and lost answers. */
export class Network {
  readonly #deps: NetworkDeps;
  #isFaultFree = false;

  constructor(deps: NetworkDeps) {
    this.#deps = deps;
  }

  /** Ends the faults that hit single calls. */
  endFaults(): void {
    this.#isFaultFree = true;
  }

  /**
   * Sends one request and resolves to the answer of `serve`, which runs when the request takes effect. Rejects with a GatewayError as the real
   * transport does. A request continues after its process has died, and its answer is lost.
   */
  async exchange<T>(
    { sender, changes }: RequestToSend,
    canSend: () => boolean,
    serve: (answerFault: () => void) => T,
    signal: AbortSignal | null,
  ): Promise<T> {
    const { options, random, time, model, invariants } = this.#deps;
    const { timeoutMs } = options;
    const startedAtMs = time.monotonicMs();
    const deadline = new AbortController();
    const bad = this.#badness(changes);
    const connectMs = model.hasFault('slow') ? random.next() * timeoutMs : random.next() * options.roundTripMs * 0.2;
    await this.#sleep(connectMs, signal);
    if (!sender.isAlive()) return neverHeard();
    if (signal?.aborted) throw new RequestNotSentError();
    if (model.hasFault('refused')) throw new ConnectionError('CONNECTION_FAILED', 'simulated');
    if (!canSend() || !sender.isLeaseHeld()) throw new RequestNotSentError();
    invariants.left(sender, changes);
    const leftMs = timeoutMs - (time.monotonicMs() - startedAtMs);
    const isHit = (share: number): boolean => !this.#isFaultFree && random.isHit(options.faultRate * share);
    const outcome = Promise.withResolvers<T>();
    outcome.promise.catch(() => {});
    // After the time limit the sender no longer waits for the answer; the request itself may arrive until then, or later if the gateway is frozen.
    const maxTransitMs = leftMs * 0.95;
    const isSlow = model.hasFault('slow') || isHit(0.2);
    const transitMs = Math.min(maxTransitMs, random.next() * (isSlow ? maxTransitMs : options.roundTripMs * 0.4));
    // A connection that breaks takes along what has not arrived yet.
    const cutOffMs = isHit(0.1) ? random.next() * options.roundTripMs : Number.POSITIVE_INFINITY;
    const isRequestLost = isHit(0.1);
    const isAnswerLost = model.hasFault('hanging') || bad === 'hanging' || isHit(0.3);
    const sentAtMs = time.monotonicMs();
    const arrive = async (): Promise<void> => {
      const untilMs = time.monotonicMs() + leftMs;
      await this.#sleep(transitMs, null);
      while (!isRequestLost && model.hasFault('frozen')) await this.#sleep(10, null);
      if (isRequestLost || time.monotonicMs() - sentAtMs >= cutOffMs) return;
      // Beyond the time limit its slot belongs to another request.
      if (time.monotonicMs() < untilMs) invariants.arrived(sender, changes);
      const processMs = Math.max(0, Math.min(random.next() * options.roundTripMs * 0.2, untilMs - 1 - time.monotonicMs()));
      await this.#sleep(processMs, null);
      try {
        const result = serve(() => {
          if (bad === 'rejected') throw answerOf(404, 'APIC.7302');
          if (model.hasFault('unauthorized')) throw answerOf(401, 'APIG.0301');
          if (model.hasFault('throttling') || isHit(0.1)) throw answerOf(429, 'APIG.0308', random.pick([null, 1000, 5000]));
          if (isHit(0.1)) throw answerOf(409, 'APIG.3718');
          if (bad === 'failing' || ((model.hasFault('failing') || isHit(0.2)) && random.isHit(0.5))) throw answerOf(500, 'APIG.9999');
        });
        // The effect is there, and the answer does not say so.
        if (changes.length > 0 && (model.hasFault('failing') || isHit(0.2))) throw answerOf(502, 'HTTP_502');
        await this.#sleep(random.next() * options.roundTripMs * 0.4, null);
        if (!isAnswerLost) outcome.resolve(result);
      } catch (error) {
        await this.#sleep(random.next() * options.roundTripMs * 0.4, null);
        if (!isAnswerLost) outcome.reject(error);
      }
    };
    const arriving = arrive();
    const timeout = time.sleep(leftMs, deadline.signal).then((): never => {
      throw new ConnectionError('TIMEOUT', 'simulated');
    });
    const interruption = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => reject(new ConnectionError('INTERRUPTED', 'simulated')), { once: true });
    });
    interruption.catch(() => {});
    timeout.catch(() => {});
    void arriving;
    try {
      const answer = cutOffMs < Number.POSITIVE_INFINITY ? this.#cutOff(cutOffMs) : outcome.promise;
      return await Promise.race([answer, timeout, interruption]);
    } finally {
      deadline.abort();
      if (sender.isAlive()) invariants.settled(sender, changes);
    }
  }

  async #cutOff(afterMs: number): Promise<never> {
    await this.#sleep(afterMs, null);
    throw new ConnectionError('CONNECTION_LOST', 'simulated');
  }

  async #sleep(ms: number, signal: AbortSignal | null): Promise<void> {
    await this.#deps.time.sleep(ms, signal ?? this.#deps.time.unending);
  }

  /** How the request fails for good. A batch hangs for one of its items; anything else is said of each item. */
  #badness(changes: readonly Change[]): BadApi | null {
    const bad = changes.map(({ apiId }) => this.#deps.options.badApis[apiNumberOf(apiId)] ?? null);
    if (bad.includes('hanging')) return 'hanging';
    return changes.length === 1 ? (bad[0] ?? null) : null;
  }
}

/** Returns the gateway as one session sees it: the real rate limiter and lease check, and the simulated network. */
export function openSimulatedGateway(
  settings: GatewaySettings,
  deps: NetworkDeps & { readonly network: Network; readonly sender: Sender; readonly acquire: AcquireRequestSlot },
): Gateway {
  const { network, sender, acquire, model, options } = deps;

  async function read<T>(signal: AbortSignal, value: () => T): Promise<ReadResult<T>> {
    try {
      const serve = (fault: () => void): T => {
        fault();
        return value();
      };
      return {
        kind: 'read',
        value: await withRateLimit(acquire, signal, () => network.exchange({ sender, changes: [] }, () => true, serve, signal)),
      };
    } catch (error) {
      const failure = toReadFailure(error);
      if (failure === null) throw new TypeError('a simulated read found nothing');
      return failure;
    }
  }

  function makeEffect(change: Change, marker: string | null) {
    const { key, action, remark } = change;
    return model.change(key, action, { change, remark: marker === null ? (remark ?? '') : addMarker(remark, marker) });
  }

  function outcomeOfItem(change: Change, marker: string | null): Outcome {
    const bad = options.badApis[apiNumberOf(change.apiId)];
    if (bad === 'rejected') return toOutcome(answerOf(404, 'APIC.7302'), change.action);
    if (bad === 'failing') return toOutcome(answerOf(500, 'APIG.9999'), change.action);
    return { kind: 'succeeded', ...makeEffect(change, marker) };
  }

  async function send(change: Change, { marker, isStillDesired, canSend }: SendOptions, signal: AbortSignal): Promise<Outcome> {
    let isSuperseded = false;
    try {
      const result = await withRateLimit(acquire, signal, () => {
        isSuperseded = signal.aborted || !isStillDesired();
        if (isSuperseded) throw new RequestNotSentError();
        const serve = (fault: () => void) => {
          fault();
          return makeEffect(change, marker);
        };
        return network.exchange({ sender, changes: [change] }, canSend, serve, null);
      });
      return { kind: 'succeeded', ...result };
    } catch (error) {
      return isSuperseded ? { kind: 'superseded' } : toOutcome(error, change.action);
    }
  }

  async function sendBatch(changes: readonly Change[], batch: SendBatchOptions, signal: AbortSignal): Promise<SendBatchResult> {
    const [first] = changes;
    if (changes.length <= 1) {
      const isStillDesired = (): boolean => first !== undefined && batch.isStillDesired(first);
      return { outcomes: first ? [await send(first, { ...batch, isStillDesired }, signal)] : [], isSameFailure: false };
    }
    const byChange = new Map<Change, Outcome>();
    let sent: readonly Change[] = [];
    try {
      const answer = await withRateLimit(acquire, signal, () => {
        sent = signal.aborted ? [] : changes.filter((change) => batch.isStillDesired(change));
        if (sent.length === 0) throw new RequestNotSentError();
        // The answer to a batch names the result of each item; nothing is known of it until it is here.
        const serve = (fault: () => void): ReadonlyMap<Change, Outcome> => {
          fault();
          return new Map(sent.map((change) => [change, outcomeOfItem(change, batch.marker)]));
        };
        return network.exchange({ sender, changes: sent }, batch.canSend, serve, null);
      });
      for (const [change, outcome] of answer) byChange.set(change, outcome);
    } catch (error) {
      const [some] = sent;
      const outcome = some && toOutcome(error, some.action);
      if (outcome) for (const change of sent) byChange.set(change, outcome);
    }
    const outcomes = changes.map((change): Outcome => byChange.get(change) ?? { kind: 'superseded' });
    return { outcomes, isSameFailure: outcomes.every((outcome) => 'failure' in outcome && outcome === outcomes[0]) };
  }

  const { endpoint, project, instance } = settings;
  let hadUnauthorized = false;
  return {
    identity: { endpoint, project, instance },
    listApis: (signal) => read(signal, () => model.listApis()),
    getApi: (apiId, signal) => read(signal, () => model.getApi(apiId)),
    listEnvironments: (signal) =>
      read(signal, () => [...Array(options.environments).keys()].map((id) => ({ id: `env-${id}`, name: `env${id}` }))),
    listVersions: ({ apiId, environmentId }, signal) => read(signal, () => model.listVersions(publicationKey(apiId, environmentId))),
    listApiVersions: (apiId, signal) => read(signal, () => model.listApiVersions(apiId)),
    send,
    sendBatch,
    credentialsRetryInMs: () => {
      // The operator gives new credentials when the gateway rejects the old ones for long enough.
      hadUnauthorized = model.hasFault('unauthorized');
      return hadUnauthorized ? Number.POSITIVE_INFINITY : 0;
    },
    retryCredentials: () => {},
    close: async () => {},
  };
}
