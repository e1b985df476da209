import type { components } from '../../generated/edict-file.d.ts';
import { parseDurationMs } from '../model/clock.ts';
import type { DesiredPublication, DesiredState, Environment, Suspension, Threshold } from '../model/desired-state.ts';
import type { DiagnosticRule } from '../model/errors.ts';
import { defaultIamEndpoint, type GatewaySettings } from '../model/gateway.ts';
import { type NameRef, type NameResolutions, nameKey } from '../model/name-ref.ts';
import { type PublicationKey, publicationKey } from '../model/publication.ts';
import { checkSchema } from './checks/schema.ts';
import { apiNameRef, checkSemantics, environmentNameRef } from './checks/semantics.ts';
import { checkFreeze, parseFreezes, parseSuspension } from './freeze.ts';
import type { SourceText } from './include-reader.ts';
import { FirstDiagnostics, type PathDiagnostic } from './path-diagnostic.ts';
import { checkRollout, parseRollout } from './rollout.ts';
import { SourceFile } from './source-file.ts';
import { SourceFiles } from './source-files.ts';
import { type OnUnsetVariable, reportVariables, substituteVariables, type Variables } from './variables.ts';
import { ParseCache } from './yaml/parse-cache.ts';
import { entriesInOrder } from './yaml/value.ts';

/** The file as written, after the schema check. */
export type EdictFile = components['schemas']['File'];

export interface ParseInput {
  readonly text: string;
  /** The file's name in messages and plans. */
  readonly file: string;
  /** Values for `${NAME}` in the gateway block. Only those that a file may use are read. */
  readonly variables: Variables;
  /** See `SubstitutionOptions`. */
  readonly onUnsetVariable?: OnUnsetVariable | undefined;
  /** The included files, in order. */
  readonly included?: readonly SourceText[];
  /** Errors in the entries of its `include`. */
  readonly includeDiagnostics?: readonly PathDiagnostic[];
  /** The trees of the last parse. */
  readonly parseCache?: ParseCache;
}

/** A file without errors, as far as that is known without asking the gateway. */
export interface ParsedFile {
  readonly gateway: GatewaySettings;
  /** The resources that the file gives no ID for. */
  readonly nameRefs: readonly NameRef[];
  /** The file as written, with its variables replaced and the APIs of all files. */
  readonly written: EdictFile;
  /**
   * Returns the desired state. Throws an InvalidFileError if a name in `nameRefs` is not resolved, or two publications resolve
   * to the same one.
   */
  readonly toDesiredState: (resolutions: NameResolutions) => DesiredState;
}

/**
 * Returns the desired state of a file and its included files that give an ID for everything. A pure function of its input.
 *
 * @throws InvalidFileError with every error, in the order of the files
 */
export function parseDesiredState(input: ParseInput): DesiredState {
  return parseFile(input).toDesiredState(new Map());
}

/**
 * Parses and checks a file and its included files. A pure function of its input.
 *
 * @throws InvalidFileError with every error, in the order of the files
 */
export function parseFile(input: ParseInput): ParsedFile {
  const { file, variables, onUnsetVariable, included = [], includeDiagnostics = [], parseCache = new ParseCache() } = input;
  const all = [{ file, relativePath: '', text: input.text }, ...included];
  const [main, ...others] = all.map((one) => new SourceFile(one, parseCache.parse(one.file, one.text)));
  if (!main) throw new TypeError('no main file');
  parseCache.retainOnly(new Set(all.map((one) => one.file)));
  const files = new SourceFiles(main, others);
  files.report(main, includeDiagnostics.map(withRule('include')));
  const value = files.mergeValues((sourceFile) => {
    const misplaced = new FirstDiagnostics();
    const { value: written } = sourceFile;
    const substituted =
      sourceFile === main ? substituteVariables(written, { variables, onUnset: onUnsetVariable, diagnostics: misplaced }) : written;
    if (sourceFile !== main) reportVariables(written, misplaced);
    files.report(sourceFile, misplaced.list.map(withRule('variable')));
    files.report(
      sourceFile,
      checkSchema(substituted, sourceFile === main ? 'File' : 'Included', { value: written, textAt: (path) => sourceFile.textAt(path) }),
    );
    return substituted;
  });
  if (files.isFull) files.throwIfInvalid(file, []);
  const check = (resolutions: NameResolutions): void =>
    files.throwIfInvalid(file, checkSemantics(value, files.describeLocation, resolutions));
  files.throwIfInvalid(file, [
    ...checkSemantics(value, files.describeLocation),
    ...checkRollout(value, files.describeLocation).map(withRule('rollout')),
    ...checkFreeze(value).map(withRule('freeze')),
  ]);
  const written = value as EdictFile;
  const nameRefs = collectNameRefs(written);
  const toDesiredState = (resolutions: NameResolutions): DesiredState => {
    const known = new Map(
      nameRefs.map((name) => [nameKey(name), resolutions.get(nameKey(name)) ?? ({ kind: 'none', available: [] } as const)]),
    );
    if (nameRefs.length > 0) check(known);
    return buildDesiredState(written, known, files);
  };
  return { gateway: parseGateway(written.gateway), nameRefs, written, toDesiredState };
}

