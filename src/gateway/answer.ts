import type { ValidateFunction } from 'ajv';
import type { components } from '../../generated/roma-connect.d.ts';
import * as generated from '../../generated/roma-connect-answers.cjs';
import { InvalidAnswerError, RefusedError } from './gateway-error.ts';
import { allowanceOf, pauseOf } from './pause.ts';
import { readable, readablePage } from './readable.ts';

type Schemas = components['schemas'];

/** What the specification says an operation answers when it succeeds. */
export interface Answers {
  readonly changePublication: Schemas['PublicationResponse'];
  readonly changePublications: Schemas['BatchResponse'];
  readonly createToken: Schemas['TokenResponse'];
  readonly getApi: Schemas['Api'];
  readonly listApis: Schemas['ApiList'];
  readonly listEnvironments: Schemas['EnvironmentList'];
  readonly listVersions: Schemas['VersionList'];
  readonly switchVersion: Schemas['PublicationResponse'];
}
export type Operation = keyof Answers;

/** The status of success, by operation. */
const successes: Readonly<Record<Operation, number>> = {
  changePublication: 201,
  changePublications: 200,
  createToken: 201,
  getApi: 200,
  listApis: 200,
  listEnvironments: 200,
  listVersions: 200,
  switchVersion: 200,
};

/** An answer as openapi-fetch hands it over when it parses nothing: `error` is JSON where it can be. */
export interface RawAnswer {
  readonly data?: unknown;
  readonly error?: unknown;
  readonly response: { readonly status: number; readonly headers: { get(name: string): string | null } };
}

const { default: _, ...byName } = generated as typeof generated & { default?: unknown };
const validators: Readonly<Record<string, ValidateFunction | undefined>> = byName;

/**
 * Returns the body of a success that keeps to the specification. Throws an InvalidAnswerError for every other status below
 * 400 and for a body that breaks the specification, a RefusedError for the rest. `secrets` are kept out of both.
 */
export function answeredBody<O extends Operation>(operation: O, answer: RawAnswer, secrets: readonly string[], nowMs: number): Answers[O] {
  const { status, headers } = answer.response;
  const requestId = requestIdOf(headers, secrets);
  if (status >= 400) throw refusal(operation, answer, secrets, nowMs);
  const success = successes[operation];
  if (status !== success) {
    const target = headers.get('location');
    const to = target === null ? '' : `, a redirect to ${readable(target, secrets)}`;
    throw new InvalidAnswerError(`answered ${status}${to}, where the specification has ${success}`, { status, requestId });
  }
  const body = parsed(answer.data);
  const mistake = body === undefined ? 'its body is not JSON' : mistakeIn(operation, success, body);
  if (mistake !== null) throw new InvalidAnswerError(`answered ${success}, but ${mistake}`, { status, requestId });
  return body as Answers[O];
}

function refusal(operation: Operation, answer: RawAnswer, secrets: readonly string[], nowMs: number): RefusedError {
  const { status, headers } = answer.response;
  const { code, message, id } = saidBy(operation, status, answer.error, secrets);
  const said = readable(message, secrets);
  return new RefusedError({
    status,
    errorCode: code === null ? null : readable(code, secrets, 64),
    errorMsg: code !== null && said !== '' ? said : [`answered ${status}`, said].filter(Boolean).join(': '),
    requestId: id === null ? requestIdOf(headers, secrets) : readable(id, secrets, 128),
    pauseMs: pauseOf({ retryAfter: headers.get('retry-after'), date: headers.get('date'), message }, nowMs),
    allowed: allowanceOf(message),
  });
}

interface Said {
  /** `null` where the body is not the documented one. */
  readonly code: string | null;
  readonly message: string;
  readonly id: string | null;
}

function saidBy(operation: Operation, status: number, body: unknown, secrets: readonly string[]): Said {
  if (mistakeIn(operation, status, body) !== null) {
    const page = typeof body === 'string' ? body : JSON.stringify(body ?? null);
    return { code: null, message: page === 'null' ? '' : readablePage(page, secrets), id: null };
  }
  const { error_code: code, error_msg: message, request_id: id, error } = body as Partial<Schemas['Error'] & Schemas['IdentityError']>;
  return { code: code?.trim() || null, message: message || (error?.message ?? ''), id: id ?? null };
}

/** Returns how `body` breaks the specification, or `null`. A status that is not in it has the body of a 500. */
function mistakeIn(operation: Operation, status: number, body: unknown): string | null {
  const validate = validators[`${operation}_${status}`] ?? validators[`${operation}_500`];
  if (validate === undefined) throw new TypeError(`no validator for ${operation}`);
  if (validate(body)) return null;
  const [first] = validate.errors ?? [];
  const place = first?.instancePath ? ` at ${first.instancePath.slice(1)}` : '';
  return `its body${place} ${first?.message ?? 'is wrong'}`;
}

function parsed(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}

function requestIdOf(headers: RawAnswer['response']['headers'], secrets: readonly string[]): string | null {
  const id = headers.get('x-request-id');
  return id === null ? null : readable(id, secrets, 128);
}
