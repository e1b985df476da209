import type { Action } from '../core/publication.ts';

/** What follows from an answer: an outcome's kind, or `renew`: a new token and one more try, then `stalled`. */
export type Verdict = 'succeeded' | 'renew' | 'stalled' | 'wait' | 'retry' | 'unknown';

/** One rule. A row with `codes` decides by them, whatever the status; a row without decides by status. */
export interface AnswerRow {
  /** The service's `error_code`s, or edict's own codes where there is no `status`. */
  readonly codes: readonly string[];
  /** `4xx` and `5xx` stand for every status that no other row names. */
  readonly statuses: readonly (number | '4xx' | '5xx')[];
  /** The only action that the row is about; `null`: both. */
  readonly only: Action | null;
  readonly meaning: string;
  readonly verdict: Verdict;
  /** What a person can do; `null` if nothing is needed. */
  readonly hint: string | null;
}

const checkRequest = "the same request is not sent again: check the API's ID, the environment's ID and the remark in the file";
const giveRights =
  'give the user of these credentials the right to publish APIs of this instance, or use the credentials of one who has it';
const askAdministrator = "lift the block on this user, address or account in the gateway's access control, or call from an allowed one";
const newToken =
  'the gateway does not accept the token: set a new HW_AUTH_TOKEN (a token lives 24 hours and belongs to one project), or check that the user belongs to the project';
const wrongAddress = 'wrong address: check gateway.endpoint, which must be the management endpoint of the region that the instance is in';

