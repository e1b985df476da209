import type { ChangeReason } from '../../model/change.ts';
import type { DesiredPublication, DesiredState } from '../../model/desired-state.ts';
import { type NameKey, nameKey, nameResolver } from '../../model/name-ref.ts';
import type { ListedEnvironment, ObservedApi } from '../../model/observation.ts';
import { type PublicationKey, type PublicationNames, publicationKey } from '../../model/publication.ts';
import type { RecordedState } from '../../model/recorded-state.ts';
import { diffPublication } from '../../plan/diff.ts';
import { applyObservation } from '../../plan/drift.ts';
import type { DeclaredApi } from './declared-apis.ts';
import { apiComment } from './export.ts';
import { assignApiNames, assignEnvironmentNames, isValidId, quoteForComment } from './identifiers.ts';
import type { NewEnvironment, PublicationEdit } from './patch.ts';

/** The files, and what the gateway and the store say. */
export interface MissingInput {
  readonly desired: DesiredState;
  readonly declaredApis: readonly DeclaredApi[];
  readonly recorded: RecordedState;
  /** The IDs that names were resolved to before. */
  readonly knownIds: ReadonlyMap<NameKey, string>;
  readonly apis: readonly ObservedApi[];
  readonly environments: readonly ListedEnvironment[];
  /** When reading the gateway began, in milliseconds since 1970. */
  readonly readAtMs: number;
}

/** The publications that are online at the gateway and not declared in the files. */
export interface MissingDeclarations {
  readonly edits: readonly PublicationEdit[];
  /** The environments of `edits` that are not declared. */
  readonly newEnvironments: readonly NewEnvironment[];
  /** Comment lines for the APIs of `edits` that are not declared, by ID. */
  readonly apiComments: ReadonlyMap<string, readonly string[]>;
  /** The publications that are online and not declared so, for reasons that a person must judge. */
  readonly skipped: readonly SkippedPublication[];
}

/** A publication that is online, and why it is not added. */
export interface SkippedPublication extends Pick<PublicationNames, 'api' | 'environment'> {
  readonly reason: string;
}

/**
 * Returns the publications that are online and not declared, with the names that the files use or can use for them. Publications that the
 * next plan would change once they are declared are skipped. A pure function.
 */
export function findMissing(input: MissingInput): MissingDeclarations {
  const { desired, apis } = input;
  const published = apis.flatMap((api) => [...api.publications.keys()].map((environmentId) => ({ api, environmentId })));
  const declaredOf = ({ api, environmentId }: (typeof published)[number]): DesiredPublication | undefined =>
    desired.publications.get(publicationKey(api.apiId, environmentId));
  const undeclared = published.filter((one) => declaredOf(one) === undefined);
  const names = assignNames(input, undeclared);
  const edits: PublicationEdit[] = [];
  const skipped = published.flatMap((one): SkippedPublication[] => {
    const declared = declaredOf(one);
    return declared?.state === 'offline' ? [{ ...declared, reason: 'the file declares it offline' }] : [];
  });
  for (const { api, environmentId } of undeclared) {
    const { apiId } = api;
    const [name, environment] = [names.apis.get(apiId), names.environments.get(environmentId)];
    if (name === undefined || environment === undefined) {
      const shown = { api: name ?? quoteForComment(api.name), environment: environment ?? quoteForComment(environmentId) };
      skipped.push({ ...shown, reason: `the ID of its ${name === undefined ? 'API' : 'environment'} is not allowed in a file` });
      continue;
    }
    const edit = { key: publicationKey(apiId, environmentId), api: name, apiId, environment, environmentId };
    const addition = checkAddition(edit, { api, apiRevision: names.declared.get(apiId)?.revision ?? null }, input);
    if (addition.kind === 'skipped') skipped.push({ ...edit, reason: addition.reason });
    else edits.push({ ...edit, state: 'online', version: null, revision: addition.revision });
  }
  const [apiIds, environmentIds] = [new Set(edits.map(({ apiId }) => apiId)), new Set(edits.map((edit) => edit.environmentId))];
  const newApis = apis.filter(({ apiId }) => apiIds.has(apiId) && !names.declared.has(apiId));
  // The publications of an API are added in the order of the environments in the file.
  const orderOf = new Map([...names.environments.keys()].map((id, index) => [id, index]));
  const order = ({ environmentId }: PublicationEdit): number => orderOf.get(environmentId) ?? 0;
  return {
    edits: edits.sort((a, b) => compareCodeUnits(a.api, b.api) || order(a) - order(b)),
    newEnvironments: names.newEnvironments.filter(({ id }) => environmentIds.has(id)),
    apiComments: new Map(newApis.map((api) => [api.apiId, apiComment(names.apis.get(api.apiId) ?? '', api, names.environments)])),
    skipped: skipped.sort((a, b) => compareCodeUnits(a.api, b.api) || compareCodeUnits(a.environment, b.environment)),
  };
}

