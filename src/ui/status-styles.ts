import type { components } from '../../generated/edict-api.d.ts';

type Schemas = components['schemas'];

export type GridCell = Schemas['Cell'];
export type CellStatus = Schemas['PublicationStatus'];

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
  'unknown',
  'pending',
  'deferred',
  'drifted',
  'outdated',
  'unmanaged',
  'settling',
  'unchanged',
];

const signs: Readonly<Record<CellStatus, string>> = {
  failed: '✗',
  held: '■',
  unknown: '?',
  pending: '▲',
  deferred: '…',
  drifted: '≠',
  outdated: '○',
  unmanaged: '·',
  settling: '◌',
  unchanged: '✓',
};

/** Returns the sign of a status. */
export function statusSign(status: CellStatus): string {
  return signs[status];
}

/** Returns the sign and texts of a cell. */
export function cellStyle({ status, desired, recorded, observed }: GridCell): CellStyle {
  const sign = status === 'pending' && desired !== 'online' ? '▼' : signs[status];
  switch (status) {
    case 'unchanged':
      return { sign, label: desired ?? 'unchanged', detail: '' };
    case 'unmanaged':
      return { sign, label: recorded ?? 'online', detail: 'not in file' };
    case 'settling':
      return { sign, label: desired ?? 'unchanged', detail: 'settling' };
    case 'unknown':
      return { sign, label: 'outcome unknown', detail: `${recorded ?? 'new'} → ${desired ?? 'offline'}` };
    case 'drifted':
    case 'outdated':
      return { sign, label: status, detail: observed ?? recorded ?? '' };
    case 'failed':
    case 'held':
    case 'pending':
    case 'deferred':
      return { sign, label: status, detail: recorded === desired ? 'again' : `${recorded ?? 'new'} → ${desired ?? 'offline'}` };
    default:
      return status satisfies never;
  }
}
