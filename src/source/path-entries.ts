import { lstat, readlink } from 'node:fs/promises';
import { join, parse, resolve, sep } from 'node:path';

/** Maximum number of symbolic links on the way to a file, as in the kernel's own limit or beyond it. */
const maxLinks = 64;

/** Returns each symbolic link on the way to `path`, and the file at its end or the first missing entry. */
export async function resolvePathEntries(path: string): Promise<Set<string>> {
  const entries = new Set<string>();
  let rest = resolve(path).slice(parse(path).root.length).split(sep);
  let at = parse(resolve(path)).root;
  for (let links = 0; rest.length > 0 && links < maxLinks; ) {
    const entry = join(at, rest[0] ?? '');
    const stats = await lstat(entry).catch(() => null);
    if (stats === null) return entries.add(entry);
    rest = rest.slice(1);
    if (stats.isSymbolicLink()) {
      links += 1;
      entries.add(entry);
      const target = resolve(at, await readlink(entry).catch(() => '.'));
      at = parse(target).root;
      rest = [...target.slice(at.length).split(sep).filter(Boolean), ...rest];
    } else at = entry;
  }
  return entries.add(at);
}
