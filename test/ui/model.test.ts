import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { filterRows, Model } from '../../src/ui/model.ts';
import type { CellStatus, GridCell } from '../../src/ui/status-styles.ts';
import { fc } from '../support/fast-check.ts';

const cell = (api: string, environmentId: string, status: CellStatus = 'unchanged'): GridCell => ({
  ...{ api, apiId: `api-${api}`, environmentId, status, desired: 'online', recorded: 'online', observed: null, message: status },
});
const whole = (...cells: readonly GridCell[]) => ({ complete: true, cells, removed: [] });
const part = (...cells: readonly GridCell[]) => ({ complete: false, cells, removed: [] });

test('an API is a row, in the order in which people read names', () => {
  const model = new Model();
  model.applyCells(whole(cell('api10', 'test'), cell('api9', 'test'), cell('Api1', 'test'), cell('api9', 'release')));
  assert.equal(
    model.rows.map(({ api, cells }) => `${api} ${cells.size}`),
    ['Api1 1', 'api9 2', 'api10 1'],
  );
});

test('a change is told by the API that it is in, and nothing by what is the same', () => {
  const model = new Model();
  model.applyCells(whole(cell('orders', 'test'), cell('carts', 'test')));
  assert.equal(model.applyCells(part(cell('orders', 'test'))), { apiIds: new Set(), hasRowChanges: false });
  assert.equal(model.applyCells(part(cell('orders', 'test', 'held'))), { apiIds: new Set(['api-orders']), hasRowChanges: false });
  assert.equal(model.applyCells(whole(cell('orders', 'test', 'held'), cell('carts', 'test'))), { apiIds: new Set(), hasRowChanges: false });
});

test('a change of any field is a change', () => {
  const others: GridCell = {
    ...{ api: 'carts', apiId: 'api-carts', environmentId: 'release' },
    ...{ status: 'held', desired: 'offline', recorded: 'offline', observed: 'offline', message: 'held' },
  };
  const before = cell('orders', 'test');
  for (const field of Object.keys(before).filter((name) => name !== 'apiId' && name !== 'environmentId') as (keyof GridCell)[]) {
    const model = new Model();
    model.applyCells(whole(before));
    assert.equal([...model.applyCells(part({ ...before, [field]: others[field] })).apiIds], ['api-orders'], field);
  }
});

test('what has gone goes, its row with the last of it', () => {
  const model = new Model();
  model.applyCells(whole(cell('orders', 'test'), cell('orders', 'release'), cell('carts', 'test')));
  const gone = (api: string, environmentId: string) => ({ complete: false, cells: [], removed: [{ apiId: `api-${api}`, environmentId }] });
  assert.equal(model.applyCells(gone('orders', 'test')), { apiIds: new Set(['api-orders']), hasRowChanges: false });
  assert.equal(model.applyCells(gone('orders', 'release')), { apiIds: new Set(['api-orders']), hasRowChanges: true });
  assert.equal(
    model.rows.map(({ api }) => api),
    ['carts'],
  );
  model.applyCells(whole());
  assert.equal(model.rows, []);
});

test('parts and the whole lead to the same', () => {
  const some = fc.array(
    fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('x', 'y'), fc.constantFrom<CellStatus>('held', 'unchanged')),
  );
  fc.assert(
    fc.property(fc.array(some, { maxLength: 6 }), (states) => {
      const model = new Model();
      let before = new Map<string, GridCell>();
      for (const state of states) {
        const now = new Map(state.map(([api, environmentId, status]) => [`${api} ${environmentId}`, cell(api, environmentId, status)]));
        const gone = [...before].filter(([key]) => !now.has(key)).map(([, { apiId, environmentId }]) => ({ apiId, environmentId }));
        model.applyCells({ complete: false, cells: [...now.values()], removed: gone });
        before = now;
      }
      const fresh = new Model();
      fresh.applyCells(whole(...before.values()));
      const shown = ({ rows }: Model) =>
        rows.map(({ api, cells }) => [api, [...cells.values()].map((one) => `${one.environmentId} ${one.status}`).sort()]);
      assert.equal(shown(model), shown(fresh));
    }),
  );
});

for (const [text, statusCounts, expected] of [
  ['', [], ['carts', 'orders-eu', 'orders-us']],
  ['ORDERS', [], ['orders-eu', 'orders-us']],
  ['us ord', [], ['orders-us']],
  ['api-carts', [], ['carts']],
  ['nobody', [], []],
  ['', ['held'], ['orders-eu']],
  ['us', ['held'], []],
  ['', ['held', 'failed'], ['carts', 'orders-eu']],
] as const) {
  test(`"${text}" ${statusCounts.join(' ')} finds ${expected.join(', ') || 'nothing'}`, () => {
    const model = new Model();
    model.applyCells(
      whole(cell('orders-eu', 'test'), cell('orders-eu', 'release', 'held'), cell('orders-us', 'test'), cell('carts', 'test', 'failed')),
    );
    assert.equal(
      filterRows(model.rows, { text, statuses: new Set<CellStatus>(statusCounts) }).map(({ api }) => api),
      expected,
    );
  });
}

test.run();
