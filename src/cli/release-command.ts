import { defaultFile, defaultState, type Settings } from '../config.ts';
import { heldDigest } from '../core/guards.ts';
import type { Plan } from '../core/plan.ts';

/** Returns the command with which a person agrees to all that a plan holds; `null` if it holds nothing. */
export function releaseCommand(plan: Plan, settings: Settings): string | null {
  const digest = heldDigest(plan);
  if (digest === null) return null;
  const { file, state, emulate, targets } = settings;
  const more = [
    ...(file === defaultFile ? [] : [quoted(file)]),
    ...(emulate ? ['--emulate'] : []),
    ...(state === defaultState(emulate) ? [] : ['--state', quoted(state)]),
    ...targets.apis.flatMap((pattern) => ['--api', quoted(pattern)]),
    ...targets.environments.flatMap((pattern) => ['--environment', quoted(pattern)]),
  ];
  return ['edict approve', digest, ...more, '--by YOU --why REASON'].join(' ');
}

/** Returns `text` so that a shell takes it as one word. */
function quoted(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