interface AssignedNames {
  /** The APIs of the files, by ID. */
  readonly declared: ReadonlyMap<string, DeclaredApi>;
  /** The names in the files, by ID, of everything that has one or can have one. */
  readonly apis: ReadonlyMap<string, string>;
  readonly environments: ReadonlyMap<string, string>;
  readonly newEnvironments: readonly NewEnvironment[];
}

function assignNames(
  { desired, declaredApis, knownIds, apis, environments }: MissingInput,
  undeclared: readonly { readonly api: ObservedApi; readonly environmentId: string }[],
): AssignedNames {
  const resolve = nameResolver(apis.map(({ apiId: id, name, group, groupId }) => ({ id, name, group, groupId })));
  const idOf = ({ key, identity }: DeclaredApi): string | null => {
    if ('id' in identity) return identity.id;
    const known = namesInFile.get(key) ?? knownIds.get(nameKey(identity.nameRef));
    if (known !== undefined) return known;
    const resolution = resolve(identity.nameRef);
    return resolution.kind === 'one' ? resolution.id : null;
  };
  const namesInFile = new Map([...desired.publications.values()].map(({ api, apiId }) => [api, apiId]));
  const declared = new Map<string, DeclaredApi>();
  for (const one of declaredApis) {
    const id = idOf(one);
    if (id !== null && !declared.has(id)) declared.set(id, one);
  }
  const newApis = new Set(undeclared.map(({ api }) => api).filter(({ apiId }) => !declared.has(apiId)));
  const { named } = assignApiNames(
    newApis,
    declaredApis.map(({ key }) => key),
  );
  const newIds = new Set(
    undeclared.map(({ environmentId }) => environmentId).filter((id) => isValidId(id) && !desired.environments.has(id)),
  );
  const listed = environments.filter(({ id }) => newIds.has(id));
  const taken = [...desired.environments.values()].map(({ name }) => name);
  const newEnvironments = newIds.size === 0 ? [] : assignEnvironmentNames(listed, newIds, taken).named;
  return {
    declared,
    apis: new Map([...[...declared].map(([id, { key }]) => [id, key] as const), ...named.map(({ key, api }) => [api.apiId, key] as const)]),
    environments: new Map([
      ...[...desired.environments].map(([id, { name }]) => [id, name] as const),
      ...newEnvironments.map(({ id, key }) => [id, key] as const),
    ]),
    newEnvironments,
  };
}

/** `revision`: the one that was recorded, if the API's would publish it again; `null` for none. */
type Addition = { readonly kind: 'added'; readonly revision: string | null } | { readonly kind: 'skipped'; readonly reason: string };

/** Decides with the rules of the plan whether a publication can be declared without a change. */
function checkAddition(
  names: PublicationNames & { readonly key: PublicationKey },
  { api, apiRevision }: { readonly api: ObservedApi; readonly apiRevision: string | null },
  { desired, recorded, readAtMs }: MissingInput,
): Addition {
  const previous = recorded.get(names.key);
  if (diffPublication(undefined, previous, desired))
    return { kind: 'skipped', reason: 'it has left the file, and `prune` takes it offline' };
  if (previous?.state === 'offline' && previous.recordedAtMs > readAtMs - desired.gateway.propagationDelayMs)
    return { kind: 'skipped', reason: 'edict took it offline a moment ago, and the list may be older' };
  const recordedRevision = previous?.revision ?? null;
  const revision = apiRevision !== null && recordedRevision !== null && recordedRevision !== apiRevision ? recordedRevision : null;
  const declared: DesiredPublication = {
    ...names,
    state: 'online',
    revision: revision ?? apiRevision,
    remark: null,
    version: null,
    driftPolicy: 'report',
    nameRef: null,
    source: { file: '', line: 1, column: 1 },
    sourceFile: '',
  };
  const observed = applyObservation(
    {
      desired: { ...desired, publications: new Map([[names.key, declared]]) },
      recorded: new Map(previous ? [[names.key, previous]] : []),
      observation: new Map([[names.apiId, api]]),
      isFirst: false,
    },
    readAtMs,
  );
  const change = diffPublication(declared, observed.recorded.get(names.key), desired);
  return change === null ? { kind: 'added', revision } : { kind: 'skipped', reason: describeChange(change.reason) };
}

function describeChange(reason: ChangeReason): string {
  switch (reason) {
    case 'revision':
      return 'the `revision` of its API would publish it again';
    case 'edited':
      return 'it was edited after it was published, and `republish: edited` would publish it again';
    case 'unknown':
      return 'the outcome of an attempt is unknown';
    default:
      return `the next plan would change it (${reason})`;
  }
}

function compareCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
