import { Argument, Command, CommanderError, Option } from 'commander';
import { defaultListenAddress, parseDurationOption, parseHistoryRetention, parseListenAddress, parseSettings } from '../app/settings.ts';
import { EdictError, type ExitCode, exitCodes } from '../model/errors.ts';
import { logFormats, logLevels } from '../model/log-options.ts';
import { defaultFile } from '../model/settings.ts';
import { readVersion } from '../render/version.ts';
import type { CliContext } from './context.ts';
import {
  collect,
  detailedExitCodeOption,
  dryRunOption,
  emulateOption,
  formatOption,
  lockTimeoutOption,
  type ParsedOptions,
  parseWholeNumber,
  refreshOption,
  stateOption,
} from './options.ts';
import type { DiagnosticFormat } from './output/diagnostics.ts';
import { reportError } from './output/errors.ts';
import type { PlanFormat } from './output/plan-renderers.ts';

/*
 * The command line: parses arguments, runs one command of commands/ and returns its exit code; output/ renders the results. This folder
 * must not decide, send or store anything itself: it calls app/ for that. Only main.ts imports it.
 */

/**
 * Runs one command line and returns its exit code (see `exitCodes`). Does not throw for user errors: they are written to stderr, and
 * with `--format json`, `github` or `sarif` also to stdout.
 */
export async function runCli(argv: readonly string[], context: CliContext): Promise<ExitCode> {
  let code: ExitCode = exitCodes.done;
  const program = buildProgram(context, (result) => {
    code = result;
  });
  context.stdout.on('error', ignoreClosedPipe);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.error;
    return reportError(error, context, errorFormatOf(argv));
  }
}

