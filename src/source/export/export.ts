import { Document, Pair, Scalar, YAMLMap } from 'yaml';
import type { ObservedApi } from '../../model/observation.ts';
import type { ListedEnvironment } from '../../model/ports.ts';
import type { GatewaySettings } from '../../model/publication.ts';
import { isOutdated } from '../../plan/diff.ts';
import { parseGateway } from '../parser.ts';
import type { GatewayArguments } from './gateway-options.ts';
import {
  assignApiNames,
  assignEnvironmentNames,
  type ExportedApi,
  type ExportedEnvironment,
  quoteForComment,
  releaseEnvironmentId,
} from './identifiers.ts';

/** The APIs and environments that a gateway lists. */
export interface GatewayListing {
  readonly gateway: GatewayArguments;
  readonly apis: readonly ObservedApi[];
  readonly environments: readonly ListedEnvironment[];
}

/** An exported file, and warnings about everything left out. */
export interface ExportedFile {
  /** The file's text, which ends with a line end. */
  readonly text: string;
  /** One line each, for people. */
  readonly warnings: readonly string[];
}

/** Longer lists of environments are written one per line. */
const maxLineLength = 100;

/**
 * Returns the edict file that declares what the gateway lists, so that a plan for the same listing is empty: every API and
 * environment, online where it is published. The same listing in any order gives the same text. A pure function. Resources
 * that the file cannot name are listed in comments at its end and in a warning.
 */
export function exportGateway({ gateway, apis, environments }: GatewayListing): ExportedFile {
  const namedEnvironments = assignEnvironmentNames(environments, new Set(apis.flatMap(({ publications }) => [...publications.keys()])));
  const namedApis = assignApiNames(apis);
  const settings = parseGateway(gateway);
  const skipped = [
    ...namedEnvironments.skipped.map(({ id, name }) => `environment ${quoteForComment(name)}, ID ${quoteForComment(id)}`),
    ...namedApis.skipped.map((api) => `API ${quoteForComment(api.name)}${formatGroup(api)}, ID ${quoteForComment(api.apiId)}`),
  ];

  const file = new YAMLMap();
  addEntry(file, 'edict', 1);
  addEntry(file, 'gateway', gatewayMap(gateway, settings), { before: gatewayComment, hasBlankLineBefore: true });
  addEntry(file, 'environments', environmentsMap(namedEnvironments.named), { before: environmentsComment, hasBlankLineBefore: true });
  addEntry(file, 'prune', false, { before: pruneComment, hasBlankLineBefore: true });
  const keyOf = new Map(namedEnvironments.named.map(({ id, key }) => [id, key]));
  addEntry(file, 'apis', apisMap(namedApis.named, keyOf), { before: apisComment, hasBlankLineBefore: true });

  // Names that YAML 1.1 parses as another type, such as yes, are quoted too, because other tools may read this file.
  const document = new Document(file, { compat: 'yaml-1.1' });
  document.commentBefore = formatComment(headerComment(settings));
  if (skipped.length > 0) document.comment = formatComment([skippedComment, ...skipped.map((entry) => `- ${entry}`)]);
  const warnings = skipped.length === 0 ? [] : [`${skippedComment} See the end of the file: ${skipped.length} in all.`];
  return { text: document.toString({ lineWidth: 0 }), warnings };
}

const headerComment = ({ endpoint, instance }: GatewaySettings): readonly string[] => [
  'yaml-language-server: $schema=./edict.schema.json',
  '',
  `Written by edict import from ${endpoint}, instance ${instance}.`,
  'edict plan --refresh shows what differs from the gateway: nothing, as long as neither has changed.',
  'From then on this file decides: edit it, look at the plan, and let edict apply or edict run make the calls.',
  'For completion in editors: edict schema > edict.schema.json, beside this file.',
];
const gatewayComment = ['Where the calls go, and how many at most. Credentials come from the environment, never from here.'];
const environmentsComment = ['The short names below stand for these. Where protected, nothing goes offline until a person agrees.'];
const pruneComment = ['Whether a publication that is removed from this file is taken offline. If false, it stays published.'];
const apisComment = [
  'Which API is online where. In an environment that an API does not name, edict leaves it as it is; where none is named, the API',
  'was published nowhere. To publish one, write such as { release: online }; to publish an edited one again, add revision: TEXT.',
];
const skippedComment = 'Left out, since their IDs are none that a file may hold.';

