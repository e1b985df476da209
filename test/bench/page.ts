import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { startEmulatedGateway } from './emulated-gateway.ts';
import { writeFixture } from './fixture.ts';
import { generateFile } from './generated-file.ts';
import { startNode } from './measured-process.ts';
import { atMost, duration, grouped, median, type Row, table } from './table.ts';

const publications = 10_000;
const visits = 5;
const edits = 6;

/**
 * Records, in the browser, when the matrix was first painted, in milliseconds after the navigation started, and how long each
 * message about cells took from its arrival until the frame after it was painted.
 */
const watchPaints = `
  window.paints = { first: null, changes: [] };
  const afterPaint = (done) => requestAnimationFrame(() => setTimeout(done));
  const look = () => document.querySelector('.body .row') ? afterPaint(() => { window.paints.first = performance.now(); }) : requestAnimationFrame(look);
  requestAnimationFrame(look);
  const decode = TextDecoder.prototype.decode;
  TextDecoder.prototype.decode = function (...input) {
    const at = performance.now();
    const text = decode.apply(this, input);
    if (text.includes('event: cells')) afterPaint(() => window.paints.changes.push(performance.now() - at));
    return text;
  };`;

/** Measures, in a real browser, how soon the matrix is visible and how long it takes to paint a change. Returns the table. */
export async function measurePage(main: string, folder: string): Promise<string> {
  await using gateway = await startEmulatedGateway(main, folder, generateFile({ publications }).json);
  const { file, state, text, movable } = await writeFixture(folder, { publications, endpoint: gateway.url });
  await using daemon = startNode([main, 'run', file, '--state', state, '--listen', '127.0.0.1:0', '--log-format', 'json']);
  const url = (await daemon.line(/"event":"daemon:started".*"url":"([^"]+)"/))[1] ?? '';
  await daemon.line(/"event":"plan:computed"/);
  const browser = await openBrowser();
  try {
    const first: number[] = [];
    const changes: number[] = [];
    for (let visit = 0; visit < visits; visit += 1) {
      const page = await browser.newPage();
      await page.addInitScript(watchPaints);
      await page.goto(url);
      await when(page, 'window.paints.first !== null');
      first.push(await page.evaluate<number>('window.paints.first'));
      if (visit === visits - 1) {
        for (let edit = 0; edit < edits; edit += 1) {
          const { at, length } = movable[edit * Math.floor(movable.length / edits)] ?? { at: 0, length: 0 };
          const count = await page.evaluate<number>('window.paints.changes.length');
          writeFileSync(file, `${text.slice(0, at)}offline${text.slice(at + length)}`);
          await when(page, `window.paints.changes.length > ${count}`);
          await sleep(600);
        }
        changes.push(...(await page.evaluate<number[]>('window.paints.changes.slice(1)')));
      }
      await page.close();
    }
    const row = (name: string, values: readonly number[], limit: number): Row => ({
      cells: [name, String(values.length), duration(median(values)), duration(Math.max(...values))],
      target: atMost(median(values), limit, duration(limit)),
    });
    return table(
      `The page with ${grouped(publications)} cells in Chromium`,
      ['', 'times', 'median', 'longest'],
      [row('from the navigation to the painted matrix', first, 1000), row('from a change’s arrival to its painted cell', changes, 100)],
    );
  } finally {
    await browser.close();
  }
}

/** Resolves when an expression holds in the page; the policy of the page blocks the wait functions of Playwright. */
async function when(page: Page, expression: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await page.evaluate<boolean>(expression)); await sleep(10)) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${expression}`);
  }
}
