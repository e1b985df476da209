import type { PlanReport } from '../app/reports.ts';
import { EdictError, exitCodes } from '../model/errors.ts';
import type { Settings } from '../model/settings.ts';
import { isActionable } from '../plan/diff.ts';
import { approveCommand } from '../render/command-line.ts';
import { type CliContext, colorizersFor } from './context.ts';
import { planRenderers } from './output/plan-renderers.ts';
import { writeText } from './output/terminal.ts';
import { exitCodeOfStop } from './signals.ts';

export interface ConfirmOptions {
  readonly context: CliContext;
  readonly settings: Settings;
  /** Ends the question, as an error. */
  readonly signal: AbortSignal;
}

/**
 * Shows a plan on stderr and asks whether to carry it out; a plan without a change that may be made now needs no answer. Throws an EdictError
 * `APPLY_INTERRUPTED` for Ctrl-C and for a signal.
 */
export async function confirmPlan(report: PlanReport, isChanged: boolean, { context, settings, signal }: ConfirmOptions): Promise<boolean> {
  const { plan } = report;
  if (!plan.changes.some(isActionable)) return true;
  const { stderr } = context;
  const paint = colorizersFor(context).err;
  if (isChanged) writeText(stderr, `${paint('yellow', 'The plan has changed since it was shown. Nothing was sent.')}\n\n`);
  const view = { ...report, approveCommand: approveCommand(plan, { ...settings, targets: plan.targets }) };
  writeText(stderr, `${planRenderers.text(view, paint)}\n`);
  return ask('Apply this plan?', context, signal);
}

const noAnswer = Symbol('no answer');

/** Resolves to whether the answer is yes; no answer, and the end of the input, mean no. */
async function ask(message: string, { stdin, stderr }: CliContext, signal: AbortSignal): Promise<boolean> {
  const { default: confirm } = await import('@inquirer/confirm');
  const ended = new AbortController();
  const onEnd = (): void => ended.abort(noAnswer);
  // Ctrl-D closes the prompt without an answer, and so does a suspended process that is continued.
  stdin.once('pause', onEnd).once('end', onEnd);
  try {
    const options = { input: stdin, output: stderr, signal: AbortSignal.any([signal, ended.signal]) };
    return await confirm({ message, default: false }, options);
  } catch (error) {
    if (error instanceof Error && error.cause === noAnswer) return false;
    const exitCode = signal.aborted ? exitCodeOfStop(signal) : exitCodes.interrupted;
    throw new EdictError('APPLY_INTERRUPTED', 'stopped before the plan was confirmed; nothing was sent', { exitCode, cause: error });
  } finally {
    stdin.off('pause', onEnd).off('end', onEnd);
  }
}
