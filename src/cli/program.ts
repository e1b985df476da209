import { setImmediate } from 'node:timers/promises';
import { Command, CommanderError } from 'commander';
import { withProjectId } from '../model/env.ts';
import { EdictError, type ExitCode, exitCodes } from '../model/errors.ts';
import { readVersion } from '../render/version.ts';
import type { CliContext } from './context.ts';
import type { Finish } from './options.ts';
import type { ErrorFormat, FailedCommand } from './output/errors.ts';
import { joinLines, writeText } from './output/terminal.ts';

/*
 * The command line: parses arguments, runs one command of commands/ and returns its exit code; output/ renders the results. This folder
 * must not decide, send or store anything itself: it calls app/ for that. Only main.ts imports it.
 */

/** Adds a command to `program`; `finish` receives its exit code. */
type Register = (program: Command, context: CliContext, finish: Finish) => void;

/** The commands, in the order of `edict --help`. */
const commands: Readonly<Record<string, () => Promise<Register>>> = {
  init: async () => (await import('./commands/init.ts')).registerInit,
  doctor: async () => (await import('./commands/doctor.ts')).registerDoctor,
  validate: async () => (await import('./commands/validate.ts')).registerValidate,
  plan: async () => (await import('./commands/plan.ts')).registerPlan,
  apply: async () => (await import('./commands/apply.ts')).registerApply,
  run: async () => (await import('./commands/run.ts')).registerRun,
  wait: async () => (await import('./commands/wait.ts')).registerWait,
  status: async () => (await import('./commands/status.ts')).registerStatus,
  history: async () => (await import('./commands/history.ts')).registerHistory,
  undo: async () => (await import('./commands/undo.ts')).registerUndo,
  approve: async () => (await import('./commands/approve.ts')).registerApprove,
  suspend: async () => (await import('./commands/suspend.ts')).registerSuspend,
  resume: async () => (await import('./commands/suspend.ts')).registerResume,
  explain: async () => (await import('./commands/explain.ts')).registerExplain,
  state: async () => (await import('./commands/state.ts')).registerState,
  import: async () => (await import('./commands/import.ts')).registerImport,
  emulate: async () => (await import('./commands/emulate.ts')).registerEmulate,
  schema: async () => (await import('./commands/schema.ts')).registerSchema,
  completion: async () => (await import('./commands/completion.ts')).registerCompletion,
};

/**
 * Runs one command line and returns its exit code (see `exitCodes`). Does not throw for user errors: they are written to stderr, and
 * with `--format json`, `github`, `sarif` or `markdown` also to stdout.
 */
export async function runCli(argv: readonly string[], given: CliContext): Promise<ExitCode> {
  const context = { ...given, env: withProjectId(given.env) };
  let code: ExitCode = exitCodes.done;
  const program = await buildProgram(
    context,
    (result) => {
      code = result;
    },
    commandsFor(argv),
  );
  let failed = null as Command | null;
  program.hook('preAction', (_, command) => {
    failed = command;
  });
  using output = tolerateFailedWrites(context.stdout);
  using _talk = tolerateFailedWrites(context.stderr);
  try {
    await program.parseAsync(argv, { from: 'user' });
    // A stream reports a failed write in the next turn.
    await setImmediate();
    if (output.error) throw new EdictError('OUTPUT_FAILED', `the result cannot be written: ${output.error.message}`);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.error;
    const { reportError } = await import('./output/errors.ts');
    return reportError(error, context, errorFormatOf(argv), failed === null ? undefined : await describeFailed(failed));
  }
}

/** Returns the file of `command`, and what completes the commands in its error with its store and its other options, so that they can be pasted. */
async function describeFailed(command: Command): Promise<FailedCommand | undefined> {
  const { completeCommands } = await import('../render/command-line.ts');
  const { parseSettings } = await import('../app/settings.ts');
  const files = command.registeredArguments.flatMap((argument, index): unknown[] => {
    const isFile = argument.name() === 'file' || argument.name() === 'files';
    return isFile ? [command.processedArgs[index]].flat() : [];
  });
  const [file, ...more] = files;
  if (typeof file !== 'string' || more.length > 0) return undefined;
  try {
    const settings = parseSettings(file, command.opts());
    return { file, complete: (text) => completeCommands(text, settings) };
  } catch {
    // The error may be about one of these options.
    return { file, complete: (text) => text };
  }
}

/** Returns the commands that a command line needs: loading all of them would double the time that edict takes to load. */
function commandsFor([name = '']: readonly string[]): readonly string[] {
  if (Object.hasOwn(commands, name)) return [name];
  return name === '--version' ? [] : Object.keys(commands);
}

/**
 * Returns the program with its options and the commands in `names`, by default all; `finish` receives the exit code of the command that
 * ran. Parsing throws a CommanderError for an invalid command line.
 */
export async function buildProgram(
  context: CliContext,
  finish: Finish,
  names: readonly string[] = Object.keys(commands),
): Promise<Command> {
  const program = new Command('edict')
    .description('Keep the APIs of a ROMA Connect instance published exactly as a YAML file declares.')
    .version(readVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => writeText(context.stdout, text),
      writeErr: (text) => writeText(context.stderr, text),
      // The message quotes words of the command line; a line break in one of them is not one of the message.
      outputError: (text, write) => write(`${joinLines(text.trimEnd().split(/\n(?=\(Did you mean )/))}\n`),
    })
    .showHelpAfterError('(run edict --help for usage)')
    .hook('preAction', assertWorkingDirectory);
  for (const name of names) (await commands[name]?.())?.(program, context, finish);
  return program;
}

/** Throws an EdictError if the working directory was removed: paths, also in messages, are relative to it. */
function assertWorkingDirectory(): void {
  try {
    process.cwd();
  } catch (cause) {
    throw new EdictError('WORKING_DIRECTORY_MISSING', 'the working directory does not exist any more', {
      hint: 'change to a folder that exists, and run the command again',
      cause,
    });
  }
}

/** Returns the format in which an error is also written to stdout; `text` for none. */
function errorFormatOf(argv: readonly string[]): ErrorFormat {
  const given = argv.flatMap((word, index) => (argv[index - 1] === '--format' ? word : word.startsWith('--format=') ? word.slice(9) : []));
  const last = given.at(-1);
  return last === 'json' || last === 'github' || last === 'sarif' || last === 'markdown' ? last : 'text';
}

interface FailedWrites extends Disposable {
  /** The first error; `null` if there was none, or if a reader such as `head` closed the pipe early, which is not an error. */
  readonly error: Error | null;
}

/**
 * Keeps a failed write to `stream`, on a full disk or a closed pipe, from ending the command: what it has begun must be recorded. The
 * stream throws for a file and emits `error` for a pipe.
 */
function tolerateFailedWrites(stream: NodeJS.WriteStream): FailedWrites {
  let error: NodeJS.ErrnoException | null = null;
  const onError = (thrown: NodeJS.ErrnoException): void => {
    error ??= thrown;
  };
  const write = stream.write;
  stream.write = (...args: readonly unknown[]): boolean => {
    if (error) return false;
    try {
      return Reflect.apply(write, stream, args);
    } catch (thrown) {
      onError(thrown as NodeJS.ErrnoException);
      return false;
    }
  };
  stream.on('error', onError);
  return {
    get error() {
      return error === null || error.code === 'EPIPE' ? null : error;
    },
    [Symbol.dispose]: () => {
      stream.write = write;
    },
  };
}
