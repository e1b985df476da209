import { Document, Pair, Scalar, YAMLMap } from 'yaml';
import type { ObservedApi } from '../core/observe.ts';
import { isStale } from '../core/plan.ts';
import type { ListedEnvironment } from '../core/ports.ts';
import type { GatewaySettings } from '../core/publication.ts';
import type { AskedGateway } from './asked-gateway.ts';
import { quotedForComment } from './comment-text.ts';
import { type NamedApi, type NamedEnvironment, nameApis, nameEnvironments, releaseId } from './listed-names.ts';
import { gatewayOf } from './parse-desired.ts';

/** What a gateway shows of itself. */
export interface GatewayListing {
  readonly gateway: AskedGateway;
  readonly apis: readonly ObservedApi[];
  readonly environments: readonly ListedEnvironment[];
}

/** An edict file, and what it could not say. */
export interface WrittenDesired {
  /** The file's text, with a line end at its end. */
  readonly text: string;
  /** One line each, for a person. */
  readonly warnings: readonly string[];
}

/** Longer lists of environments are written one a line. */
const longestLine = 100;

/**
 * Returns the edict file that declares what the gateway shows, so that a plan over the same listing has no change: every API
 * and environment, online where it is published. The same listing in any order gives the same text. A pure function.
 * What the file has no way to name stands in comments at its end, and in a warning.
 */
export function writeDesired({ gateway, apis, environments }: GatewayListing): WrittenDesired {
  const places = nameEnvironments(environments, new Set(apis.flatMap(({ publications }) => [...publications.keys()])));
  const listed = nameApis(apis);
  const settings = gatewayOf(gateway);
  const refusals = [
    ...places.nameless.map(({ id, name }) => `environment ${quotedForComment(name)}, ID ${quotedForComment(id)}`),
    ...listed.nameless.map((api) => `API ${quotedForComment(api.name)}${groupOf(api)}, ID ${quotedForComment(api.apiId)}`),
  ];

  const file = new YAMLMap();
  add(file, 'edict', 1);
  add(file, 'gateway', gatewayMap(gateway, settings), { before: gatewayWords, isApart: true });
  add(file, 'environments', environmentsMap(places.named), { before: environmentWords, isApart: true });
  add(file, 'removed', 'keep', { before: removedWords, isApart: true });
  const keyOf = new Map(places.named.map(({ id, key }) => [id, key]));
  add(file, 'apis', apisMap(listed.named, keyOf), { before: apiWords, isApart: true });

  // Names that YAML 1.1 takes for something else, such as yes, are quoted too: this file may meet other readers than edict.
  const document = new Document(file, { compat: 'yaml-1.1' });
  document.commentBefore = commentOf(headerWords(settings));
  if (refusals.length > 0) document.comment = commentOf([refusalWords, ...refusals.map((refusal) => `- ${refusal}`)]);
  const warnings = refusals.length === 0 ? [] : [`${refusalWords} See the end of the file: ${refusals.length} in all.`];
  return { text: document.toString({ lineWidth: 0 }), warnings };
}

const headerWords = ({ endpoint, instance }: GatewaySettings): readonly string[] => [
  'yaml-language-server: $schema=./edict.schema.json',
  '',
  `Written by edict import from ${endpoint}, instance ${instance}.`,
  'edict plan --refresh shows what differs from the gateway: nothing, as long as neither has changed.',
  'From then on this file decides: edit it, look at the plan, and let edict apply or edict run make the calls.',
  'For completion in editors: edict schema > edict.schema.json, beside this file.',
];
const gatewayWords = ['Where the calls go, and how many at most. Credentials come from the environment, never from here.'];
const environmentWords = ['The short names below stand for these. Where protected, nothing goes offline until a person agrees.'];
const removedWords = ['A publication that is taken out of this file stays as it is; with offline it is taken offline.'];
const apiWords = [
  'Which API is online where. In an environment that an API does not name, edict leaves it as it is; where none is named, the API',
  'was published nowhere. To publish one, write such as { release: online }; to publish an edited one again, add revision: TEXT.',
];
const refusalWords = 'Left out, since their IDs are none that a file may hold.';

