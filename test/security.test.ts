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

/** Images without a digest, and why. */
const withoutDigest: Readonly<Record<string, string>> = {
  'registry.k8s.io/git-sync/git-sync:v4.7.1': 'pinned with each release, see CONTRIBUTING.md',
  'registry.example.com/edict:0.1.0': 'stands for the image that the reader has built',
};

/** Returns the images that the text of a file names: in a manifest, a pipeline or a Containerfile. */
function imagesIn(text: string): string[] {
  return [...text.matchAll(/^\s*(?:- )?(?:image:|FROM)\s+["']?([^\s"']+)/gm)].map(([, image = '']) => image);
}

test('every image in the examples is named by digest, or is in the list of those that are not', () => {
  assert.equal(imagesIn('a:\n  - image: "x:1"\nFROM y@sha256:0 AS build\n    image: z\n'), ['x:1', 'y@sha256:0', 'z']);
  const files = readdirSync(new URL('examples/', root), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const images = files.flatMap(({ parentPath, name }) => imagesIn(readFileSync(`${parentPath}/${name}`, 'utf8')));
  const loose = images.filter((image) => !/^[^@]+:[^@]+@sha256:[0-9a-f]{64}$/.test(image));
  assert.equal([...new Set(loose)].sort(), Object.keys(withoutDigest).sort());
  assert.match(text, 'registry.k8s.io/git-sync/git-sync');
});

test.run();
