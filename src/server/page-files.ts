import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';

/** One file that a browser asks for. */
export interface UiFile {
  readonly type: string;
  readonly body: Buffer;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Returns the files of the page by their paths; nothing else of the disk can be asked for. */
export function readUiFiles(): ReadonlyMap<string, UiFile> {
  const files = new Map<string, UiFile>();
  for (const folder of [new URL('../page/', import.meta.url), new URL('../../generated/page/', import.meta.url)]) {
    for (const name of readdirSync(folder)) {
      const type = contentTypes[extname(name)];
      if (type) files.set(name === 'page.html' ? '/' : `/page/${name}`, { type, body: readFileSync(new URL(name, folder)) });
    }
  }
  return files;
}
