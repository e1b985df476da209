import type { Settings } from './config.ts';
import { durationMs } from './core/duration.ts';
import { EdictError, messageOf } from './core/errors.ts';
import type { Emit } from './core/events.ts';
import type { Plan } from './core/plan.ts';
import type { Clock } from './core/ports.ts';
import { proxiesOf } from './core/proxies.ts';
import { settingOf } from './gateway/setting.ts';
import type { NotifySettings } from './telemetry/notify.ts';
import type { Receiver } from './telemetry/notify-courier.ts';
import { noticeKinds } from './telemetry/notify-signals.ts';
import { traceSettings } from './telemetry/trace-settings.ts';
import { releaseCommand } from './words/release-command.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment asks a running daemon to tell elsewhere. */
export interface Listeners {
  readonly emit: Emit;
  /** Tells what is left and ends, after a few seconds at the latest. */
  close(): Promise<void>;
}

export interface ListenersDeps {
  readonly settings: Settings;
  readonly clock: Clock;
  /** Hears of what cannot be told. */
  readonly emit: Emit;
}

const defaultWindowMs = 30_000;

/** Opens the listeners that `environment` asks for, and loads none that it does not. Throws an EdictError `NOTIFY` for a setting that is none. */
export async function openListeners(environment: Environment, deps: ListenersDeps): Promise<Listeners> {
  const notify = notifySettings(environment, deps.clock);
  const opened: Listeners[] = [];
  if (notify) {
    const { Notifier } = await import('./telemetry/notify.ts');
    const { file, emulate: emulated } = deps.settings;
    const release = (plan: Plan): string | null => releaseCommand(plan, deps.settings);
    opened.push(new Notifier(notify, { ...deps, release, file, emulated }));
  }
  const { settings, problem } = traceSettings(environment);
  if (problem !== null) deps.emit({ type: 'trace:failed', to: '', reason: problem });
  if (settings) {
    const { openTraceExport } = await import('./telemetry/trace-export.ts');
    opened.push(await openTraceExport(settings, deps.emit));
  }
  return {
    emit: (event) => {
      for (const listener of opened) listener.emit(event);
    },
    close: async () => void (await Promise.all(opened.map((listener) => listener.close()))),
  };
}

/** Returns who is to be told what; `null`: nobody. Throws an EdictError `NOTIFY` for a setting that is none. */
export function notifySettings(environment: Environment, { monotonic }: Pick<Clock, 'monotonic'>): NotifySettings | null {
  const secret = settingOf(environment, 'EDICT_NOTIFY_SECRET', monotonic);
  const receivers = (
    [
      ['EDICT_NOTIFY_URL', 'json'],
      ['EDICT_NOTIFY_SLACK_URL', 'slack'],
    ] as const
  ).flatMap(([name, form]): Receiver[] => {
    const setting = settingOf(environment, name, monotonic);
    if (setting === null) return [];
    const signs = form === 'json' ? secret : null;
    return [{ form, address: () => addressIn(setting), secret: () => signs?.value() ?? null }];
  });
  const windowMs = durationMs(environment['EDICT_NOTIFY_WINDOW'] ?? '') ?? (environment['EDICT_NOTIFY_WINDOW'] ? 0 : defaultWindowMs);
  if (windowMs === 0) throw new EdictError('NOTIFY', 'EDICT_NOTIFY_WINDOW is not a duration', { hint: 'expected one such as 30s or 2m' });
  const kinds = kindsIn(environment['EDICT_NOTIFY_ON'] ?? '');
  for (const { address, secret } of receivers) tried(() => [address(), secret()]);
  return receivers.length === 0 ? null : { receivers, kinds, windowMs, proxies: proxiesOf(environment) };
}

/** Returns the address of a setting. It is a secret: no error has it. */
function addressIn({ name, value }: { readonly name: string; readonly value: () => string }): URL {
  const url = URL.parse(value());
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new EdictError('NOTIFY', `${name} is not an address that messages can be posted to`, { hint: 'expected http://… or https://…' });
}

function kindsIn(text: string): NotifySettings['kinds'] {
  const words = text.split(',').flatMap((word) => word.trim() || []);
  const unknown = words.filter((word) => !(noticeKinds as readonly string[]).includes(word));
  if (unknown.length > 0) {
    throw new EdictError('NOTIFY', `EDICT_NOTIFY_ON names what is no kind of notice: ${unknown.join(', ')}`, {
      hint: `expected some of ${noticeKinds.join(', ')}`,
    });
  }
  return new Set(noticeKinds.filter((kind) => words.length === 0 || words.includes(kind)));
}

/** A file of a secret that cannot be read is told as a mistake of the settings. */
function tried(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (error instanceof EdictError) throw error;
    throw new EdictError('NOTIFY', messageOf(error), { hint: 'check the path and who may read it', cause: error });
  }
}
