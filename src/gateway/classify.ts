import type { Action } from '../core/publication.ts';

/** What a request asks for: the two actions, or nothing but to read. */
export type Asked = Action | 'read';

/**
 * What follows from an answer that is no success.
 *
 * - `already so`: what was asked for is so.
 * - `try again`: nothing happened; later it may go well.
 * - `slow down`: the gateway asks for a pause; nothing happened.
 * - `renew credentials`: once, where they can be renewed; then no call is made until they change.
 * - `wait for a person`: nothing happened, and nothing will without a person or a new file.
 * - `wrong address`: as that; not the API is missing, but the endpoint is wrong.
 * - `look first`: it may have happened. The gateway's list is read before anything is sent again; a read is simply tried again.
 */
export type Verdict = 'already so' | 'try again' | 'slow down' | 'renew credentials' | 'wait for a person' | 'wrong address' | 'look first';

/** One rule. A row with `codes` decides by them, whatever the status; a row without decides by status. */
export interface AnswerRow {
  /** The service's `error_code`s, or edict's own codes where there is no `status`. */
  readonly codes: readonly string[];
  /** `4xx` and `5xx` stand for every status that no other row names. */
  readonly statuses: readonly (number | '4xx' | '5xx')[];
  /** The only request that the row is about; `null`: all. */
  readonly only: Asked | null;
  readonly meaning: string;
  readonly verdict: Verdict;
  /** What a person can do; `null` if nothing is needed. */
  readonly hint: string | null;
}

const checkRequest = "the same request is not sent again: check the API's ID, the environment's ID and the remark in the file";
const giveRights =
  'give the user of these credentials the right to publish APIs of this instance, or use the credentials of one who has it';
const askAdministrator = "lift the block on this user, address or account in the gateway's access control, or call from an allowed one";
const newCredentials =
  'the gateway does not accept the credentials: renew them (a token lives 24 hours and belongs to one project; a key can be switched off), or check that the user belongs to the project. edict makes no call until they change';
const wrongAddress = 'wrong address: check gateway.endpoint, which must be the management endpoint of the region that the instance is in';

