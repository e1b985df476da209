import { userInfo } from 'node:os';
import type { AppContext } from '../model/app-context.ts';
import type { Suspension } from '../model/desired-state.ts';
import type { EdictError } from '../model/errors.ts';
import type { GatewayIdentity } from '../model/gateway.ts';
import { isInEffect } from '../plan/planner.ts';
import { openReadonly } from '../store/open.ts';
import { writeSuspension } from '../store/requests.ts';
import { withReadSession } from './read-session.ts';
import { findKnownGateway, isFileError } from './store/known-gateway.ts';

/*
 * `edict suspend` and `edict resume`: the kill switch. They write to the store, without a lease and beside the daemon that holds one, and
 * never contact the gateway.
 */

/** The suspension that a person requests. */
export interface SuspensionRequest {
  /** `null`: the user of this process. */
  readonly by: string | null;
  readonly reason: string;
  /** How long calls are suspended, in milliseconds; `null`: until they are resumed. */
  readonly forMs: number | null;
  /** The instance ID of `--gateway`, for an invalid file; `null` without it. */
  readonly instance: string | null;
}

/** A suspension that was set or removed. */
export interface SuspensionReport {
  readonly gateway: GatewayIdentity;
  /** The suspension from now on; `null`: calls are made. */
  readonly suspension: Suspension | null;
  /** The suspension that was in effect before; `null` if there was none. */
  readonly previous: Suspension | null;
  /** The suspension that the file declares, which `resume` does not remove; `null` if there is none. */
  readonly declared: Suspension | null;
  /** The process that holds the gateway's lease; `null` if none does, as far as this machine can tell. */
  readonly holder: string | null;
  /** Why the file could not be read, so that the gateway is the one that the store knows; `null` if it was read. */
  readonly fileError: EdictError | null;
}

/** Suspends all calls to the file's gateway. Creates the store if it is missing. Throws an EdictError if the gateway is not known, `STORE_*`. */
export async function suspendCalls(context: AppContext, { by, reason, forMs, instance }: SuspensionRequest): Promise<SuspensionReport> {
  const before = await readSuspension(context, instance);
  const nowMs = context.clock.now();
  const suspension = { by: by ?? readUserName(), reason, sinceMs: nowMs, untilMs: forMs === null ? null : nowMs + forMs };
  await write(context, before.gateway, suspension);
  return { ...before, suspension };
}

/** Removes the suspension of the file's gateway, and writes nothing if there is none. Throws as `suspendCalls` does. */
export async function resumeCalls(context: AppContext, instance: string | null): Promise<SuspensionReport> {
  const before = await readSuspension(context, instance);
  if (before.previous) await write(context, before.gateway, null);
  return { ...before, suspension: null };
}

function write({ settings: { storeUrl, emulate } }: AppContext, gateway: GatewayIdentity, suspension: Suspension | null): Promise<void> {
  return writeSuspension({ url: storeUrl, isEmulated: emulate }, gateway, suspension);
}

async function readSuspension(context: AppContext, instance: string | null): Promise<Omit<SuspensionReport, 'suspension'>> {
  const { gateway, declared, fileError } = await readGateway(context, instance);
  const store = await openReadonly({ url: context.settings.storeUrl });
  try {
    const nowMs = context.clock.now();
    const { suspension } = await store.previousState(gateway, nowMs);
    const previous = isInEffect(suspension, nowMs) ? suspension : null;
    return { gateway, declared, fileError, previous, holder: await store.leaseHolder(gateway) };
  } finally {
    await store.close();
  }
}

async function readGateway(
  context: AppContext,
  instance: string | null,
): Promise<Pick<SuspensionReport, 'gateway' | 'declared' | 'fileError'>> {
  try {
    return await withReadSession(context, { resolvesNames: false }, async ({ desired }) => {
      const { endpoint, project, instance } = desired.gateway;
      return { gateway: { endpoint, project, instance }, declared: desired.suspension, fileError: null };
    });
  } catch (error) {
    // Calls must be suspended just when the file is broken.
    if (!isFileError(error)) throw error;
    return { gateway: await findKnownGateway(context, { fileError: error, instance }), declared: null, fileError: error };
  }
}

/** Returns the name of the user who runs this process; `null` if the system has none for it. */
function readUserName(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null;
  }
}
