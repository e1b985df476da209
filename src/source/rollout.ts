import type { components } from '../../generated/edict-file.d.ts';
import { parseDurationMs } from '../model/clock.ts';
import type { DesiredPublication, Rollout, RolloutStep } from '../model/desired-state.ts';
import { expandProbeUrl } from '../plan/rollout.ts';
import { maxUrlLength, undeclaredEnvironment } from './checks/semantics.ts';
import { FirstDiagnostics, type PathDiagnostic } from './path-diagnostic.ts';
import type { KeyPath } from './yaml/source-ranges.ts';
import { isMap } from './yaml/value.ts';

type RolloutStepBlock = components['schemas']['RolloutStep'];
type ProbeBlock = Exclude<Exclude<RolloutStepBlock, string>['probe'], undefined>;

const defaultProbeTimeout = '5s';

/** The most steps, as in the schema. */
const maxSteps = 100;
/** The most placeholders of a probe URL: each makes it longer by a name of 128 characters, for each change that waits for a probe. */
const maxPlaceholders = 5;
/** How many URLs with the name of an API in their host are checked. One that is not fails when it is probed. */
const maxHostChecks = 200_000;

/**
 * Checks `rollout` and the probes of APIs for errors that a schema cannot detect: undeclared or repeated environments, a soak or
 * probe with no later environment, and invalid URLs. Ignores values of the wrong type, which the schema check reports.
 */
export function checkRollout(file: unknown, locationOf: (path: KeyPath) => string): readonly PathDiagnostic[] {
  const diagnostics = new FirstDiagnostics();
  const root = isMap(file) ? file : {};
  const entries = Array.isArray(root['rollout']) ? (root['rollout'] as unknown[]) : [];
  const declared = Object.keys(isMap(root['environments']) ? root['environments'] : {});
  const first = new Map<string, KeyPath>();
  const urls = new Map<string, string>();
  for (const [index, entry] of entries.slice(0, maxSteps).entries()) {
    const settings = isMap(entry) ? entry : {};
    const name = typeof entry === 'string' ? entry : settings['environment'];
    if (typeof name !== 'string') continue;
    const path = ['rollout', String(index), ...(isMap(entry) ? ['environment'] : [])];
    const before = first.get(name);
    if (!declared.includes(name)) {
      if (declared.length > 0) diagnostics.push({ ...undeclaredEnvironment(path, name, declared), target: 'value' });
    } else if (before) diagnostics.push(duplicateStep(path, name, locationOf(before)));
    first.set(name, before ?? path);
    if (index === entries.length - 1 && index > 0) diagnostics.push(...checkUnusedKeys(path, name, settings));
    const [url, urlPath] = probeUrlAt(settings['probe'], ['rollout', String(index), 'probe']);
    if (url === null) continue;
    urls.set(name, url);
    diagnostics.push(...checkProbeUrl(url, urlPath, name));
  }
  checkApiProbes(root['apis'], urls, diagnostics);
  return diagnostics.list;
}

function checkApiProbes(apis: unknown, urls: ReadonlyMap<string, string>, diagnostics: FirstDiagnostics): void {
  // Any name is valid in a URL's path, but not in its host.
  const withApiAsHost = [...urls].filter(
    ([environment, url]) => url.split('/', 3)[2]?.includes('{api}') && isValidProbeUrl(url, 'api', environment),
  );
  let checks = 0;
  for (const [api, setting] of Object.entries(isMap(apis) ? apis : {})) {
    if (diagnostics.isFull) return;
    const own = isMap(setting) ? setting['probe'] : undefined;
    const path = ['apis', api, 'probe'];
    if (own === 'none') continue;
    if (typeof own === 'string') {
      const hint = 'add a `probe` to a step of `rollout`, or remove this key';
      if (urls.size === 0)
        diagnostics.push({ path, target: 'key', message: '`probe` has no effect: no step of `rollout` has a probe', hint });
      else if (isHttpUrl(own)) diagnostics.push(...checkProbeUrl(own, path, 'environment'));
      continue;
    }
    checks += withApiAsHost.length;
    const bad = checks > maxHostChecks ? undefined : withApiAsHost.find(([environment, url]) => !isValidProbeUrl(url, api, environment));
    if (!bad) continue;
    const message = `the probe URL of ${api} in ${bad[0]} is invalid: ${expandProbeUrl(bad[1], { api, environment: bad[0] })}`;
    diagnostics.push({ path: ['apis', api], target: 'key', message, hint: 'set a `probe` for this API' });
  }
}