function gatewayMap({ iam, project, instance }: GatewayArguments, { endpoint, iamEndpoint: iamOrigin, limit }: GatewaySettings): YAMLMap {
  const map = new YAMLMap();
  addEntry(map, 'endpoint', endpoint);
  if (iam !== undefined) addEntry(map, 'iam', iamOrigin);
  addEntry(map, 'project', project);
  addEntry(map, 'instance', instance);
  const { calls, perMs, concurrency } = limit;
  const written = flowMap([
    ['calls', calls],
    ['per', perMs % 1000 === 0 ? `${perMs / 1000}s` : `${perMs}ms`],
    ['concurrency', concurrency],
  ]);
  addEntry(map, 'limit', written);
  return map;
}

function environmentsMap(environments: readonly ExportedEnvironment[]): YAMLMap {
  const map = new YAMLMap();
  for (const { key, id, name, isListed } of environments) {
    const settings = flowMap([
      ['id', id],
      ['protected', true],
    ]);
    const after = isListed ? (key === name ? null : `${quoteForComment(name)} at the gateway`) : 'not listed by the gateway';
    addEntry(map, key, id === releaseEnvironmentId ? settings : id, { after });
  }
  return map;
}

function apisMap(apis: readonly ExportedApi[], keyOf: ReadonlyMap<string, string>): YAMLMap {
  const map = new YAMLMap();
  map.flow = apis.length === 0;
  for (const { key, api } of apis) {
    const entries = [...api.publications.keys()].flatMap((id) => keyOf.get(id) ?? []).sort();
    const online = entries.map((environment) => [environment, 'online'] as const);
    const written = new YAMLMap();
    addEntry(written, 'id', api.apiId);
    const length = entries.reduce((sum, environment) => sum + environment.length + ': online, '.length, 0);
    addEntry(written, 'environments', length <= maxLineLength ? flowMap(online) : blockMap(online));
    addEntry(map, key, written, { before: apiComment(key, api, keyOf) });
  }
  return map;
}

function apiComment(key: string, api: ObservedApi, keyOf: ReadonlyMap<string, string>): readonly string[] {
  const { name, editedAtMs, publications } = api;
  const outdated: string[] = [];
  const skippedEnvironments: string[] = [];
  for (const [id, { publishedAtMs }] of publications) {
    const environment = keyOf.get(id);
    if (environment === undefined) skippedEnvironments.push(quoteForComment(id));
    else if (isOutdated({ state: 'online', publishedAtMs, editedAtMs }))
      outdated.push(`${environment} (${formatTimestamp(publishedAtMs)})`);
  }
  return [
    ...(key === name ? [] : [`${quoteForComment(name)}${formatGroup(api)} at the gateway.`]),
    ...(outdated.length === 0
      ? []
      : [
          `Edited ${formatTimestamp(editedAtMs)}, after it was published in ${outdated.sort().join(', ')}: the next online there publishes the newer draft.`,
        ]),
    ...(skippedEnvironments.length === 0
      ? []
      : [`Also published in an environment that is left out: ${skippedEnvironments.sort().join(', ')}.`]),
  ];
}

function formatGroup({ group, groupId }: ObservedApi): string {
  return group || groupId ? ` in group ${quoteForComment(group || groupId)}` : '';
}

function formatTimestamp(ms: number | null): string {
  return new Date(ms ?? 0).toISOString().replace(/\.\d+Z$/, 'Z');
}

interface EntryComments {
  readonly before?: readonly string[];
  readonly after?: string | null;
  /** Whether an empty line precedes it. */
  readonly hasBlankLineBefore?: boolean;
}

function addEntry(
  map: YAMLMap,
  name: string,
  value: YAMLMap | string | number | boolean,
  { before = [], after = null, hasBlankLineBefore }: EntryComments = {},
): void {
  const key = new Scalar(name);
  const node = value instanceof YAMLMap ? value : new Scalar(value);
  if (before.length > 0) key.commentBefore = formatComment(before);
  if (after !== null) node.comment = formatComment([after]);
  if (hasBlankLineBefore) key.spaceBefore = true;
  map.items.push(new Pair(key, node));
}

function blockMap(entries: readonly (readonly [string, string | number | boolean])[]): YAMLMap {
  const map = new YAMLMap();
  for (const [name, value] of entries) addEntry(map, name, value);
  return map;
}

function flowMap(entries: readonly (readonly [string, string | number | boolean])[]): YAMLMap {
  const map = blockMap(entries);
  map.flow = true;
  return map;
}

/** The yaml package adds a # before each line. */
function formatComment(lines: readonly string[]): string {
  return lines.map((line) => (line === '' ? '' : ` ${line}`)).join('\n');
}
