import { dirname } from 'node:path';
import { createGit, type Env } from './git.ts';

/** How long Git may take, in milliseconds: what is to be done is worth more than the name beside it. */
const commitTimeoutMs = 2000;

/**
 * Returns the commit that has last changed one of `files`, absolute paths of one checkout; `null` if one of them is not as it
 * was committed, or if Git does not know in time. Writes nothing and reaches for no network.
 */
export async function readCommitId(files: readonly string[], environment: Env, limitMs: number = commitTimeoutMs): Promise<string | null> {
  const [first] = files;
  if (first === undefined) return null;
  const git = createGit(dirname(first), environment, AbortSignal.timeout(limitMs));
  const [changed, id] = await Promise.all([
    git('status', '--porcelain', '--ignored', '--', ...files),
    git('log', '-1', '--format=%H', '--', ...files),
  ]);
  const commit = id?.trim() ?? '';
  return changed === '' && commit !== '' ? commit : null;
}
