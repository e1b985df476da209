import type { components } from '../../generated/edict-file.d.ts';
import { durationMs } from '../core/duration.ts';
import { probeUrl } from '../core/order.ts';
import type { DesiredPublication, Order, OrderStep } from '../core/publication.ts';
import { undeclared } from './check-meaning.ts';
import type { Finding } from './finding.ts';
import type { Path } from './positions.ts';
import { isMap } from './yaml-value.ts';

type WrittenEntry = components['schemas']['OrderEntry'];
type WrittenProbe = Exclude<Exclude<WrittenEntry, string>['probe'], undefined>;

const defaultTimeout = '5s';

/**
 * Returns what no schema can see in `order` and in the probes of APIs: environments that are not declared or stand there twice, a
 * soak or probe with nothing after it, and addresses that are none. Looks past values whose shape is wrong.
 */
export function checkOrder(file: unknown, placeOf: (path: Path) => string): Finding[] {
  const findings: Finding[] = [];
  const root = isMap(file) ? file : {};
  const entries = Array.isArray(root['order']) ? (root['order'] as unknown[]) : [];
  const declared = Object.keys(isMap(root['environments']) ? root['environments'] : {});
  const first = new Map<string, Path>();
  const urls = new Map<string, string>();
  for (const [index, entry] of entries.entries()) {
    const settings = isMap(entry) ? entry : {};
    const name = typeof entry === 'string' ? entry : settings['environment'];
    if (typeof name !== 'string') continue;
    const path = ['order', String(index), ...(isMap(entry) ? ['environment'] : [])];
    const before = first.get(name);
    if (!declared.includes(name)) findings.push({ ...undeclared(path, name, declared), at: 'value' });
    else if (before) findings.push(twice(path, name, placeOf(before)));
    first.set(name, before ?? path);
    if (index === entries.length - 1 && index > 0) findings.push(...idle(path, name, settings));
    const [url, place] = writtenUrl(settings['probe'], ['order', String(index), 'probe']);
    if (url === null) continue;
    urls.set(name, url);
    findings.push(...wrongAddress(url, place, name));
  }
  findings.push(...checkApis(root['apis'], urls));
  return findings;
}

function checkApis(apis: unknown, urls: ReadonlyMap<string, string>): Finding[] {
  return Object.entries(isMap(apis) ? apis : {}).flatMap(([api, setting]): Finding[] => {
    const own = isMap(setting) ? setting['probe'] : undefined;
    const path = ['apis', api, 'probe'];
    if (own === 'none') return [];
    if (typeof own === 'string') {
      const hint = 'give an environment of `order` one, or remove this';
      if (urls.size === 0) return [{ path, at: 'key', message: '`probe` says nothing: no environment of `order` has one', hint }];
      return isAsked(own) ? wrongAddress(own, path, 'environment') : [];
    }
    // A name in a path is harmless, but in a host not every name can stand.
    const bad = [...urls].find(([environment, url]) => isAddress(url, 'api', environment) && !isAddress(url, api, environment));
    if (!bad) return [];
    const message = `the probe of ${api} in ${bad[0]} has no address: ${probeUrl(bad[1], { api, environment: bad[0] })} is none`;
    return [{ path: ['apis', api], at: 'key', message, hint: 'give it a `probe` of its own' }];
  });
}

/** Returns the address of a probe and where it stands; `null` if there is none to look at. */
function writtenUrl(probe: unknown, path: Path): readonly [string | null, Path] {
  const isLong = isMap(probe);
  const url = isLong ? probe['url'] : probe;
  return [typeof url === 'string' && isAsked(url) ? url : null, isLong ? [...path, 'url'] : path];
}

/** Anything else is reported for its shape. */
function isAsked(url: string): boolean {
  return /^https?:\/\//.test(url);
}

function wrongAddress(url: string, path: Path, environment: string): Finding[] {
  const unknown = [...url.matchAll(/(?<!\$)\{([^}]*)\}/g)].filter(([, name]) => name !== 'api' && name !== 'environment');
  if (unknown.length > 0) {
    return unknown.map(([whole]) => ({
      path,
      at: 'value',
      message: `${whole} stands for nothing in the address of a probe`,
      hint: 'known here: {api}, {environment}',
    }));
  }
  if (isAddress(url, 'api', environment) || url.includes('${')) return [];
  return [{ path, at: 'value', message: `"${url}" is not an address`, hint: 'expected: https://HOST/PATH' }];
}

function isAddress(url: string, api: string, environment: string): boolean {
  return URL.canParse(probeUrl(url, { api, environment }));
}

function twice(path: Path, name: string, place: string): Finding {
  return { path, at: 'value', message: `\`${name}\` stands in \`order\` already, in ${place}`, hint: 'remove one of the two' };
}

function idle(path: Path, name: string, settings: Readonly<Record<string, unknown>>): Finding[] {
  return ['soak', 'probe']
    .filter((key) => settings[key] !== undefined)
    .map((key) => ({
      path: [...path.slice(0, 2), key],
      at: 'key',
      message: `\`${key}\` says nothing here: no environment comes after \`${name}\``,
      hint: 'it says what must be so before the next environment; remove it',
    }));
}

/** Returns the order that a file means, whose entries have been checked. `idOf` gives the IDs of environments by name. */
export function orderOf(
  { order = [], apis }: Pick<components['schemas']['File'], 'order' | 'apis'>,
  idOf: ReadonlyMap<string, string>,
  publications: Iterable<DesiredPublication>,
): Order {
  const probeUrls = new Map<string, string | null>();
  for (const { api, apiId } of publications) {
    const own = apis?.[api]?.probe;
    if (own !== undefined) probeUrls.set(apiId, own === 'none' ? null : own);
  }
  return { steps: order.map((entry) => stepOf(entry, idOf)), probeUrls };
}

function stepOf(entry: WrittenEntry, idOf: ReadonlyMap<string, string>): OrderStep {
  const { environment, soak, probe } = typeof entry === 'string' ? { environment: entry } : entry;
  const environmentId = idOf.get(environment) ?? environment;
  return {
    environment,
    environmentId,
    soakMs: soak === undefined ? 0 : checkedMs(soak),
    probe: probe === undefined ? null : probeFrom(probe),
  };
}

function probeFrom(written: WrittenProbe): OrderStep['probe'] {
  const { url, status = null, timeout = defaultTimeout } = typeof written === 'string' ? { url: written } : written;
  return { url, status, timeoutMs: checkedMs(timeout) };
}

/** The schema has looked at the text before. */
function checkedMs(text: string): number {
  return durationMs(text) ?? 0;
}
