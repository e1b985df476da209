import type { ValidateFunction } from 'ajv';
import type { components } from '../../generated/roma-connect.d.ts';
import * as generated from '../../generated/roma-connect-answers.cjs';
import { findErrorRule } from './error-rules.ts';
import { InvalidResponseError, ServiceError } from './errors.ts';
import { parseRateLimit, parseRetryAfter } from './retry-after.ts';
import { sanitize, sanitizePage } from './sanitize.ts';

type Schemas = components['schemas'];

/** The body of each operation's success response in the specification. */
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

/** The success status of each operation. */
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

/** A response as openapi-fetch returns it with `parseAs: 'text'`: `error` is parsed JSON where possible. */
export interface RawResponse {
  readonly data?: unknown;
  readonly error?: unknown;
  readonly response: { readonly status: number; readonly headers: { get(name: string): string | null } };
}

const { default: _, ...byName } = generated as typeof generated & { default?: unknown };
const validators: Readonly<Record<string, ValidateFunction | undefined>> = byName;

interface ResponseContext {
  /** Redacted in errors. */
  readonly secrets: readonly string[];
  /** The wall clock, for a `Retry-After` that is a date. */
  readonly nowMs: number;
}

/**
 * Returns the body of a success that matches the specification. Throws an InvalidResponseError for any other status below
 * 400 and for a body that breaks the specification, and a ServiceError for a status of 400 or more. `secrets` are redacted in both.
 */
export function parseResponse<O extends GatewayOperation>(
  operation: O,
  rawResponse: RawResponse,
  context: ResponseContext,
): ResponseBodies[O] {
  const { secrets } = context;
  const { status, headers } = rawResponse.response;
  const requestId = requestIdOf(headers, secrets);
  if (status >= 400) throw toServiceError(operation, rawResponse, context);
  const success = successStatuses[operation];
  if (status !== success) {
    const location = headers.get('location');
    const redirect = location === null ? '' : `, a redirect to ${sanitize(location, secrets)}`;
    throw new InvalidResponseError(`answered ${status}${redirect}, where the specification has ${success}`, { status, requestId });
  }
  const body = parseJson(rawResponse.data);
  const violation = body === undefined ? 'its body is not JSON' : findViolation(operation, success, body);
  if (violation !== null) throw new InvalidResponseError(`answered ${success}, but ${violation}`, { status, requestId });
  return body as ResponseBodies[O];
}

function toServiceError(operation: GatewayOperation, rawResponse: RawResponse, { secrets, nowMs }: ResponseContext): ServiceError {
  const { status, headers } = rawResponse.response;
  const { code, message, id } = parseErrorBody(operation, rawResponse, secrets);
  const safeMessage = sanitize(message, secrets);
  // Any other message may quote the name of an API, which must not be able to pause the requests.
  const limitText = findErrorRule(code, status, 'read').errorClass === 'throttle' ? message : '';
  return new ServiceError({
    status,
    errorCode: code === null ? null : sanitize(code, secrets, 64),
    errorMsg: code !== null && safeMessage !== '' ? safeMessage : [`answered ${status}`, safeMessage].filter(Boolean).join(': '),
    requestId: id === null ? requestIdOf(headers, secrets) : sanitize(id, secrets, 128),
    retryAfterMs: parseRetryAfter({ retryAfter: headers.get('retry-after'), date: headers.get('date'), message: limitText }, nowMs),
    rateLimit: parseRateLimit(limitText),
  });
}

interface ErrorBody {
  /** `null` if the body is not the documented one. */
  readonly code: string | null;
  readonly message: string;
  readonly id: string | null;
}

function parseErrorBody(
  operation: GatewayOperation,
  { response: { status }, error: body }: RawResponse,
  secrets: readonly string[],
): ErrorBody {
  if (findViolation(operation, status, body) !== null) {
    const page = typeof body === 'string' ? body : JSON.stringify(body ?? null);
    return { code: null, message: page === 'null' ? '' : sanitizePage(page, secrets), id: null };
  }
  // The body is one of two kinds, and the specification leaves open what else a body has: the identity service's has no `request_id`.
  const { error_code: code, error_msg: message, request_id: id, error } = body as { readonly [name: string]: unknown };
  const ofIdentity = (error as Partial<Schemas['IdentityError']['error']> | undefined)?.message;
  return { code: textOf(code)?.trim() || null, message: textOf(message) || (textOf(ofIdentity) ?? ''), id: textOf(id) };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Returns how `body` breaks the specification, or `null`. A status that is not in the specification is checked like a 500. */
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
