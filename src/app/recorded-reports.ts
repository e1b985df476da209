import type { AppContext } from '../model/app-context.ts';
import type { Attempt } from '../model/attempt.ts';
import type { ControllerStatus } from '../model/controller-status.ts';
import type { Suspension } from '../model/desired-state.ts';
import { EdictError } from '../model/errors.ts';
import type { GatewayIdentity } from '../model/gateway.ts';
import type { PublicationKey } from '../model/publication.ts';
import { isInEffect } from '../plan/planner.ts';
import { findPublication, type PublicationRef } from '../plan/publication-lookup.ts';
import { computeRecordedCells, type StatusCell } from '../plan/status.ts';
import { isTargeted } from '../plan/targets.ts';
import type { StoreReader } from '../store/interface.ts';
import { type InvalidFile, withKnownGateway } from './store/known-gateway.ts';

/*
 * `edict status` and `edict explain` of a file that is invalid or missing: what the store has recorded, since the desired state is unknown.
 * They never contact the gateway, whose settings are in the file.
 */

/** The recorded state of a gateway whose file is invalid. */
export interface RecordedReport {
  readonly fileError: EdictError;
  readonly gateway: GatewayIdentity;
  /** The targeted publications. */
  readonly cells: readonly StatusCell[];
  /** The suspension that a command has set; `null` if there is none. */
  readonly suspension: Suspension | null;
  /** The last status that a controller wrote, also if that process was killed; `null` if there is none. */
  readonly controllerStatus: ControllerStatus | null;
  /** The process that holds the gateway's lease; `null` if none does, as far as this machine can tell. */
  readonly leaseHolder: string | null;
}

/** Returns the recorded state of the gateway of an invalid file. Throws as `findKnownGateway` does. */
export function readRecordedStatus(context: AppContext, invalidFile: InvalidFile): Promise<RecordedReport> {
  return withKnownGateway(context, invalidFile, async (gateway, store) => {
    const { compileTargets } = await import('../plan/target-patterns.ts');
    const targets = compileTargets(context.settings.targets);
    const report = await readReport(context, invalidFile, { gateway, store });
    return { ...report, cells: report.cells.filter((cell) => isTargeted(targets, cell)) };
  });
}

/** Everything that the store knows of one publication. */
export interface RecordedExplanation extends RecordedReport {
  readonly cell: StatusCell;
  /** Newest first. */
  readonly attempts: readonly Attempt[];
}

/**
 * Returns what the store knows of one publication of an invalid file, with its `limit` newest attempts. Throws as `findKnownGateway` does, and
 * an EdictError `PUBLICATION_NOT_FOUND`.
 */
export function readRecordedExplanation(
  context: AppContext,
  of: PublicationRef,
  { limit, ...invalidFile }: InvalidFile & { readonly limit: number },
): Promise<RecordedExplanation> {
  return withKnownGateway(context, invalidFile, async (gateway, store) => {
    const report = await readReport(context, invalidFile, { gateway, store });
    const cells = new Map(report.cells.map((cell) => [cell.key, cell]));
    const cell = findCell(of, cells, invalidFile.fileError);
    const attempts = await store.history(gateway, { apis: [cell.apiId], environments: [cell.environmentId], limit });
    return { ...report, cell, attempts };
  });
}

function findCell(of: PublicationRef, cells: ReadonlyMap<PublicationKey, StatusCell>, fileError: EdictError): StatusCell {
  try {
    const { key } = findPublication(of, { publications: new Map(), environments: new Map() }, cells);
    return cells.get(key) as StatusCell;
  } catch (error) {
    if (!(error instanceof EdictError)) throw error;
    const { code, hint } = error;
    const message = `the record has no API ${of.api} in environment ${of.environment}, and ${fileError.message}`;
    throw new EdictError(code, message, { exitCode: fileError.exitCode, cause: fileError, ...(hint !== null && { hint }) });
  }
}

async function readReport(
  { clock }: Pick<AppContext, 'clock'>,
  { fileError }: InvalidFile,
  { gateway, store }: { readonly gateway: GatewayIdentity; readonly store: StoreReader },
): Promise<RecordedReport> {
  const nowMs = clock.now();
  const { declared, suspension } = await store.previousState(gateway, nowMs);
  const [recorded, lastAttempts] = [await store.readRecordedState(gateway), await store.lastAttempts(gateway)];
  return {
    fileError,
    gateway,
    cells: computeRecordedCells({ recorded, lastAttempts, declared, observation: await store.lastObservation(gateway) }),
    suspension: isInEffect(suspension, nowMs) ? suspension : null,
    controllerStatus: await store.status(gateway),
    leaseHolder: await store.leaseHolder(gateway),
  };
}
