import type { Explanation, GatewayLookup } from '../../src/app/explanation.ts';
import type { Attempt } from '../../src/model/attempt.ts';
import type { ControllerStatus } from '../../src/model/controller-status.ts';
import type { DesiredPublication, DesiredState } from '../../src/model/desired-state.ts';
import type { RecordedPublication } from '../../src/model/recorded-state.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { allTargets, filterPlan } from '../../src/plan/targets.ts';
import * as states from './states.ts';
import { desiredState, recorded, recordedState, wanted } from './states.ts';

/** Returns a successful first attempt on `orders` in `test`; `over` replaces parts. */
export function attempt(over: Partial<Attempt> = {}): Attempt {
  return states.attempt('orders', 'test', { startedAtMs: 0, finishedAtMs: 1, outcome: 'succeeded', ...over });
}

/** Returns the explanation of `orders` in `test`; without `file` the file does not declare it, without `record` nothing is recorded. */
export function explanation({
  file,
  publication = file && wanted('orders', 'test', file),
  line = '      test: online',
  record,
  seen = { kind: 'notObserved', wasObserved: false },
  report,
  hint = null,
  condition: controllerStatus = null,
  holder: leaseHolder = controllerStatus && `pid ${controllerStatus.pid}`,
  protects = false,
  prune = false,
  gateway,
}: {
  readonly file?: Partial<DesiredPublication>;
  readonly publication?: DesiredPublication | undefined;
  readonly line?: string | null;
  readonly record?: Partial<RecordedPublication>;
  readonly seen?: GatewayLookup;
  /** The last attempt. */
  readonly report?: Partial<Attempt>;
  readonly hint?: string | null;
  readonly condition?: ControllerStatus | null;
  /** The lease holder; default: the process of `condition`. */
  readonly holder?: string | null;
  /** Whether the environment is protected. */
  readonly protects?: boolean;
  readonly prune?: DesiredState['prune'];
  readonly gateway?: DesiredState['gateway'];
}): Explanation {
  const protectedNames = protects ? ['test'] : [];
  const desired = desiredState(publication ? [publication] : [], { prune, protectedNames, ...(gateway && { gateway }) });
  const was = record && recorded('orders', 'test', record);
  const before = seen.kind === 'observed' ? seen.recorded : was;
  const { api, apiId, environment, environmentId } = publication ?? wanted('orders', 'test');
  const wholePlan = { ...diffStates(desired, recordedState(before ? [before] : [])), lastChecked: { atMs: null, isCurrent: true } };
  return {
    names: { api, apiId, environment, environmentId },
    isPlaceholder: { api: false, environment: false },
    desired,
    declaration: publication ? { publication, line } : null,
    recorded: was ?? null,
    gateway: seen,
    isUnseen: false,
    attempts: report ? [{ attempt: attempt(report), hint }] : [],
    plan: filterPlan(wholePlan, desired, allTargets),
    wholePlan,
    notices: [],
    controllerStatus,
    leaseHolder,
  };
}
