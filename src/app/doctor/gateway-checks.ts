import type { RateLimiter } from '../../controller/limit/rate-limiter.ts';
import { findErrorRule } from '../../gateway/error-rules.ts';
import { GatewayError } from '../../gateway/errors.ts';
import type { GatewayReader } from '../../gateway/interface.ts';
import type { AppContext } from '../../model/app-context.ts';
import { maxTimerMs } from '../../model/clock.ts';
import { parseProxySettings } from '../../model/env.ts';
import type { GatewaySettings } from '../../model/gateway.ts';
import { type NameRef, nameKey, nameResolver } from '../../model/name-ref.ts';
import type { ListedEnvironment, Observation } from '../../model/observation.ts';
import type { Failure, ReadFailure, ReadResult } from '../../model/outcome.ts';
import { formatDurationMs, pluralize } from '../../render/format.ts';
import type { StoreReader } from '../../store/interface.ts';
import { placeholderIds } from '../emulated-gateway.ts';
import { assertAllowedHosts, openGatewayAccess, openRateLimiter } from '../gateway-access.ts';
import { assertGatewayApproved } from '../read-session.ts';
import type { ValidatedFile } from '../reports.ts';
import { type Check, type CheckName, checksAfter, failed, failedWith, passed, skipped } from './check.ts';

/*
 * The checks of `edict doctor` that send requests: all of them reads, within the rate limit of the file.
 */

/** The time limit of one request, in milliseconds: whoever waits for the result of a check wants to know, not to succeed late. */
const requestTimeLimitMs = 5_000;

/** The difference of the clocks from which signatures are refused, in milliseconds (the vendor's guide to signing requests). */
const maxClockDifferenceMs = 15 * 60_000;

/** A smaller difference grows. */
const clockWarningMs = 60_000;

/** The most missing APIs and environments listed. */
const maxMissing = 10;

/** The most requests for a list of all APIs, in pages. */
const maxListRequests = 200;

/** What the checks of a gateway share. */
interface GatewayCheckDeps {
  readonly context: AppContext;
  readonly settings: GatewaySettings;
  readonly rateLimiter: RateLimiter;
}

/** Checks the gateway of a file. `store`: says which gateways are approved; `null` if it cannot be read, and then no credentials are sent. */
export async function checkGateway(context: AppContext, file: ValidatedFile, store: StoreReader | null): Promise<readonly Check[]> {
  const { gateway } = file.desired;
  const settings = { ...gateway, timeoutMs: Math.min(gateway.timeoutMs, requestTimeLimitMs) };
  await using resources = new AsyncDisposableStack();
  const rateLimiter = resources.adopt(await openRateLimiter(context, settings, 0), (opened) => opened.close());
  const deps = { context, settings, rateLimiter };
  const endpoint = await checkEndpoint(deps, store);
  const [{ status }, clock] = endpoint;
  if (status === 'failed') return endpoint;
  // Refused signatures lock a key.
  if (clock?.status === 'failed') return [...endpoint, ...skipped(checksAfter('clock'), 'a clock that agrees with that of the gateway')];
  if (store === null) return [...endpoint, ...skipped(checksAfter('clock'), 'the store, which says whether this gateway is approved')];
  return [...endpoint, ...(await checkAccess(deps, file, store))];
}

/** Returns the checks of the endpoint and the clock, and all others as skipped if one of them failed. */
async function checkEndpoint(
  { context, settings, rateLimiter }: GatewayCheckDeps,
  store: StoreReader | null,
): Promise<readonly [Check, ...Check[]]> {
  const { endpoint } = settings;
  const { askEndpoint } = await import('../../gateway/endpoint-check.ts');
  const fail = (check: Check): readonly [Check, ...Check[]] => [check, ...skipped(checksAfter('endpoint'), 'the endpoint')];
  try {
    assertAllowedHosts([endpoint], context.settings.allowedHosts, context.env);
    // Nothing may be asked at a gateway that nobody has approved.
    if (store !== null) await assertGatewayApproved(context, store, settings);
    const { acquire } = rateLimiter;
    const proxies = parseProxySettings(context.env);
    const answer = await askEndpoint(settings, { acquire, proxies }, context.signal);
    const problem = answer.error && problemOf(answer.error, settings);
    if (problem) return fail(failed('endpoint', `${endpoint}: ${problem.result}`, problem.fix));
    const transport = endpoint.startsWith('https:') ? 'its certificate is valid' : 'without TLS';
    const isBroken = answer.status >= 500;
    const result = `${endpoint} answers${isBroken ? ` ${answer.status}` : ''}; ${transport}`;
    const check: Check = isBroken
      ? { name: 'endpoint', status: 'warning', result, fix: 'the service has a problem of its own: try again later' }
      : passed('endpoint', result);
    return [check, checkClock(answer.dateMs, context.clock.now())];
  } catch (error) {
    if (!(error instanceof GatewayError)) return fail(failedWith('endpoint', error));
    return fail(failed('endpoint', `${endpoint}: ${error.message}`, connectionFix(error)));
  }
}

