import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidFileError } from '../../src/model/errors.ts';
import { openShownPage, type ShownPage } from '../support/shown-page.ts';
import { reconcileSummary, recorded, wanted } from '../support/states.ts';

const test = suite('panels');
let shown: ShownPage;
test.before(async () => {
  shown = await openShownPage();
});
test.after(() => shown.close());

const text = (id: string): Promise<string> => shown.page.locator(`#${id}`).innerText();

test('the queue shows the pending changes, the time left and what limits the rate', async () => {
  shown.plan(
    ['orders', 'carts', 'users'].map((name) => wanted(name, 'test')),
    [],
  );
  await shown.page.getByText('3 pending', { exact: true }).waitFor();
  const queue = await text('queue');
  for (const part of ['in flight', '10 calls/s', 'about 0.2 s', 'limit in the file: 10 calls/s']) assert.match(queue, part);
  shown.emit({ type: 'rate:changed', calls: 2, perMs: 1000, limit: 10 });
  await shown.page.getByText('throttled by the gateway: 2 calls/s of 10 calls/s').waitFor();
  assert.match(await text('queue'), 'about 1 s');
});

test('a notice says why requests are paused, until they resume', async () => {
  shown.emit({ type: 'requests:paused', reason: 'outage', message: 'nobody answers' });
  await shown.page.getByRole('alert').getByText('The gateway cannot be reached').waitFor();
  assert.is(await shown.page.title(), 'edict: paused');
  shown.emit({ type: 'requests:resumed' });
  await shown.page.getByRole('alert').waitFor({ state: 'detached' });
});

test('a notice shows the errors of an invalid file, without its text, until it is fixed', async () => {
  const diagnostic = {
    rule: 'invalid-value',
    file: 'edict.yaml',
    line: 7,
    column: 5,
    length: 3,
    message: '<b>onl</b> is no state',
    hint: 'online?',
    excerpt: { text: '    onl', column: 1 },
  } as const;
  shown.emit({ type: 'file:invalid', error: new InvalidFileError('edict.yaml', [diagnostic]) });
  const notice = shown.page.getByRole('alert');
  await notice.waitFor();
  const shownText = await notice.innerText();
  assert.match(
    shownText,
    /^edict.yaml has 1 error\n+The last valid file, loaded at \S+, stays in force.\n+edict.yaml:7:5 +The value or name is not allowed here\n {2}= `edict validate` shows the cause$/,
  );
  assert.is(await shown.page.title(), 'edict: invalid file');
  shown.plan([wanted('orders', 'test')], []);
  await notice.waitFor({ state: 'detached' });
});

test('a notice shows the held changes, the reasons, and the approve command with a copy button', async () => {
  const offline = ['a', 'b'].map((name) => wanted(name, 'release', { state: 'offline' }));
  shown.plan(
    offline,
    ['a', 'b'].map((name) => recorded(name, 'release')),
    { protectedNames: ['release'] },
  );
  const notice = shown.page.locator('.notice');
  await notice.getByText('2 changes are held').waitFor();
  assert.match(
    await notice.innerText(),
    'a in release, b in release: offline: environment release is protected: nothing goes offline there',
  );
  await shown.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await notice.getByRole('button', { name: 'Copy' }).click();
  await notice.getByText('copied').waitFor();
  assert.is(await shown.page.evaluate('navigator.clipboard.readText()'), 'edict approve sha256:0 --by NAME --reason TEXT');
});

test('the last reconciliations are shown with their results', async () => {
  const summary = reconcileSummary({ online: 1200, offline: 1, held: 2, failed: 3, durationMs: 12_000 });
  shown.emit({ type: 'reconcile:started', reconcileId: '1', cause: 'file' }, { type: 'reconcile:finished', reconcileId: '1', summary });
  shown.emit({ type: 'reconcile:started', reconcileId: '2', cause: 'resync' });
  await shown.page.getByText('resync: running').waitFor();
  assert.match(await text('reconciliations'), 'file change: 1,200 online, 1 offline, 2 held, 3 failed in 12 s');
});

test('a status button filters the rows and shows that it is pressed', async () => {
  shown.plan([wanted('orders', 'test'), wanted('carts', 'test')], [recorded('carts', 'test')]);
  const button = shown.page.getByRole('button', { name: '1 pending' });
  await button.click();
  await shown.page.getByText('1 of 2 APIs').waitFor();
  assert.is(await button.getAttribute('aria-pressed'), 'true');
  await button.click();
  await shown.page.getByText('2 APIs').waitFor();
});

test('the browser reports no error', () => assert.equal(shown.complaints, []));

test.run();
