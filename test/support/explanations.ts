import { narrow } from '../../src/core/narrow.ts';
import { plan } from '../../src/core/plan.ts';
import type { Attempt, Condition } from '../../src/core/ports.ts';
import type { DesiredPublication, DesiredState, RecordedPublication } from '../../src/core/publication.ts';
import { everything } from '../../src/core/targets.ts';
import type { Explanation, GatewayView } from '../../src/explanation.ts';
import * as states from './states.ts';
import { desiredState, recorded, recordedState, wanted } from './states.ts';

/** Returns a successful first attempt on `orders` in `test`; `over` replaces parts. */
export function attempt(over: Partial<Attempt> = {}): Attempt {
  return states.attempt('orders', 'test', { beganAtMs: 0, settledAtMs: 1, outcome: 'succeeded', ...over });
}

/** Returns what there is to say of `orders` in `test`; without `file` the file does not name it, without `record` nothing is recorded. */
export function explanation({
  file,
  publication = file && wanted('orders', 'test', file),
  line = '      test: online',
  record,
  seen = { kind: 'unasked', wasAsked: false },
  tried,
  hint = null,
  condition = null,
  holder = condition && `pid ${condition.pid}`,
  protects = false,
  removed = 'keep',
  gateway,
}: {
  readonly file?: Partial<DesiredPublication>;
  readonly publication?: DesiredPublication | undefined;
  readonly line?: string | null;
  readonly record?: Partial<RecordedPublication>;
  readonly seen?: GatewayView;
  /** The last attempt. */
  readonly tried?: Partial<Attempt>;
  readonly hint?: string | null;
  readonly condition?: Condition | null;
  /** Who is at work; default: the process of `condition`. */
  readonly holder?: string | null;
  /** Whether the environment is protected. */
  readonly protects?: boolean;
  readonly removed?: DesiredState['removed'];
  readonly gateway?: DesiredState['gateway'];
}): Explanation {
  const protectedNames = protects ? ['test'] : [];
  const desired = desiredState(publication ? [publication] : [], { removed, protectedNames, ...(gateway && { gateway }) });
  const was = record && recorded('orders', 'test', record);
  const before = seen.kind === 'seen' ? seen.recorded : was;
  const { api, apiId, environment, environmentId } = publication ?? wanted('orders', 'test');
  const whole = plan(desired, recordedState(before ? [before] : []));
  return {
    names: { api, apiId, environment, environmentId },
    isMadeUp: { api: false, environment: false },
    desired,
    wanted: publication ? { publication, line } : null,
    recorded: was ?? null,
    gateway: seen,
    attempts: tried ? [{ attempt: attempt(tried), hint }] : [],
    plan: narrow(whole, desired, everything),
    whole,
    notes: [],
    condition,
    holder,
  };
}