/** Returns why an answer to a read without credentials is not that of the service; `null` if it may be. */
function problemOf(error: GatewayError, settings: GatewaySettings): { readonly result: string; readonly fix: string | null } | null {
  const { errorClass, hint } = findErrorRule(error.code, error.status, 'read');
  const isUnknownPath = error.code === 'HTTP_404' || (errorClass === 'misconfigured' && error.status === 404);
  if (isUnknownPath) return wrongService(error, settings);
  const isOther = errorClass === 'misconfigured' || (error.code === 'INVALID_RESPONSE' && (error.status ?? 0) < 400);
  return isOther ? { result: error.message, fix: hint } : null;
}

const serviceNames = { roma: 'ROMA Connect', apig: 'API Gateway' } as const;

function wrongService({ code, message }: Pick<GatewayError, 'code' | 'message'>, { service }: GatewaySettings) {
  const other = service === 'roma' ? 'apig' : 'roma';
  return {
    result: `the paths of ${serviceNames[service]} do not exist there: ${code} ${message}`,
    fix: `if it is ${serviceNames[other]}, write gateway.service: ${other} into the file; otherwise correct gateway.endpoint`,
  };
}

/** Returns what to do about a connection that failed. */
function connectionFix({ code, status, cause }: GatewayError): string | null {
  if (!(cause instanceof Error)) return findErrorRule(code, status, 'read').hint;
  const [first] = cause instanceof AggregateError ? (cause.errors as readonly Error[]) : [];
  const reason = String((cause as NodeJS.ErrnoException).code ?? (first as NodeJS.ErrnoException | undefined)?.code ?? '');
  if (reason === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'correct gateway.endpoint: the certificate is for another host';
  if (/EXPIRED|NOT_YET_VALID/.test(reason)) return 'check the clock of this machine; if it is right, the server needs a new certificate';
  if (/CERT|ISSUER|SIGNATURE|SELF_SIGNED/.test(reason)) {
    return 'if the certificate is of an authority or a proxy of your own, trust it: export NODE_EXTRA_CA_CERTS=/path/to/ca.pem';
  }
  if (/ENOTFOUND|EAI_AGAIN/.test(reason)) return 'check the host name in gateway.endpoint, and the name servers of this machine';
  return 'check gateway.endpoint and the firewall; if there is a proxy: export HTTPS_PROXY=http://HOST:PORT';
}

function checkClock(dateMs: number | null, nowMs: number): Check {
  if (dateMs === null)
    return { name: 'clock', status: 'skipped', result: 'needs a Date header, which the answer of the gateway lacks', fix: null };
  const difference = Math.abs(nowMs - dateMs);
  // The header has whole seconds, and the answer took a while.
  if (difference < clockWarningMs) return passed('clock', 'agrees with that of the gateway');
  const result = `${formatDurationMs(Math.round(difference / 1000) * 1000)} ${nowMs > dateMs ? 'ahead of' : 'behind'} that of the gateway`;
  const fix = 'set the clock of this machine, such as with: sudo timedatectl set-ntp true';
  if (difference <= maxClockDifferenceMs) return { name: 'clock', status: 'warning', result, fix };
  return failed('clock', `${result}, which refuses signatures from 15 minutes on`, fix);
}

/** Returns the checks that need credentials. */
async function checkAccess(
  { context, settings, rateLimiter }: GatewayCheckDeps,
  file: ValidatedFile,
  store: StoreReader,
): Promise<readonly Check[]> {
  const { openGatewayReader } = await import('../../gateway/gateway.ts');
  const { acquire } = rateLimiter;
  await using resources = new AsyncDisposableStack();
  const needsCredentials = (check: Check): readonly Check[] => [check, ...skipped(checksAfter('credentials'), 'accepted credentials')];
  const access = await openGatewayAccess(context, { settings, emulator: null, acquire }).catch((error: unknown) =>
    failedWith('credentials', error),
  );
  if ('status' in access) return needsCredentials(access);
  const proxies = parseProxySettings(context.env);
  const onPageRead = (page: { readonly readCount: number; readonly totalCount: number }): void =>
    context.events.emit({ type: 'gateway:page_read', ...page });
  const gateway = resources.adopt(openGatewayReader(settings, access.credentials, { acquire, proxies, onPageRead }), (opened) =>
    opened.close(),
  );
  const read = readerWithin(context.signal, settings);
  const environments = await read(1, (signal) => gateway.listEnvironments(signal));
  const { description } = access.credentials;
  if (environments.kind !== 'read' && !provesCredentials(environments)) {
    return needsCredentials(failedRead('credentials', environments, { settings, before: `${description}: ` }));
  }
  const apis = await read(maxListRequests, (signal) => gateway.listApis(signal));
  return [
    passed('credentials', `${description}: accepted by the gateway`),
    environments.kind === 'read'
      ? passed('environments', `${pluralize(environments.value.length, 'environment')} listed`)
      : failedRead('environments', environments, { settings, permission: 'list the environments of the instance' }),
    apis.kind === 'read'
      ? passed('apis', `${pluralize(apis.value.size, 'API')} listed`)
      : failedRead('apis', apis, { settings, permission: 'list the APIs of the instance' }),
    await checkVersions(file, apis, { gateway, read, settings }),
    await checkIds(file, { environments, apis, store }),
  ];
}

/** Reads within the time that `requests` requests may take. */
type ReadWithin = <T>(requests: number, readOnce: (signal: AbortSignal) => Promise<ReadResult<T>>) => Promise<ReadResult<T>>;

function readerWithin(signal: AbortSignal, { limit: { calls, perMs } }: GatewaySettings): ReadWithin {
  return async (requests, readOnce) => {
    // A login comes before the first read, and the rate limit delays both.
    const limitMs = Math.min(maxTimerMs, Math.ceil(2 * requestTimeLimitMs + perMs + (requests * perMs) / calls));
    const timeout = AbortSignal.timeout(limitMs);
    const result = await readOnce(AbortSignal.any([signal, timeout]));
    if (result.kind === 'read' || !timeout.aborted) return result;
    return { kind: 'retryable', failure: { ...result.failure, code: 'TIMEOUT', message: `not read within ${formatDurationMs(limitMs)}` } };
  };
}

/** Returns whether a refusal is that of a gateway which knows the credentials. */
function provesCredentials({ kind, failure: { code, status } }: ReadFailure): boolean {
  const isOwnCode = !code.startsWith('HTTP_');
  return kind === 'rejected' && isOwnCode && findErrorRule(code, status, 'read').errorClass === 'rejected';
}

interface FailedReadOptions {
  readonly settings: GatewaySettings;
  /** What the read needs; omitted if a refusal is not about it. */
  readonly permission?: string;
  readonly before?: string;
}

function failedRead(name: CheckName, { kind, failure }: ReadFailure, { settings, permission, before = '' }: FailedReadOptions): Check {
  const { code, message, status } = failure;
  if (findErrorRule(code, status, 'read').errorClass === 'misconfigured' && status === 404) {
    const { result, fix } = wrongService(failure, settings);
    return failed(name, `${before}${result}`, fix);
  }
  const isForbidden = kind === 'rejected' && (status === 403 || status === 401);
  const fix = isForbidden && permission !== undefined ? `give the user of these credentials the right to ${permission}` : fixOf(failure);
  return failed(name, `${before}${code} ${message}`, fix);
}

function fixOf({ hint }: Failure): string {
  return hint ?? 'the service has a problem of its own: try again later';
}

/** Reads the versions of one API that exists, if possible one of the file. */
async function checkVersions(
  { desired }: ValidatedFile,
  apis: ReadResult<Observation>,
  { gateway, read, settings }: { readonly gateway: GatewayReader; readonly read: ReadWithin; readonly settings: GatewaySettings },
): Promise<Check> {
  const listed: Observation = apis.kind === 'read' ? apis.value : new Map();
  const declared = [...desired.publications.values()].find(({ apiId }) => listed.has(apiId));
  const [first] = listed.keys();
  const apiId = declared?.apiId ?? first;
  if (apiId === undefined) return { name: 'versions', status: 'skipped', result: 'needs an API that the gateway lists', fix: null };
  const versions = await read(1, (signal) => gateway.listApiVersions(apiId, signal));
  const api = declared?.api ?? listed.get(apiId)?.name ?? apiId;
  if (versions.kind !== 'read') return failedRead('versions', versions, { settings, permission: 'read the versions of an API' });
  const count = [...versions.value.values()].reduce((sum, { length }) => sum + length, 0);
  return passed('versions', `${pluralize(count, 'version')} of ${api} listed`);
}

interface Listed {
  readonly environments: ReadResult<readonly ListedEnvironment[]>;
  readonly apis: ReadResult<Observation>;
  readonly store: StoreReader;
}

/** Checks that the gateway has the APIs and environments of the file, by ID or name, as far as it lists them. */
async function checkIds({ desired, nameRefs }: ValidatedFile, { environments, apis, store }: Listed): Promise<Check> {
  const listed = {
    environment: environments.kind === 'read' ? environments.value.map(({ id, name }) => ({ id, name, groupId: '', group: '' })) : null,
    api:
      apis.kind === 'read'
        ? [...apis.value.values()].map(({ apiId, name, groupId, group }) => ({ id: apiId, name, groupId, group }))
        : null,
  };
  const kinds = (['environment', 'api'] as const).filter((kind) => listed[kind] !== null);
  if (kinds.length === 0) return { name: 'ids', status: 'skipped', result: 'needs a list of the gateway', fix: null };
  const placeholders = new Set([...placeholderIds(nameRefs).values()].flatMap((one) => (one.kind === 'one' ? [one.id] : [])));
  const declared = {
    environment: new Map([...desired.environments.values()].map(({ id, name }) => [id, name])),
    api: new Map([...desired.publications.values()].map(({ apiId, api }) => [apiId, api])),
  };
  const knownIds = await store.resolvedNames(desired.gateway);
  const missing = kinds.flatMap((kind) => {
    const resources = listed[kind] ?? [];
    const ids = new Set(resources.map(({ id }) => id));
    const resolve = nameResolver(resources);
    const byId = [...declared[kind]]
      .filter(([id]) => !placeholders.has(id) && !ids.has(id))
      .map(([id, name]) => `${nouns[kind]} ${name} (${id})`);
    const byName = nameRefs
      .filter((ref) => ref.kind === kind)
      .flatMap((ref) => missingName(ref, { known: knownIds.get(nameKey(ref)), ids, resolve }));
    return [...byId, ...byName];
  });
  const unread = kinds.length === 2 ? '' : `; those of the ${listed.api === null ? 'APIs' : 'environments'} were not checked`;
  if (missing.length === 0) return passed('ids', `${kinds.map((kind) => `${nouns[kind]}s`).join(' and ')} of the file exist${unread}`);
  const more = missing.length > maxMissing ? ` and ${missing.length - maxMissing} more` : '';
  return failed(
    'ids',
    `not at the gateway: ${missing.slice(0, maxMissing).join(', ')}${more}${unread}`,
    'correct them in the file, with the IDs that the console shows',
  );
}

const nouns = { environment: 'environment', api: 'API' } as const;

/** Returns a name of the file that leads to no resource, or to several; nothing if it leads to one. */
function missingName(
  ref: NameRef,
  {
    known,
    ids,
    resolve,
  }: { readonly known: string | undefined; readonly ids: ReadonlySet<string>; readonly resolve: ReturnType<typeof nameResolver> },
): readonly string[] {
  const noun = nouns[ref.kind];
  if (known !== undefined) return ids.has(known) ? [] : [`${noun} ${ref.name} (${known})`];
  const found = resolve(ref);
  if (found.kind === 'one') return [];
  return [found.kind === 'none' ? `${noun} ${ref.name}` : `${noun} ${ref.name} (${found.candidates.length} have this name)`];
}
