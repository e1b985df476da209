import { join } from 'node:path';
import { createAppContext, systemClock } from '../../src/app/context.ts';
import { type Daemon, type DaemonOptions, startDaemon } from '../../src/app/daemon.ts';
import { parseSettings } from '../../src/app/settings.ts';
import type { Clock } from '../../src/model/clock.ts';
import type { Env } from '../../src/model/env.ts';
import type { Emit } from '../../src/model/events.ts';
import type { Settings } from '../../src/model/settings.ts';
import { WorkerParser } from '../../src/source/worker/worker-parser.ts';
import { fieldsFor, messageFor } from '../../src/telemetry/log-messages.ts';
import { secretToken } from './edict-process.ts';

/** A daemon in this process, with a way to stop it. */
export interface TestDaemon extends Daemon {
  stop(): void;
}

/** The thread that parses for all daemons of this process: starting one takes most of the CPU time of a daemon's start. */
let parsers: WorkerParser | null = null;
let closing: NodeJS.Timeout | undefined;
let daemons = 0;

function openParsers(): WorkerParser {
  clearTimeout(closing);
  daemons += 1;
  parsers ??= new WorkerParser();
  return parsers;
}

/** Ends the thread if no daemon starts soon: it would keep the process alive. */
function closeParsersSoon(): void {
  daemons -= 1;
  if (daemons > 0) return;
  closing = setTimeout(() => {
    const idle = parsers;
    parsers = null;
    void idle?.[Symbol.asyncDispose]();
  }, 1000);
}

interface TestDaemonOptions extends Partial<DaemonOptions> {
  readonly env?: Env;
  /** Receives the events of every file. */
  readonly onEvent?: Emit;
  readonly clock?: Clock;
}

/** Returns a clock that runs `times` faster than the real one from now on: for a daemon that waits long. */
export function fasterClock(times: number): Clock {
  const [startedAtMs, startedAtMonotonicMs] = [systemClock.now(), systemClock.monotonicMs()];
  const elapsedMs = (): number => (systemClock.monotonicMs() - startedAtMonotonicMs) * times;
  return {
    now: () => startedAtMs + elapsedMs(),
    monotonicMs: () => startedAtMonotonicMs + elapsedMs(),
    sleep: (ms, signal) => systemClock.sleep(ms / times, signal),
  };
}

/** Starts a daemon for one file that reconciles at once when the file changes, otherwise only once an hour, and serves no page. */
export async function startTestDaemon(
  settings: Settings,
  { env = {}, onEvent = () => {}, clock = systemClock, ...options }: TestDaemonOptions = {},
): Promise<TestDaemon> {
  const stopping = new AbortController();
  const starting = startDaemon(createAppContext(settings, env, { signal: stopping.signal, clock }), {
    parsers: openParsers(),
    paths: [settings.file],
    logFor: () => onEvent,
    debounceMs: 10,
    resyncMs: 3_600_000,
    historyRetentionMs: null,
    listen: null,
    listenIsExplicit: true,
    ...options,
  });
  starting.then(({ done }) => done).then(closeParsersSoon, closeParsersSoon);
  const daemon = await starting;
  return { ...daemon, stop: () => stopping.abort() };
}

/** A daemon in this process, and what it would log. */
export interface LoggedDaemon extends AsyncDisposable {
  /** Returns the log records so far with this event. */
  events(event: string): readonly Readonly<Record<string, unknown>>[];
  /** The URL of its page. */
  readonly url: string | null;
  /** Does what SIGHUP does. */
  hangUp(): void;
  /** Does what SIGTERM does. Resolves to the number of unsent changes when the daemon has ended. */
  stop(): Promise<number>;
}

export interface LoggedDaemonOptions extends Partial<Omit<DaemonOptions, 'logFor'>> {
  /** Default: the one beside the files. */
  readonly state?: string;
  readonly env?: Env;
  readonly clock?: Clock;
}

/** Starts `edict run` for the files of a folder, `edict.yaml` by default, in this process: for tests about what a daemon does, not about its process. */
export async function startLoggedDaemon(folder: string, options: LoggedDaemonOptions = {}): Promise<LoggedDaemon> {
  const {
    paths = ['edict.yaml'],
    env = { HW_AUTH_TOKEN: secretToken },
    state = `sqlite:${join(folder, '.edict/state.db')}`,
    ...more
  } = options;
  const files = paths.map((path) => join(folder, path));
  const records: Record<string, unknown>[] = [];
  const daemon = await startTestDaemon(parseSettings(files[0], { state, allowProbeHost: ['127.0.0.1'] }), {
    ...{ debounceMs: 200, resyncMs: 300_000, ...more, env, paths: files },
    logFor: (file) => (event) => records.push({ file, event: event.type, level: messageFor(event).level, ...fieldsFor(event) }),
  });
  const stop = (): Promise<number> => {
    daemon.stop();
    return daemon.done;
  };
  return {
    events: (event) => records.filter((record) => record['event'] === event),
    url: daemon.url,
    hangUp: daemon.reconcileNow,
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}
