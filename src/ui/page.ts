import type { components } from '../../generated/edict-api.d.ts';
import { request } from './client.ts';
import { byId, setText, setTitle } from './element.ts';
import { readEvents } from './event-reader.ts';
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

/** How long to wait before reconnecting, in milliseconds. */
const reconnectMs = 2000;

const model = new Model();
const timeline = new Timeline(byId('timeline') as HTMLDialogElement);
const grid = new Grid(byId('matrix'), (row) => timeline.open(row));
const filter = byId('filter') as HTMLInputElement;
const selectedStatuses = new Set<CellStatus>();
let daemon: Schemas['DaemonStatus'] | null = null;

function showRows(): void {
  const { rows } = model;
  const shown = filterRows(rows, { text: filter.value, statuses: selectedStatuses });
  grid.show(shown, daemon?.environments ?? []);
  const text =
    shown.length === rows.length
      ? `${formatNumber(rows.length)} APIs`
      : `${formatNumber(shown.length)} of ${formatNumber(rows.length)} APIs`;
  setText(byId('shown'), text);
}

function showDaemon(): void {
  if (!daemon) return;
  const { gateway, emulated, file, queue, reconciliations, statusCounts } = daemon;
  const name = gateway
    ? `${emulated ? 'emulated gateway in place of ' : ''}${gateway.endpoint} · instance ${gateway.instance} · ${file.path}`
    : file.path;
  setText(byId('gateway'), name);
  setText(byId('headline'), daemon.headline ?? '');
  showNotices(byId('notices'), daemon, daemon.approveCommand === null ? [] : holdReasons());
  showStatusFilters(byId('statuses'), { counts: statusCounts, pressed: selectedStatuses, toggle: toggleStatus });
  showQueue(byId('queue'), queue, statusCounts['failed'] ?? 0);
  showReconciliations(byId('reconciliations'), reconciliations);
  setTitle(document, pageTitle(daemon));
}

/** Returns the distinct reasons why changes are held, each with up to three of its changes. */
function holdReasons(): string[] {
  const names = new Map(daemon?.environments.map(({ id, name }) => [id, name]));
  const held = model.rows.flatMap(({ cells }) => [...cells.values()].filter(({ status }) => status === 'held'));
  return [...Map.groupBy(held, ({ message }) => message)].map(([message, cells]) => {
    const places = cells.slice(0, 3).map(({ api, environmentId }) => `${api} in ${names.get(environmentId) ?? environmentId}`);
    const more = cells.length > places.length ? ` and ${formatNumber(cells.length - places.length)} more` : '';
    return `${places.join(', ')}${more}: ${message}`;
  });
}

function pageTitle({ file, queue, approveCommand, statusCounts }: Schemas['DaemonStatus']): string {
  const failed = statusCounts['failed'] ?? 0;
  if (file.error !== null) return 'edict: invalid file';
  if (queue.paused) return 'edict: paused';
  if (failed > 0) return `edict: ${formatNumber(failed)} failed`;
  if (approveCommand !== null) return 'edict: held';
  return queue.remaining > 0 ? `edict: ${formatNumber(queue.remaining)} pending` : 'edict';
}

function toggleStatus(status: CellStatus): void {
  if (!selectedStatuses.delete(status)) selectedStatuses.add(status);
  showRows();
  if (daemon) showStatusFilters(byId('statuses'), { counts: daemon.statusCounts, pressed: selectedStatuses, toggle: toggleStatus });
}

function onCells(cells: Schemas['Cells']): void {
  const { apiIds, hasRowChanges: isOther } = model.applyCells(cells);
  if (apiIds.size === 0) return;
  if (isOther || selectedStatuses.size > 0) showRows();
  else grid.update(apiIds);
  timeline.update(apiIds);
}

async function connect(): Promise<void> {
  try {
    const { body } = await request('api/v1/events');
    showConnection('connected');
    if (body) await readEvents(body, onEvent);
    showConnection('lost');
  } catch (error) {
    // A browser's own errors, such as that of a daemon that is restarted, name no cause.
    showConnection('lost', error instanceof TypeError ? '' : `: ${error instanceof Error ? error.message : error}`);
  }
  setTimeout(() => void connect(), reconnectMs);
}

function onEvent(name: string, data: string): void {
  if (name === 'cells') onCells(JSON.parse(data) as Schemas['Cells']);
  if (name === 'daemon') {
    const before = daemon;
    daemon = JSON.parse(data) as Schemas['DaemonStatus'];
    if (before && before.version !== daemon.version) location.reload();
    if (JSON.stringify(before?.environments) !== JSON.stringify(daemon.environments)) showRows();
  }
  showDaemon();
}

function showConnection(state: 'connected' | 'lost', reason = ''): void {
  setText(byId('connection'), state === 'connected' ? 'connected' : `connection lost${reason}, reconnecting`);
  byId('connection').className = state === 'connected' ? '' : 'lost';
}

filter.addEventListener('input', showRows);
document.addEventListener('keydown', (event) => {
  // The question for the token has an input of its own.
  if (event.target instanceof HTMLInputElement && event.target !== filter) return;
  const isTyping = event.target === filter;
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
void connect();
