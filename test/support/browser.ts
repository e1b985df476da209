import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import chromium from '@sparticuz/chromium';
import { type Browser, type Page, chromium as playwright } from 'playwright-core';

/** Returns a headless Chromium: the one that EDICT_TEST_CHROMIUM names, else the one that an npm package carries. */
export async function openBrowser(): Promise<Browser> {
  const named = process.env['EDICT_TEST_CHROMIUM'];
  if (named) return playwright.launch({ executablePath: named, args: ['--no-sandbox'] });
  // With one process for all, the first page that is closed takes the browser along.
  const args = chromium.args.filter((arg) => arg !== '--single-process' && arg !== '--no-zygote');
  return playwright.launch({ executablePath: await chromium.executablePath(), args });
}

/** Returns what axe, the accessibility checker, finds wrong with a page as it is now, each with its rule and places. */
export async function violations(page: Page): Promise<readonly string[]> {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  // The page's own policy lets nothing be added as a script element; what the debugger evaluates it does not govern.
  await page.evaluate(axe);
  const found: { id: string; nodes: { target: string[]; failureSummary: string }[] }[] = await page.evaluate(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)`,
  );
  return found.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`));
}
