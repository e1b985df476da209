import type { Outcome } from '../core/outcome.ts';
import type { Change } from '../core/plan.ts';
import type { Admit, Gateway, GatewayReader, Sending, SendingTogether, SentTogether } from '../core/ports.ts';
import type { Proxies } from '../core/proxies.ts';
import type { GatewaySettings } from '../core/publication.ts';
import { Caller } from './caller.ts';
import type { Credentials } from './credentials.ts';
import { stopped } from './gateway-error.ts';
import { outcomeOf } from './outcome-of.ts';
import { readsOf } from './reads.ts';
import { changeMany, changeOne, switchOne } from './sends.ts';
import { outcomesOf } from './together.ts';

export interface GatewayOptions {
  /** Default: every request may leave at once. */
  readonly admit?: Admit;
  /** Default: the gateway is asked itself. */
  readonly proxies?: Proxies | null;
  /** Asked when the connection of a request stands, just before it leaves; default: it may. */
  readonly mayLeave?: () => boolean;
}

/** Opens the gateway for a dry run: it has no way to send a change, and its transport lets nothing leave but GET. */
export function openGatewayReader(
  settings: GatewaySettings,
  credentials: Credentials,
  { admit, ...options }: GatewayOptions = {},
): GatewayReader {
  return Object.freeze(readsOf(new Caller(settings, credentials, admit, 'reads', options)));
}

/** Opens the gateway. No call is made before the first `send` or read. */
export function openGateway(settings: GatewaySettings, credentials: Credentials, { admit, ...options }: GatewayOptions = {}): Gateway {
  const caller = new Caller(settings, credentials, admit, 'everything', options);

  async function send(change: Change, { marker, isWanted }: Sending, signal: AbortSignal): Promise<Outcome> {
    let isDropped = false;
    try {
      const made = await caller.call(signal, (client, one) => {
        isDropped = signal.aborted || !isWanted();
        if (isDropped) throw stopped();
        return change.version === null ? changeOne(client, one, change, marker) : switchOne(client, one, change, change.version);
      });
      return { kind: 'succeeded', ...made };
    } catch (error) {
      return isDropped ? { kind: 'dropped' } : outcomeOf(error, change.action);
    }
  }

  async function sendTogether(changes: readonly Change[], how: SendingTogether, signal: AbortSignal): Promise<SentTogether> {
    const [first] = changes;
    if (changes.length <= 1) {
      const isWanted = (): boolean => first !== undefined && how.isWanted(first);
      return { outcomes: first ? [await send(first, { ...how, isWanted }, signal)] : [], isWhole: false };
    }
    const done = new Map<Change, Outcome>();
    let leaving = changes;
    try {
      const outcomes = await caller.call(signal, async (client, one) => {
        leaving = signal.aborted ? [] : changes.filter(how.isWanted);
        if (leaving.length === 0) throw stopped();
        return outcomesOf(leaving, await changeMany(client, one, leaving, how.marker), one.secrets);
      });
      for (const [index, outcome] of outcomes.entries()) done.set(leaving[index] as Change, outcome);
    } catch (error) {
      const [one] = leaving;
      const outcome = one && outcomeOf(error, one.action);
      if (outcome?.kind === 'stalled') return split(changes, how, signal);
      if (outcome) for (const change of leaving) done.set(change, outcome);
    }
    const outcomes = changes.map((change): Outcome => done.get(change) ?? { kind: 'dropped' });
    const [some] = done.values();
    return { outcomes, isWhole: some !== undefined && 'failure' in some && [...done.values()].every((outcome) => outcome === some) };
  }

  /** Nothing of a refused batch has happened, and one change of it may be why: its halves are sent by themselves. */
  async function split(changes: readonly Change[], how: SendingTogether, signal: AbortSignal): Promise<SentTogether> {
    const middle = Math.ceil(changes.length / 2);
    const one = await sendTogether(changes.slice(0, middle), how, signal);
    const other = await sendTogether(changes.slice(middle), how, signal);
    return { outcomes: [...one.outcomes, ...other.outcomes], isWhole: true };
  }

  const credentialsChanged = (): boolean => credentials.changed();
  const retryCredentials = (): void => credentials.forgive();
  return Object.freeze({ ...readsOf(caller), send, sendTogether, credentialsChanged, retryCredentials });
}
