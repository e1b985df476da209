import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EdictError, errorMessage } from '../model/errors.ts';
import type { GatewayIdentity } from '../model/gateway.ts';
import type { Settings } from '../model/settings.ts';
import type { SavedPlan } from '../plan/saved-plan.ts';
import { writeFileAtomically } from './edits/atomic-file.ts';
import { looksLikeSavedPlan, readPlanDocument, writePlanDocument } from './plan-document.ts';

/** The largest saved plan that edict reads; a plan of 100,000 changes has about 60 MB. */
const maxPlanBytes = 256 * 1024 * 1024;

/** The bytes read to recognize a saved plan. */
const headBytes = 64;

/**
 * Reads and checks a saved plan.
 *
 * @throws EdictError `SAVED_PLAN_NOT_FOUND` if there is no such file, `SAVED_PLAN_INVALID` if it is not a saved plan or was edited
 */
export async function readPlanFile(path: string): Promise<SavedPlan> {
  const size = await readFileSize(path);
  if (size === null) {
    throw new EdictError('SAVED_PLAN_NOT_FOUND', `the saved plan ${path} does not exist`, {
      hint: `save one with \`edict plan --out ${path}\``,
    });
  }
  if (size > maxPlanBytes) {
    throw new EdictError('SAVED_PLAN_INVALID', `the saved plan ${path} is too large: ${size} bytes, and edict reads ${maxPlanBytes}`, {
      hint: 'is it the file that `edict plan --out FILE` has written?',
    });
  }
  return readPlanDocument(await withFileHandle(path, async (file) => (await file.readFile()).toString('utf8')), path);
}

/**
 * Writes a plan atomically into a file with mode 0600. Replaces an existing file only if that is a saved plan.
 *
 * @throws EdictError `SAVED_PLAN_WRITE_FAILED` if it cannot be written, or would replace any other file
 */
export async function writePlanFile(path: string, saved: SavedPlan): Promise<void> {
  const size = await readFileSize(path);
  if (size !== null && !looksLikeSavedPlan(await readHead(path))) {
    throw new EdictError('SAVED_PLAN_WRITE_FAILED', `the plan cannot be saved: ${path} exists and is not a saved plan`, {
      hint: 'nothing was written; name another file with --out',
    });
  }
  try {
    await writeFileAtomically(path, { text: writePlanDocument(saved), mode: 0o600 });
  } catch (cause) {
    const isAbsent = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const why = isAbsent ? `there is no folder ${dirname(path)}` : errorMessage(cause);
    throw new EdictError('SAVED_PLAN_WRITE_FAILED', `the plan cannot be saved in ${path}: ${why}`, {
      hint: 'name another file with --out',
      cause,
    });
  }
}

/** A saved plan that was read and checked, and the settings to apply it with. */
export interface OpenedSavedPlan {
  readonly saved: SavedPlan;
  /** Has `refresh` if the plan was made with --refresh, so that it is compared with a fresh observation. */
  readonly settings: Settings;
  /** Throws an EdictError `SAVED_PLAN_GATEWAY_MISMATCH` unless it is the plan's gateway. */
  assertGateway(gateway: GatewayIdentity): void;
}

/** Reads the saved plan in the file `path`. Throws an EdictError `SAVED_PLAN_*` if it is invalid, or made for an emulated gateway and not for a real one, or the reverse. */
export async function openSavedPlan(path: string, settings: Settings): Promise<OpenedSavedPlan> {
  const saved = await readPlanFile(path);
  const gatewayMismatch = (why: string, hint: string): EdictError =>
    new EdictError('SAVED_PLAN_GATEWAY_MISMATCH', `the saved plan ${path} is for another gateway: ${why}`, {
      hint: `nothing was sent; ${hint}`,
    });
  if (saved.isEmulated !== settings.emulate) {
    throw saved.isEmulated
      ? gatewayMismatch('an emulated one', 'apply it with --emulate, or save a plan for the real one')
      : gatewayMismatch('a real one', 'apply it without --emulate, or save a plan with it');
  }
  const assertGateway = (gateway: GatewayIdentity): void => {
    const describe = ({ endpoint, project, instance }: GatewayIdentity): string => `${endpoint}, project ${project}, instance ${instance}`;
    const [planned, now] = [describe(saved.gateway), describe(gateway)];
    if (planned !== now) throw gatewayMismatch(`${planned}; the file's is ${now}`, 'name the file that the plan was made from');
  };
  return { saved, settings: { ...settings, refresh: saved.isRefreshed ? 'always' : settings.refresh }, assertGateway };
}

/** Returns the size of a regular file in bytes, `null` if it does not exist. Rejects pipes and devices, which could block a reader forever. */
async function readFileSize(path: string): Promise<number | null> {
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new EdictError('SAVED_PLAN_INVALID', `${path} cannot be read: ${error.message}`, { cause: error });
  });
  if (stats === null) return null;
  if (!stats.isFile())
    throw new EdictError('SAVED_PLAN_INVALID', `${path} is not a regular file`, { hint: 'name the file of a saved plan' });
  return stats.size;
}

async function readHead(path: string): Promise<string> {
  return withFileHandle(path, async (file) => {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(headBytes) });
    return buffer.toString('utf8', 0, bytesRead);
  });
}

async function withFileHandle<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    const file = await open(path, 'r');
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new EdictError('SAVED_PLAN_INVALID', `${path} cannot be read: ${errorMessage(cause)}`, { cause });
  }
}
