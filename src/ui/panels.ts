import type { components } from '../../generated/edict-api.d.ts';
import { element, setText } from './element.ts';
import { formatClockTime, formatNumber, formatRate, formatSeconds } from './format.ts';
import { type CellStatus, statusOrder, statusSign } from './status-styles.ts';

type Schemas = components['schemas'];
type DaemonStatus = Schemas['DaemonStatus'];

/** Shows the notices: invalid file, paused calls, standby, suspension and held changes. `holdReasons` are the distinct reasons. */
export function showNotices(
  root: HTMLElement,
  { file, queue, approveCommand, standbyReason, suspension, fileHeld, statusCounts: counts }: DaemonStatus,
  holdReasons: readonly string[],
): void {
  const notices: HTMLElement[] = [];
  if (file.error !== null) {
    const title = element('h2', {}, file.error);
    const state =
      file.loadedAt === null
        ? 'No changes are made until the file is fixed.'
        : `The last valid file, loaded at ${formatClockTime(file.loadedAt, new Date())}, stays in force.`;
    notices.push(element('div', { class: 'notice bad', role: 'alert' }, title, element('p', {}, state), ...file.errors.map(fileError)));
  }
  if (queue.paused) {
    const since = `Requests are paused since ${formatClockTime(queue.paused.since, new Date())}: ${queue.paused.message}`;
    notices.push(
      element('div', { class: 'notice bad', role: 'alert' }, element('h2', {}, pauseTitles[queue.paused.reason]), element('p', {}, since)),
    );
  }
  if (standbyReason !== null) {
    const text = `${standbyReason}. This process takes over when that one stops; until then, see its page.`;
    notices.push(element('div', { class: 'notice' }, element('h2', {}, 'Standby'), element('p', {}, text)));
  }
  if (suspension) {
    const since = suspension.since === null ? '' : ` since ${formatClockTime(suspension.since, new Date())}`;
    const until = suspension.until === null ? 'until resumed' : `until ${formatClockTime(suspension.until, new Date())}`;
    const reason = suspension.by === null ? suspension.reason : `${suspension.by}: ${suspension.reason}`;
    notices.push(
      element(
        'div',
        { class: 'notice' },
        element('h2', {}, 'Suspended: no calls are made'),
        element('p', {}, `${reason},${since} ${until}.`),
      ),
    );
  }
  if (approveCommand !== null) {
    const held = counts['held'] ?? 0;
    const title = fileHeld ? 'The whole file is held' : `${formatNumber(held)} ${held === 1 ? 'change is' : 'changes are'} held`;
    const reasons = fileHeld ? [`${fileHeld.message}; ${fileHeld.hint}`] : holdReasons;
    notices.push(
      element(
        'div',
        { class: 'notice' },
        element('h2', {}, title),
        ...reasons.slice(0, 3).map((reason) => element('p', {}, reason)),
        reasons.length > 3 ? element('p', { class: 'quiet' }, `and ${formatNumber(reasons.length - 3)} more reasons`) : null,
        commandBox('To approve, run:', approveCommand),
      ),
    );
  }
  replaceIfChanged(root, notices);
}

const pauseTitles: Readonly<Record<Schemas['Pause']['reason'], string>> = {
  pause: 'The gateway asked for a pause',
  outage: 'The gateway cannot be reached',
  credentials: 'The gateway rejects the credentials',
};

function fileError({ file, line, column, message, hint }: Schemas['Diagnostic']): HTMLElement {
  return element(
    'pre',
    { tabindex: 0 },
    element('strong', {}, `${file}:${line}:${column}`),
    `  ${message}`,
    ...(hint === null ? [] : [element('br'), `  = ${hint}`]),
  );
}

function commandBox(label: string, text: string): HTMLElement {
  const done = element('span', { role: 'status' });
  const shown = element('code', {}, text);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(shown.textContent);
    setText(done, 'copied');
  };
  const button = element(
    'button',
    {
      type: 'button',
      onclick: () =>
        void copy().catch(() => {
          setText(done, 'copy failed: select the command and copy it');
        }),
    },
    'Copy',
  );
  return element('div', {}, element('p', {}, label), element('div', { class: 'command' }, shown, button, done));
}

export interface StatusFilters {
  readonly counts: DaemonStatus['statusCounts'];
  readonly pressed: ReadonlySet<CellStatus>;
  /** Called with the status of a clicked button. */
  readonly toggle: (status: CellStatus) => void;
}

