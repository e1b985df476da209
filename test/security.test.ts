import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { clientLimits } from '../src/server/connection-limiter.ts';
import { sourceFiles } from './support/source-files.ts';

const root = new URL('../', import.meta.url);
const text = readFileSync(new URL('SECURITY.md', root), 'utf8');

test('SECURITY.md names every file of attacks, and no other', () => {
  const named = [...text.matchAll(/\[([a-z]+)\]/g)].map(([, name]) => name ?? '');
  const files = readdirSync(new URL('test/attacks/', root)).map((name) => name.replace('.test.ts', ''));
  assert.equal([...new Set(named)].sort(), files.sort());
});

test('SECURITY.md names files, options and variables that exist', () => {
  for (const [, path = ''] of text.matchAll(/`((?:test|examples)\/[^`]+|[a-z-]+\.json)`/g))
    assert.ok(existsSync(new URL(path, root)), path);
  const source = sourceFiles('src')
    .map((file) => file.text)
    .join('\n');
  for (const [, name = ''] of text.matchAll(/`(--[a-z-]+|EDICT_[A-Z_]+[A-Z])`/g)) {
    assert.ok(name === '--version' || source.includes(name), name);
  }
});

test('SECURITY.md has the limits of the source, and no dependency runs a script when the package is installed', () => {
  const { connections, eventStreams, connectionsPerAddress } = clientLimits;
  assert.match(text, `${connections} connections, ${eventStreams} event streams`);
  assert.is(connectionsPerAddress * 2, connections, 'one address may take half of them');
  const { packages } = JSON.parse(readFileSync(new URL('package-lock.json', root), 'utf8')) as {
    packages: Record<string, { readonly dev?: boolean; readonly hasInstallScript?: boolean }>;
  };
  const scripts = Object.entries(packages).filter(([, { dev, hasInstallScript }]) => hasInstallScript && !dev);
  assert.equal(
    scripts.map(([path]) => path),
    [],
  );
});

test.run();
