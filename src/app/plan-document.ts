import { createHash } from 'node:crypto';
import type { ErrorObject } from 'ajv';
import { validateSavedPlan } from '../../generated/saved-plan-validator.cjs';
import { EdictError } from '../model/errors.ts';
import { publicationKey } from '../model/publication.ts';
import { toJson } from '../model/visible.ts';
import { planDigest } from '../plan/digest.ts';
import type { SavedChange, SavedPlan } from '../plan/saved-plan.ts';

/** The format version of saved plans that this edict reads and writes. */
const currentFormat = 1;

/** Returns whether a file that begins with `start` is a saved plan, or an empty file. */
export function looksLikeSavedPlan(start: string): boolean {
  return /^\s*(\{\s*"edictPlan"|$)/.test(start);
}

/** Returns the text of a saved plan: JSON with one line per change. The same plan gives the same text. */
export function writePlanDocument(saved: SavedPlan): string {
  const { changes, ...head } = contentOf(saved);
  const start = toJson({ edictPlan: currentFormat, ...head, checksum: checksumOf(saved) }).slice(0, -1);
  return `${start},"changes":[${changes.map((change) => `\n${toJson(change)}`).join(',')}\n]}\n`;
}

/**
 * Parses a saved plan. Rejects unknown keys and any text that was edited after it was saved: checksum and digest detect accidents,
 * not deliberate forgery. `name` is the file's name for messages.
 *
 * @throws EdictError `SAVED_PLAN_INVALID`, which says what is wrong
 */
export function readPlanDocument(json: string, name: string): SavedPlan {
  const invalidPlan = (why: string, hint = saveAgainHint): EdictError =>
    new EdictError('SAVED_PLAN_INVALID', `the saved plan ${name} ${why}`, { hint });
  const parsed = parse(json);
  if (parsed === undefined) throw invalidPlan(looksLikeSavedPlan(json) ? 'is incomplete or damaged: it is not valid JSON' : 'is not JSON');
  const format = typeof parsed === 'object' && parsed !== null && 'edictPlan' in parsed ? parsed.edictPlan : undefined;
  if (format === undefined) throw invalidPlan('is not a saved plan: it has no "edictPlan"', 'save one with `edict plan --out FILE`');
  if (format !== currentFormat) {
    throw invalidPlan(
      `has ${typeof format === 'object' ? 'a list or an object as its format' : `format ${shown(format)}`}, and this edict reads format ${currentFormat}`,
      'apply it with the version of edict that saved it',
    );
  }
  if (!validateSavedPlan(parsed)) {
    const [error] = validateSavedPlan.errors ?? [];
    throw invalidPlan(`is not one that edict has written${error ? `: ${describeSchemaError(error)}` : ''}`);
  }
  const document = parsed as PlanDocument;
  const saved = savedFrom(document);
  if (saved.changes.size < document.changes.length)
    throw invalidPlan('is not one that edict has written: it has two changes of one publication');
  const [checksum, digest] = [checksumOf(saved), digestOf(saved)];
  if (checksum !== document.checksum)
    throw invalidPlan(`was changed after it was saved: its checksum is ${document.checksum}, that of its content ${checksum}`);
  if (digest !== document.digest)
    throw invalidPlan(`was changed after it was saved: its digest is ${document.digest}, that of its changes ${digest}`);
  return saved;
}

const saveAgainHint = 'nothing was sent; save the plan again with `edict plan --out FILE`';

/** Returns `undefined` for invalid JSON. V8's message is dropped: it quotes the beginning of a file that may contain secrets. */
function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

type PlanDocument = ReturnType<typeof contentOf> & { readonly checksum: string };

/** Returns the content of the document, with its keys in the order in which they are written. */
function contentOf(saved: SavedPlan) {
  const { gateway, isEmulated, isRefreshed, targets, createdAtMs, changes } = saved;
  const { endpoint, project, instance } = gateway;
  return {
    digest: digestOf(saved),
    createdAtMs,
    gateway: { endpoint, project, instance, emulated: isEmulated },
    refreshed: isRefreshed,
    targets: { apis: [...targets.apis], environments: [...targets.environments] },
    changes: [...changes.values()].map(changeContent),
  };
}

function changeContent({ key: _, held, deferred, precondition, lastAttemptId, ...of }: SavedChange) {
  const { api, apiId, environment, environmentId, action, reason, from, revision, remark, version } = of;
  const { state, versionId, editedAtMs, unknownAttempt } = precondition;
  return {
    ...{ api, apiId, environment, environmentId, action, reason, from, revision, remark, version },
    held: held && { rule: held.rule, message: held.message, hint: held.hint },
    deferred: deferred && { rule: deferred.rule, message: deferred.message, untilMs: deferred.untilMs },
    recorded: {
      state,
      revision: precondition.revision,
      versionId,
      editedAtMs,
      unknownAttempt: unknownAttempt && attemptContent(unknownAttempt),
    },
    attempt: lastAttemptId,
  };
}

function attemptContent({ attemptId, action, revision, version }: NonNullable<SavedChange['precondition']['unknownAttempt']>) {
  return { attemptId, action, revision, version };
}

function savedFrom({
  createdAtMs,
  gateway: { emulated: isEmulated, ...gateway },
  refreshed: isRefreshed,
  targets,
  changes,
}: PlanDocument): SavedPlan {
  const saved = changes.map(({ recorded, attempt, ...change }): SavedChange => {
    return { ...change, key: publicationKey(change.apiId, change.environmentId), precondition: recorded, lastAttemptId: attempt };
  });
  const byKey = new Map(saved.map((change) => [change.key, change]));
  return { gateway, isConfirmed: false, isEmulated, isRefreshed, targets, createdAtMs, changes: byKey };
}

function digestOf({ gateway, isEmulated, changes }: SavedPlan): string {
  return planDigest({ gateway, isEmulated, changes: [...changes.values()] });
}

/** Covers the content, not the layout. */
function checksumOf(saved: SavedPlan): string {
  return `sha256:${createHash('sha256')
    .update(JSON.stringify(contentOf(saved)))
    .digest('hex')}`;
}

/** The most characters of a value or a key in an error message. */
const maxShown = 60;

function describeSchemaError({ instancePath, keyword, params, data, message }: ErrorObject): string {
  const at =
    instancePath
      .slice(1)
      .replaceAll(/\/(\d+)/g, '[$1]')
      .replaceAll('/', '.') || 'it';
  if (keyword === 'additionalProperties') return `${at} has an unknown key ${shown(params['additionalProperty'])}`;
  if (keyword === 'required') return `${at} has no ${shown(params['missingProperty'])}`;
  const found = typeof data === 'object' && data !== null ? '' : ` is ${shown(data)};`;
  const allowed = keyword === 'enum' ? `: ${(params['allowedValues'] as readonly unknown[]).join(', ')}` : '';
  return `${at}${found} ${message}${allowed}`;
}

/** Returns the start of a value that has no parts: JSON of nested ones could exhaust the stack. */
function shown(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length > maxShown ? `${json.slice(0, maxShown)}…` : json;
}
