import type { AppContext } from '../../model/app-context.ts';
import { EdictError, exitCodes } from '../../model/errors.ts';
import type { GatewayIdentity } from '../../model/gateway.ts';
import type { StoreReader } from '../../store/interface.ts';
import { listGateways } from '../../store/list-gateways.ts';
import { openReadonly } from '../../store/open.ts';

/*
 * The gateway of a file that is invalid: the store says which one it is, so that an error in the file hides neither the recorded state nor
 * the way to suspend calls.
 */

/** Whether an error is about the file: it is invalid, missing or unreadable. */
export function isFileError(error: unknown): error is EdictError {
  return error instanceof EdictError && error.exitCode === exitCodes.invalidFile;
}

/** An invalid file, and the instance ID of the gateway that it is about; `null`: the only one in the store. */
export interface InvalidFile {
  readonly fileError: EdictError;
  readonly instance: string | null;
}

/** Opens the store read-only for the gateway of an invalid file, and closes it after `use`. Throws as `findKnownGateway` does. */
export async function withKnownGateway<T>(
  context: Pick<AppContext, 'settings'>,
  invalidFile: InvalidFile,
  use: (gateway: GatewayIdentity, store: StoreReader) => Promise<T>,
): Promise<T> {
  const gateway = await findKnownGateway(context, invalidFile);
  const store = await openReadonly({ url: context.settings.storeUrl });
  try {
    return await use(gateway, store);
  } finally {
    await store.close();
  }
}

/**
 * Returns the gateway in the store with this instance ID; without one, the only gateway. Throws `fileError` if the store knows no
 * gateway, an EdictError `GATEWAY_UNKNOWN` if it is not clear which one is meant, `STORE_*` if the store cannot be read.
 */
export async function findKnownGateway(
  { settings: { storeUrl } }: Pick<AppContext, 'settings'>,
  { fileError, instance: wanted }: InvalidFile,
): Promise<GatewayIdentity> {
  const known = await listGateways(storeUrl).catch((error: unknown) => {
    if (error instanceof EdictError && error.code === 'STORE_NOT_FOUND') return [];
    throw error;
  });
  const [found, ...more] = known.filter(({ instance }) => wanted === null || instance === wanted);
  if (found && more.length === 0) return { endpoint: found.endpoint, project: found.project, instance: found.instance };
  if (known.length === 0) throw fileError;
  const listed = [...new Set(known.map(({ instance }) => instance))].join(', ');
  throw new EdictError(
    'GATEWAY_UNKNOWN',
    wanted === null
      ? `${fileError.message}, and the store has ${known.length} gateways, so that the file's gateway is not known`
      : `the store has ${found ? 'several gateways' : 'no gateway'} with the instance ${wanted}`,
    {
      hint: `fix the file, or name its gateway by the instance: --gateway ID (the store has ${listed})`,
      exitCode: exitCodes.invalidFile,
      cause: fileError,
    },
  );
}
