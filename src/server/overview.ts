import { type DaemonInfo, headlineOf } from './daemon-status.ts';
import type { StatusCache } from './status-cache.ts';

/** One file in the overview. */
interface OverviewEntry {
  readonly pathPrefix: string;
  readonly daemonInfo: DaemonInfo;
  readonly statusCache: StatusCache;
}

/** Renders the page that lists the served files with state and gateway. It reloads every 5 seconds. */
export function renderOverview(entries: readonly OverviewEntry[]): string {
  const rows = entries.map(({ pathPrefix, daemonInfo, statusCache }) => {
    const cells = [formatFileState(statusCache), formatGatewayCell(statusCache, daemonInfo)].map((text) => `<td>${escapeHtml(text)}</td>`);
    return `<tr><th scope="row"><a href="/${pathPrefix}/">${escapeHtml(daemonInfo.file)}</a></th>${cells.join('')}</tr>`;
  });
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <meta http-equiv="refresh" content="5" />
    <title>edict: ${entries.length} files</title>
    <link rel="icon" href="/ui/icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/ui/page.css" />
  </head>
  <body>
    <header><h1>edict</h1></header>
    <main class="overview">
      <table>
        <thead><tr><th scope="col">File</th><th scope="col">Status</th><th scope="col">Gateway</th></tr></thead>
        <tbody>${rows.join('')}</tbody>
      </table>
    </main>
  </body>
</html>
`;
}

function formatFileState(statusCache: StatusCache): string {
  const { fileError, standbyReason } = statusCache;
  if (fileError) return fileError.message;
  if (standbyReason !== null) return 'standby';
  return headlineOf(statusCache) ?? 'starting';
}

function formatGatewayCell({ plan }: StatusCache, { isEmulated = false }: DaemonInfo): string {
  if (!plan) return '';
  return `${isEmulated ? 'emulated gateway in place of ' : ''}${plan.gateway.endpoint}, instance ${plan.gateway.instance}`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