function collectNameRefs(written: EdictFile): NameRef[] {
  const environments = entriesInOrder(written.environments).flatMap(([key, setting]) =>
    typeof setting === 'string' || setting.id !== undefined ? [] : environmentNameRef(key, setting),
  );
  const apis = entriesInOrder(written.apis ?? {}).flatMap(([key, setting]) => (setting.id === undefined ? apiNameRef(key, setting) : []));
  return [...environments, ...apis];
}

function buildDesiredState(written: EdictFile, resolutions: NameResolutions, files: SourceFiles): DesiredState {
  const resolvedId = (name: NameRef): string => {
    const resolution = resolutions.get(nameKey(name));
    if (resolution?.kind !== 'one') throw new TypeError(`unresolved name: ${nameKey(name)}`);
    return resolution.id;
  };
  const environments = new Map<string, Environment>();
  const idOf = new Map<string, string>();
  for (const [name, short] of entriesInOrder(written.environments)) {
    const setting = typeof short === 'string' ? { id: short, protected: false } : short;
    const id = setting.id ?? resolvedId(environmentNameRef(name, setting));
    const maxOffline = 'maxOffline' in setting && setting.maxOffline !== undefined ? parseThreshold(setting.maxOffline) : null;
    const suspension = 'suspend' in setting ? parseSuspension(setting.suspend) : null;
    environments.set(id, { name, id, isProtected: setting.protected ?? false, maxOffline, suspension });
    idOf.set(name, id);
  }
  const publications = new Map<PublicationKey, DesiredPublication>();
  const suspendedApis = new Map<string, Suspension>();
  for (const [api, setting] of entriesInOrder(written.apis ?? {})) {
    const { revision, remark, environments: wanted } = setting;
    const sourceFile = files.fileOfApi(api);
    const nameRef = setting.id === undefined ? apiNameRef(api, setting) : null;
    const apiId = setting.id ?? resolvedId(apiNameRef(api, setting));
    const suspension = parseSuspension(setting.suspend);
    if (suspension) suspendedApis.set(apiId, suspension);
    for (const [environment, publication] of entriesInOrder(wanted)) {
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
        nameRef,
        driftPolicy: own.drift ?? written.drift ?? 'report',
        sourceFile: sourceFile.relativePath,
        source: sourceFile.sourceOf(['apis', api, 'environments', environment]),
      });
    }
  }
  const refresh = written.refresh ?? '5m';
  return {
    gateway: parseGateway(written.gateway),
    environments,
    prune: written.prune ?? false,
    guards: {
      maxOffline: parseThreshold(written.guards?.maxOffline ?? { count: 10, share: '20%' }),
      maxRemoved: parseThreshold(written.guards?.maxRemoved ?? '30%'),
      maxRepublish: parseThreshold(written.guards?.maxRepublish ?? 100),
    },
    rollout: parseRollout(written, idOf, publications.values()),
    freezes: parseFreezes(written.freeze, idOf),
    suspension: parseSuspension(written.suspend),
    suspendedApis,
    refreshIntervalMs: refresh === 'never' ? null : checkedDurationMs(refresh),
    republish: written.republish ?? 'revision',
    sourceFiles: files.relativePaths,
    commitId: null,
    publications,
  };
}

/** The required keys of a gateway block; the rest has defaults. */
export type GatewayBlock = Pick<EdictFile['gateway'], 'endpoint' | 'project' | 'instance'> & Partial<EdictFile['gateway']>;

/** Returns the settings of a gateway block that passed the schema check. */
export function parseGateway(written: GatewayBlock): GatewaySettings {
  const endpoint = new URL(written.endpoint).origin;
  return {
    service: written.service ?? 'roma',
    endpoint,
    iamEndpoint: written.iam === undefined ? defaultIamEndpoint(endpoint) : new URL(written.iam).origin,
    project: written.project,
    instance: written.instance,
    limit: {
      calls: written.limit?.calls ?? 10,
      perMs: checkedDurationMs(written.limit?.per ?? '1s'),
      concurrency: written.limit?.concurrency ?? 4,
    },
    timeoutMs: checkedDurationMs(written.timeout ?? '30s'),
    isMarkerEnabled: written.marker ?? true,
    unknownOutcome: written.unknownOutcome ?? 'hold',
    propagationDelayMs: checkedDurationMs(written.propagationDelay ?? '10s'),
    batchSize: written.batch ?? 1,
  };
}

function parseThreshold(written: components['schemas']['Threshold']): Threshold {
  if (typeof written === 'number') return { count: written, share: null };
  if (typeof written === 'string') return { count: null, share: Number.parseInt(written, 10) / 100 };
  return { count: written.count, share: Number.parseInt(written.share, 10) / 100 };
}

/** The schema check has validated the text. */
function checkedDurationMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === null) throw new TypeError(`not a duration: ${text}`);
  return ms;
}

/** Sets the rule of a check's diagnostics, unless they have one. */
function withRule(rule: DiagnosticRule): (diagnostic: PathDiagnostic) => PathDiagnostic {
  return (diagnostic) => ({ rule, ...diagnostic });
}