/** Returns the program with all commands and options; `finish` receives the exit code of the command that ran. Parsing throws a CommanderError for an invalid command line. */
export function buildProgram(context: CliContext, finish: (code: ExitCode) => void): Command {
  const program = new Command('edict')
    .description('Keeps the APIs of a ROMA Connect instance published exactly where a YAML file says.')
    .version(readVersion())
    .exitOverride()
    .configureOutput({ writeOut: (text) => context.stdout.write(text), writeErr: (text) => context.stderr.write(text) })
    .showHelpAfterError('(see: edict --help)');

  const withFile = (name: string, description: string): Command =>
    program.command(name).description(description).argument('[file]', 'the edict file', defaultFile);
  const targeted = (command: Command): Command =>
    command
      .option('--api <pattern>', 'only APIs whose name or ID matches, such as "shop-*" (repeatable)', collect)
      .option('--environment <pattern>', 'only environments whose name or ID matches, such as "{test,stage}" (repeatable)', collect);
  const logging = (command: Command): Command =>
    command
      .addOption(new Option('--log-level <level>', 'the least that is logged').choices(logLevels).default('info').env('EDICT_LOG_LEVEL'))
      .addOption(
        new Option('--log-format <format>', 'how to log (default: pretty, but json for a daemon without a terminal)')
          .choices(logFormats)
          .env('EDICT_LOG_FORMAT'),
      );
  const daemon = (command: Command): Command =>
    command
      .addOption(new Option('--debounce <duration>', 'how long the file must be left alone before it is read').default('200ms'))
      .addOption(new Option('--resync <duration>', 'how often a pass is made without being asked').default('5m'))
      .addOption(
        new Option('--history-retention <duration>', 'delete attempts that are older, 168h at least (default: none)').env(
          'EDICT_HISTORY_RETENTION',
        ),
      )
      .addOption(
        new Option('--listen <address>', 'show the page and answer monitoring at HOST:PORT, or off')
          .default(defaultListenAddress)
          .env('EDICT_LISTEN'),
      );
  const settings = (file: string, options: ParsedOptions) => parseSettings(file, options);

  withFile('validate', 'checks the file')
    .addOption(formatOption('text', 'json', 'github', 'sarif'))
    .action(async (file: string, options: ParsedOptions) => {
      const { validate } = await import('./commands/validate.ts');
      finish(await validate(settings(file, options), options as ParsedOptions & { readonly format: DiagnosticFormat }, context));
    });

  const plan = async (file: string, options: ParsedOptions): Promise<void> => {
    const { showPlan } = await import('./commands/plan.ts');
    finish(await showPlan(settings(file, options), options as ParsedOptions & { readonly format: PlanFormat }, context));
  };
  targeted(withFile('plan', 'shows the plan; makes no call and writes nothing'))
    .addOption(stateOption())
    .addOption(formatOption('text', 'json', 'markdown', 'github'))
    .addOption(emulateOption())
    .addOption(refreshOption())
    .addOption(detailedExitCodeOption())
    .option('--out <file>', 'save the plan for apply --plan')
    .option('--blame', 'name the commit of the line that asks for each change, from git blame (default: with json and markdown)')
    .option('--no-blame', 'do not')
    .action(plan);

  const apply = async (file: string, options: ParsedOptions): Promise<void> => {
    const { apply } = await import('./commands/apply.ts');
    finish(await apply(settings(file, options), options, context));
  };
  logging(targeted(withFile('apply', 'makes the calls that are missing, then exits')))
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .addOption(dryRunOption())
    .addOption(refreshOption())
    .addOption(lockTimeoutOption())
    .addOption(new Option('--plan <file>', 'make exactly the changes of a saved plan, or none').conflicts(['api', 'environment']))
    .action((file: string, options: ParsedOptions) => (options.dryRun ? plan(file, options) : apply(file, options)));

  const withFiles = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .argument('[files...]', 'edict files, each for a gateway of its own, or folders with such files', [defaultFile]);
  daemon(logging(withFiles('run', 'the daemon: follows the files and makes the calls that are missing')))
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .addOption(dryRunOption())
    .addOption(refreshOption())
    .addOption(lockTimeoutOption())
    .addOption(new Option('--once', 'make one pass, then exit: the same as apply'))
    .action(async (files: readonly string[], options: ParsedOptions, command: Command) => {
      const [file = defaultFile, ...more] = files;
      if ((options.dryRun || options.once) && more.length > 0) {
        throw new EdictError('OPTION_INVALID', `${options.once ? '--once' : '--dry-run'} is for one file`, {
          hint: 'run `edict plan` or `edict apply` for each',
        });
      }
      if (options.dryRun) return plan(file, options);
      if (options.once) return apply(file, options);
      const { run } = await import('./commands/run.ts');
      const daemonSettings = {
        debounceMs: parseDurationOption(options.debounce, '--debounce'),
        resyncMs: parseDurationOption(options.resync, '--resync'),
        historyRetentionMs: parseHistoryRetention(options.historyRetention),
        listen: parseListenAddress(options.listen),
        listenIsExplicit: command.getOptionValueSource('listen') !== 'default',
      };
      finish(await run(settings(file, options), files, daemonSettings, options, context));
    });

  withFile('wait', 'waits until the daemon has brought the file into effect; makes no call')
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .addOption(new Option('--timeout <duration>', 'how long to wait').default('10m'))
    .option('--reconcile', 'ask the daemon to reconcile now, and to retry changes that it has given up')
    .action(async (file: string, options: ParsedOptions) => {
      const { wait } = await import('./commands/wait.ts');
      const waitOptions = { timeoutMs: parseDurationOption(options.timeout, '--timeout'), reconcile: options.reconcile ?? false };
      finish(await wait(settings(file, options), { ...waitOptions, format: options.format }, context));
    });

  targeted(withFiles('status', 'shows desired and recorded state and the last outcome of each publication'))
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .option('--watch', 'show it again whenever it has changed, until Ctrl-C')
    .action(async (files: readonly string[], options: ParsedOptions) => {
      const { status } = await import('./commands/status.ts');
      finish(await status(settings(defaultFile, options), files, options, context));
    });

  targeted(withFile('history', 'shows attempts, newest first'))
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .option('--limit <count>', 'at most so many attempts', parseWholeNumber, 50)
    .option('--versions <names...>', 'API and environment: list the versions that the gateway keeps instead')
    .action(async (file: string, options: ParsedOptions) => {
      if (options.versions) {
        const { listVersions, parseVersionsTarget } = await import('./commands/history.ts');
        const of = parseVersionsTarget(options.versions);
        return finish(await listVersions(settings(of.file ?? file, options), of, options, context));
      }
      const { history } = await import('./commands/history.ts');
      finish(await history(settings(file, options), options, context));
    });

  program
    .command('undo')
    .description('prints the change to the file that undoes an apply or an attempt, for git apply')
    .argument('[what]', 'the number of an attempt, the ID of an apply or its begin, or last: the last apply that changed something', 'last')
    .argument('[file]', `the edict file (default: "${defaultFile}")`)
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .action(async (what: string, file: string | undefined, options: ParsedOptions) => {
      const { undo } = await import('./commands/undo.ts');
      finish(await undo({ what, file }, settings(file ?? defaultFile, options), options, context));
    });

  targeted(program.command('approve').description('agrees to what the plan holds, so that it is made once'))
    .argument('<digest>', 'the digest that the plan shows for it')
    .argument('[file]', 'the edict file', defaultFile)
    .requiredOption('--by <name>', 'who agrees')
    .requiredOption('--reason <text>', 'why, for the history')
    .option('--expires <duration>', 'how long calls that rest on it may leave, 168h at most', '1h')
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .addOption(refreshOption())
    .action(async (digest: string, file: string, options: ParsedOptions) => {
      const { approve } = await import('./commands/approve.ts');
      finish(await approve(digest, settings(file, options), options, context));
    });

  program
    .command('explain')
    .description('tells all about one publication: what is wanted, recorded and seen, what was tried and what comes next')
    .argument('<api>', 'the API, by name or ID')
    .argument('<environment>', 'the environment, by name or ID')
    .argument('[file]', 'the edict file', defaultFile)
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .addOption(refreshOption())
    .action(async (api: string, environment: string, file: string, options: ParsedOptions) => {
      const { explain } = await import('./commands/explain.ts');
      finish(await explain(settings(file, options), { api, environment }, options, context));
    });

  addStateCommands(program, context, finish);

  program
    .command('import')
    .description('writes a file from a live gateway, to stdout')
    .option('--endpoint <url>', 'its management endpoint (default: that of the region HW_REGION_NAME)')
    .option('--project <id>', 'the project’s ID (default: HW_PROJECT_ID)')
    .option('--instance <id>', 'the instance’s ID')
    .option('--iam <url>', 'the identity service’s endpoint (default: that of the endpoint’s region)')
    .action(async (options: ParsedOptions) => {
      const { importFile } = await import('./commands/import.ts');
      finish(await importFile(options, context));
    });

  program
    .command('emulate')
    .description('the service itself on this machine')
    .option('--seed <file>', 'what exists there, as YAML or JSON (default: a few APIs and two environments)')
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--port <number>', 'the port to listen on', parseWholeNumber, 9400)
    .option(
      '--fault <spec>',
      'what goes wrong with a share of the changes: cut, half, invalid, hang or an error code, as in cut=0.05 or APIG.9999:applied=0.1 (repeatable)',
      collect,
    )
    .option('--latency <duration>', 'how long answers are held back, such as 20ms or 20ms..200ms')
    .option('--throttle <limit>', 'how many calls get through in any time, such as 10/1s')
    .option('--retry-after', 'let a throttled answer say when to come again')
    .option('--token-lifetime <duration>', 'how long an issued token is taken (default: 24h)')
    .option('--propagation-delay <duration>', 'after which time a change shows in lists (default: at once)')
    .option('--random-seed <number>', 'from what everything follows that is left to chance (default: 1)', parseWholeNumber)
    .action(async (options: ParsedOptions) => {
      const { emulate: run } = await import('./commands/emulate.ts');
      finish(await run(options, context));
    });

  program
    .command('schema')
    .description(
      'prints the JSON Schema of the file, of one that it includes, of what plan or apply write with --format json, or of a notification',
    )
    .addArgument(new Argument('[of]', 'of what').choices(['file', 'included', 'plan', 'apply', 'notification']).default('file'))
    .action(async (of: 'file' | 'included' | 'plan' | 'apply' | 'notification') => {
      const { schema } = await import('./commands/schema.ts');
      finish(await schema(of, context));
    });

  program
    .command('completion')
    .description('prints the completion script of a shell: commands, options, values and files')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      const { completionScript } = await import('./commands/completion.ts');
      context.stdout.write(completionScript(shell));
    });

  program
    .command('__complete', { hidden: true })
    .description('prints the candidates for the last word, for the completion scripts')
    .argument('[words...]', 'the words after the program up to the cursor')
    .action(async (words: readonly string[]) => {
      const { complete } = await import('./commands/completion.ts');
      complete(program, words);
    });
  return program;
}

