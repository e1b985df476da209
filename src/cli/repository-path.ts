import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

/**
 * Returns the path of a file relative to the root of its Git checkout, with slashes, as GitHub and GitLab expect it; relative to the
 * working directory if there is no checkout. Returns `null` for a file outside of both.
 */
export function repositoryPath(file: string): string | null {
  const absolutePath = resolve(file);
  const path = relative(findCheckoutRoot(dirname(absolutePath)) ?? resolve(''), absolutePath);
  return path === '' || path.startsWith('..') || resolve(path) === path ? null : path.split(sep).join('/');
}

/** Returns the nearest folder that contains `.git`, which is a file in a worktree or a submodule; `null` if there is none. */
function findCheckoutRoot(folder: string): string | null {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return null;
  }
}
