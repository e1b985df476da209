import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

/**
 * Returns the path of a file from the root of the Git checkout that it is in, with slashes, as forges name it; from the
 * working directory where there is no checkout. `null` for a file that is outside of both.
 */
export function repositoryPath(file: string): string | null {
  const whole = resolve(file);
  const path = relative(findCheckoutRoot(dirname(whole)) ?? resolve(''), whole);
  return path === '' || path.startsWith('..') || resolve(path) === path ? null : path.split(sep).join('/');
}

/** In a worktree and in a submodule `.git` is a file. */
function findCheckoutRoot(folder: string): string | null {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return null;
  }
}
