import type { components } from '../../generated/edict-api.d.ts';
import { byId } from './element.ts';
import { formatNumber } from './format.ts';
import { Grid } from './grid.ts';
import { filterRows, Model } from './model.ts';
import { showNotices, showQueue, showReconciliations, showStatusFilters } from './panels.ts';
import type { CellStatus } from './status-styles.ts';
import { Timeline } from './timeline.ts';

type Schemas = components['schemas'];

/*
 * The web page: subscribes to the daemon's event stream and draws the matrix, the panels and the timeline. It knows the daemon only through
 * spec/edict-api.openapi.yaml and must import nothing outside of this folder but types generated from that document.
 */

/** How long to wait before reconnecting after a refused connection, in milliseconds; the browser restores a lost connection automatically. */
const reconnectMs = 2000;

const model = new Model();
const timeline = new Timeline(byId('timeline') as HTMLDialogElement);
const grid = new Grid(byId('matrix'), (row) => timeline.open(row));
const filter = byId('filter') as HTMLInputElement;
const selectedStatuses = new Set<CellStatus>();
let live: Schemas['Live'] | null = null;

function showRows(): void {
  const { rows } = model;
  const shown = filterRows(rows, { text: filter.value, statuses: selectedStatuses });
  grid.show(shown, live?.environments ?? []);
  const text =
    shown.length === rows.length
      ? `${formatNumber(rows.length)} APIs`
      : `${formatNumber(shown.length)} of ${formatNumber(rows.length)} APIs`;
  const node = byId('shown');
  if (node.textContent !== text) node.textContent = text;
}

function showLive(): void {
  if (!live) return;
  const { gateway, file, queue, passes, statusCounts } = live;
  const name = gateway ? `${gateway.endpoint} · instance ${gateway.instance} · ${file.path}` : file.path;
  if (byId('gateway').textContent !== name) byId('gateway').textContent = name;
  showNotices(byId('notices'), live, live.release === null ? [] : heldReasons());
  showStatusFilters(byId('statuses'), statusCounts, selectedStatuses, toggleStatus);
  showQueue(byId('queue'), queue, statusCounts['failed'] ?? 0);
  showReconciliations(byId('passes'), passes);
  document.title = pageTitle(live);
}

/** Returns the distinct reasons why changes are held, each with up to three of its changes. */
function heldReasons(): string[] {
  const names = new Map(live?.environments.map(({ id, name }) => [id, name]));
  const held = model.rows.flatMap(({ cells }) => [...cells.values()].filter(({ status }) => status === 'held'));
  return [...Map.groupBy(held, ({ message }) => message)].map(([message, cells]) => {
    const places = cells.slice(0, 3).map(({ api, environmentId }) => `${api} in ${names.get(environmentId) ?? environmentId}`);
    const more = cells.length > places.length ? ` and ${formatNumber(cells.length - places.length)} more` : '';
    return `${places.join(', ')}${more}: ${message}`;
  });
}

function pageTitle({ file, queue, release, statusCounts }: Schemas['Live']): string {
  const failed = statusCounts['failed'] ?? 0;
  if (file.complaint !== null) return 'edict: invalid file';
  if (queue.stopped) return 'edict: no calls';
  if (failed > 0) return `edict: ${formatNumber(failed)} failed`;
  if (release !== null) return 'edict: held';
  return queue.left > 0 ? `edict: ${formatNumber(queue.left)} to do` : 'edict: in sync';
}

function toggleStatus(status: CellStatus): void {
  if (!selectedStatuses.delete(status)) selectedStatuses.add(status);
  showRows();
  if (live) showStatusFilters(byId('statuses'), live.statusCounts, selectedStatuses, toggleStatus);
}

function onCells(cells: Schemas['Cells']): void {
  const { apiIds, hasRowChanges: isOther } = model.applyCells(cells);
  if (apiIds.size === 0) return;
  if (isOther || selectedStatuses.size > 0) showRows();
  else grid.update(apiIds);
  timeline.update(apiIds);
}

function connect(): void {
  const source = new EventSource('api/v1/events');
  source.addEventListener('open', () => showConnection(true));
  source.addEventListener('live', ({ data }) => {
    const before = live;
    live = JSON.parse(data) as Schemas['Live'];
    if (before && before.version !== live.version) location.reload();
    if (JSON.stringify(before?.environments) !== JSON.stringify(live.environments)) showRows();
    showLive();
  });
  source.addEventListener('cells', ({ data }) => {
    onCells(JSON.parse(data) as Schemas['Cells']);
    showLive();
  });
  source.addEventListener('error', () => {
    showConnection(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, reconnectMs);
  });
}

function showConnection(isLive: boolean): void {
  byId('connection').textContent = isLive ? 'live' : 'connection lost, trying again';
  byId('connection').className = isLive ? '' : 'lost';
}

filter.addEventListener('input', showRows);
document.addEventListener('keydown', (event) => {
  const isTyping = event.target instanceof HTMLInputElement;
  if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    filter.focus();
    filter.select();
  } else if (event.key === 'Escape' && isTyping) {
    filter.value = '';
    showRows();
    grid.focus();
  } else if ((event.key === 'ArrowDown' || event.key === 'Enter') && isTyping) {
    event.preventDefault();
    grid.focus();
  }
});
connect();
