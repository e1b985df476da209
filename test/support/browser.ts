import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, type Page, chromium as playwright } from 'playwright-core';
import { temporaryFolder } from './temporary-folder.ts';

/** Returns a headless Chromium: the one that EDICT_TEST_CHROMIUM names, else the one in an npm package. Rejects with the browser's own output if it does not start. */
export async function openBrowser(): Promise<Browser> {
  const named = process.env['EDICT_TEST_CHROMIUM'];
  if (named) return playwright.launch({ executablePath: named, args: ['--no-sandbox'], timeout: startMs });
  // In a single process, closing the first page ends the browser.
  const args = chromium.args.filter((arg) => arg !== '--single-process' && arg !== '--no-zygote');
  return playwright.launch({ executablePath: await unpacked(), args, timeout: startMs });
}

const startMs = 60_000;

/**
 * Returns the path of the Chromium in the package, unpacked in the folder of this test run, or in one of this process. The package itself unpacks
 * to a fixed path for all users, where the browser of another user cannot be started and that of another version stays.
 */
async function unpacked(): Promise<string> {
  const folder = join(process.env['EDICT_TEST_FOLDER'] ?? temporaryFolder(), 'chromium');
  const executable = join(folder, 'chromium');
  if (existsSync(executable)) return executable;
  const own = `${folder}-${process.pid}`;
  mkdirSync(own);
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = own;
  try {
    await chromium.executablePath();
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
  try {
    renameSync(own, folder);
  } catch (error) {
    if (!existsSync(executable)) throw error;
    rmSync(own, { recursive: true }); // another test file was faster
  }
  return executable;
}

/** Returns the accessibility errors that axe finds in the current state of a page, each with its rule and places. */
export async function violations(page: Page): Promise<readonly string[]> {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  // The policy of the page blocks added script elements, but not what the debugger evaluates.
  await page.evaluate(axe);
  const found: { id: string; nodes: { target: string[]; failureSummary: string }[] }[] = await page.evaluate(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)`,
  );
  return found.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`));
}
