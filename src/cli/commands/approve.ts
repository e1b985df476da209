import type { Command } from 'commander';
import { parseDurationOption, parseTextOption } from '../../app/settings.ts';
import { EdictError, type ExitCode, exitCodes } from '../../model/errors.ts';
import type { ApprovalRequest } from '../../plan/approvals.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import {
  allowHostOption,
  allowIncludeOption,
  apiOption,
  emulateOption,
  environmentOption,
  type Finish,
  fileArgument,
  formatOption,
  noRefreshOption,
  refreshOption,
  stateOption,
} from '../options.ts';
import { writeText } from '../output/terminal.ts';
import { runReadCommand } from '../read-command.ts';
import { storeSettings } from '../store-settings.ts';

export interface ApproveOptions {
  readonly state?: string;
  readonly emulate?: boolean;
  readonly refresh?: boolean;
  readonly api?: readonly string[];
  readonly environment?: readonly string[];
  readonly format: 'text' | 'json';
  readonly by: string;
  readonly reason: string;
  readonly expires: string;
}

/** Adds `edict approve`. */
export function registerApprove(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('approve')
    .description('Approve held changes so that they are applied once')
    .argument('<digest>', 'the approval digest that the plan shows')
    .addArgument(fileArgument())
    .requiredOption('--by <name>', 'the name of the person who approves (required)')
    .requiredOption('--reason <text>', 'the reason, for the history (required)')
    .option('--expires <duration>', 'how long the approval is valid, at most 168h', '1h')
    .addOption(apiOption())
    .addOption(environmentOption())
    .addOption(allowIncludeOption())
    .addOption(allowHostOption())
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .addOption(refreshOption())
    .addOption(noRefreshOption())
    .action(async (digest: string, file: string, options: ApproveOptions) => finish(await runApprove({ digest, file }, options, context)));
}

/** Approves the plan's held changes. Returns 0. Throws an EdictError `OPTION_INVALID`, and as `recordApproval` does. */
async function runApprove(
  { digest, file }: { readonly digest: string; readonly file: string },
  options: ApproveOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { recordApproval } = await import('../../app/apply.ts');
  const { maxApprovalMs } = await import('../../plan/approvals.ts');
  const { planningCommandLine } = await import('../../render/command-line.ts');
  const { renderApproval } = await import('../output/approval.ts');
  const request = parseApprovalRequest(digest, options, maxApprovalMs);
  // The same store as that of `plan`, which printed the digest.
  const settings = await storeSettings(context, options, { paths: [file], isWriting: true, findsEmulated: 'without-credentials' });
  const approved = await runReadCommand(context, settings, (appContext) => recordApproval(appContext, request));
  const applyCommand = planningCommandLine('apply', [], settings);
  writeText(context.stdout, renderApproval(approved, options.format, { applyCommand, paint: colorizersFor(context).out }));
  return exitCodes.done;
}

function parseApprovalRequest(digest: string, { by, reason, expires }: ApproveOptions, maxExpiryMs: number): ApprovalRequest {
  const hex = digest.replace(/^sha256:/, '');
  if (!/^[0-9a-f]{12,64}$/.test(hex)) {
    throw new EdictError('OPTION_INVALID', `${digest} is not a digest`, {
      hint: 'expected at least its first 12 hex digits, as `edict plan` shows them',
    });
  }
  const person = { by: parseTextOption(by, '--by'), reason: parseTextOption(reason, '--reason') };
  const expiresAfterMs = parseDurationOption(expires, '--expires');
  if (expiresAfterMs === 0 || expiresAfterMs > maxExpiryMs) {
    throw new EdictError('OPTION_INVALID', `--expires ${expires} is out of range`, {
      hint: 'expected more than 0s and at most 168h (7 days)',
    });
  }
  return { digest: `sha256:${hex}`, ...person, expiresAfterMs };
}
