import type { components } from '../../generated/edict-api.d.ts';

type Schemas = components['schemas'];

export type GridCell = Schemas['Cell'];
export type CellStatus = Schemas['Standing'];

/** What a cell shows. The sign and the word say what the colour says, for those who do not see it. */
export interface CellStyle {
  readonly sign: string;
  readonly label: string;
  /** What it shows besides, quietly: where it is on its way to. */
  readonly detail: string;
}

/** Every standing, those first that a person may have to look at. */
export const statusOrder: readonly CellStatus[] = [
  'failed',
  'held',
  'changing',
  'waiting',
  'frozen',
  'drifted',
  'stale',
  'kept',
  'in sync',
];

const signs: Readonly<Record<CellStatus, string>> = {
  failed: '✗',
  held: '■',
  changing: '▲',
  waiting: '…',
  frozen: '❄',
  drifted: '≠',
  stale: '○',
  kept: '·',
  'in sync': '✓',
};

/** Returns the sign of a standing. */
export function statusSign(standing: CellStatus): string {
  return signs[standing];
}

/** Returns the CSS class of a standing. */
export function statusClass(standing: CellStatus): string {
  return standing.replace(' ', '-');
}

/** Returns what a cell shows at a glance. */
export function cellStyle({ standing, desired, recorded, observed }: GridCell): CellStyle {
  const sign = standing === 'changing' && desired !== 'online' ? '▼' : signs[standing];
  switch (standing) {
    case 'in sync':
      return { sign, label: desired ?? 'in sync', detail: '' };
    case 'kept':
      return { sign, label: recorded ?? 'unknown', detail: 'not in file' };
    case 'drifted':
    case 'stale':
      return { sign, label: standing, detail: observed ?? recorded ?? '' };
    case 'failed':
    case 'held':
    case 'changing':
    case 'waiting':
    case 'frozen':
      return { sign, label: standing, detail: recorded === desired ? 'again' : `${recorded ?? 'new'} → ${desired ?? 'offline'}` };
    default:
      return standing satisfies never;
  }
}
