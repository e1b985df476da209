import { lstat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { RetryReadDeps } from '../../controller/retry.ts';
import type { GatewayReader } from '../../gateway/interface.ts';
import type { AppContext } from '../../model/app-context.ts';
import { EdictError, errorMessage, ObservationFailedError } from '../../model/errors.ts';
import type { ListedEnvironment, ObservedApi } from '../../model/observation.ts';
import type { ReadResult } from '../../model/outcome.ts';
import { quoteForShell } from '../../render/command-line.ts';
import { formatDurationMs } from '../../render/format.ts';
import type { ExportedFile } from '../../source/export/export.ts';
import type { GatewayArguments } from '../../source/export/gateway-options.ts';
import type { SkippedPublication } from '../../source/export/missing.ts';
import type { PublicationEdit } from '../../source/export/patch.ts';
import { withGatewayReader } from '../gateway-access.ts';
import { withApprovedReader, withReadSession } from '../read-session.ts';
import { writeFileAtomically } from './atomic-file.ts';
import type { FilesPatch } from './file-patch.ts';

/*
 * `edict import`: exports a live gateway to a new file, or computes the patch to an existing file that declares what is online and not
 * declared. `edict init`: writes a first file. Both only read the gateway, and never change an existing file.
 */

/**
 * Returns a file that declares the publications of a live gateway, and warnings about what the file cannot express. Sends only reads,
 * within the rate limit that the exported file declares. Throws an EdictError: `OPTION_INVALID` for a gateway that no file may name, `CREDENTIALS_*`,
 * `OBSERVATION_FAILED` if the gateway cannot be read.
 */
export async function importGateway(context: AppContext, gatewayArguments: GatewayArguments): Promise<ExportedFile> {
  const { parseGatewayArguments } = await import('../../source/export/gateway-options.ts');
  const { exportGateway } = await import('../../source/export/export.ts');
  const { observationTimeLimitMs } = await import('../../controller/observe/observation.ts');
  const settings = parseGatewayArguments(gatewayArguments);
  const timeLimitMs = observationTimeLimitMs(settings.limit);
  return withGatewayReader(context, { settings, seed: null }, async (gateway) => {
    const listing = await readInventory(gateway, { ...context, timeLimitMs });
    return exportGateway({ gateway: gatewayArguments, ...listing });
  });
}

/** A file that does not exist yet, and the command that writes it, for its errors. */
export interface NewFile {
  readonly path: string;
  readonly command: 'import' | 'init';
}

/**
 * Writes the file that `importGateway` returns to a new file, once it is complete. Throws as that does, and an EdictError `IMPORT_WRITE_FAILED`
 * if there is such a file already, or it cannot be written.
 */
export async function writeImportedFile(context: AppContext, gatewayArguments: GatewayArguments, to: NewFile): Promise<ExportedFile> {
  await assertNew(to);
  const exported = await importGateway(context, gatewayArguments);
  await writeNewFile(to, exported.text);
  return exported;
}

/**
 * Writes a commented example to a new file, with as much of its gateway as is given. Throws an EdictError `OPTION_INVALID` for a gateway that no file
 * may name, and `IMPORT_WRITE_FAILED` as `writeImportedFile` does.
 */
export async function writeExampleFile(gatewayArguments: Partial<GatewayArguments>, to: NewFile): Promise<void> {
  const { exampleFile } = await import('../../source/export/example.ts');
  await assertNew(to);
  await writeNewFile(to, exampleFile(gatewayArguments));
}

async function writeNewFile(to: NewFile, text: string): Promise<void> {
  try {
    await writeFileAtomically(to.path, { text, mode: 0o666, beforeRename: () => assertNew(to) });
  } catch (cause) {
    if (cause instanceof EdictError) throw cause;
    throw writeFailedError(to, cause);
  }
}

/** Throws an EdictError if anything exists at the path, also a link that leads nowhere. */
async function assertNew(to: NewFile): Promise<void> {
  const { path, command } = to;
  try {
    await lstat(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw writeFailedError(to, cause);
  }
  throw new EdictError('IMPORT_WRITE_FAILED', `${path} exists already, and ${command} does not overwrite it`, {
    hint: `to print a patch that adds what it lacks: edict import --update ${quoteForShell(path)}`,
  });
}

function writeFailedError({ path, command }: NewFile, cause: unknown): EdictError {
  const isAbsent = (cause as NodeJS.ErrnoException).code === 'ENOENT';
  const why = isAbsent ? `there is no folder ${dirname(path)}` : errorMessage(cause);
  const hint = command === 'import' ? 'name another file with --out' : 'name another file: edict init FILE';
  return new EdictError('IMPORT_WRITE_FAILED', `${path} cannot be written: ${why}`, { hint, cause });
}

/** All APIs and environments that a gateway lists. */
export interface GatewayInventory {
  readonly apis: readonly ObservedApi[];
  readonly environments: readonly ListedEnvironment[];
}

/**
 * Reads the gateway's APIs and environments, one request a page. Throws an EdictError `OBSERVATION_FAILED` if a list cannot be read, or not
 * within `timeLimitMs` milliseconds.
 */
export async function readInventory(
  gateway: Pick<GatewayReader, 'listApis' | 'listEnvironments'>,
  { signal, timeLimitMs, ...deps }: RetryReadDeps & { readonly timeLimitMs: number },
): Promise<GatewayInventory> {
  const { retryRead } = await import('../../controller/retry.ts');
  const timeout = AbortSignal.timeout(timeLimitMs);
  const within = AbortSignal.any([signal, timeout]);
  const read = async <T>(what: string, readOnce: () => Promise<ReadResult<T>>): Promise<T> => {
    const result = await retryRead(readOnce, { ...deps, signal: within });
    if (result.kind === 'read') return result.value;
    const { code, message, hint } = result.failure;
    if (timeout.aborted && !signal.aborted) {
      const reason = `the gateway's ${what} were not read within ${formatDurationMs(timeLimitMs)}`;
      throw new ObservationFailedError(reason, { hint: 'check the connection to the gateway, and try again' });
    }
    throw new ObservationFailedError(`the gateway's ${what} cannot be read: ${code} ${message}`, hint === null ? {} : { hint });
  };
  const environments = await read('environments', () => gateway.listEnvironments(within));
  const apis = await read('APIs', () => gateway.listApis(within));
  return { apis: [...apis.values()], environments };
}

/** A patch that declares online publications which the file lacks, and the publications that it leaves out. */
export interface ImportUpdate extends FilesPatch {
  /** The publications that the patch declares. */
  readonly added: readonly PublicationEdit[];
  /** The names of the APIs and environments that the patch adds. */
  readonly newApis: readonly string[];
  readonly newEnvironments: readonly string[];
  readonly skipped: readonly SkippedPublication[];
}

/**
 * Returns the patch to the file and its included files that adds every publication that is online at the file's gateway and not declared.
 * Nothing that is declared is changed. Writes nothing, and sends only reads, within the file's rate limit. Throws an EdictError: those of
 * loading the file, `CREDENTIALS_*`, `OBSERVATION_FAILED` if the gateway cannot be read.
 */
export function readImportUpdate(context: AppContext): Promise<ImportUpdate> {
  return withReadSession(context, { resolvesNames: true }, async ({ desired, store }) => {
    const { observationTimeLimitMs } = await import('../../controller/observe/observation.ts');
    const { findMissing } = await import('../../source/export/missing.ts');
    const { patchFiles, readPatchableFiles } = await import('./file-patch.ts');
    const { gateway: settings } = desired;
    const readAtMs = context.clock.now();
    const timeLimitMs = observationTimeLimitMs(settings.limit);
    const inventory = await withApprovedReader(context, { settings, seed: null, store }, (gateway) =>
      readInventory(gateway, { ...context, timeLimitMs }),
    );
    const [recorded, knownIds] = [await store.readRecordedState(settings), await store.resolvedNames(settings)];
    const files = await readPatchableFiles(context);
    const { declaredApis } = files;
    const { edits, skipped, newEnvironments, apiComments } = findMissing({
      desired,
      declaredApis,
      recorded,
      knownIds,
      readAtMs,
      ...inventory,
    });
    const patch = await patchFiles(files, edits, { desired, newEnvironments, apiComments });
    const manual = new Set(patch.manualEdits.map(({ key }) => key));
    const added = edits.filter(({ key }) => !manual.has(key));
    const addedTo = new Set(added.map(({ environmentId }) => environmentId));
    return {
      ...patch,
      added,
      newApis: [...new Set(added.filter(({ apiId }) => apiComments.has(apiId)).map(({ api }) => api))],
      newEnvironments: newEnvironments.filter(({ id }) => addedTo.has(id)).map(({ key }) => key),
      skipped,
    };
  });
}
