import type { ValidateFunction } from 'ajv';
import type { components } from '../../generated/roma-connect.d.ts';
import * as generated from '../../generated/roma-connect-answers.cjs';
import { InvalidResponseError, ServiceError } from './errors.ts';
import { parseRateLimit, parseRetryAfter } from './retry-after.ts';
import { sanitize, sanitizePage } from './sanitize.ts';

type Schemas = components['schemas'];

/** What the specification says an operation answers when it succeeds. */
export interface ResponseBodies {
  readonly changePublication: Schemas['PublicationResponse'];
  readonly changePublications: Schemas['BatchResponse'];
  readonly createToken: Schemas['TokenResponse'];
  readonly getApi: Schemas['Api'];
  readonly listApis: Schemas['ApiList'];
  readonly listEnvironments: Schemas['EnvironmentList'];
  readonly listVersions: Schemas['VersionList'];
  readonly switchVersion: Schemas['PublicationResponse'];
}
export type GatewayOperation = keyof ResponseBodies;

/** The status of success, by operation. */
const successStatuses: Readonly<Record<GatewayOperation, number>> = {
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
export interface RawResponse {
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
export function parseResponse<O extends GatewayOperation>(
  operation: O,
  answer: RawResponse,
  secrets: readonly string[],
  nowMs: number,
): ResponseBodies[O] {
  const { status, headers } = answer.response;
  const requestId = requestIdOf(headers, secrets);
  if (status >= 400) throw toServiceError(operation, answer, secrets, nowMs);
  const success = successStatuses[operation];
  if (status !== success) {
    const target = headers.get('location');
    const to = target === null ? '' : `, a redirect to ${sanitize(target, secrets)}`;
    throw new InvalidResponseError(`answered ${status}${to}, where the specification has ${success}`, { status, requestId });
  }
  const body = parseJson(answer.data);
  const mistake = body === undefined ? 'its body is not JSON' : findViolation(operation, success, body);
  if (mistake !== null) throw new InvalidResponseError(`answered ${success}, but ${mistake}`, { status, requestId });
  return body as ResponseBodies[O];
}

function toServiceError(operation: GatewayOperation, answer: RawResponse, secrets: readonly string[], nowMs: number): ServiceError {
  const { status, headers } = answer.response;
  const { code, message, id } = parseErrorBody(operation, status, answer.error, secrets);
  const said = sanitize(message, secrets);
  return new ServiceError({
    status,
    errorCode: code === null ? null : sanitize(code, secrets, 64),
    errorMsg: code !== null && said !== '' ? said : [`answered ${status}`, said].filter(Boolean).join(': '),
    requestId: id === null ? requestIdOf(headers, secrets) : sanitize(id, secrets, 128),
    retryAfterMs: parseRetryAfter({ retryAfter: headers.get('retry-after'), date: headers.get('date'), message }, nowMs),
    rateLimit: parseRateLimit(message),
  });
}

interface ErrorBody {
  /** `null` where the body is not the documented one. */
  readonly code: string | null;
  readonly message: string;
  readonly id: string | null;
}

function parseErrorBody(operation: GatewayOperation, status: number, body: unknown, secrets: readonly string[]): ErrorBody {
  if (findViolation(operation, status, body) !== null) {
    const page = typeof body === 'string' ? body : JSON.stringify(body ?? null);
    return { code: null, message: page === 'null' ? '' : sanitizePage(page, secrets), id: null };
  }
  const { error_code: code, error_msg: message, request_id: id, error } = body as Partial<Schemas['Error'] & Schemas['IdentityError']>;
  return { code: code?.trim() || null, message: message || (error?.message ?? ''), id: id ?? null };
}

/** Returns how `body` breaks the specification, or `null`. A status that is not in it has the body of a 500. */
function findViolation(operation: GatewayOperation, status: number, body: unknown): string | null {
  const validate = validators[`${operation}_${status}`] ?? validators[`${operation}_500`];
  if (validate === undefined) throw new TypeError(`no validator for ${operation}`);
  if (validate(body)) return null;
  const [first] = validate.errors ?? [];
  const place = first?.instancePath ? ` at ${first.instancePath.slice(1)}` : '';
  return `its body${place} ${first?.message ?? 'is wrong'}`;
}

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}

function requestIdOf(headers: RawResponse['response']['headers'], secrets: readonly string[]): string | null {
  const id = headers.get('x-request-id');
  return id === null ? null : sanitize(id, secrets, 128);
}
