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
  'the gateway refuses this for the reason in its message; the change is not sent again until the file changes or edict gets SIGHUP';
const permissionsHint =
  'give the user of these credentials the right to publish APIs of this instance, or use the credentials of one who has it';
const accessControlHint = "lift the block on this user, address or account in the gateway's access control, or call from an allowed one";
const credentialsHint =
  'the gateway does not accept the credentials: renew them (a token lives 24 hours and belongs to one project; a key can be switched off), or check that the user belongs to the project. edict makes no call until they change';
const endpointHint =
  'wrong address: check gateway.endpoint and gateway.service: the management endpoint of the service, in the region of the instance';
const limitHint = 'set gateway.limit to what the gateway allows';

/**
 * All known error responses and their classification. The first matching rule applies. The codes are those of the vendor's public
 * tables (spec/gateway-error-codes.yaml); one of these that no rule names is classified by its status.
 */
export const errorRules: readonly ErrorRule[] = [
  rule(['APIG.3309'], [400], { meaning: 'already in the requested state', errorClass: 'alreadyApplied' }),
  rule(['APIG.3015'], [404], { meaning: 'not published, so already offline', errorClass: 'alreadyApplied', onlyFor: 'offline' }),
  rule(['APIG.3015'], [404], { meaning: 'never published, so it has no version', errorClass: 'alreadyApplied', onlyFor: 'read' }),
  rule([...numbered('APIG', [2000, 2013]), 'APIC.7211'], [400], { meaning: 'bad request', errorClass: 'rejected', hint: requestHint }),
  rule(
    [
      ...numbered('APIG', [1000, 1002], 9998),
      ...numbered('APIC', [7100, 7102]),
      ...frontGatewayCodes('0301', '0307', '0311', '0312', '0313'),
    ],
    [401],
    { meaning: 'the token or signature is invalid or expired', errorClass: 'reauthenticate', hint: credentialsHint },
  ),
  rule([...numbered('APIG', 1003, 1004, [1006, 1009]), ...numbered('APIC', 7103, 7105, 7107)], [401], {
    meaning: 'the token names no project, account, user or role',
    errorClass: 'reauthenticate',
    hint: 'use a token that is scoped to gateway.project, of a user who has a role in it. edict makes no call until the credentials change',
  }),
  rule(['APIG.1010', 'APIG.1029'], [401, 500], { meaning: 'the gateway could not check the permissions', errorClass: 'retry' }),
  rule([...numbered('APIG', [1011, 1013], 3412), 'APIC.7109', ...frontGatewayCodes('0502')], [401, 403, 405], {
    meaning: 'the account has no real-name check, no balance, or is frozen',
    errorClass: 'rejected',
    hint: "the cloud account must be put right in the vendor's console: its real-name check, its balance, or its freeze; then send SIGHUP or apply again",
  }),
  rule(['APIC.7110'], [403], {
    meaning: 'these credentials may only read',
    errorClass: 'rejected',
    hint: "ask the account's administrator for a role that may publish APIs: the present one may only read",
  }),
  rule(
    [
      ...numbered('APIG', 1005, 1020, [1101, 1117], 1119, 1120, 1136, 1137, 1140, 1149, 1200, 1301, 9995, 9997),
      ...numbered('APIC', 7106, 7134, 7300),
    ],
    [400, 401, 403, 409],
    { meaning: 'not allowed', errorClass: 'rejected', hint: permissionsHint },
  ),
  rule([...numbered('APIG', 1201, 3411, 3712), ...numbered('APIC', 7111, 7118, 7130)], [400, 403, 409], {
    meaning: 'it belongs to another account or project',
    errorClass: 'rejected',
    hint: "check gateway.project, gateway.instance, the API's id, and which account the credentials are of",
  }),
  rule(frontGatewayCodes('0303', '0305'), [401], {
    meaning: 'the credentials are those of an app, or of an authorizer',
    errorClass: 'rejected',
    hint: 'use a token or a key of a user of the account: publishing is not allowed to apps',
  }),
  rule(frontGatewayCodes('0302', '0304', '0306', '0314', '0401', '0402', '0405'), [403], {
    meaning: 'denied by the front gateway',
    errorClass: 'rejected',
    hint: accessControlHint,
  }),
  rule(frontGatewayCodes('0310'), [403], {
    meaning: 'the project is not available',
    errorClass: 'rejected',
    hint: 'check gateway.project, and in the console that this project is in use',
  }),
  rule(frontGatewayCodes('0801', '0802'), [403], {
    meaning: 'not available in this region',
    errorClass: 'rejected',
    hint: 'check the region in gateway.endpoint, and that the user of these credentials may work in it',
  }),
  rule(
    [
      ...numbered('APIG', [3100, 3114], 3116, 3117, 3125, 3127, [3131, 3133], 3136, 3150, 3151, 3153),
      ...numbered('APIC', 7400, 7402, 7403),
      ...frontGatewayCodes('0501'),
    ],
    [400, 403, 405],
    { meaning: 'quota exceeded', errorClass: 'rejected', hint: 'raise the quota that the message names, or free some of it' },
  ),
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
  rule(
    [
      ...numbered('APIG', 2041, 2042, 2108, [3004, 3014], [3016, 3021], [3023, 3029], 3072, 3073, 3081, 3082, 3084, 3087, 3090),
      ...numbered('APIG', [3092, 3095], 3097),
      ...numbered('APIC', 7301, 7307, 7310, 7311, 7314),
    ],
    [400, 404],
    {
      meaning: 'something that the API uses does not exist',
      errorClass: 'rejected',
      hint: 'the message names what is missing at the gateway: repair the API in its console; then send SIGHUP or apply again',
    },
  ),
  rule(numbered('APIG', [3201, 3213], 3216, [3301, 3308], 3310, 3316, 3325, [3330, 3332]), [400], {
    meaning: 'it collides with something that exists at the gateway',
    errorClass: 'rejected',
    hint: 'the message names what exists already: change one of the two in the console; then send SIGHUP or apply again',
  }),
  rule(['APIG.3458'], [412], {
    meaning: 'the instance lacks a feature that the API needs',
    errorClass: 'rejected',
    hint: "see the instance's edition and features in the console, or ask the vendor's support for the feature",
  }),
  rule(
    [
      ...numbered('APIG', [3400, 3410], [3414, 3420], 3447, 3451, [3471, 3474], 3491, 3492, [3707, 3710], 3713, [3715, 3717], 3719),
      ...numbered('APIC', 7707, [7709, 7711]),
    ],
    [400, 403, 409, 412],
    { meaning: 'not possible in the present state of the gateway', errorClass: 'rejected', hint: refusedHint },
  ),
  rule([...frontGatewayCodes('0101'), 'APIG.9996'], [404], {
    meaning: 'no such path; the API may exist',
    errorClass: 'misconfigured',
    hint: endpointHint,
  }),
  rule(frontGatewayCodes('0204', '0205', '0607'), [400], {
    meaning: 'the front gateway does not accept this protocol, TLS version or client certificate',
    errorClass: 'misconfigured',
    hint: 'check that gateway.endpoint begins with https://, and the TLS settings of a proxy in between',
  }),
  rule(frontGatewayCodes('0103', '0104', '0105', '0404'), [400, 403, 404, 500], {
    meaning: 'the front gateway has no way to the service, so it sent nothing on',
    errorClass: 'retry',
    hint: "if it lasts, check gateway.endpoint, or ask the vendor's support, with the request ID",
  }),
  rule(['APIC.7701', 'APIC.7712', 'APIG.3711', 'APIG.3718'], [409], { meaning: 'busy', errorClass: 'retry' }),
  rule([...frontGatewayCodes('0308'), 'APIG.9008'], [429, 500], { meaning: 'too many requests', errorClass: 'throttle', hint: limitHint }),
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
    hint: 'check that gateway.endpoint is one of ROMA Connect or API Gateway',
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
  rule([], [429], { meaning: 'too many requests', errorClass: 'throttle', hint: limitHint }),
  rule([], [403], { meaning: 'not allowed', errorClass: 'rejected', hint: permissionsHint }),
  rule([], [404], {
    meaning: 'no such path or resource',
    errorClass: 'rejected',
    hint: "check gateway.endpoint, gateway.instance, the API's id and the environment's id",
  }),
  rule([], ['4xx'], { meaning: 'refused', errorClass: 'rejected', hint: refusedHint }),
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

/** Returns the codes of a group; `[first, last]` stands for all from the first to the last. */
function numbered(group: 'APIG' | 'APIC', ...numbers: readonly (number | readonly [first: number, last: number])[]): string[] {
  return numbers.flatMap((number) => {
    const [first, last] = typeof number === 'number' ? [number, number] : number;
    return Array.from({ length: last - first + 1 }, (_, index) => `${group}.${first + index}`);
  });
}
