import type { Action } from '../model/publication.ts';

/** The kind of a request: one of the two actions, or a read. */
export type RequestKind = Action | 'read';

/**
 * How edict handles an error response.
 *
 * - `already so`: the requested state is already in effect.
 * - `try again`: the request took no effect; a retry may succeed.
 * - `slow down`: the gateway throttles; the request took no effect.
 * - `renew credentials`: renew them once, if possible; then no call is made until they change.
 * - `wait for a person`: the request took no effect, and no retry helps until a person or a new file acts.
 * - `wrong address`: like `wait for a person`, but the endpoint is wrong rather than the API missing.
 * - `look first`: the outcome is unknown. The gateway's list is read before anything is sent again; a read is retried.
 */
export type ErrorClass =
  | 'already so'
  | 'try again'
  | 'slow down'
  | 'renew credentials'
  | 'wait for a person'
  | 'wrong address'
  | 'look first';

/** One rule. A rule with `codes` matches by code, whatever the status; a rule without codes matches by status. */
export interface ErrorRule {
  /** The service's `error_code`s, or edict's own codes where there is no `status`. */
  readonly codes: readonly string[];
  /** `4xx` and `5xx` match every status that no other rule names. */
  readonly statuses: readonly (number | '4xx' | '5xx')[];
  /** The only kind of request that the rule applies to; `null`: all. */
  readonly onlyFor: RequestKind | null;
  readonly meaning: string;
  readonly errorClass: ErrorClass;
  /** The action for a person; `null` if none is needed. */
  readonly hint: string | null;
}

const requestHint = "the same request is not sent again: check the API's ID, the environment's ID and the remark in the file";
const permissionsHint =
  'give the user of these credentials the right to publish APIs of this instance, or use the credentials of one who has it';
const accessControlHint = "lift the block on this user, address or account in the gateway's access control, or call from an allowed one";
const credentialsHint =
  'the gateway does not accept the credentials: renew them (a token lives 24 hours and belongs to one project; a key can be switched off), or check that the user belongs to the project. edict makes no call until they change';
const endpointHint = 'wrong address: check gateway.endpoint, which must be the management endpoint of the region that the instance is in';

