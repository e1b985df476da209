import type { RateLimiter } from '../controller/limit/rate-limiter.ts';
import type { Emulator } from '../emulator/emulator.ts';
import type { Seed } from '../emulator/seed.ts';
import type { OpenedCredentials } from '../gateway/auth/env-credentials.ts';
import type { AcquireRequestSlot, GatewayReader } from '../gateway/interface.ts';
import type { OnPageRead } from '../gateway/lists.ts';
import type { AppContext } from '../model/app-context.ts';
import { type Env, parseProxySettings } from '../model/env.ts';
import { EdictError, HostNotAllowedError } from '../model/errors.ts';
import type { GatewaySettings } from '../model/gateway.ts';
import { formatAllowedHost, isAllowedHost, parseAllowedHost } from '../model/gateway.ts';
import { quoteForShell } from '../render/command-line.ts';
import { openEmulatedGateway } from './emulated-gateway.ts';

/*
 * Opens what is needed to call a gateway: credentials, rate limiter and client. Imported where they are opened, so that commands that do
 * not call the gateway start without an HTTP client.
 */

/** The credentials from the environment variables, and the gateway that they are for: the one in the file, or the emulated one. */
export interface GatewayAccess {
  readonly settings: GatewaySettings;
  readonly credentials: OpenedCredentials;
}

/** Returns the credentials for a gateway. `acquire` lets a login pass the rate limit. Throws an EdictError `CREDENTIALS_*`, and `HOST_NOT_ALLOWED` before a secret is read. */
export async function openGatewayAccess(
  { settings: { allowedHosts }, env, clock, events }: AppContext,
  { settings: gateway, emulator, acquire }: { settings: GatewaySettings; emulator: Emulator | null; acquire: AcquireRequestSlot },
): Promise<GatewayAccess> {
  const { openCredentials } = await import('../gateway/auth/env-credentials.ts');
  const settings = emulator ? { ...gateway, endpoint: emulator.url, iamEndpoint: emulator.url } : gateway;
  const onTokenIssued = (): void => events.emit({ type: 'token:issued' });
  const assertAllowed = (origins: readonly string[]): void => assertAllowedHosts(origins, allowedHosts, env);
  const deps = { assertAllowed, clock, acquire, onTokenIssued };
  const credentials = await openCredentials(emulator ? { HW_AUTH_TOKEN: 'emulated' } : env, settings, deps);
  return { settings, credentials };
}

/**
 * Throws a HostNotAllowedError for the first of `origins` to which credentials may not be sent, and an EdictError `ALLOWED_HOSTS_INVALID` if
 * EDICT_ALLOWED_HOSTS names no host.
 */
export function assertAllowedHosts(
  origins: readonly string[],
  givenHosts: readonly string[],
  { EDICT_ALLOWED_HOSTS: listed = '' }: Env,
): void {
  const listedHosts = listed.split(/[\s,]+/).filter((text) => text !== '');
  const allowed = [...listedHosts, ...givenHosts].map((text) => {
    const origin = parseAllowedHost(text);
    if (origin !== null) return origin;
    throw new EdictError('ALLOWED_HOSTS_INVALID', `EDICT_ALLOWED_HOSTS names ${JSON.stringify(text)}, which is not a host`, {
      hint: 'expected HOST, HOST:PORT or http://HOST:PORT, separated by commas',
    });
  });
  const refused = origins.find((origin) => !isAllowedHost(origin, allowed));
  if (refused === undefined) return;
  const host = formatAllowedHost(refused);
  const isEncrypted = refused.startsWith('https:');
  const setting = quoteForShell(`EDICT_ALLOWED_HOSTS=${[...listedHosts, host].join(',')}`);
  throw new HostNotAllowedError(
    `credentials are not sent to ${host}, ${isEncrypted ? 'which is not an allowed host' : 'which has no TLS'}`,
    {
      hint: `if it is yours${isEncrypted ? '' : ', and the network too'}: --allow-host ${quoteForShell(host)}, or the variable ${setting}`,
    },
  );
}

/** Returns the limiter that every request to the gateway passes. `initialDelayMs`: see `RateLimiterOptions`. */
export async function openRateLimiter({ clock }: AppContext, { limit }: GatewaySettings, initialDelayMs: number): Promise<RateLimiter> {
  const { RateLimiter } = await import('../controller/limit/rate-limiter.ts');
  return new RateLimiter({ limit, clock, initialDelayMs });
}

/** Opens a read-only gateway, an emulated one if there is a `seed`, and closes it after `use`. */
export async function withGatewayReader<T>(
  context: AppContext,
  { settings, seed }: { readonly settings: GatewaySettings; readonly seed: Seed | null },
  use: (gateway: GatewayReader) => Promise<T>,
): Promise<T> {
  const { openGatewayReader } = await import('../gateway/gateway.ts');
  await using resources = new AsyncDisposableStack();
  const emulator = seed ? resources.adopt(await openEmulatedGateway(), (opened) => opened.close()) : null;
  if (seed) emulator?.state.add(seed);
  const rateLimiter = await openRateLimiter(context, settings, 0);
  const { acquire } = rateLimiter;
  const access = await openGatewayAccess(context, { settings, emulator, acquire });
  const proxies = parseProxySettings(context.env);
  const onPageRead: OnPageRead = (page) => context.events.emit({ type: 'gateway:page_read', ...page });
  const gateway = openGatewayReader(access.settings, access.credentials, { acquire, proxies, onPageRead });
  resources.defer(() => gateway.close());
  resources.defer(() => rateLimiter.close());
  return await use(gateway);
}
