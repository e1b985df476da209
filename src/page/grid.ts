import { element } from './element.ts';
import { type Cell, classOf, lookOf } from './looks.ts';
import type { Row } from './model.ts';

/** A column of the matrix. */
export interface Column {
  readonly id: string;
  readonly name: string;
  readonly protected: boolean;
}

/** Rows beyond the visible ones, so that a quick scroll shows no gap. */
const overscan = 8;

/** What of a row is in the document. */
interface Shown {
  readonly node: HTMLElement;
  index: number;
}

/**
 * The matrix. Only the rows that can be seen are in the document, so that ten thousand cells scroll like ten; of these an
 * update touches only what has changed. One cell at a time can be reached with Tab, the others with the arrow keys.
 */
export class Grid {
  readonly #root: HTMLElement;
  readonly #body = element('div', { class: 'body', role: 'presentation' });
  readonly #head = element('div', { class: 'row head', role: 'row', 'aria-rowindex': 1 });
  readonly #open: (row: Row) => void;
  readonly #shown = new Map<string, Shown>();
  #rows: readonly Row[] = [];
  #columns: readonly Column[] = [];
  /** The cell that Tab reaches; column 0 is the API's name. */
  #active = { row: 0, column: 0 };
  #rowHeight = 36;

  /** `open` is called with the row that a person wants to know more of. */
  constructor(root: HTMLElement, open: (row: Row) => void) {
    this.#root = root;
    this.#open = open;
    root.append(this.#head, this.#body);
    root.addEventListener('scroll', () => this.#draw(), { passive: true });
    root.addEventListener('keydown', (event) => this.#pressed(event));
    root.addEventListener('click', (event) => this.#clicked(event));
    new ResizeObserver(() => this.#draw()).observe(root);
  }

  /** Shows these rows from now on. */
  show(rows: readonly Row[], columns: readonly Column[]): void {
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
    this.#draw();
  }

  /** Shows what these APIs are now; their rows are the same. */
  update(apiIds: ReadonlySet<string>): void {
    for (const apiId of apiIds) {
      const shown = this.#shown.get(apiId);
      const row = this.#rows[shown?.index ?? -1];
      if (shown && row?.apiId === apiId) this.#fill(shown.node, row, true);
    }
  }

  /** Puts the focus into the matrix. */
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
        isProtected ? element('span', { class: 'to', title: 'Nothing goes offline here without a person’s agreement' }, 'protected') : null,
      ),
    );
    this.#head.replaceChildren(element('div', { role: 'columnheader' }, 'API'), ...titles);
    for (const { node } of this.#shown.values()) node.remove();
    this.#shown.clear();
    const height = Number.parseFloat(getComputedStyle(this.#head).height);
    if (height > 0) this.#rowHeight = height;
  }

  #draw(): void {
    const first = Math.max(0, Math.floor(this.#root.scrollTop / this.#rowHeight) - overscan);
    const last = Math.min(this.#rows.length, Math.ceil((this.#root.scrollTop + this.#root.clientHeight) / this.#rowHeight) + overscan);
    const wanted = new Map<string, number>();
    for (let index = first; index < last; index += 1) wanted.set(this.#rows[index]?.apiId ?? '', index);
    // The one that Tab reaches, perhaps with the focus on it, stays where it is.
    const active = this.#rows[this.#active.row];
    if (active) wanted.set(active.apiId, this.#active.row);
    for (const [apiId, { node }] of this.#shown) {
      if (wanted.has(apiId)) continue;
      node.remove();
      this.#shown.delete(apiId);
    }
    for (const [apiId, index] of wanted) this.#place(apiId, index);
  }

  #place(apiId: string, index: number): void {
    const row = this.#rows[index];
    if (!row) return;
    let shown = this.#shown.get(apiId);
    if (!shown) {
      shown = { node: this.#emptyRow(), index: -1 };
      this.#shown.set(apiId, shown);
      this.#body.append(shown.node);
      this.#fill(shown.node, row, false);
    } else this.#fill(shown.node, row, true);
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

  #fill(node: HTMLElement, row: Row, isUpdate: boolean): void {
    const [head, ...cells] = node.children as HTMLCollectionOf<HTMLElement>;
    if (head && head.textContent !== row.api) {
      head.textContent = row.api;
      head.title = row.apiId;
    }
    for (const [index, { id }] of this.#columns.entries()) {
      const cell = cells[index];
      if (cell) paint(cell, row.cells.get(id), isUpdate);
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
    const old = before && this.#shown.get(before.apiId);
    if (old) this.#markActive(old.node, old.index);
    const top = this.#active.row * this.#rowHeight;
    const visible = this.#root.clientHeight - 2 * this.#rowHeight;
    if (top < this.#root.scrollTop) this.#root.scrollTop = top;
    else if (top > this.#root.scrollTop + visible) this.#root.scrollTop = top - visible;
    this.#draw();
    this.#focusActive();
  }

  #focusActive(): void {
    const row = this.#rows[this.#active.row];
    const shown = row && this.#shown.get(row.apiId);
    if (!shown) {
      this.#root.focus();
      return;
    }
    this.#markActive(shown.node, shown.index);
    (shown.node.children[this.#active.column] as HTMLElement | undefined)?.focus({ preventScroll: true });
  }

  #pressed(event: KeyboardEvent): void {
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
    else if ((event.key === 'Enter' || event.key === ' ') && opened) this.#open(opened);
    else return;
    event.preventDefault();
  }

  #clicked(event: MouseEvent): void {
    const cell = (event.target as HTMLElement).closest<HTMLElement>('.body .row > div');
    const node = cell?.parentElement;
    const shown = [...this.#shown.values()].find((one) => one.node === node);
    const row = shown && this.#rows[shown.index];
    if (!row || !cell || !node) return;
    this.#activate(shown.index, [...node.children].indexOf(cell));
    this.#open(row);
  }
}

/** Touches the cell only if it shows something else than before. */
function paint(node: HTMLElement, cell: Cell | undefined, isUpdate: boolean): void {
  const look = cell ? lookOf(cell) : { sign: '', word: 'not declared', to: '' };
  const state = `${look.sign} ${look.word} ${look.to}`;
  if (node.title !== (cell?.message ?? '')) node.title = cell?.message ?? '';
  if (node.dataset['state'] === state) return;
  node.dataset['state'] = state;
  node.className = cell ? `${classOf(cell.standing)}${cell.standing === 'in sync' && cell.desired === 'offline' ? ' off' : ''}` : 'none';
  if (isUpdate) {
    // The animation begins anew only after the browser has seen the cell without it.
    void node.offsetWidth;
    node.classList.add('new');
  }
  const sign = element('span', { class: 'sign', 'aria-hidden': true }, look.sign);
  node.replaceChildren(sign, ` ${look.word}`, ...(look.to ? [' ', element('span', { class: 'to' }, look.to)] : []));
}
