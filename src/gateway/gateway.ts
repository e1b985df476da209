import type { Change } from '../model/change.ts';
import type { Outcome } from '../model/outcome.ts';
import type { AcquireRequestSlot, Gateway, GatewayReader, SendBatchOptions, SendBatchResult, SendOptions } from '../model/ports.ts';
import type { ProxySettings } from '../model/proxy-settings.ts';
import type { GatewaySettings } from '../model/publication.ts';
import type { Credentials } from './auth/credentials.ts';
import { parseBatchResponse } from './batch-response.ts';
import { notSentError } from './errors.ts';
import { GatewayClient } from './gateway-client.ts';
import { createGatewayReader } from './lists.ts';
import { toOutcome } from './outcome.ts';
import { publish, publishBatch, switchVersion } from './requests.ts';

export interface GatewayOptions {
  /** Default: every request may leave at once. */
  readonly acquire?: AcquireRequestSlot;
  /** Default: the gateway is asked itself. */
  readonly proxies?: ProxySettings | null;
  /** Asked when the connection of a request stands, just before it leaves; default: it may. */
  readonly canSend?: () => boolean;
}

/** Opens the gateway for a dry run: it has no way to send a change, and its transport lets nothing leave but GET. */
export function openGatewayReader(
  settings: GatewaySettings,
  credentials: Credentials,
  { acquire, ...options }: GatewayOptions = {},
): GatewayReader {
  return Object.freeze(createGatewayReader(new GatewayClient(settings, credentials, acquire, 'reads', options)));
}

/** Opens the gateway. No call is made before the first `send` or read. */
export function openGateway(settings: GatewaySettings, credentials: Credentials, { acquire, ...options }: GatewayOptions = {}): Gateway {
  const caller = new GatewayClient(settings, credentials, acquire, 'everything', options);

  async function send(change: Change, { marker, isStillDesired }: SendOptions, signal: AbortSignal): Promise<Outcome> {
    let isDropped = false;
    try {
      const made = await caller.call(signal, (client, one) => {
        isDropped = signal.aborted || !isStillDesired();
        if (isDropped) throw notSentError();
        return change.version === null ? publish(client, one, change, marker) : switchVersion(client, one, change, change.version);
      });
      return { kind: 'succeeded', ...made };
    } catch (error) {
      return isDropped ? { kind: 'dropped' } : toOutcome(error, change.action);
    }
  }

  async function sendBatch(changes: readonly Change[], how: SendBatchOptions, signal: AbortSignal): Promise<SendBatchResult> {
    const [first] = changes;
    if (changes.length <= 1) {
      const isStillDesired = (): boolean => first !== undefined && how.isStillDesired(first);
      return { outcomes: first ? [await send(first, { ...how, isStillDesired }, signal)] : [], isSameFailure: false };
    }
    const done = new Map<Change, Outcome>();
    let leaving = changes;
    try {
      const outcomes = await caller.call(signal, async (client, one) => {
        leaving = signal.aborted ? [] : changes.filter(how.isStillDesired);
        if (leaving.length === 0) throw notSentError();
        return parseBatchResponse(leaving, await publishBatch(client, one, leaving, how.marker), one.secrets);
      });
      for (const [index, outcome] of outcomes.entries()) done.set(leaving[index] as Change, outcome);
    } catch (error) {
      const [one] = leaving;
      const outcome = one && toOutcome(error, one.action);
      if (outcome?.kind === 'stalled') return split(changes, how, signal);
      if (outcome) for (const change of leaving) done.set(change, outcome);
    }
    const outcomes = changes.map((change): Outcome => done.get(change) ?? { kind: 'dropped' });
    const [some] = done.values();
    return { outcomes, isSameFailure: some !== undefined && 'failure' in some && [...done.values()].every((outcome) => outcome === some) };
  }

  /** Nothing of a refused batch has happened, and one change of it may be why: its halves are sent by themselves. */
  async function split(changes: readonly Change[], how: SendBatchOptions, signal: AbortSignal): Promise<SendBatchResult> {
    const middle = Math.ceil(changes.length / 2);
    const one = await sendBatch(changes.slice(0, middle), how, signal);
    const other = await sendBatch(changes.slice(middle), how, signal);
    return { outcomes: [...one.outcomes, ...other.outcomes], isSameFailure: true };
  }

  const hasNewCredentials = (): boolean => credentials.hasChanged();
  const retryCredentials = (): void => credentials.reset();
  return Object.freeze({ ...createGatewayReader(caller), send, sendBatch, hasNewCredentials, retryCredentials });
}
