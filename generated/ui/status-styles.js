// Made by `npm run generate` from src/ui/. Do not edit.
/** All statuses, ordered by the attention that they need. */
export const statusOrder = [
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
/** Returns the sign of a status. */
export function statusSign(standing) {
    return signs[standing];
}
/** Returns the CSS class of a status. */
export function statusClass(standing) {
    return standing.replace(' ', '-');
}
/** Returns the sign and texts of a cell. */
export function cellStyle({ standing, desired, recorded, observed }) {
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
            return standing;
    }
}