/** Every answer that edict knows, and what follows from it. The first row that fits decides. */
export const answers: readonly AnswerRow[] = [
  by(['APIG.3309'], [400], 'it is already so', 'succeeded'),
  by(['APIG.3015'], [404], 'it is not published, so it is offline', 'succeeded', null, 'offline'),
  by(['APIG.2000', 'APIG.2001', 'APIG.2002', 'APIG.2003', 'APIG.2011', 'APIG.2012'], [400], 'bad request', 'stalled', checkRequest),
  by(['APIG.1000', 'APIG.1001', 'APIG.1002', ...front('0301', '0307')], [401], 'the token has ended or is wrong', 'renew', newToken),
  by(['APIG.1005', 'APIG.1020', 'APIG.1101', 'APIG.1102', 'APIG.1103', 'APIG.1136'], [401, 403], 'not allowed', 'stalled', giveRights),
  by(front('0302', '0303', '0305', '0306'), [401, 403], 'not allowed by the front gateway', 'stalled', askAdministrator),
  by(['APIG.3102', 'APIG.3104'], [403], 'a quota is used up', 'stalled', 'raise the quota of the instance, or free some of it'),
  by(
    ['APIG.3001'],
    [404],
    'no such API group',
    'stalled',
    "the API's group is gone from the gateway: restore it, or remove the API from the file",
  ),
  by(['APIG.3002'], [404], 'no such API', 'stalled', "check the API's id in the file, or remove the API from it"),
  by(['APIG.3003'], [404], 'no such environment', 'stalled', "check the environment's id in the file, or create it at the gateway"),
  by(
    ['APIG.3015'],
    [404],
    'no such publication',
    'stalled',
    'the gateway has no record of this publication: look at the API in its console',
    'online',
  ),
  by(['APIG.3022'], [404], 'no such version', 'stalled', 'the gateway has no such version of the API: look at the API in its console'),
  by(['APIG.3030'], [404], 'no such instance', 'stalled', 'check gateway.instance and gateway.project'),
  by(['APIC.7302'], [404], 'missing', 'stalled', "check gateway.instance, the API's id and the environment's id"),
  by(front('0101'), [404], 'no such address, which says nothing of the API', 'stalled', wrongAddress),
  by(['APIC.7701', 'APIG.3718'], [409], 'busy', 'retry'),
  by(front('0308'), [429], 'too many requests', 'wait', 'set gateway.limit to what the gateway allows'),
  by(['APIG.9008'], [500], 'too many requests', 'wait', 'set gateway.limit to what the gateway allows'),
  by(
    ['APIG.3500', 'APIG.9003', 'APIG.9004', 'APIG.9005', 'APIG.9006', 'APIG.9007', 'APIG.9999'],
    [500],
    'an error in the gateway',
    'retry',
  ),

  by(
    ['CONNECTION_FAILED'],
    [],
    'no connection, so nothing was sent',
    'retry',
    'check gateway.endpoint, the network, and for TLS NODE_EXTRA_CA_CERTS',
  ),
  by(['NOT_SENT'], [], 'edict was stopped before it sent anything', 'retry'),
  by(['CONNECTION_LOST'], [], 'the connection broke after the request was sent', 'unknown'),
  by(['TIMEOUT'], [], 'no answer in time after the request was sent', 'unknown', 'if it happens often, raise gateway.timeout'),
  by(['INTERRUPTED'], [], 'edict was stopped before the answer was there', 'unknown'),
  by(
    ['ANSWER_INVALID'],
    [],
    'an answer that the specification does not know',
    'unknown',
    'check that gateway.endpoint is a ROMA Connect gateway',
  ),
  by(['REDIRECTED'], [], 'a redirect, which edict does not follow', 'stalled', 'check gateway.endpoint: it leads elsewhere'),
  by(
    ['CREDENTIALS_REFUSED'],
    [],
    'the identity service refuses the login',
    'stalled',
    'check HW_USER_NAME, HW_USER_PASSWORD, HW_DOMAIN_NAME and gateway.project, then start edict again: it does not ask twice, since five failures lock the account',
  ),
  by(['IAM_UNAVAILABLE'], [], 'the identity service gives no useful answer', 'retry', 'check gateway.iam and the network'),
  by(['IAM_BUSY'], [], 'the identity service asks for a pause', 'wait'),

  by([], [401], 'the token has ended or is wrong', 'renew', newToken),
  by([], [408, 409, 425], 'not now', 'retry'),
  by([], [429], 'too many requests', 'wait', 'set gateway.limit to what the gateway allows'),
  by([], [403], 'not allowed', 'stalled', giveRights),
  by(
    [],
    [404],
    'no such address, or something is missing',
    'stalled',
    "check gateway.endpoint, gateway.instance, the API's id and the environment's id",
  ),
  by([], ['4xx'], 'bad request', 'stalled', checkRequest),
  by([], [502, 504], 'something between lost the answer, which may have been a success', 'unknown'),
  by([], [503], 'not now', 'retry'),
  by([], ['5xx'], 'an error in the gateway', 'retry'),
];

/** Returns the row that decides, by `code` first and by `status` where no row knows the code. */
export function classify(code: string | null, status: number | null, action: Action): AnswerRow {
  const fits = (row: AnswerRow): boolean => row.only === null || row.only === action;
  const row =
    byKey.get(code)?.find(fits) ??
    byKey.get(status)?.find(fits) ??
    byKey.get(status === null ? null : `${Math.floor(status / 100)}xx`)?.find(fits);
  return row ?? classify('ANSWER_INVALID', null, action);
}

const byKey = new Map<string | number | null, AnswerRow[]>();
for (const row of answers) {
  for (const key of row.codes.length > 0 ? row.codes : row.statuses) byKey.set(key, [...(byKey.get(key) ?? []), row]);
}

function by(
  codes: readonly string[],
  statuses: AnswerRow['statuses'],
  meaning: string,
  verdict: Verdict,
  hint: string | null = null,
  only: Action | null = null,
): AnswerRow {
  return Object.freeze({ codes, statuses, only, meaning, verdict, hint });
}

/** The front gateway writes its codes under several names, depending on its age. */
function front(...numbers: readonly string[]): string[] {
  return numbers.flatMap((number) => [`APIG.${number}`, `APIGW.${number}`, `APIC.${number}`]);
}
