import type { components } from '../../generated/edict-api.d.ts';
import { formatSuspension } from '../render/format.ts';
import { type DaemonInfo, headlineOf } from './daemon-status.ts';
import type { StatusCache } from './status-cache.ts';

/** One file that the server shows. */
interface ListedFile {
  readonly pathPrefix: string;
  readonly daemonInfo: DaemonInfo;
  readonly statusCache: StatusCache;
}

/** Returns the files with their status in a few words. */
export function fileListJson(files: readonly ListedFile[]): components['schemas']['FileList'] {
  return {
    format: 1,
    files: files.map(({ pathPrefix, daemonInfo, statusCache }) => {
      const gateway = statusCache.plan?.gateway;
      return {
        path: daemonInfo.file,
        page: pathPrefix === '' ? '/' : `/${pathPrefix}/`,
        headline: headlineOfFile(statusCache),
        gateway: gateway ? { endpoint: gateway.endpoint, project: gateway.project, instance: gateway.instance } : null,
        emulated: daemonInfo.isEmulated ?? false,
      };
    }),
  };
}

function headlineOfFile(statusCache: StatusCache): string {
  const suspension = statusCache.plan?.suspension;
  return `${stateOfFile(statusCache)}${suspension ? ` · ${formatSuspension(suspension)}` : ''}`;
}

function stateOfFile(statusCache: StatusCache): string {
  const { fileError, standbyReason } = statusCache;
  if (fileError) return fileError.message;
  if (standbyReason !== null) return 'standby';
  return headlineOf(statusCache) ?? 'starting';
}
