import { type EnvSecret, openEnvSecret } from '../gateway/auth/env-secret.ts';
import type { Plan } from '../model/change.ts';
import { EdictError, errorMessage } from '../model/errors.ts';
import type { Emit } from '../model/events.ts';
import type { Clock } from '../model/ports.ts';
import { parseProxySettings } from '../model/proxy-settings.ts';
import type { Settings } from '../model/settings.ts';
import { approveCommand } from '../render/command-line.ts';
import { parseTraceSettings } from '../telemetry/trace-settings.ts';
import type { WebhookSettings } from '../telemetry/webhook.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What the environment asks a running daemon to tell elsewhere. */
export interface EventSubscribers {
  readonly emit: Emit;
  /** Tells what is left and ends, after a few seconds at the latest. */
  close(): Promise<void>;
}

export interface EventSubscribersDeps {
  readonly settings: Settings;
  readonly clock: Clock;
  /** Hears of what cannot be told. */
  readonly emit: Emit;
}

/** Opens the listeners that `environment` asks for, and loads none that it does not. Throws an EdictError `WEBHOOK` for a setting that is none. */
export async function openSubscribers(environment: Env, deps: EventSubscribersDeps): Promise<EventSubscribers> {
  const webhook = webhookSettings(environment, deps.clock);
  const opened: EventSubscribers[] = [];
  if (webhook) {
    const { Webhook } = await import('../telemetry/webhook.ts');
    const { file, emulate: emulated } = deps.settings;
    const release = (plan: Plan): string | null => approveCommand(plan, deps.settings);
    opened.push(new Webhook(webhook, { ...deps, release, file, emulated, random: Math.random }));
  }
  const { settings, problem } = parseTraceSettings(environment);
  if (problem !== null) deps.emit({ type: 'trace:failed', to: '', reason: problem });
  if (settings) {
    const { openTraceExport } = await import('../telemetry/trace-export.ts');
    opened.push(await openTraceExport(settings, deps.emit));
  }
  return {
    emit: (event) => {
      for (const listener of opened) listener.emit(event);
    },
    close: async () => void (await Promise.all(opened.map((listener) => listener.close()))),
  };
}

/**
 * Returns where notifications are posted; `null`: nowhere. Throws an EdictError `WEBHOOK` for a URL or secret that cannot be used, which it does
 * not contain.
 */
export function webhookSettings(environment: Env, { monotonicMs }: Pick<Clock, 'monotonicMs'>): WebhookSettings | null {
  const address = openEnvSecret(environment, 'EDICT_WEBHOOK_URL', monotonicMs);
  const secret = openEnvSecret(environment, 'EDICT_WEBHOOK_SECRET', monotonicMs);
  if (address === null) return null;
  const settings = { url: () => urlIn(address), key: () => keyIn(secret), proxies: parseProxySettings(environment) };
  try {
    settings.url();
    settings.key();
  } catch (error) {
    if (error instanceof EdictError) throw error;
    throw new EdictError('WEBHOOK', errorMessage(error), { hint: 'check the path and its permissions', cause: error });
  }
  return settings;
}

function urlIn({ name, read }: EnvSecret): URL {
  const url = URL.parse(read());
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new EdictError('WEBHOOK', `${name} is not a URL that can be posted to`, { hint: 'expected http://… or https://…' });
}

/** Returns the key in a secret in the form of https://www.standardwebhooks.com: 24 to 64 bytes, as base64 behind `whsec_`. */
function keyIn(secret: EnvSecret | null): Buffer {
  const [, base64 = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret?.read() ?? '') ?? [];
  const key = Buffer.from(base64, 'base64');
  if (key.length >= 24 && key.length <= 64) return key;
  const problem = secret === null ? 'EDICT_WEBHOOK_URL needs EDICT_WEBHOOK_SECRET, which signs' : `${secret.name} is not a signing secret`;
  throw new EdictError('WEBHOOK', problem, {
    hint: 'expected whsec_ and 24 to 64 bytes as base64: echo "whsec_$(openssl rand -base64 32)"',
  });
}
