/*
 * The gateway folder is the HTTP client of the service: requests, lists, error classification and authentication.
 * Every request must pass the rate limiter, every response is checked against the specification, and no secret may appear in an error or
 * a message. A dry run must never be able to send a change.
 */
import type { Change } from '../model/change.ts';
import type { ProxySettings } from '../model/env.ts';
import type { GatewaySettings } from '../model/gateway.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Credentials } from './auth/credentials.ts';
import { parseBatchResponse } from './batch-response.ts';
import { RequestNotSentError } from './errors.ts';
import { GatewayClient } from './gateway-client.ts';
import type { AcquireRequestSlot, Gateway, GatewayReader, SendBatchOptions, SendBatchResult, SendOptions } from './interface.ts';
import { createGatewayReader, type OnPageRead } from './lists.ts';
import { toOutcome } from './outcome.ts';
import { publish, publishBatch, switchVersion } from './requests.ts';

export interface GatewayOptions {
  /** Default: no rate limit. */
  readonly acquire?: AcquireRequestSlot;
  /** Default: no proxy. */
  readonly proxies?: ProxySettings | null;
  /** Called when a request's connection is established, right before it is sent; default: always true. */
  readonly canSend?: () => boolean;
  /** Called after each page of a list; default: nothing. */
  readonly onPageRead?: OnPageRead;
}

/** Opens the gateway for a dry run: it has no `send`, and its transport refuses every method but GET. */
export function openGatewayReader(
  settings: GatewaySettings,
  credentials: Credentials,
  { acquire, onPageRead, ...options }: GatewayOptions = {},
): GatewayReader {
  return Object.freeze(createGatewayReader(new GatewayClient(settings, { credentials, acquire, mode: 'reads', ...options }), onPageRead));
}

/** Opens the gateway. No call is made before the first `send` or read. */
export function openGateway(
  settings: GatewaySettings,
  credentials: Credentials,
  { acquire, onPageRead, ...options }: GatewayOptions = {},
): Gateway {
  const gatewayClient = new GatewayClient(settings, { credentials, acquire, mode: 'everything', ...options });

  async function send(change: Change, { marker, isStillDesired, canSend }: SendOptions, signal: AbortSignal): Promise<Outcome> {
    let isSuperseded = false;
    try {
      const result = await gatewayClient.call(
        signal,
        (client, one) => {
          isSuperseded = signal.aborted || !isStillDesired();
          if (isSuperseded) throw new RequestNotSentError();
          return change.version === null
            ? publish(client, one, { change, marker })
            : switchVersion(client, one, { change, version: change.version });
        },
        canSend,
      );
      return { kind: 'succeeded', ...result };
    } catch (error) {
      return isSuperseded ? { kind: 'superseded' } : toOutcome(error, change.action);
    }
  }

  async function sendBatch(changes: readonly Change[], options: SendBatchOptions, signal: AbortSignal): Promise<SendBatchResult> {
    const [first] = changes;
    if (changes.length <= 1) {
      const isStillDesired = (): boolean => first !== undefined && options.isStillDesired(first);
      return { outcomes: first ? [await send(first, { ...options, isStillDesired }, signal)] : [], isSameFailure: false };
    }
    const outcomeByChange = new Map<Change, Outcome>();
    let sent = changes;
    try {
      const outcomes = await gatewayClient.call(
        signal,
        async (client, one) => {
          sent = signal.aborted ? [] : changes.filter(options.isStillDesired);
          if (sent.length === 0) throw new RequestNotSentError();
          return parseBatchResponse(sent, await publishBatch(client, one, { changes: sent, marker: options.marker }), one.secrets);
        },
        options.canSend,
      );
      for (const [index, outcome] of outcomes.entries()) outcomeByChange.set(sent[index] as Change, outcome);
    } catch (error) {
      const [one] = sent;
      const outcome = one && toOutcome(error, one.action);
      if (outcome?.kind === 'rejected') return split(changes, options, signal);
      if (outcome) for (const change of sent) outcomeByChange.set(change, outcome);
    }
    const outcomes = changes.map((change): Outcome => outcomeByChange.get(change) ?? { kind: 'superseded' });
    const [some] = outcomeByChange.values();
    return {
      outcomes,
      isSameFailure: some !== undefined && 'failure' in some && [...outcomeByChange.values()].every((outcome) => outcome === some),
    };
  }

  /** Sends the halves of a rejected batch separately: it took no effect, and a single change may be the cause. */
  async function split(changes: readonly Change[], options: SendBatchOptions, signal: AbortSignal): Promise<SendBatchResult> {
    const middle = Math.ceil(changes.length / 2);
    const one = await sendBatch(changes.slice(0, middle), options, signal);
    const other = await sendBatch(changes.slice(middle), options, signal);
    return { outcomes: [...one.outcomes, ...other.outcomes], isSameFailure: true };
  }

  const credentialsRetryInMs = (): number => credentials.retryInMs();
  const retryCredentials = (): void => credentials.reset();
  return Object.freeze({ ...createGatewayReader(gatewayClient, onPageRead), send, sendBatch, credentialsRetryInMs, retryCredentials });
}