/** Shows the number of publications per status, each as a filter button. */
export function showStatusFilters(root: HTMLElement, { counts, pressed, toggle }: StatusFilters): void {
  const known = statusOrder.filter((status) => (counts[status] ?? 0) > 0 || pressed.has(status));
  const before = new Map([...root.children].map((node) => [(node as HTMLElement).dataset['status'], node as HTMLElement]));
  const buttons = known.map((status) => {
    const text = `${statusSign(status)} ${formatNumber(counts[status] ?? 0)} ${status}`;
    const button =
      before.get(status) ?? element('button', { type: 'button', class: status, 'data-status': status, onclick: () => toggle(status) });
    setText(button, text);
    button.setAttribute('aria-pressed', String(pressed.has(status)));
    return button;
  });
  if (buttons.length !== root.children.length || buttons.some((button, index) => root.children[index] !== button))
    root.replaceChildren(...buttons);
}

/** Shows the queue: remaining changes, rate, remaining time and the cause of a slowdown. */
export function showQueue(
  root: HTMLElement,
  { remaining, inFlight, rate, limit, remainingSeconds, bottleneck }: Schemas['Queue'],
  failed: number,
): void {
  const rows: readonly (readonly [string, string | null])[] = [
    ['in flight', formatNumber(inFlight)],
    ['rate', formatRate(rate)],
    ['limit', rate.calls === limit.calls && rate.perMs === limit.perMs ? null : formatRate(limit)],
    ['time left', remaining === 0 || remainingSeconds === null ? null : `about ${formatSeconds(remainingSeconds)}`],
    ['limited by', bottleneck],
    ['failed', failed === 0 ? null : formatNumber(failed)],
  ];
  replaceIfChanged(root, [
    element('h2', {}, 'Queue'),
    element(
      'p',
      { class: remaining === 0 ? 'figure quiet' : 'figure' },
      remaining === 0 ? 'nothing pending' : `${formatNumber(remaining)} pending`,
    ),
    element('dl', {}, ...rows.flatMap(([name, value]) => (value === null ? [] : [element('dt', {}, name), element('dd', {}, value)]))),
  ]);
}

/** Shows the last reconciliations, newest first. */
export function showReconciliations(root: HTMLElement, reconciliations: readonly Schemas['Reconciliation'][]): void {
  const items = reconciliations
    .slice(0, 8)
    .map(({ cause, startedAt, result }) =>
      element(
        'li',
        {},
        element('time', { datetime: startedAt }, formatClockTime(startedAt, new Date())),
        ` ${causeLabels[cause] ?? cause}: ${result ? formatResult(result) : 'running'}`,
      ),
    );
  replaceIfChanged(root, [
    element('h2', {}, 'Reconciliations'),
    items.length > 0 ? element('ol', {}, ...items) : element('p', { class: 'quiet' }, 'none yet'),
  ]);
}

const causeLabels: Readonly<Record<string, string>> = {
  startup: 'startup',
  file: 'file change',
  resync: 'resync',
  signal: 'signal',
  retry: 'retry',
  approval: 'approval',
  requested: 'request',
  timer: 'timer',
  rollout: 'next environment',
};

function formatResult({ online, offline, held, deferred, failed, unknown, drifted, durationMs }: Schemas['ReconciliationResult']): string {
  const parts = [
    online > 0 ? `${formatNumber(online)} online` : '',
    offline > 0 ? `${formatNumber(offline)} offline` : '',
    held > 0 ? `${formatNumber(held)} held` : '',
    deferred > 0 ? `${formatNumber(deferred)} deferred` : '',
    failed > 0 ? `${formatNumber(failed)} failed` : '',
    unknown > 0 ? `${formatNumber(unknown)} with unknown outcome` : '',
    drifted > 0 ? `${formatNumber(drifted)} drifted` : '',
  ].filter(Boolean);
  return `${parts.length > 0 ? parts.join(', ') : 'no changes'} in ${formatSeconds(durationMs / 1000)}`;
}

/** Replaces the content only if it has changed, so that focus and text selection survive an update. */
function replaceIfChanged(root: HTMLElement, content: readonly HTMLElement[]): void {
  const next = element('div', {}, ...content);
  if (next.innerHTML !== root.innerHTML) root.replaceChildren(...next.childNodes);
}
