import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readUiFiles } from '../../src/server/server.ts';

const files = readUiFiles();

const pages = ['page.html', 'overview.html'].map((name) => files.get(name)?.body.toString() ?? '');

test('every file that a page names is served, and nothing else of the disk', () => {
  const named = pages.flatMap((html) => [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path ?? ''));
  const scripts = [...files].filter(([path]) => path.endsWith('.js'));
  const imported = scripts.flatMap(([, { body }]) =>
    [...body.toString().matchAll(/from ["']\.\/([^"']+)["']/g)].map(([, name]) => `/ui/${name}`),
  );
  assert.ok(named.length > 4 && imported.length > 5);
  for (const path of [...named, ...imported]) assert.ok(files.has(path), path);
  assert.equal(
    [...files.keys()].filter((path) => !/^(?:page|overview)\.html$|^\/ui\/[a-z-]+\.(css|js|svg)$/.test(path)),
    [],
  );
});

test('a page loads nothing from other origins', () => {
  for (const [path, { body }] of files) assert.not.match(body.toString().replaceAll('http://www.w3.org/2000/svg', ''), /https?:\/\//, path);
});

test('the page has no inline style or script, which its policy would block', () => {
  for (const html of pages) assert.not.match(html, /<style|style=|<script(?![^>]* src=)| on\w+=/);
});

test.run();
