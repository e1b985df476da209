import type { Cell, Standing } from '../core/matrix.ts';
import { cellInWords } from '../words/cell-words.ts';
import { columns } from './columns.ts';
import type { Paint } from './paint.ts';

type Look = { readonly sign: string; readonly style: Parameters<Paint>[0]; readonly word: (cell: Cell) => string };

const going = { online: '▲', offline: '▼' } as const;
const stateOf = ({ desired, recorded }: Cell): string => desired?.state ?? recorded?.state ?? 'unknown';

/** The sign and the word say what the colour says, for those who do not see it. */
const looks = {
  failed: { sign: '✗', style: 'red', word: () => 'failed' },
  held: { sign: '■', style: 'yellow', word: () => 'held' },
  changing: { sign: '', style: 'cyan', word: ({ change }) => `${going[change?.action ?? 'online']} going ${change?.action}` },
  waiting: { sign: '…', style: 'yellow', word: () => 'waiting' },
  frozen: { sign: '*', style: 'blue', word: () => 'frozen' },
  drifted: { sign: '≠', style: 'magenta', word: () => 'drifted' },
  stale: { sign: '○', style: 'magenta', word: () => 'stale' },
  kept: { sign: '·', style: 'dim', word: (cell) => `${stateOf(cell)}, not in file` },
  'in sync': { sign: '✓', style: 'green', word: stateOf },
} satisfies Record<Standing, Look>;

/** Returns the matrix of APIs and environments, a line for each API; in several parts where it is wider than `width` characters. */
export function matrixLines(cells: readonly Cell[], width: number, paint: Paint): string[] {
  const environments = [...new Map(cells.map(({ environmentId, environment }) => [environmentId, environment]))];
  const byApi = Map.groupBy(cells, ({ apiId }) => apiId);
  for (let across = environments.length; across > 0; across -= 1) {
    const parts = Array.from({ length: Math.ceil(environments.length / across) }, (_, index) =>
      tableOf(byApi, environments.slice(index * across, (index + 1) * across), paint),
    );
    const isFitting = parts.every(({ widest }) => widest <= width);
    if (isFitting || across === 1) return parts.flatMap(({ lines }, index) => (index === 0 ? lines : ['', ...lines]));
  }
  return [];
}

function tableOf(
  byApi: ReadonlyMap<string, readonly Cell[]>,
  environments: readonly (readonly [string, string])[],
  paint: Paint,
): { readonly lines: string[]; readonly widest: number } {
  const build = (paint: Paint): string[] => {
    const head = ['API', ...environments.map(([, name]) => name)].map((title) => paint('bold', title));
    const rows = [...byApi.values()].map((cells) => [
      cells[0]?.api ?? '',
      ...environments.map(([id]) => {
        const cell = cells.find(({ environmentId }) => environmentId === id);
        return cell ? glance(cell, paint) : paint('dim', '-');
      }),
    ]);
    return columns([head, ...rows]);
  };
  return { lines: build(paint), widest: Math.max(...build((_, text) => text).map((line) => line.length)) };
}

function glance(cell: Cell, paint: Paint): string {
  const { sign, style, word }: Look = looks[cell.standing];
  return paint(style, `${sign} ${word(cell)}`.trim());
}

/** Returns a line for each publication that is not simply as the file says, with what comes next. */
export function openLines(cells: readonly Cell[], paint: Paint): string[] {
  const open = cells.filter(({ standing }) => standing !== 'in sync');
  if (open.length === 0) return [];
  const head = ['API', 'environment', 'file', 'record', 'since', 'next'].map((title) => paint('bold', title));
  return columns([head, ...open.map((cell) => row(cell, paint))]);
}

function row(cell: Cell, paint: Paint): string[] {
  const { api, environment, desired, recorded, change, standing } = cell;
  const since = recorded?.state ? new Date(recorded.recordedAtMs).toISOString().replace(/\.\d+Z$/, 'Z') : '-';
  const record = recorded?.unresolved ? paint('yellow', 'unresolved') : (recorded?.state ?? '-');
  const wanted = desired?.state ?? paint('dim', 'not in file');
  return [api, environment, wanted, record, since, next(cellInWords(cell), standing, change, paint)];
}

function next(words: string, standing: Standing, change: Cell['change'], paint: Paint): string {
  if (standing === 'held') return paint('yellow', `held: ${words}`);
  if (change?.waits) return paint('yellow', words);
  if (!change) return paint(looks[standing].style, words);
  const [action = '', ...rest] = words.split(': ');
  return [paint(change.action === 'online' ? 'green' : 'red', action), ...rest].join(': ');
}
