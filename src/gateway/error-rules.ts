import type { Action } from '../model/publication.ts';

/** The kind of a request: one of the two actions, or a read. */
export type RequestKind = Action | 'read';

/**
 * How edict handles an error response.
 *
 * - `alreadyApplied`: the requested state is already in effect.
 * - `retry`: the request took no effect; a retry may succeed.
 * - `throttle`: the gateway throttles; the request took no effect.
 * - `reauthenticate`: renew them once, if possible; then no call is made until they change.
 * - `rejected`: the request took no effect, and no retry helps until a person or a new file acts.
 * - `misconfigured`: like `rejected`, but the endpoint is wrong rather than the API missing.
 * - `unknown`: the outcome is unknown. The gateway's list is read before anything is sent again; a read is retried.
 */
export type ErrorClass = 'alreadyApplied' | 'retry' | 'throttle' | 'reauthenticate' | 'rejected' | 'misconfigured' | 'unknown';

/** One rule. A rule with `codes` matches by code, whatever the status; a rule without codes matches by status. */
export interface ErrorRule {
  /** The service's `error_code`s, or edict's own codes where there is no `status`. `9xxx` matches every code of that group that no other rule names. */
  readonly codes: readonly string[];
  /** `2xx` to `5xx` match every status that no other rule names; `2xx` is an item of a batch that failed within a success. */
  readonly statuses: readonly (number | '2xx' | '4xx' | '5xx')[];
  /** The only kind of request that the rule applies to; `null`: all. */
  readonly onlyFor: RequestKind | null;
  readonly meaning: string;
  readonly errorClass: ErrorClass;
  /** The action for a person; `null` if none is needed. */
  readonly hint: string | null;
}

const requestHint = "the same request is not sent again: check the API's ID, the environment's ID and the remark in the file";
const refusedHint =
  'the gateway refuses this change for the reason in its message; it is not sent again until the file changes or edict gets SIGHUP';
const permissionsHint =
  'give the user of these credentials the right to publish APIs of this instance, or use the credentials of one who has it';
const accessControlHint = "lift the block on this user, address or account in the gateway's access control, or call from an allowed one";
const credentialsHint =
  'the gateway does not accept the credentials: renew them (a token lives 24 hours and belongs to one project; a key can be switched off), or check that the user belongs to the project. edict makes no call until they change';
const accountHint =
  "the cloud account must be put right in the vendor's console: its real-name check, its balance, or its freeze; then send SIGHUP or apply again";
const endpointHint = 'wrong address: check gateway.endpoint, which must be the management endpoint of the region that the instance is in';

