import type { Command } from 'commander';
import { createAppContext } from '../../app/context.ts';
import { EdictError, type ExitCode, exitCodes } from '../../model/errors.ts';
import type { Settings } from '../../model/settings.ts';
import { toJson } from '../../model/visible.ts';
import type { PublicationRef } from '../../plan/publication-lookup.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import {
  allowHostOption,
  allowIncludeOption,
  apiArgument,
  emulateOption,
  environmentArgument,
  type Finish,
  fileArgument,
  formatOption,
  gatewayOption,
  type PublicationArguments,
  refreshOption,
  stateOption,
} from '../options.ts';
import { widthOfStream, writeText } from '../output/terminal.ts';
import { runReadCommand } from '../read-command.ts';
import { readSettings } from '../store-settings.ts';

export interface ExplainOptions {
  readonly state?: string;
  readonly emulate?: boolean;
  readonly refresh?: boolean;
  readonly gateway?: string;
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
    .addOption(allowHostOption())
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .addOption(refreshOption())
    .addOption(gatewayOption())
    .action(async (api: string, environment: string, file: string, options: ExplainOptions) =>
      finish(await runExplain({ api, environment, file }, options, context)),
    );
}

/** The most attempts shown; `edict history` shows all. */
const maxAttempts = 5;

/**
 * Shows one publication: desired, recorded and observed state, attempts, and the next step. Returns 0; 3 if the file is invalid, so that only what the
 * store knows is shown, below the errors.
 */
async function runExplain({ file, ...of }: PublicationArguments, options: ExplainOptions, context: CliContext): Promise<ExitCode> {
  const { readExplanation } = await import('../../app/explanation.ts');
  const { explanationJson } = await import('../output/explanation-json.ts');
  const { explanationText } = await import('../output/explanation-text.ts');
  const { computeNextStep } = await import('../output/next-step.ts');
  const settings = await readSettings(context, file, options);
  const { isFileError } = await import('../../app/store/known-gateway.ts');
  const explanation = await runReadCommand(context, settings, (appContext) => readExplanation(appContext, of, maxAttempts)).catch(
    (error: unknown) => {
      if (isFileError(error)) return error;
      throw error;
    },
  );
  if (explanation instanceof EdictError) return explainRecorded(of, explanation, { settings, options, context });
  const next = computeNextStep(explanation, settings);
  writeText(
    context.stdout,
    options.format === 'json'
      ? `${toJson(explanationJson(explanation, next), 2)}\n`
      : explanationText(explanation, next, { paint: colorizersFor(context).out, nowMs: Date.now(), width: widthOfStream(context.stdout) }),
  );
  return exitCodes.done;
}

/** Shows what the store knows of one publication of an invalid file. */
async function explainRecorded(
  of: PublicationRef,
  fileError: EdictError,
  { settings, options, context }: { readonly settings: Settings; readonly options: ExplainOptions; readonly context: CliContext },
): Promise<ExitCode> {
  const { readRecordedExplanation } = await import('../../app/recorded-reports.ts');
  const { recordedExplanationJson } = await import('../output/explanation-json.ts');
  const { recordedExplanationText } = await import('../output/explanation-text.ts');
  const { reportError } = await import('../output/errors.ts');
  const { gateway: instance = null, format } = options;
  const known = await readRecordedExplanation(createAppContext(settings, context.env), of, { fileError, instance, limit: maxAttempts });
  const code = reportError(fileError, context, 'text');
  writeText(context.stderr, '\n');
  writeText(
    context.stdout,
    format === 'json'
      ? `${toJson(recordedExplanationJson(known, settings.emulate), 2)}\n`
      : recordedExplanationText(known, { isEmulated: settings.emulate, paint: colorizersFor(context).out, nowMs: Date.now() }),
  );
  return code;
}
