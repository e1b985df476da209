/*
 * No string on the page and in the HTTP API reorders, hides or forges what a viewer reads.
 *
 * Actors: the author (names, remarks, paths, commits), the gateway (answers), whoever wrote the store. Every place of the page shows all payloads at
 * once, in a real browser. The API keeps the strings as they are, with everything invisible as `\uXXXX` in the JSON text.
 */
import { connect } from 'node:net';
import { text as streamText } from 'node:stream/consumers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Attempt } from '../../src/model/attempt.ts';
import { InvalidFileError } from '../../src/model/errors.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { assertHarmless, hostileText } from '../support/control-characters.ts';
import { eventually } from '../support/eventually.ts';
import { openShownPage, type ShownPage } from '../support/shown-page.ts';
import * as states from '../support/states.ts';
import { recorded, wanted } from '../support/states.ts';
import { startTestServer } from '../support/status-server.ts';

const test = suite('attacks through the page');
const text = (word: string): string => hostileText(word).toWellFormed();

const attempts: Attempt[] = [];
let shown: ShownPage;
test.before(async () => {
  const over = { reason: 'revision', revision: text('REVISION'), environment: text('ENVIRONMENT') } as const;
  attempts.push(
    states.attempt('a', 'test', { id: 3, outcome: 'rejected', code: text('CODE'), message: text('ANSWER'), ...over }),
    states.attempt('a', 'test', {
      ...{ id: 2, outcome: 'succeeded', versionId: text('VERSION'), commitId: `\u202e${text('COMMIT')}` },
      ...{ approval: { by: text('APPROVER'), reason: text('REASON') }, ...over },
    }),
  );
  shown = await openShownPage(attempts, { file: text('FILE') });
});
test.after(() => shown.close());

/** Emits a plan in which every string is hostile. */
function emitHostilePlan(): void {
  const declared = [
    wanted('a', 'test', { api: text('API'), environment: text('ENVIRONMENT'), revision: text('REVISION'), remark: text('REMARK') }),
    wanted('b', 'test', { api: text('HELD'), state: 'offline', source: { file: text('SOURCE'), line: 1, column: 1 } }),
  ];
  const known = [
    recorded('a', 'test', { api: text('API'), revision: '0', versionId: text('VERSION') }),
    recorded('b', 'test', { api: text('HELD') }),
    recorded('c', 'old', { api: text('UNMANAGED'), environment: text('UNDECLARED') }),
  ];
  const desired = states.desiredState(declared, {
    protectedNames: ['test'],
    gateway: states.gatewaySettings({ endpoint: `https://${text('ENDPOINT')}`, instance: text('INSTANCE') }),
  });
  const state = states.recordedState(known);
  const plan = {
    ...diffStates(desired, state),
    suspension: { by: text('SUSPENDER'), reason: text('SUSPENDED'), sinceMs: 1, untilMs: null },
  };
  shown.emit({ type: 'file:loaded', desired }, { type: 'plan:computed', reconcileId: 'r', cause: 'file', plan, recorded: state });
}

/** Everything that a viewer can see or hear of a document: its texts, the names that a pointer or a screen reader shows, its title. */
const everythingShown = `[document.title, document.documentElement.textContent, ...[...document.querySelectorAll('*')].flatMap((node) =>
  [...node.attributes].map(({ value }) => value))].join('\\n')`;

/** Throws an AssertionError if the page shows a hostile character, or lacks one of `words`. */
async function assertPage(words: readonly string[], what: string): Promise<void> {
  let seen = '';
  const isShown = async (): Promise<boolean> => {
    seen = String(await shown.page.evaluate(everythingShown));
    return words.every((word) => seen.includes(word));
  };
  await eventually(isShown, 30_000, `the page shows ${words.join(', ')}`);
  // The page is no log of a CI system.
  assertHarmless(seen.replaceAll('##', '#'), what);
}

test('names, remarks, versions, paths and people, in the matrix, the notices and the tooltips', async () => {
  emitHostilePlan();
  await assertPage(['API', 'HELD', 'UNMANAGED', 'UNDECLARED', 'FILE', 'ENDPOINT', 'INSTANCE', 'SUSPENDER', 'SUSPENDED'], 'the page');
});

test('answers, revisions, commits and approvals, in the timeline', async () => {
  await shown.page.getByRole('gridcell').first().click();
  await assertPage(['ANSWER', 'CODE', 'VERSION', 'REVISION', 'COMMIT'.slice(0, 4), 'APPROVER', 'REASON'], 'the timeline');
  await shown.page.keyboard.press('Escape');
});

test('a command to copy is copied as it is shown', async () => {
  await shown.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await shown.page.getByRole('button', { name: 'Copy' }).click();
  await shown.page.getByText('copied').waitFor();
  assertHarmless(String(await shown.page.evaluate('navigator.clipboard.readText()')), 'the clipboard');
});

