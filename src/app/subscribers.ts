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

/** The event subscribers that environment variables configure: webhook and trace export. */
export interface EventSubscribers {
  readonly emit: Emit;
  /** Flushes pending events and closes, within a few seconds. */
  close(): Promise<void>;
}

export interface EventSubscribersDeps {
  readonly settings: Settings;
  readonly clock: Clock;
  /** Receives the events about failed deliveries. */
  readonly emit: Emit;
}

/** Opens the subscribers that `env` configures, and loads no others. Throws an EdictError `WEBHOOK` for an invalid setting. */
export async function openSubscribers(env: Env, deps: EventSubscribersDeps): Promise<EventSubscribers> {
  const webhook = webhookSettings(env, deps.clock);
  const subscribers: EventSubscribers[] = [];
  if (webhook) {
    const { Webhook } = await import('../telemetry/webhook.ts');
    const { file, emulate: emulated } = deps.settings;
    const approveCommandFor = (plan: Plan): string | null => approveCommand(plan, deps.settings);
    subscribers.push(new Webhook(webhook, { ...deps, release: approveCommandFor, file, emulated, random: Math.random }));
  }
  const { settings, problem } = parseTraceSettings(env);
  if (problem !== null) deps.emit({ type: 'trace:failed', to: '', reason: problem });
  if (settings) {
    const { openTraceExport } = await import('../telemetry/trace-export.ts');
    subscribers.push(await openTraceExport(settings, deps.emit));
  }
  return {
    emit: (event) => {
      for (const subscriber of subscribers) subscriber.emit(event);
    },
    close: async () => void (await Promise.all(subscribers.map((subscriber) => subscriber.close()))),
  };
}

/**
 * Returns the webhook's settings; `null` if none is configured. Throws an EdictError `WEBHOOK` for an invalid URL or secret; the error
 * contains neither.
 */
export function webhookSettings(env: Env, { monotonicMs }: Pick<Clock, 'monotonicMs'>): WebhookSettings | null {
  const address = openEnvSecret(env, 'EDICT_WEBHOOK_URL', monotonicMs);
  const secret = openEnvSecret(env, 'EDICT_WEBHOOK_SECRET', monotonicMs);
  if (address === null) return null;
  const settings = { url: () => urlIn(address), key: () => keyIn(secret), proxies: parseProxySettings(env) };
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

/** Returns the key of a secret in the format of https://www.standardwebhooks.com: `whsec_` followed by 24 to 64 bytes as base64. */
function keyIn(secret: EnvSecret | null): Buffer {
  const [, base64 = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret?.read() ?? '') ?? [];
  const key = Buffer.from(base64, 'base64');
  if (key.length >= 24 && key.length <= 64) return key;
  const problem = secret === null ? 'EDICT_WEBHOOK_URL needs EDICT_WEBHOOK_SECRET, which signs' : `${secret.name} is not a signing secret`;
  throw new EdictError('WEBHOOK', problem, {
    hint: 'expected whsec_ and 24 to 64 bytes as base64: echo "whsec_$(openssl rand -base64 32)"',
  });
}
