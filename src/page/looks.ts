import type { components } from '../../generated/edict-api.d.ts';

type Schemas = components['schemas'];

export type Cell = Schemas['Cell'];
export type Standing = Schemas['Standing'];

/** What a cell shows. The sign and the word say what the colour says, for those who do not see it. */
export interface Look {
  readonly sign: string;
  readonly word: string;
  /** What it shows besides, quietly: where it is on its way to. */
  readonly to: string;
}

/** Every standing, those first that a person may have to look at. */
export const standings: readonly Standing[] = ['failed', 'held', 'changing', 'waiting', 'frozen', 'drifted', 'stale', 'kept', 'in sync'];

const signs: Readonly<Record<Standing, string>> = {
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
export function signOf(standing: Standing): string {
  return signs[standing];
}

/** Returns the CSS class of a standing. */
export function classOf(standing: Standing): string {
  return standing.replace(' ', '-');
}

/** Returns what a cell shows at a glance. */
export function lookOf({ standing, desired, recorded, observed }: Cell): Look {
  const sign = standing === 'changing' && desired !== 'online' ? '▼' : signs[standing];
  switch (standing) {
    case 'in sync':
      return { sign, word: desired ?? 'in sync', to: '' };
    case 'kept':
      return { sign, word: recorded ?? 'unknown', to: 'not in file' };
    case 'drifted':
    case 'stale':
      return { sign, word: standing, to: observed ?? recorded ?? '' };
    case 'failed':
    case 'held':
    case 'changing':
    case 'waiting':
    case 'frozen':
      return { sign, word: standing, to: recorded === desired ? 'again' : `${recorded ?? 'new'} → ${desired ?? 'offline'}` };
    default:
      return standing satisfies never;
  }
}
