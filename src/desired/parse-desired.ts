import type { components } from '../../generated/edict-file.d.ts';
import { durationMs } from '../core/duration.ts';
import type { MistakeRule } from '../core/errors.ts';
import { type Meanings, type Name, nameKey } from '../core/names.ts';
import {
  type DesiredPublication,
  type DesiredState,
  type Environment,
  type GatewaySettings,
  type Most,
  type PublicationKey,
  publicationKey,
  type Suspension,
} from '../core/publication.ts';
import { apiName, checkMeaning, environmentName } from './check-meaning.ts';
import { checkShape } from './check-shape.ts';
import { FilePart } from './file-part.ts';
import { FileParts } from './file-parts.ts';
import type { NamedText } from './file-set.ts';
import type { Finding } from './finding.ts';
import { checkFreeze, freezesOf, suspensionOf } from './freeze.ts';
import { checkOrder, orderOf } from './order.ts';
import { RememberedTrees } from './remembered-trees.ts';
import { substituteVariables, type Variables } from './variables.ts';

/** The file as people write it, after its shape has been checked. */
export type WrittenFile = components['schemas']['File'];

export interface ParseInput {
  readonly text: string;
  /** The file's name as it stands in messages and plans. */
  readonly file: string;
  /** What `${NAME}` in the gateway block may take. */
  readonly variables: Variables;
  /** What the file includes, in order. */
  readonly included?: readonly NamedText[];
  /** What is wrong with the entries of its `include`. */
  readonly includeFindings?: readonly Finding[];
  /** What the files were at the last reading. */
  readonly trees?: RememberedTrees;
}

/** A file without a mistake, as far as it can be known without asking the gateway. */
export interface ParsedFile {
  readonly gateway: GatewaySettings;
  /** What stands in the file without an ID. */
  readonly names: readonly Name[];
  /** Returns the desired state. Throws an InvalidFileError if `meanings` lacks one of `names`, or they make two publications one. */
  readonly desired: (meanings: Meanings) => DesiredState;
}

/**
 * Returns the desired state of a file, and what it includes, that have an ID for everything. A pure function of its input.
 *
 * @throws InvalidFileError with every mistake, in the order of the files
 */
export function parseDesired(input: ParseInput): DesiredState {
  return parseFile(input).desired(new Map());
}

/**
 * Returns what a file and those that it includes declare. A pure function of its input.
 *
 * @throws InvalidFileError with every mistake, in the order of the files
 */
export function parseFile(input: ParseInput): ParsedFile {
  const { file, variables, included = [], includeFindings = [], trees = new RememberedTrees() } = input;
  const all = [{ file, home: '', text: input.text }, ...included];
  const [main, ...others] = all.map((one) => new FilePart(one, trees.parse(one.file, one.text)));
  if (!main) throw new TypeError('a file has a part');
  trees.keep(new Set(all.map((one) => one.file)));
  const parts = new FileParts(main, others);
  parts.find(main, includeFindings.map(ofRule('include')));
  const value = parts.joined((part, found) => {
    const misplaced: Finding[] = [];
    const substituted = substituteVariables(part.value, part === main ? variables : {}, misplaced);
    found.push(...misplaced.map(ofRule('variable')), ...checkShape(substituted, part === main ? 'File' : 'Included'));
    return substituted;
  });
  const check = (meanings: Meanings): void => parts.refuse(file, checkMeaning(value, parts.placeOf, meanings));
  parts.refuse(file, [
    ...checkMeaning(value, parts.placeOf),
    ...checkOrder(value, parts.placeOf).map(ofRule('order')),
    ...checkFreeze(value).map(ofRule('freeze')),
  ]);
  const written = value as WrittenFile;
  const names = namesIn(written);
  const desired = (meanings: Meanings): DesiredState => {
    const known = new Map(names.map((name) => [nameKey(name), meanings.get(nameKey(name)) ?? ({ kind: 'none', others: [] } as const)]));
    if (names.length > 0) check(known);
    return resolve(written, known, parts);
  };
  return { gateway: gatewayOf(written.gateway), names, desired };
}

function namesIn(written: WrittenFile): Name[] {
  const environments = Object.entries(written.environments).flatMap(([key, setting]) =>
    typeof setting === 'string' || setting.id !== undefined ? [] : environmentName(key, setting),
  );
  const apis = Object.entries(written.apis ?? {}).flatMap(([key, setting]) => (setting.id === undefined ? apiName(key, setting) : []));
  return [...environments, ...apis];
}