function gatewayMap({ iam, project, instance }: AskedGateway, { endpoint, iam: iamOrigin, limit }: GatewaySettings): YAMLMap {
  const map = new YAMLMap();
  add(map, 'endpoint', endpoint);
  if (iam !== undefined) add(map, 'iam', iamOrigin);
  add(map, 'project', project);
  add(map, 'instance', instance);
  const { calls, perMs, concurrency } = limit;
  const written = flowMap([
    ['calls', calls],
    ['per', perMs % 1000 === 0 ? `${perMs / 1000}s` : `${perMs}ms`],
    ['concurrency', concurrency],
  ]);
  add(map, 'limit', written);
  return map;
}

function environmentsMap(environments: readonly NamedEnvironment[]): YAMLMap {
  const map = new YAMLMap();
  for (const { key, id, name, isListed } of environments) {
    const settings = flowMap([
      ['id', id],
      ['protected', true],
    ]);
    const after = isListed ? (key === name ? null : `${quotedForComment(name)} at the gateway`) : 'not listed by the gateway';
    add(map, key, id === releaseId ? settings : id, { after });
  }
  return map;
}

function apisMap(apis: readonly NamedApi[], keyOf: ReadonlyMap<string, string>): YAMLMap {
  const map = new YAMLMap();
  map.flow = apis.length === 0;
  for (const { key, api } of apis) {
    const entries = [...api.publications.keys()].flatMap((id) => keyOf.get(id) ?? []).sort();
    const online = entries.map((environment) => [environment, 'online'] as const);
    const written = new YAMLMap();
    add(written, 'id', api.apiId);
    const length = entries.reduce((sum, environment) => sum + environment.length + ': online, '.length, 0);
    add(written, 'environments', length <= longestLine ? flowMap(online) : blockMap(online));
    add(map, key, written, { before: wordsOn(key, api, keyOf) });
  }
  return map;
}

function wordsOn(key: string, api: ObservedApi, keyOf: ReadonlyMap<string, string>): readonly string[] {
  const { name, editedAtMs, publications } = api;
  const stale: string[] = [];
  const nameless: string[] = [];
  for (const [id, { publishedAtMs }] of publications) {
    const environment = keyOf.get(id);
    if (environment === undefined) nameless.push(quotedForComment(id));
    else if (isStale({ state: 'online', publishedAtMs, editedAtMs })) stale.push(`${environment} (${moment(publishedAtMs)})`);
  }
  return [
    ...(key === name ? [] : [`${quotedForComment(name)}${groupOf(api)} at the gateway.`]),
    ...(stale.length === 0
      ? []
      : [
          `Edited ${moment(editedAtMs)}, after it was published in ${stale.sort().join(', ')}: the next online there publishes the newer draft.`,
        ]),
    ...(nameless.length === 0 ? [] : [`Also published in an environment that is left out: ${nameless.sort().join(', ')}.`]),
  ];
}

function groupOf({ group, groupId }: ObservedApi): string {
  return group || groupId ? ` in group ${quotedForComment(group || groupId)}` : '';
}

function moment(ms: number | null): string {
  return new Date(ms ?? 0).toISOString().replace(/\.\d+Z$/, 'Z');
}

interface Around {
  readonly before?: readonly string[];
  readonly after?: string | null;
  /** Whether an empty line stands before it. */
  readonly isApart?: boolean;
}

function add(
  map: YAMLMap,
  name: string,
  value: YAMLMap | string | number | boolean,
  { before = [], after = null, isApart }: Around = {},
): void {
  const key = new Scalar(name);
  const node = value instanceof YAMLMap ? value : new Scalar(value);
  if (before.length > 0) key.commentBefore = commentOf(before);
  if (after !== null) node.comment = commentOf([after]);
  if (isApart) key.spaceBefore = true;
  map.items.push(new Pair(key, node));
}

function blockMap(entries: readonly (readonly [string, string | number | boolean])[]): YAMLMap {
  const map = new YAMLMap();
  for (const [name, value] of entries) add(map, name, value);
  return map;
}

function flowMap(entries: readonly (readonly [string, string | number | boolean])[]): YAMLMap {
  const map = blockMap(entries);
  map.flow = true;
  return map;
}

/** The yaml package puts a # before each of these lines. */
function commentOf(lines: readonly string[]): string {
  return lines.map((line) => (line === '' ? '' : ` ${line}`)).join('\n');
}
