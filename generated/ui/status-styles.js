// Made by `npm run generate` from src/ui/. Do not edit.
/** All statuses, ordered by the attention that they need. */
export const statusOrder = [
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
const signs = {
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
export function statusSign(status) {
    return signs[status];
}
/** Returns the sign and texts of a cell. */
export function cellStyle({ status, desired, recorded, observed }) {
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
            return status;
    }
}