/** All known error responses and their classification. The first matching rule applies. */
export const errorRules: readonly ErrorRule[] = [
  rule(['APIG.3309'], [400], { meaning: 'already in the requested state', errorClass: 'alreadyApplied' }),
  rule(['APIG.3015'], [404], { meaning: 'not published, so already offline', errorClass: 'alreadyApplied', onlyFor: 'offline' }),
  rule(['APIG.3015'], [404], { meaning: 'never published, so it has no version', errorClass: 'alreadyApplied', onlyFor: 'read' }),
  rule(['APIG.2000', 'APIG.2001', 'APIG.2002', 'APIG.2003', 'APIG.2011', 'APIG.2012'], [400], {
    meaning: 'bad request',
    errorClass: 'rejected',
    hint: requestHint,
  }),
  rule(['APIG.1000', 'APIG.1001', 'APIG.1002', ...frontGatewayCodes('0301', '0307')], [401], {
    meaning: 'the token or signature is invalid or expired',
    errorClass: 'reauthenticate',
    hint: credentialsHint,
  }),
  rule(['APIG.1010'], [401], { meaning: 'the gateway could not check the permissions', errorClass: 'retry' }),
  rule(['APIG.1011', 'APIG.1012', 'APIG.1013'], [401, 403], {
    meaning: 'the account has no real-name check, no balance, or is frozen',
    errorClass: 'rejected',
    hint: accountHint,
  }),
  rule(['APIG.1005', 'APIG.1020', 'APIG.1101', 'APIG.1102', 'APIG.1103', 'APIG.1136'], [401, 403], {
    meaning: 'not allowed',
    errorClass: 'rejected',
    hint: permissionsHint,
  }),
  rule(frontGatewayCodes('0302', '0303', '0305', '0306'), [401, 403], {
    meaning: 'denied by the front gateway',
    errorClass: 'rejected',
    hint: accessControlHint,
  }),
  rule(['APIG.3102', 'APIG.3104'], [403], {
    meaning: 'quota exceeded',
    errorClass: 'rejected',
    hint: 'raise the quota of the instance, or free some of it',
  }),
  rule(['APIG.3001'], [404], {
    meaning: 'no such API group',
    errorClass: 'rejected',
    hint: 'the API group no longer exists at the gateway: restore it, or remove the API from the file',
  }),
  rule(['APIG.3002', 'APIG.3003'], [404], {
    meaning: 'no such API or environment, so it is offline',
    errorClass: 'alreadyApplied',
    onlyFor: 'offline',
  }),
  rule(['APIG.3002'], [404], {
    meaning: 'no such API',
    errorClass: 'rejected',
    hint: "check the API's id in the file, or remove the API from it",
  }),
  rule(['APIG.3003'], [404], {
    meaning: 'no such environment',
    errorClass: 'rejected',
    hint: "check the environment's id in the file, or create it at the gateway",
  }),
  rule(['APIG.3015'], [404], {
    meaning: 'no such publication',
    errorClass: 'rejected',
    hint: 'the gateway has no record of this publication: check the API in its console',
    onlyFor: 'online',
  }),
  rule(['APIG.3022'], [404], {
    meaning: 'no such version',
    errorClass: 'rejected',
    hint: 'the gateway has no such version of the API: check the API in its console',
  }),
  rule(['APIG.3030'], [404], { meaning: 'no such instance', errorClass: 'rejected', hint: 'check gateway.instance and gateway.project' }),
  rule(['APIC.7302'], [404], {
    meaning: 'resource not found',
    errorClass: 'rejected',
    hint: "check gateway.instance, the API's id and the environment's id",
  }),
  rule(frontGatewayCodes('0101'), [404], { meaning: 'no such path; the API may exist', errorClass: 'misconfigured', hint: endpointHint }),
  rule(['APIC.7701', 'APIG.3718'], [409], { meaning: 'busy', errorClass: 'retry' }),
  rule(frontGatewayCodes('0308'), [429], {
    meaning: 'too many requests',
    errorClass: 'throttle',
    hint: 'set gateway.limit to what the gateway allows',
  }),
  rule(['APIG.9008'], [500], {
    meaning: 'too many requests',
    errorClass: 'throttle',
    hint: 'set gateway.limit to what the gateway allows',
  }),
  rule(['APIG.3500', ...frontGatewayCodes('9xxx')], [500], {
    meaning: 'internal error of the gateway',
    errorClass: 'unknown',
  }),

  rule(['CONNECTION_FAILED'], [], {
    meaning: 'no connection, so nothing was sent',
    errorClass: 'retry',
    hint: 'check gateway.endpoint, the network, and for TLS NODE_EXTRA_CA_CERTS',
  }),
  rule(['REQUEST_NOT_SENT'], [], { meaning: 'edict was stopped before it sent anything', errorClass: 'retry' }),
  rule(['CONNECTION_LOST'], [], { meaning: 'the connection broke after the request was sent', errorClass: 'unknown' }),
  rule(['TIMEOUT'], [], {
    meaning: 'no response in time after the request was sent',
    errorClass: 'unknown',
    hint: 'if it happens often, raise gateway.timeout',
  }),
  rule(['INTERRUPTED'], [], { meaning: 'edict was stopped before the response arrived', errorClass: 'unknown' }),
  rule(['INVALID_RESPONSE'], [], {
    meaning: 'a response that does not match the specification',
    errorClass: 'unknown',
    hint: 'check that gateway.endpoint is a ROMA Connect gateway',
  }),
  rule(['REDIRECTED'], [], {
    meaning: 'a redirect, which edict does not follow',
    errorClass: 'misconfigured',
    hint: 'check gateway.endpoint: it leads elsewhere',
    onlyFor: 'read',
  }),
  rule(['REDIRECTED'], [], {
    meaning: 'a redirect, which edict does not follow; it does not prove that the call had no effect',
    errorClass: 'unknown',
    hint: 'check gateway.endpoint: it leads elsewhere',
  }),
  rule(['CREDENTIALS_REJECTED', 'CREDENTIALS_UNREADABLE'], [], {
    meaning: 'the credentials are rejected or missing',
    errorClass: 'reauthenticate',
    hint: 'check the HW_ variables, the files that they name, and gateway.project; edict retries when a file changes, on SIGHUP, or after a restart, and not before, since five failures lock a key or an account',
  }),
  rule(['IAM_UNAVAILABLE'], [], {
    meaning: 'the identity service gives no valid response',
    errorClass: 'retry',
    hint: 'check gateway.iam and the network',
  }),
  rule(['TEMPORARY_KEY_UNAVAILABLE'], [], {
    meaning: 'the machine gives no temporary key',
    errorClass: 'retry',
    hint: "check the agency of the server, or of the pod's service account",
  }),
  rule(['IAM_THROTTLED'], [], { meaning: 'the identity service throttles', errorClass: 'throttle' }),

  rule([], ['2xx'], { meaning: 'refused within a batch', errorClass: 'rejected', hint: refusedHint }),
  rule([], [401], { meaning: 'not authenticated, for an unlisted reason', errorClass: 'reauthenticate', hint: credentialsHint }),
  rule([], [408, 409, 425], { meaning: 'temporarily unavailable', errorClass: 'retry' }),
  rule([], [429], { meaning: 'too many requests', errorClass: 'throttle', hint: 'set gateway.limit to what the gateway allows' }),
  rule([], [403], { meaning: 'not allowed', errorClass: 'rejected', hint: permissionsHint }),
  rule([], [404], {
    meaning: 'no such path or resource',
    errorClass: 'rejected',
    hint: "check gateway.endpoint, gateway.instance, the API's id and the environment's id",
  }),
  rule([], ['4xx'], { meaning: 'bad request', errorClass: 'rejected', hint: requestHint }),
  rule([], [502, 503, 504], { meaning: 'a proxy got no response; the call may have arrived', errorClass: 'unknown' }),
  rule([], ['5xx'], { meaning: 'internal error of the gateway', errorClass: 'unknown' }),
];

