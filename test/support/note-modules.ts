import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

/*
 * Loaded before edict (`node --import`): writes the loaded packages, folders and generated modules to the file that `NOTE_MODULES` names.
 */
const [sources, results] = ['../../src/', '../../generated/'].map((path) => new URL(path, import.meta.url).href) as [string, string];
const [packages, folders, generated] = [new Set<string>(), new Set<string>(), new Set<string>()];
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(resolved.url)?.[1];
    const folder = /^([\w-]+)\/.*\.ts$/.exec(after(sources, resolved.url))?.[1];
    const made = /^([\w-]+)\.c?js$/.exec(after(results, resolved.url))?.[1];
    if (name !== undefined) packages.add(name);
    else if (folder !== undefined) folders.add(folder);
    else if (made !== undefined) generated.add(made);
    return resolved;
  },
});
process.on('exit', () => {
  const noted = { packages: [...packages].sort(), folders: [...folders].sort(), generated: [...generated].sort() };
  writeFileSync(process.env['NOTE_MODULES'] ?? '', JSON.stringify(noted));
});

/** Returns the rest of a URL that starts with `prefix`, or an empty text. */
function after(prefix: string, url: string): string {
  return url.startsWith(prefix) ? url.slice(prefix.length) : '';
}