test('errors of a file, an outage, another process and failures', async () => {
  const place = { file: text('PATH'), line: 1, column: 1, length: 1, excerpt: { text: '', column: 1 } };
  const diagnostic = { ...place, rule: 'invalid-value', message: text('MESSAGE'), hint: text('HINT') } as const;
  const events: readonly (readonly [string, EdictEvent])[] = [
    ['PATH', { type: 'file:invalid', error: new InvalidFileError(text('NAME'), [diagnostic]) }],
    ['UNREADABLE', { type: 'file:unreadable', message: text('UNREADABLE') }],
    ['OUTAGE', { type: 'requests:paused', reason: 'outage', message: text('OUTAGE') }],
    ['STANDBY', { type: 'lease:standby', reason: text('STANDBY') }],
  ];
  for (const [word, event] of events) {
    shown.emit(event);
    await assertPage([word], event.type);
  }
  assert.match(await shown.page.locator('#notices').innerText(), 'STANDBY\\u{1b}[45;8mhidden');
});

test('an answer of something that is not the daemon', async () => {
  const wrong = { status: 500, contentType: 'application/json', body: JSON.stringify({ error: { message: text('PROXY') } }) };
  await shown.page.route('**/api/v1/**', (route) => route.fulfill(wrong));
  await shown.page.reload();
  await assertPage(['PROXY'], 'the reason of a lost connection');
  await shown.page.unroute('**/api/v1/**');
});

test('the list of files', async () => {
  const file = { path: text('FILE'), page: '/x/', headline: text('HEADLINE'), emulated: false };
  const files = [{ ...file, gateway: { endpoint: text('ENDPOINT'), project: 'p', instance: text('INSTANCE') } }];
  const rows = await shown.page.evaluate(
    `import('/ui/overview.js').catch(() => null).then((found) => found && ${JSON.stringify(files)}.map(found.fileRow).map(({ outerHTML }) => outerHTML).join())`,
  );
  assert.match(String(rows), 'HEADLINE');
  assertHarmless(String(rows).replaceAll('##', '#'), 'the list of files');
});

test('the browser reports no error but that of the wrong answer', () => {
  assert.equal(
    shown.complaints.filter((complaint) => !/500|has no #/.test(complaint)),
    [],
  );
});

test('every document of the API is plain text in which JSON finds the strings as they are', async () => {
  const { api } = { api: text('API') };
  await using server = await startTestServer({
    shown: { history: async () => [states.attempt('a', 'test', { message: api })], daemonInfo: daemonInfoOf(text('FILE')) },
    health: { live: () => ({ ok: false, message: text('LIVE') }), ready: () => ({ ok: false, message: text('READY') }) },
  });
  const desired = states.desiredState([wanted('a', 'test', { api })]);
  const known = states.recordedState([recorded('a', 'test', { api, state: 'offline' })]);
  const plan = diffStates(desired, known);
  server.statusCache.emit({ type: 'file:loaded', desired });
  server.statusCache.emit({ type: 'plan:computed', reconcileId: 'r', cause: 'file', plan, recorded: known });
  for (const path of ['status', 'status?api=api-a', 'plan', 'history', 'files', 'nothing\u202e', 'history?limit=\u202e']) {
    const body = await (await fetch(`${server.url}/api/v1/${path}`)).text();
    assertHarmless(body, path);
    if (!/nothing|limit|files/.test(path)) assert.ok(JSON.stringify(JSON.parse(body)).includes(JSON.stringify(api).slice(1, -1)), path);
  }
  for (const path of ['livez', 'readyz']) assertHarmless(await (await fetch(`${server.url}/${path}`)).text(), path);
  assertHarmless(await firstEvents(server.url), 'the events');
});

test('an address that is none is refused like any other: for this page alone, and in plain text', async () => {
  await using server = await startTestServer();
  const { hostname, port } = new URL(server.url);
  const answerTo = async (host: string): Promise<string> => {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.end(`GET /% HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    return (await streamText(socket)).replaceAll('\r', '');
  };
  const answer = await answerTo('localhost');
  assert.match(answer, /^HTTP\/1\.1 400 /);
  for (const header of [
    'content-security-policy',
    'x-content-type-options: nosniff',
    'content-type: application/json; charset=utf-8',
    'cross-origin-resource-policy',
  ])
    assert.match(answer, header);
  assert.match(answer, '{"format":1,"error":{"code":"FST_ERR_BAD_URL"');
  assertHarmless(answer, 'the answer');
  assert.match(await answerTo('evil.example'), /^HTTP\/1\.1 421 /);
});

function daemonInfoOf(file: string) {
  return { version: '1', file, approveCommand: () => null };
}

/** Returns the first events of the stream: the whole status. */
async function firstEvents(url: string): Promise<string> {
  const controller = new AbortController();
  const response = await fetch(`${url}/api/v1/events`, { signal: controller.signal });
  let events = '';
  for await (const bytes of response.body ?? []) {
    events += Buffer.from(bytes).toString();
    if (events.includes('"complete"')) break;
  }
  controller.abort();
  return events;
}

test.run();
