import type { components } from '../../generated/edict-api.d.ts';

type Schemas = components['schemas'];

export type GridCell = Schemas['Cell'];
export type CellStatus = Schemas['Standing'];

/** The content of a cell. Sign and word repeat what the color says, for readers who cannot see it. */
export interface CellStyle {
  readonly sign: string;
  readonly label: string;
  /** Secondary text, such as the state that the publication is changing to. */
  readonly detail: string;
}

/** All statuses, ordered by the attention that they need. */
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

/** Returns the sign of a status. */
export function statusSign(standing: CellStatus): string {
  return signs[standing];
}

/** Returns the CSS class of a status. */
export function statusClass(standing: CellStatus): string {
  return standing.replace(' ', '-');
}

/** Returns the sign and texts of a cell. */
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