/** Returns the URL of a probe and its path in the file; `null` if there is no URL to check. */
function probeUrlAt(probe: unknown, path: KeyPath): readonly [string | null, KeyPath] {
  const isLong = isMap(probe);
  const url = isLong ? probe['url'] : probe;
  return [typeof url === 'string' && isHttpUrl(url) ? url : null, isLong ? [...path, 'url'] : path];
}

/** The schema check reports anything else. */
function isHttpUrl(url: string): boolean {
  return url.length <= maxUrlLength && /^https?:\/\//.test(url);
}

function checkProbeUrl(url: string, path: KeyPath, environment: string): PathDiagnostic[] {
  const used = [...url.matchAll(/(?<!\$)\{([^{}]*)\}/g)];
  const unknown = used.filter(([, name]) => name !== 'api' && name !== 'environment');
  if (unknown.length > 0) {
    return unknown.map(([whole]) => ({
      path,
      target: 'value',
      message: `unknown placeholder ${whole} in a probe URL`,
      hint: 'allowed: {api}, {environment}',
    }));
  }
  if (used.length > maxPlaceholders) {
    const message = `the probe URL has ${used.length} placeholders; at most ${maxPlaceholders} are allowed`;
    return [{ path, target: 'value', message, hint: null }];
  }
  if (isValidProbeUrl(url, 'api', environment) || url.includes('${')) return [];
  return [{ path, target: 'value', message: `"${url}" is not a valid URL`, hint: 'expected: https://HOST/PATH' }];
}

function isValidProbeUrl(url: string, api: string, environment: string): boolean {
  return URL.canParse(expandProbeUrl(url, { api, environment }));
}

function duplicateStep(path: KeyPath, name: string, location: string): PathDiagnostic {
  return { path, target: 'value', message: `\`${name}\` is already in \`rollout\`, at ${location}`, hint: 'remove one of the two' };
}

function checkUnusedKeys(path: KeyPath, name: string, settings: Readonly<Record<string, unknown>>): PathDiagnostic[] {
  return ['soak', 'probe']
    .filter((key) => settings[key] !== undefined)
    .map((key) => ({
      path: [...path.slice(0, 2), key],
      target: 'key',
      message: `\`${key}\` has no effect here: no step follows \`${name}\``,
      hint: 'remove it: a soak or probe delays only the steps that follow',
    }));
}

/** Returns the rollout of a checked file. `idOf` maps environment names to IDs. */
export function parseRollout(
  { rollout = [], apis }: Pick<components['schemas']['File'], 'rollout' | 'apis'>,
  idOf: ReadonlyMap<string, string>,
  publications: Iterable<DesiredPublication>,
): Rollout {
  const probeUrls = new Map<string, string | null>();
  for (const { api, apiId } of publications) {
    const own = apis?.[api]?.probe;
    if (own !== undefined) probeUrls.set(apiId, own === 'none' ? null : own);
  }
  return { steps: rollout.map((entry) => parseStep(entry, idOf)), probeUrls };
}

function parseStep(entry: RolloutStepBlock, idOf: ReadonlyMap<string, string>): RolloutStep {
  const { environment, soak, probe } = typeof entry === 'string' ? { environment: entry } : entry;
  const environmentId = idOf.get(environment) ?? environment;
  return {
    environment,
    environmentId,
    soakMs: soak === undefined ? 0 : checkedDurationMs(soak),
    probe: probe === undefined ? null : parseProbe(probe),
  };
}

function parseProbe(written: ProbeBlock): RolloutStep['probe'] {
  const { url, status: expectedStatus = null, timeout = defaultProbeTimeout } = typeof written === 'string' ? { url: written } : written;
  return { url, expectedStatus, timeoutMs: checkedDurationMs(timeout) };
}

/** The schema check has validated the text. */
function checkedDurationMs(text: string): number {
  return parseDurationMs(text) ?? 0;
}
