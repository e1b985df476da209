import type { components } from '../../generated/edict-api.d.ts';
import type { CellStatus, GridCell } from './status-styles.ts';

type Schemas = components['schemas'];

/** An API and its publications by environment ID. */
export interface ApiRow {
  readonly apiId: string;
  readonly api: string;
  readonly cells: ReadonlyMap<string, GridCell>;
}

/** The user's filter. */
export interface RowFilter {
  /** Words that the API's name or ID must all contain. */
  readonly text: string;
  /** The statuses to show; all if empty. */
  readonly statuses: ReadonlySet<CellStatus>;
}

/** The effect of a message: the APIs with changed cells, and whether rows were added, removed or renamed. */
export interface ModelUpdate {
  readonly apiIds: ReadonlySet<string>;
  readonly hasRowChanges: boolean;
}

const nameCollator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** All APIs, sorted by name and updated by the daemon's messages. */
export class Model {
  #rows = new Map<string, { readonly apiId: string; api: string; readonly cells: Map<string, GridCell> }>();
  #sorted: readonly ApiRow[] | null = null;

  /** The rows, sorted by name. */
  get rows(): readonly ApiRow[] {
    this.#sorted ??= [...this.#rows.values()].sort((a, b) => nameCollator.compare(a.api, b.api) || (a.apiId < b.apiId ? -1 : 1));
    return this.#sorted;
  }

  /** Applies a message of the daemon and returns the changes. */
  applyCells({ complete, cells, removed }: Schemas['Cells']): ModelUpdate {
    const apiIds = new Set<string>();
    const left = complete ? new Set(this.#keys()) : new Set<string>();
    let hasRowChanges = false;
    for (const cell of cells) {
      left.delete(keyOf(cell));
      const row = this.#rows.get(cell.apiId);
      if (!row || row.api !== cell.api) hasRowChanges = true;
      if (!row) this.#rows.set(cell.apiId, { apiId: cell.apiId, api: cell.api, cells: new Map([[cell.environmentId, cell]]) });
      else {
        row.api = cell.api;
        const before = row.cells.get(cell.environmentId);
        if (before && isSameCell(before, cell)) continue;
        row.cells.set(cell.environmentId, cell);
      }
      apiIds.add(cell.apiId);
    }
    for (const key of [...left, ...removed.map(keyOf)]) {
      const [apiId = '', environmentId = ''] = key.split(' ');
      const row = this.#rows.get(apiId);
      row?.cells.delete(environmentId);
      apiIds.add(apiId);
      if (row?.cells.size !== 0) continue;
      this.#rows.delete(apiId);
      hasRowChanges = true;
    }
    if (hasRowChanges) this.#sorted = null;
    return { apiIds, hasRowChanges };
  }

  *#keys(): Iterable<string> {
    for (const { apiId, cells } of this.#rows.values()) for (const environmentId of cells.keys()) yield `${apiId} ${environmentId}`;
  }
}

function keyOf({ apiId, environmentId }: { readonly apiId: string; readonly environmentId: string }): string {
  return `${apiId} ${environmentId}`;
}

/** Compares every field, so that no field of the document can change without being redrawn. */
function isSameCell(a: GridCell, b: GridCell): boolean {
  return (Object.keys(b) as (keyof GridCell)[]).every((field) => a[field] === b[field]);
}

/** Returns the rows that match the filter, in order. */
export function filterRows(rows: readonly ApiRow[], { text, statuses }: RowFilter): readonly ApiRow[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0 && statuses.size === 0) return rows;
  return rows.filter(({ api, apiId, cells }) => {
    const name = `${api} ${apiId}`.toLowerCase();
    if (!words.every((word) => name.includes(word))) return false;
    return statuses.size === 0 || [...cells.values()].some(({ status }) => statuses.has(status));
  });
}
