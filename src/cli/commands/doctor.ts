import type { Command } from 'commander';
import type { Check, CheckName } from '../../app/doctor/check.ts';
import { parseSettings, type SettingsOptions } from '../../app/settings.ts';
import { type ExitCode, exitCodes } from '../../model/errors.ts';
import { toJson } from '../../model/visible.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import { allowHostOption, allowIncludeOption, type Finish, fileArgument, formatOption, stateOption } from '../options.ts';
import { type Colorize, formatTable, joinLines, writeText } from '../output/terminal.ts';
import { runReadCommand } from '../read-command.ts';

export interface DoctorOptions extends Pick<SettingsOptions, 'allowInclude' | 'allowHost' | 'state'> {
  readonly format: 'text' | 'json';
}

/** Adds `edict doctor`. */
export function registerDoctor(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('doctor')
    .description('Check file, variables, store, endpoint, clock, credentials, permissions and IDs, and say what to do; only reads')
    .addArgument(fileArgument())
    .addOption(allowIncludeOption())
    .addOption(allowHostOption())
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .action(async (file: string, options: DoctorOptions) => finish(await runDoctor(file, options, context)));
}

/** Shows the result of each check. Returns 0 if none failed, 3 if the file is invalid, else 1. */
async function runDoctor(file: string, { format, ...options }: DoctorOptions, context: CliContext): Promise<ExitCode> {
  const { diagnose } = await import('../../app/doctor/doctor.ts');
  const { completeCommands } = await import('../../render/command-line.ts');
  const settings = parseSettings(file, options);
  const found = await runReadCommand(context, settings, (appContext) => diagnose(appContext, options));
  const complete = (text: string): string => completeCommands(text, settings);
  const checks = found.map((check) => ({ ...check, result: complete(check.result), fix: check.fix && complete(check.fix) }));
  const failed = checks.filter(({ status }) => status === 'failed');
  const isOk = failed.length === 0;
  writeText(
    context.stdout,
    format === 'json' ? `${toJson({ format: 1, ok: isOk, checks }, 2)}\n` : renderChecks(checks, colorizersFor(context).out),
  );
  if (isOk) return exitCodes.done;
  return failed.some(({ name }) => name === 'file') ? exitCodes.invalidFile : exitCodes.error;
}

const labels: Readonly<Record<CheckName, string>> = {
  file: 'file',
  variables: 'variables',
  store: 'store',
  endpoint: 'endpoint',
  clock: 'clock',
  credentials: 'credentials',
  environments: 'list environments',
  apis: 'list APIs',
  versions: 'read versions',
  ids: 'IDs',
};

const marks = {
  ok: ['✓', 'green'],
  warning: ['!', 'yellow'],
  failed: ['✗', 'red'],
  skipped: ['-', 'dim'],
} as const;

/** Returns one line for each check, below it what to do, and a summary. */
function renderChecks(checks: readonly Check[], paint: Colorize): string {
  const lines = formatTable(
    checks.map(({ name, status, result }) => {
      const [mark, style] = marks[status];
      return [paint(style, mark), labels[name], status === 'skipped' ? paint('dim', `skipped: ${result}`) : result];
    }),
  );
  const shown = lines.flatMap((line, index) => [line, ...(checks[index]?.fix ? [`     ${checks[index].fix}`] : [])]);
  return `${joinLines([...shown, '', summaryOf(checks)])}\n`;
}

function summaryOf(checks: readonly Check[]): string {
  const count = (of: Check['status']): number => checks.filter(({ status }) => status === of).length;
  const counts = [`${count('failed')} failed`, `${count('warning')} warnings`, `${count('skipped')} skipped`].filter(
    (text) => !text.startsWith('0 '),
  );
  if (count('failed') > 0) return `${counts.join(', ')}.`.replace('1 warnings', '1 warning');
  const rest = counts.length === 0 ? '' : ` (${counts.join(', ')})`.replace('1 warnings', '1 warning');
  return `No check failed${rest}. Whether these credentials may publish is known only with the first change.`;
}