/** Returns the rule for a response: by `code` first, then by `status` if no rule has the code. */
export function findErrorRule(code: string | null, status: number | null, requestKind: RequestKind): ErrorRule {
  const matches = (row: ErrorRule): boolean => row.onlyFor === null || row.onlyFor === requestKind;
  const row =
    rulesByKey.get(code)?.find(matches) ??
    rulesByKey.get(code?.replace(/\.9\d{3}$/, '.9xxx') ?? null)?.find(matches) ??
    rulesByKey.get(status)?.find(matches) ??
    rulesByKey.get(status === null ? null : `${Math.floor(status / 100)}xx`)?.find(matches);
  return row ?? findErrorRule('INVALID_RESPONSE', null, requestKind);
}

const rulesByKey = new Map<string | number | null, ErrorRule[]>();
for (const row of errorRules) {
  for (const key of row.codes.length > 0 ? row.codes : row.statuses) rulesByKey.set(key, [...(rulesByKey.get(key) ?? []), row]);
}

type RuleEffect = Pick<ErrorRule, 'meaning' | 'errorClass'> & Partial<Pick<ErrorRule, 'hint' | 'onlyFor'>>;

function rule(
  codes: readonly string[],
  statuses: ErrorRule['statuses'],
  { meaning, errorClass, hint = null, onlyFor = null }: RuleEffect,
): ErrorRule {
  return Object.freeze({ codes, statuses, onlyFor, meaning, errorClass, hint });
}

/** The front gateway's codes have one of several prefixes, depending on its version. */
function frontGatewayCodes(...numbers: readonly string[]): string[] {
  return numbers.flatMap((number) => [`APIG.${number}`, `APIGW.${number}`, `APIC.${number}`]);
}
