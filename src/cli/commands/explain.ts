import { createAppContext } from '../../app/context.ts';
import { readExplanation } from '../../app/explanation.ts';
import { type ExitCode, exitCodes } from '../../model/errors.ts';
import type { Settings } from '../../model/settings.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import { explanationJson } from '../output/explanation-json.ts';
import { explanationText } from '../output/explanation-text.ts';
import { computeNextStep } from '../output/next-step.ts';

/** The most attempts shown; `edict history` shows all. */
const maxAttempts = 5;

/** Shows one publication: desired, recorded and observed state, attempts, and the next step. Returns 0. */
export async function explain(
  settings: Settings,
  of: { readonly api: string; readonly environment: string },
  { format }: { readonly format: string },
  context: CliContext,
): Promise<ExitCode> {
  const explanation = await readExplanation(createAppContext(settings, context.env), of, maxAttempts);
  const next = computeNextStep(explanation, settings);
  context.stdout.write(
    format === 'json'
      ? `${JSON.stringify(explanationJson(explanation, next), null, 2)}\n`
      : explanationText(explanation, next, colorizersFor(context).out, Date.now()),
  );
  return exitCodes.done;
}
