import { element, replaceContent, setText, setTitle } from './element.ts';
import type { ApiRow } from './model.ts';
import { cellStyle, type GridCell } from './status-styles.ts';

/** A column of the matrix. */
export interface Column {
  readonly id: string;
  readonly name: string;
  readonly protected: boolean;
}

/** The number of rows rendered above and below the visible ones, so that fast scrolling shows no gap. */
const overscan = 8;

/** A row that is in the document. */
interface RenderedRow {
  readonly node: HTMLElement;
  index: number;
}

/**
 * The matrix of APIs and environments. Only visible rows are in the document, so that ten thousand cells scroll as fast as ten, and an
 * update touches only changed cells. Tab reaches one cell, the arrow keys reach the others.
 */
export class Grid {
  readonly #root: HTMLElement;
  readonly #body = element('div', { class: 'body', role: 'presentation' });
  readonly #head = element('div', { class: 'row head', role: 'row', 'aria-rowindex': 1 });
  readonly #onOpen: (row: ApiRow) => void;
  readonly #rendered = new Map<string, RenderedRow>();
  #rows: readonly ApiRow[] = [];
  #columns: readonly Column[] = [];
  /** The cell that Tab reaches; column 0 contains the API's name. */
  #active = { row: 0, column: 0 };
  #rowHeight = 36;

