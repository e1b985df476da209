import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContext, type BrowserContextOptions, type Page, chromium as playwright } from 'playwright-core';
import { temporaryFolder } from './temporary-folder.ts';

/** Returns a headless Chromium: the one that EDICT_TEST_CHROMIUM names, else the one in an npm package. Rejects with the browser's own output if it does not start. */
export async function openBrowser(): Promise<Browser> {
  const named = process.env['EDICT_TEST_CHROMIUM'];
  if (named) return playwright.launch({ executablePath: named, args: ['--no-sandbox'], timeout: startMs });
  // In a single process, closing the first page ends the browser.
  const args = chromium.args.filter((arg) => arg !== '--single-process' && arg !== '--no-zygote');
  return playwright.launch({ executablePath: await unpacked(), args, timeout: startMs });
}

// The page has no WebGL, whose renderer in software takes half of the browser's CPU time.
chromium.setGraphicsMode = false;

const startMs = 60_000;

/** The browser of this process, which the test files that share the process use one after the other. */
let shared: Promise<Browser> | null = null;
let closing: NodeJS.Timeout | undefined;
let contexts = 0;

/** Returns a new session in the browser that the tests of this process share: to be closed when its pages are no longer needed. */
export async function openContext(options: BrowserContextOptions): Promise<BrowserContext> {
  clearTimeout(closing);
  contexts += 1;
  shared ??= openBrowser();
  const context = await (await shared).newContext(options);
  context.once('close', closeBrowserSoon);
  return context;
}

/** Closes the browser if no page is opened soon: the next file may need it, and after the last one it would keep the process alive. */
function closeBrowserSoon(): void {
  contexts -= 1;
  if (contexts > 0) return;
  closing = setTimeout(async () => {
    const idle = shared;
    shared = null;
    await (await idle)?.close();
  }, 3000);
}

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
