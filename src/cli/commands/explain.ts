import { readExplanation } from '../../app/explanation.ts';
import { type ExitCode, exitCodes } from '../../model/errors.ts';
import type { Settings } from '../../model/settings.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import { explanationJson } from '../output/explanation-json.ts';
import { explanationText } from '../output/explanation-text.ts';
import { computeNextStep } from '../output/next-step.ts';

/** So many attempts tell what has been going on; `edict history` has them all. */
const maxAttempts = 5;

/** Tells all about one publication: what is wanted, recorded and seen, what was tried, and what comes next. Returns 0. */
export async function explain(
  settings: Settings,
  of: { readonly api: string; readonly environment: string },
  { format }: { readonly format: string },
  context: CliContext,
): Promise<ExitCode> {
  const explanation = await readExplanation(settings, context.env, of, maxAttempts);
  const next = computeNextStep(explanation, settings);
  context.stdout.write(
    format === 'json'
      ? `${JSON.stringify(explanationJson(explanation, next), null, 2)}\n`
      : explanationText(explanation, next, colorizersFor(context).out, Date.now()),
  );
  return exitCodes.done;
}