  /** `open` is called with the row that the user opens. */
  constructor(root: HTMLElement, open: (row: ApiRow) => void) {
    this.#root = root;
    this.#onOpen = open;
    root.append(this.#head, this.#body);
    root.addEventListener('scroll', () => this.#render(), { passive: true });
    root.addEventListener('keydown', (event) => this.#onKeyDown(event));
    root.addEventListener('click', (event) => this.#onClick(event));
    new ResizeObserver(() => this.#render()).observe(root);
  }

  /** Replaces the rows and columns. */
  show(rows: readonly ApiRow[], columns: readonly Column[]): void {
    const isOther =
      columns.length !== this.#columns.length ||
      columns.some(({ id, name }, index) => this.#columns[index]?.id !== id || this.#columns[index]?.name !== name);
    const active = this.#rows[this.#active.row]?.apiId;
    const index = rows.findIndex(({ apiId }) => apiId === active);
    this.#rows = rows;
    if (isOther) this.#showColumns(columns);
    this.#root.setAttribute('aria-rowcount', String(rows.length + 1));
    this.#body.style.height = `${rows.length * this.#rowHeight}px`;
    this.#active = { ...this.#active, row: index >= 0 ? index : Math.max(0, Math.min(this.#active.row, rows.length - 1)) };
    this.#render();
  }

  /** Redraws the cells of these APIs; the set of rows must be unchanged. */
  update(apiIds: ReadonlySet<string>): void {
    for (const apiId of apiIds) {
      const shown = this.#rendered.get(apiId);
      const row = this.#rows[shown?.index ?? -1];
      if (shown && row?.apiId === apiId) this.#fillRow(shown.node, row, true);
    }
  }

  /** Moves the focus into the matrix. */
  focus(): void {
    this.#focusActive();
  }

  #showColumns(columns: readonly Column[]): void {
    this.#columns = columns;
    this.#root.setAttribute('aria-colcount', String(columns.length + 1));
    this.#root.style.setProperty('--environments', String(columns.length));
    const titles = columns.map(({ name, protected: isProtected }) =>
      element(
        'div',
        { role: 'columnheader' },
        `${name} `,
        isProtected ? element('span', { class: 'to', title: 'Nothing goes offline here without an approval' }, 'protected') : null,
      ),
    );
    this.#head.replaceChildren(element('div', { role: 'columnheader' }, 'API'), ...titles);
    for (const { node } of this.#rendered.values()) node.remove();
    this.#rendered.clear();
    const height = Number.parseFloat(getComputedStyle(this.#head).height);
    if (height > 0) this.#rowHeight = height;
  }

  #render(): void {
    const first = Math.max(0, Math.floor(this.#root.scrollTop / this.#rowHeight) - overscan);
    const last = Math.min(this.#rows.length, Math.ceil((this.#root.scrollTop + this.#root.clientHeight) / this.#rowHeight) + overscan);
    const wanted = new Map<string, number>();
    for (let index = first; index < last; index += 1) wanted.set(this.#rows[index]?.apiId ?? '', index);
    // Keep the row of the active cell in the document, since it may have the focus.
    const active = this.#rows[this.#active.row];
    if (active) wanted.set(active.apiId, this.#active.row);
    for (const [apiId, { node }] of this.#rendered) {
      if (wanted.has(apiId)) continue;
      node.remove();
      this.#rendered.delete(apiId);
    }
    for (const [apiId, index] of wanted) this.#renderRow(apiId, index);
  }

  #renderRow(apiId: string, index: number): void {
    const row = this.#rows[index];
    if (!row) return;
    let shown = this.#rendered.get(apiId);
    if (!shown) {
      shown = { node: this.#emptyRow(), index: -1 };
      this.#rendered.set(apiId, shown);
      this.#body.append(shown.node);
      this.#fillRow(shown.node, row, false);
    } else this.#fillRow(shown.node, row, true);
    if (shown.index === index) return;
    shown.index = index;
    shown.node.setAttribute('aria-rowindex', String(index + 2));
    shown.node.style.top = `${index * this.#rowHeight}px`;
    this.#markActive(shown.node, index);
  }

  #emptyRow(): HTMLElement {
    const cells = this.#columns.map(() => element('div', { role: 'gridcell', tabindex: -1 }));
    return element('div', { class: 'row', role: 'row' }, element('div', { role: 'rowheader', tabindex: -1 }), ...cells);
  }

  #fillRow(node: HTMLElement, row: ApiRow, isUpdate: boolean): void {
    const [head, ...cells] = node.children as HTMLCollectionOf<HTMLElement>;
    if (head) {
      setText(head, row.api);
      setTitle(head, row.apiId);
    }
    for (const [index, { id }] of this.#columns.entries()) {
      const cell = cells[index];
      if (cell) renderCell(cell, row.cells.get(id), isUpdate);
    }
  }

  #markActive(node: HTMLElement, index: number): void {
    for (const [column, cell] of [...node.children].entries()) {
      (cell as HTMLElement).tabIndex = index === this.#active.row && column === this.#active.column ? 0 : -1;
    }
  }

  #activate(row: number, column: number): void {
    const before = this.#rows[this.#active.row];
    this.#active = { row: Math.max(0, Math.min(row, this.#rows.length - 1)), column: Math.max(0, Math.min(column, this.#columns.length)) };
    const old = before && this.#rendered.get(before.apiId);
    if (old) this.#markActive(old.node, old.index);
    const top = this.#active.row * this.#rowHeight;
    const visible = this.#root.clientHeight - 2 * this.#rowHeight;
    if (top < this.#root.scrollTop) this.#root.scrollTop = top;
    else if (top > this.#root.scrollTop + visible) this.#root.scrollTop = top - visible;
    this.#render();
    this.#focusActive();
  }

  #focusActive(): void {
    const row = this.#rows[this.#active.row];
    const shown = row && this.#rendered.get(row.apiId);
    if (!shown) {
      this.#root.focus();
      return;
    }
    this.#markActive(shown.node, shown.index);
    (shown.node.children[this.#active.column] as HTMLElement | undefined)?.focus({ preventScroll: true });
  }

  #onKeyDown(event: KeyboardEvent): void {
    const { row, column } = this.#active;
    const page = Math.max(1, Math.floor(this.#root.clientHeight / this.#rowHeight) - 2);
    const last = this.#rows.length - 1;
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      PageUp: [row - page, column],
      PageDown: [row + page, column],
      Home: event.ctrlKey ? [0, 0] : [row, 0],
      End: event.ctrlKey ? [last, this.#columns.length] : [row, this.#columns.length],
    };
    const move = moves[event.key];
    const opened = this.#rows[row];
    if (move) this.#activate(...move);
    else if ((event.key === 'Enter' || event.key === ' ') && opened) this.#onOpen(opened);
    else return;
    event.preventDefault();
  }

  #onClick(event: MouseEvent): void {
    const cell = (event.target as HTMLElement).closest<HTMLElement>('.body .row > div');
    const node = cell?.parentElement;
    const shown = [...this.#rendered.values()].find((one) => one.node === node);
    const row = shown && this.#rows[shown.index];
    if (!row || !cell || !node) return;
    this.#activate(shown.index, [...node.children].indexOf(cell));
    this.#onOpen(row);
  }
}

/** Redraws the cell only if its content has changed. */
function renderCell(node: HTMLElement, cell: GridCell | undefined, isUpdate: boolean): void {
  const look = cell ? cellStyle(cell) : { sign: '', label: 'not declared', detail: '' };
  const state = `${look.sign} ${look.label} ${look.detail}`;
  setTitle(node, cell?.message ?? '');
  if (node.dataset['state'] === state) return;
  node.dataset['state'] = state;
  node.className = cell ? `${cell.status}${cell.status === 'unchanged' && cell.desired === 'offline' ? ' off' : ''}` : 'none';
  if (isUpdate) {
    // Force a reflow without the class, since the browser restarts the animation only then.
    void node.offsetWidth;
    node.classList.add('new');
  }
  const sign = element('span', { class: 'sign', 'aria-hidden': true }, look.sign);
  replaceContent(node, [sign, ` ${look.label}`, ...(look.detail ? [' ', element('span', { class: 'to' }, look.detail)] : [])]);
}