/** All known error responses and their classification. The first matching rule applies. */
export const errorRules: readonly ErrorRule[] = [
  rule(['APIG.3309'], [400], 'it is already so', 'already so'),
  rule(['APIG.3015'], [404], 'it is not published, so it is offline', 'already so', null, 'offline'),
  rule(['APIG.3015'], [404], 'it was never published, so there is no version', 'already so', null, 'read'),
  rule(
    ['APIG.2000', 'APIG.2001', 'APIG.2002', 'APIG.2003', 'APIG.2011', 'APIG.2012'],
    [400],
    'bad request',
    'wait for a person',
    requestHint,
  ),
  rule(
    ['APIG.1000', 'APIG.1001', 'APIG.1002', ...frontGatewayCodes('0301', '0307')],
    [401],
    'the token or the signature is not valid, or no longer',
    'renew credentials',
    credentialsHint,
  ),
  rule(
    ['APIG.1005', 'APIG.1020', 'APIG.1101', 'APIG.1102', 'APIG.1103', 'APIG.1136'],
    [401, 403],
    'not allowed',
    'wait for a person',
    permissionsHint,
  ),
  rule(
    frontGatewayCodes('0302', '0303', '0305', '0306'),
    [401, 403],
    'not allowed by the front gateway',
    'wait for a person',
    accessControlHint,
  ),
  rule(['APIG.3102', 'APIG.3104'], [403], 'a quota is used up', 'wait for a person', 'raise the quota of the instance, or free some of it'),
  rule(
    ['APIG.3001'],
    [404],
    'no such API group',
    'wait for a person',
    "the API's group is gone from the gateway: restore it, or remove the API from the file",
  ),
  rule(['APIG.3002'], [404], 'no such API', 'wait for a person', "check the API's id in the file, or remove the API from it"),
  rule(
    ['APIG.3003'],
    [404],
    'no such environment',
    'wait for a person',
    "check the environment's id in the file, or create it at the gateway",
  ),
  rule(
    ['APIG.3015'],
    [404],
    'no such publication',
    'wait for a person',
    'the gateway has no record of this publication: look at the API in its console',
    'online',
  ),
  rule(
    ['APIG.3022'],
    [404],
    'no such version',
    'wait for a person',
    'the gateway has no such version of the API: look at the API in its console',
  ),
  rule(['APIG.3030'], [404], 'no such instance', 'wait for a person', 'check gateway.instance and gateway.project'),
  rule(['APIC.7302'], [404], 'missing', 'wait for a person', "check gateway.instance, the API's id and the environment's id"),
  rule(frontGatewayCodes('0101'), [404], 'no such address, which says nothing of the API', 'wrong address', endpointHint),
  rule(['APIC.7701', 'APIG.3718'], [409], 'busy', 'try again'),
  rule(frontGatewayCodes('0308'), [429], 'too many requests', 'slow down', 'set gateway.limit to what the gateway allows'),
  rule(['APIG.9008'], [500], 'too many requests', 'slow down', 'set gateway.limit to what the gateway allows'),
  rule(
    ['APIG.3500', 'APIG.9003', 'APIG.9004', 'APIG.9005', 'APIG.9006', 'APIG.9007', 'APIG.9999'],
    [500],
    'an error in the gateway',
    'look first',
  ),

  rule(
    ['CONNECTION_FAILED'],
    [],
    'no connection, so nothing was sent',
    'try again',
    'check gateway.endpoint, the network, and for TLS NODE_EXTRA_CA_CERTS',
  ),
  rule(['REQUEST_NOT_SENT'], [], 'edict was stopped before it sent anything', 'try again'),
  rule(['CONNECTION_LOST'], [], 'the connection broke after the request was sent', 'look first'),
  rule(['TIMEOUT'], [], 'no answer in time after the request was sent', 'look first', 'if it happens often, raise gateway.timeout'),
  rule(['INTERRUPTED'], [], 'edict was stopped before the answer was there', 'look first'),
  rule(
    ['INVALID_RESPONSE'],
    [],
    'an answer that the specification does not know',
    'look first',
    'check that gateway.endpoint is a ROMA Connect gateway',
  ),
  rule(['REDIRECTED'], [], 'a redirect, which edict does not follow', 'wrong address', 'check gateway.endpoint: it leads elsewhere'),
  rule(
    ['CREDENTIALS_REJECTED', 'CREDENTIALS_UNREADABLE'],
    [],
    'the credentials are not taken, or there are none',
    'renew credentials',
    'check the HW_ variables, the files that they name, and gateway.project; edict goes on when a file changes, after SIGHUP, or when it is started again. It does not ask twice, since five failures lock a key or an account',
  ),
  rule(['IAM_UNAVAILABLE'], [], 'the identity service gives no useful answer', 'try again', 'check gateway.iam and the network'),
  rule(['IAM_THROTTLED'], [], 'the identity service asks for a pause', 'slow down'),

  rule([], [401], 'the token or the signature is not valid, or no longer', 'renew credentials', credentialsHint),
  rule([], [408, 409, 425], 'not now', 'try again'),
  rule([], [429], 'too many requests', 'slow down', 'set gateway.limit to what the gateway allows'),
  rule([], [403], 'not allowed', 'wait for a person', permissionsHint),
  rule(
    [],
    [404],
    'no such address, or something is missing',
    'wait for a person',
    "check gateway.endpoint, gateway.instance, the API's id and the environment's id",
  ),
  rule([], ['4xx'], 'bad request', 'wait for a person', requestHint),
  rule([], [502, 503, 504], 'something between has no answer, but the call may have arrived', 'look first'),
  rule([], ['5xx'], 'an error in the gateway', 'look first'),
];

/** Returns the rule for a response: by `code` first, then by `status` if no rule has the code. */
export function findErrorRule(code: string | null, status: number | null, requestKind: RequestKind): ErrorRule {
  const matches = (row: ErrorRule): boolean => row.onlyFor === null || row.onlyFor === requestKind;
  const row =
    rulesByKey.get(code)?.find(matches) ??
    rulesByKey.get(status)?.find(matches) ??
    rulesByKey.get(status === null ? null : `${Math.floor(status / 100)}xx`)?.find(matches);
  return row ?? findErrorRule('INVALID_RESPONSE', null, requestKind);
}

const rulesByKey = new Map<string | number | null, ErrorRule[]>();
for (const row of errorRules) {
  for (const key of row.codes.length > 0 ? row.codes : row.statuses) rulesByKey.set(key, [...(rulesByKey.get(key) ?? []), row]);
}

function rule(
  codes: readonly string[],
  statuses: ErrorRule['statuses'],
  meaning: string,
  errorClass: ErrorClass,
  hint: string | null = null,
  onlyFor: RequestKind | null = null,
): ErrorRule {
  return Object.freeze({ codes, statuses, onlyFor, meaning, errorClass, hint });
}

/** The front gateway's codes have one of several prefixes, depending on its version. */
function frontGatewayCodes(...numbers: readonly string[]): string[] {
  return numbers.flatMap((number) => [`APIG.${number}`, `APIGW.${number}`, `APIC.${number}`]);
}
