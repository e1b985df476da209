import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Env } from '../../model/env.ts';
import { findCheckoutRoot, openCheckout } from './git.ts';

/** Timeout for Git, in milliseconds: the index of a large repository takes a second. */
const trackedTimeoutMs = 10_000;

/** Whether Git tracks one of some files: `path` is the first that it tracks. `unknown`: Git is missing, too old, or does not answer. */
export type TrackedFiles = { readonly kind: 'none' | 'unknown' } | { readonly kind: 'tracked'; readonly path: string };

/** Returns whether one of `paths`, files or symbolic links that exist, is in the index or the newest commit of the checkout around it. */
export async function findTracked(paths: readonly string[], env: Env, limitMs: number = trackedTimeoutMs): Promise<TrackedFiles> {
  const signal = AbortSignal.timeout(limitMs);
  const found: { readonly real: string; readonly root: string }[] = [];
  for (const path of paths) {
    const real = join(await realpath(dirname(path)), basename(path));
    const root = await findCheckoutRoot(dirname(real));
    if (root !== null) found.push({ real, root });
  }
  for (const [root, files] of Map.groupBy(found, (one) => one.root)) {
    const checkout = await openCheckout(root, { env, signal, onUnsupported: () => {} });
    if (checkout === null) return { kind: 'unknown' };
    const names = await Promise.all(files.map(({ real }) => checkout.pathOf(real)));
    // A file system that ignores case takes `.EDICT` for `.edict`.
    const pathspecs = names.map((name) => `:(top,icase,literal)${name}`);
    // In a repository without a commit there is only the index.
    const listed =
      (await checkout.git('ls-files', '-z', '--cached', '--with-tree=HEAD', '--', ...pathspecs)) ??
      (await checkout.git('ls-files', '-z', '--cached', '--', ...pathspecs));
    if (listed === null) return { kind: 'unknown' };
    if (listed !== '') return { kind: 'tracked', path: join(root, listed.slice(0, listed.indexOf('\0'))) };
  }
  return { kind: 'none' };
}
