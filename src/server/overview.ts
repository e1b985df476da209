import type { Board } from './board.ts';
import type { About } from './live-json.ts';

/** What the overview says of a file. */
interface Entry {
  readonly name: string;
  readonly about: About;
  readonly board: Board;
}

/** Returns a page that leads to those of several files, with what each is about; it comes anew every few seconds. */
export function overview(sites: readonly Entry[]): string {
  const rows = sites.map(({ name, about, board }) => {
    const cells = [stateOf(board), gatewayOf(board)].map((text) => `<td>${escaped(text)}</td>`);
    return `<tr><th scope="row"><a href="/${name}/">${escaped(about.file)}</a></th>${cells.join('')}</tr>`;
  });
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <meta http-equiv="refresh" content="5" />
    <title>edict: ${sites.length} files</title>
    <link rel="icon" href="/page/icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/page/page.css" />
  </head>
  <body>
    <header><h1>edict</h1></header>
    <main class="overview">
      <table>
        <thead><tr><th scope="col">File</th><th scope="col">Now</th><th scope="col">Gateway</th></tr></thead>
        <tbody>${rows.join('')}</tbody>
      </table>
    </main>
  </body>
</html>
`;
}

function stateOf({ complaint, plan, standsBy, matrix }: Board): string {
  if (complaint) return complaint.message;
  if (standsBy !== null) return 'stands by';
  if (!plan) return 'starting';
  const held = plan.suspicion ? 'the whole file is held' : plan.changes.some((change) => change.held) ? 'something is held' : '';
  const queued = [...(matrix?.changes.values() ?? [])].filter((change) => !change.held && !change.waits).length;
  const left = queued > 0 ? `${queued} to do` : '';
  return [left, held].filter(Boolean).join(', ') || 'nothing to do';
}

function gatewayOf({ plan }: Board): string {
  return plan ? `${plan.gateway.endpoint}, instance ${plan.gateway.instance}` : '';
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
