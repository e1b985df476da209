import type { Command } from 'commander';
import { type ExitCode, exitCodes } from '../../model/errors.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import {
  allowIncludeOption,
  apiArgument,
  emulateOption,
  environmentArgument,
  type Finish,
  fileArgument,
  formatOption,
  type PublicationArguments,
  refreshOption,
  stateOption,
} from '../options.ts';
import { runReadCommand } from '../read-command.ts';
import { readSettings } from '../store-settings.ts';

export interface ExplainOptions {
  readonly state?: string;
  readonly emulate?: boolean;
  readonly refresh?: boolean;
  readonly format: 'text' | 'json';
}

/** Adds `edict explain`. */
export function registerExplain(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('explain')
    .description('Show everything about one publication: its states, its attempts and the next step')
    .addArgument(apiArgument())
    .addArgument(environmentArgument())
    .addArgument(fileArgument())
    .addOption(allowIncludeOption())
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .addOption(refreshOption())
    .action(async (api: string, environment: string, file: string, options: ExplainOptions) =>
      finish(await runExplain({ api, environment, file }, options, context)),
    );
}

/** The most attempts shown; `edict history` shows all. */
const maxAttempts = 5;

/** Shows one publication: desired, recorded and observed state, attempts, and the next step. Returns 0. */
async function runExplain({ file, ...of }: PublicationArguments, options: ExplainOptions, context: CliContext): Promise<ExitCode> {
  const { readExplanation } = await import('../../app/explanation.ts');
  const { explanationJson } = await import('../output/explanation-json.ts');
  const { explanationText } = await import('../output/explanation-text.ts');
  const { computeNextStep } = await import('../output/next-step.ts');
  const settings = await readSettings(context, file, options);
  const explanation = await runReadCommand(context, settings, (appContext) => readExplanation(appContext, of, maxAttempts));
  const next = computeNextStep(explanation, settings);
  context.stdout.write(
    options.format === 'json'
      ? `${JSON.stringify(explanationJson(explanation, next), null, 2)}\n`
      : explanationText(explanation, next, { paint: colorizersFor(context).out, nowMs: Date.now() }),
  );
  return exitCodes.done;
}
