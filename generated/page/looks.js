// Made by `npm run generate` from src/page/. Do not edit.
/** Every standing, those first that a person may have to look at. */
export const standings = ['failed', 'held', 'changing', 'waiting', 'frozen', 'drifted', 'stale', 'kept', 'in sync'];
const signs = {
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
export function signOf(standing) {
    return signs[standing];
}
/** Returns the CSS class of a standing. */
export function classOf(standing) {
    return standing.replace(' ', '-');
}
/** Returns what a cell shows at a glance. */
export function lookOf({ standing, desired, recorded, observed }) {
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
            return standing;
    }
}
