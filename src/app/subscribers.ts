import { type EnvSecret, openEnvSecret } from '../gateway/auth/env-secret.ts';
import type { AppContext } from '../model/app-context.ts';
import type { PlanHolds } from '../model/change.ts';
import type { Clock } from '../model/clock.ts';
import { type Env, parseProxySettings } from '../model/env.ts';
import { EdictError, errorMessage } from '../model/errors.ts';
import { approveCommand } from '../render/command-line.ts';
import { parseTraceSettings } from '../telemetry/trace-settings.ts';
import type { WebhookSettings } from '../telemetry/webhook.ts';

/**
 * Subscribes the webhook and the trace export that environment variables configure, and loads no others. Disposing the result flushes
 * pending events within a few seconds. Throws an EdictError `WEBHOOK` for an invalid setting.
 */
export async function openSubscribers({ env, settings, clock, random, events }: AppContext): Promise<AsyncDisposable> {
  const webhook = await webhookSettings(env, clock);
  const opened = new AsyncDisposableStack();
  const { emit } = events;
  if (webhook) {
    const { Webhook } = await import('../telemetry/webhook.ts');
    const { file, emulate: emulated } = settings;
    const approveCommandFor = (holds: PlanHolds): string | null => approveCommand(holds, settings);
    const subscriber = new Webhook(webhook, { clock, emit, random, approveCommand: approveCommandFor, file, emulated });
    opened.defer(() => subscriber.close());
    opened.use(events.subscribe(subscriber.emit));
  }
  const trace = parseTraceSettings(env);
  if (trace.problem !== null) emit({ type: 'trace:failed', to: '', reason: trace.problem });
  if (trace.settings) {
    const { openTraceExport } = await import('../telemetry/trace-export.ts');
    const subscriber = await openTraceExport(trace.settings, emit);
    opened.defer(() => subscriber.close());
    opened.use(events.subscribe(subscriber.emit));
  }
  return opened;
}

/**
 * Resolves to the webhook's settings; `null` if none is configured. Rejects with an EdictError `WEBHOOK` for an invalid URL or secret; the error
 * contains neither.
 */
export async function webhookSettings(env: Env, { monotonicMs }: Pick<Clock, 'monotonicMs'>): Promise<WebhookSettings | null> {
  const address = openEnvSecret(env, 'EDICT_WEBHOOK_URL', monotonicMs);
  const secret = openEnvSecret(env, 'EDICT_WEBHOOK_SECRET', monotonicMs);
  if (address === null) return null;
  const refresh = async (): Promise<void> => {
    await Promise.all([address.refresh(), secret?.refresh()]);
  };
  const settings = { refresh, url: () => urlIn(address), key: () => keyIn(secret), proxies: parseProxySettings(env) };
  await refresh();
  try {
    settings.url();
    settings.key();
  } catch (error) {
    if (error instanceof EdictError) throw error;
    throw new EdictError('WEBHOOK', errorMessage(error), { hint: 'check the path and its permissions', cause: error });
  }
  return settings;
}

function urlIn(address: EnvSecret): URL {
  const url = URL.parse(address.read());
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new EdictError('WEBHOOK', `${address.name} is not a URL that can be posted to`, { hint: 'expected http://… or https://…' });
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
