import { createAppContext } from '../../src/app/context.ts';
import { type Daemon, type DaemonOptions, startDaemon } from '../../src/app/daemon.ts';
import type { Env } from '../../src/model/env.ts';
import type { Emit } from '../../src/model/events.ts';
import type { Settings } from '../../src/model/settings.ts';

/** A daemon in this process, with a way to stop it. */
export interface TestDaemon extends Daemon {
  stop(): void;
}

interface TestDaemonOptions extends Partial<DaemonOptions> {
  readonly env?: Env;
  /** Receives the events of every file. */
  readonly onEvent?: Emit;
}

/** Starts a daemon for one file that reconciles at once when the file changes, otherwise only once an hour, and serves no page. */
export async function startTestDaemon(
  settings: Settings,
  { env = {}, onEvent = () => {}, ...options }: TestDaemonOptions = {},
): Promise<TestDaemon> {
  const stopping = new AbortController();
  const daemon = await startDaemon(createAppContext(settings, env, { signal: stopping.signal }), {
    paths: [settings.file],
    logFor: () => onEvent,
    debounceMs: 10,
    resyncMs: 3_600_000,
    historyRetentionMs: null,
    listen: null,
    listenIsExplicit: true,
    ...options,
  });
  return { ...daemon, stop: () => stopping.abort() };
}