/** Adds `edict state` and its subcommands; `finish` receives the exit code of the command that ran. */
function addStateCommands(program: Command, context: CliContext, finish: (code: ExitCode) => void): void {
  const group = program.command('state').description('shows and copies the store, and deletes records in it');

  group
    .command('show')
    .description('shows of which gateways there is a record, and who works on them')
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .action(async (options: ParsedOptions) => {
      const { showState } = await import('./commands/state.ts');
      finish(await showState(parseSettings(undefined, options), options, context));
    });

  group
    .command('copy')
    .description('copies the store, as it is now, into an empty one; also while a daemon uses it')
    .argument('<to>', 'the new store: a path, or an address as for --state')
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .action(async (to: string, options: ParsedOptions) => {
      const { copyState } = await import('./commands/state.ts');
      finish(await copyState(to, parseSettings(undefined, options), options, context));
    });

  group
    .command('rm')
    .description('deletes the recorded state of a publication; sends nothing and keeps its history')
    .argument('<api>', 'the API, by name or ID')
    .argument('<environment>', 'the environment, by name or ID')
    .argument('[file]', 'the edict file', defaultFile)
    .addOption(stateOption())
    .addOption(formatOption('text', 'json'))
    .addOption(emulateOption())
    .addOption(lockTimeoutOption())
    .action(async (api: string, environment: string, file: string, options: ParsedOptions) => {
      const { remove } = await import('./commands/state.ts');
      finish(await remove({ api, environment }, parseSettings(file, options), options, context));
    });
}

/** Returns the format in which an error is also written to stdout; `text` for none. */
function errorFormatOf(argv: readonly string[]): DiagnosticFormat {
  const given = argv.flatMap((word, index) => (argv[index - 1] === '--format' ? word : word.startsWith('--format=') ? word.slice(9) : []));
  const last = given.at(-1);
  return last === 'json' || last === 'github' || last === 'sarif' ? last : 'text';
}

/** Ignores EPIPE: a reader such as `head` closes the pipe early, which is not an error. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw new EdictError('OUTPUT_FAILED', `the result cannot be written: ${error.message}`);
}