function resolve(written: WrittenFile, meanings: Meanings, parts: FileParts): DesiredState {
  const meant = (name: Name): string => {
    const meaning = meanings.get(nameKey(name));
    if (meaning?.kind !== 'one') throw new TypeError(`nobody has looked up ${nameKey(name)}`);
    return meaning.id;
  };
  const environments = new Map<string, Environment>();
  const idOf = new Map<string, string>();
  for (const [name, short] of Object.entries(written.environments)) {
    const setting = typeof short === 'string' ? { id: short, protected: false } : short;
    const id = setting.id ?? meant(environmentName(name, setting));
    const maxOffline = 'maxOffline' in setting && setting.maxOffline !== undefined ? mostFrom(setting.maxOffline) : null;
    const suspension = 'suspend' in setting ? suspensionOf(setting.suspend) : null;
    environments.set(id, { name, id, protected: setting.protected ?? false, maxOffline, suspension });
    idOf.set(name, id);
  }
  const publications = new Map<PublicationKey, DesiredPublication>();
  const suspendedApis = new Map<string, Suspension>();
  for (const [api, setting] of Object.entries(written.apis ?? {})) {
    const { revision, remark, environments: wanted } = setting;
    const part = parts.ofApi(api);
    const calledBy = setting.id === undefined ? apiName(api, setting) : null;
    const apiId = setting.id ?? meant(apiName(api, setting));
    const suspension = suspensionOf(setting.suspend);
    if (suspension) suspendedApis.set(apiId, suspension);
    for (const [environment, publication] of Object.entries(wanted)) {
      const own = typeof publication === 'string' ? { state: publication } : publication;
      const environmentId = idOf.get(environment) ?? environment;
      const key = publicationKey(apiId, environmentId);
      publications.set(key, {
        key,
        api,
        apiId,
        environment,
        environmentId,
        state: own.state,
        revision: own.revision ?? revision ?? null,
        remark: own.remark ?? remark ?? null,
        version: own.version ?? null,
        calledBy,
        drift: own.drift ?? written.drift ?? 'report',
        home: part.home,
        source: part.sourceOf(['apis', api, 'environments', environment]),
      });
    }
  }
  const interval = /^every (\S+)$/.exec(written.observe ?? 'never')?.[1];
  const observeEveryMs = interval === undefined ? null : checkedMs(interval);
  return {
    gateway: gatewayOf(written.gateway),
    environments,
    removed: written.removed ?? 'keep',
    guards: {
      maxOffline: mostFrom(written.guards?.maxOffline ?? { count: 10, share: '20%' }),
      maxLost: mostFrom(written.guards?.maxLost ?? '30%'),
    },
    order: orderOf(written, idOf, publications.values()),
    freezes: freezesOf(written.freeze, idOf),
    suspension: suspensionOf(written.suspend),
    suspendedApis,
    observeEveryMs,
    republish: written.republish ?? 'revision',
    homes: parts.homes,
    commitId: null,
    publications,
  };
}

/** What a gateway block holds at least; the rest has defaults. */
export type WrittenGateway = Pick<WrittenFile['gateway'], 'endpoint' | 'project' | 'instance'> & Partial<WrittenFile['gateway']>;

/** Returns the settings that a gateway block means. Its shape has been checked before. */
export function gatewayOf(written: WrittenGateway): GatewaySettings {
  const endpoint = new URL(written.endpoint).origin;
  return {
    endpoint,
    iam: written.iam === undefined ? endpoint.replace('//roma.', '//iam.') : new URL(written.iam).origin,
    project: written.project,
    instance: written.instance,
    limit: {
      calls: written.limit?.calls ?? 10,
      perMs: checkedMs(written.limit?.per ?? '1s'),
      concurrency: written.limit?.concurrency ?? 4,
    },
    timeoutMs: checkedMs(written.timeout ?? '30s'),
    marker: written.marker ?? true,
    unresolved: written.unresolved ?? 'hold',
    lagMs: checkedMs(written.lag ?? '10s'),
    batch: written.batch ?? 1,
  };
}

function mostFrom(written: components['schemas']['Most']): Most {
  if (typeof written === 'number') return { count: written, share: null };
  if (typeof written === 'string') return { count: null, share: Number.parseInt(written, 10) / 100 };
  return { count: written.count, share: Number.parseInt(written.share, 10) / 100 };
}

/** The schema has looked at the text before. */
function checkedMs(text: string): number {
  const ms = durationMs(text);
  if (ms === null) throw new TypeError(`not a duration: ${text}`);
  return ms;
}

/** Gives what one check has found its rule, unless it has one. */
function ofRule(rule: MistakeRule): (finding: Finding) => Finding {
  return (finding) => ({ rule, ...finding });
}