/** Every answer that edict knows, and what follows from it. The first row that fits decides. */
export const answers: readonly AnswerRow[] = [
  by(['APIG.3309'], [400], 'it is already so', 'already so'),
  by(['APIG.3015'], [404], 'it is not published, so it is offline', 'already so', null, 'offline'),
  by(['APIG.3015'], [404], 'it was never published, so there is no version', 'already so', null, 'read'),
  by(
    ['APIG.2000', 'APIG.2001', 'APIG.2002', 'APIG.2003', 'APIG.2011', 'APIG.2012'],
    [400],
    'bad request',
    'wait for a person',
    checkRequest,
  ),
  by(
    ['APIG.1000', 'APIG.1001', 'APIG.1002', ...front('0301', '0307')],
    [401],
    'the token or the signature is not valid, or no longer',
    'renew credentials',
    newCredentials,
  ),
  by(
    ['APIG.1005', 'APIG.1020', 'APIG.1101', 'APIG.1102', 'APIG.1103', 'APIG.1136'],
    [401, 403],
    'not allowed',
    'wait for a person',
    giveRights,
  ),
  by(front('0302', '0303', '0305', '0306'), [401, 403], 'not allowed by the front gateway', 'wait for a person', askAdministrator),
  by(['APIG.3102', 'APIG.3104'], [403], 'a quota is used up', 'wait for a person', 'raise the quota of the instance, or free some of it'),
  by(
    ['APIG.3001'],
    [404],
    'no such API group',
    'wait for a person',
    "the API's group is gone from the gateway: restore it, or remove the API from the file",
  ),
  by(['APIG.3002'], [404], 'no such API', 'wait for a person', "check the API's id in the file, or remove the API from it"),
  by(
    ['APIG.3003'],
    [404],
    'no such environment',
    'wait for a person',
    "check the environment's id in the file, or create it at the gateway",
  ),
  by(
    ['APIG.3015'],
    [404],
    'no such publication',
    'wait for a person',
    'the gateway has no record of this publication: look at the API in its console',
    'online',
  ),
  by(
    ['APIG.3022'],
    [404],
    'no such version',
    'wait for a person',
    'the gateway has no such version of the API: look at the API in its console',
  ),
  by(['APIG.3030'], [404], 'no such instance', 'wait for a person', 'check gateway.instance and gateway.project'),
  by(['APIC.7302'], [404], 'missing', 'wait for a person', "check gateway.instance, the API's id and the environment's id"),
  by(front('0101'), [404], 'no such address, which says nothing of the API', 'wrong address', wrongAddress),
  by(['APIC.7701', 'APIG.3718'], [409], 'busy', 'try again'),
  by(front('0308'), [429], 'too many requests', 'slow down', 'set gateway.limit to what the gateway allows'),
  by(['APIG.9008'], [500], 'too many requests', 'slow down', 'set gateway.limit to what the gateway allows'),
  by(
    ['APIG.3500', 'APIG.9003', 'APIG.9004', 'APIG.9005', 'APIG.9006', 'APIG.9007', 'APIG.9999'],
    [500],
    'an error in the gateway',
    'look first',
  ),

  by(
    ['CONNECTION_FAILED'],
    [],
    'no connection, so nothing was sent',
    'try again',
    'check gateway.endpoint, the network, and for TLS NODE_EXTRA_CA_CERTS',
  ),
  by(['NOT_SENT'], [], 'edict was stopped before it sent anything', 'try again'),
  by(['CONNECTION_LOST'], [], 'the connection broke after the request was sent', 'look first'),
  by(['TIMEOUT'], [], 'no answer in time after the request was sent', 'look first', 'if it happens often, raise gateway.timeout'),
  by(['INTERRUPTED'], [], 'edict was stopped before the answer was there', 'look first'),
  by(
    ['ANSWER_INVALID'],
    [],
    'an answer that the specification does not know',
    'look first',
    'check that gateway.endpoint is a ROMA Connect gateway',
  ),
  by(['REDIRECTED'], [], 'a redirect, which edict does not follow', 'wrong address', 'check gateway.endpoint: it leads elsewhere'),
  by(
    ['CREDENTIALS_REFUSED', 'CREDENTIALS_UNREADABLE'],
    [],
    'the credentials are not taken, or there are none',
    'renew credentials',
    'check the HW_ variables, the files that they name, and gateway.project; edict goes on when a file changes, after SIGHUP, or when it is started again. It does not ask twice, since five failures lock a key or an account',
  ),
  by(['IAM_UNAVAILABLE'], [], 'the identity service gives no useful answer', 'try again', 'check gateway.iam and the network'),
  by(['IAM_BUSY'], [], 'the identity service asks for a pause', 'slow down'),

  by([], [401], 'the token or the signature is not valid, or no longer', 'renew credentials', newCredentials),
  by([], [408, 409, 425], 'not now', 'try again'),
  by([], [429], 'too many requests', 'slow down', 'set gateway.limit to what the gateway allows'),
  by([], [403], 'not allowed', 'wait for a person', giveRights),
  by(
    [],
    [404],
    'no such address, or something is missing',
    'wait for a person',
    "check gateway.endpoint, gateway.instance, the API's id and the environment's id",
  ),
  by([], ['4xx'], 'bad request', 'wait for a person', checkRequest),
  by([], [502, 503, 504], 'something between has no answer, but the call may have arrived', 'look first'),
  by([], ['5xx'], 'an error in the gateway', 'look first'),
];

/** Returns the row that decides, by `code` first and by `status` where no row knows the code. */
export function classify(code: string | null, status: number | null, asked: Asked): AnswerRow {
  const fits = (row: AnswerRow): boolean => row.only === null || row.only === asked;
  const row =
    byKey.get(code)?.find(fits) ??
    byKey.get(status)?.find(fits) ??
    byKey.get(status === null ? null : `${Math.floor(status / 100)}xx`)?.find(fits);
  return row ?? classify('ANSWER_INVALID', null, asked);
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
  only: Asked | null = null,
): AnswerRow {
  return Object.freeze({ codes, statuses, only, meaning, verdict, hint });
}

/** The front gateway writes its codes under several names, depending on its age. */
function front(...numbers: readonly string[]): string[] {
  return numbers.flatMap((number) => [`APIG.${number}`, `APIGW.${number}`, `APIC.${number}`]);
}
