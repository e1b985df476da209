// Made by `npm run generate` from src/ui/. Do not edit.
const nameCollator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
/** All APIs, sorted by name and updated by the daemon's messages. */
export class Model {
    #rows = new Map();
    #sorted = null;
    /** The rows, sorted by name. */
    get rows() {
        this.#sorted ??= [...this.#rows.values()].sort((a, b) => nameCollator.compare(a.api, b.api) || (a.apiId < b.apiId ? -1 : 1));
        return this.#sorted;
    }
    /** Applies a message of the daemon and returns the changes. */
    applyCells({ complete, cells, removed }) {
        const apiIds = new Set();
        const left = complete ? new Set(this.#keys()) : new Set();
        let hasRowChanges = false;
        for (const cell of cells) {
            left.delete(keyOf(cell));
            const row = this.#rows.get(cell.apiId);
            if (!row || row.api !== cell.api)
                hasRowChanges = true;
            if (!row)
                this.#rows.set(cell.apiId, { apiId: cell.apiId, api: cell.api, cells: new Map([[cell.environmentId, cell]]) });
            else {
                row.api = cell.api;
                const before = row.cells.get(cell.environmentId);
                if (before && isSameCell(before, cell))
                    continue;
                row.cells.set(cell.environmentId, cell);
            }
            apiIds.add(cell.apiId);
        }
        for (const key of [...left, ...removed.map(keyOf)]) {
            const [apiId = '', environmentId = ''] = key.split(' ');
            const row = this.#rows.get(apiId);
            row?.cells.delete(environmentId);
            apiIds.add(apiId);
            if (row?.cells.size !== 0)
                continue;
            this.#rows.delete(apiId);
            hasRowChanges = true;
        }
        if (hasRowChanges)
            this.#sorted = null;
        return { apiIds, hasRowChanges };
    }
    *#keys() {
        for (const { apiId, cells } of this.#rows.values())
            for (const environmentId of cells.keys())
                yield `${apiId} ${environmentId}`;
    }
}
function keyOf({ apiId, environmentId }) {
    return `${apiId} ${environmentId}`;
}
/** Compares every field, so that no field of the document can change without being redrawn. */
function isSameCell(a, b) {
    return Object.keys(b).every((field) => a[field] === b[field]);
}
/** Returns the rows that match the filter, in order. */
export function filterRows(rows, { text, statuses }) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0 && statuses.size === 0)
        return rows;
    return rows.filter(({ api, apiId, cells }) => {
        const name = `${api} ${apiId}`.toLowerCase();
        if (!words.every((word) => name.includes(word)))
            return false;
        return statuses.size === 0 || [...cells.values()].some(({ status }) => statuses.has(status));
    });
}
