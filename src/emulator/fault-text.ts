import type { Fault } from './faults.ts';

/** Statuses and words by error code, as the service's references have them. Of several rows that fit, the first counts. */
const errorResponses: readonly (readonly [code: RegExp, status: number, errorMsg: string])[] = [
  [/\.9008$/, 500, 'System busy: too many requests'],
  [/\.(9\d{3}|3500)$/, 500, 'System error'],
  [/\.0308$/, 429, 'The throttling threshold has been reached: policy ip over ratelimit'],
  [/\.(7701|3718)$/, 409, 'The resource is being changed by another request'],
  [/\.(2\d{3}|3309)$/, 400, 'The request is invalid'],
  [/\.100[0-2]$/, 401, 'Incorrect token or token resolution failed'],
  [/\.030[17]$/, 401, 'Incorrect IAM authentication information'],
  [/\.(1\d{3}|030[2356])$/, 403, 'No permissions to request this method'],
  [/\.310[24]$/, 403, 'The quota is used up'],
  [/\.(30\d{2}|7302|0101)$/, 404, 'The resource does not exist'],
];

const connectionFaults = ['cut', 'half', 'invalid', 'hang'] as const;

/**
 * Returns the fault for a share of all changes that a text means: a kind or an error code, `:applied` if it comes after the change has
 * taken effect, and the share, as in `cut=0.05` or `APIG.9999:applied=0.1`. Throws a TypeError that says what is wrong with it.
 */
export function parseFault(text: string): Fault {
  const [, name = '', flag, written = ''] = /^([^:=]+)(:applied)?=(.+)$/.exec(text) ?? [];
  if (name === '') throw new TypeError('expected a kind and a share, such as cut=0.05 or APIG.9999:applied=0.1');
  const share = /^\d+(\.\d+)?$/.test(written) ? Number(written) : Number.NaN;
  if (!(share <= 1)) throw new TypeError(`${written} is no share: expected a number from 0 to 1`);
  const frequency = { share, applied: flag !== undefined };
  const kind = connectionFaults.find((known) => known === name);
  return kind ? { kind, ...frequency } : { ...errorForCode(name), ...frequency };
}

function errorForCode(errorCode: string): { status: number; errorCode: string; errorMsg: string } {
  const row = /^(APIG|APIGW|APIC)\.\d{4}$/.test(errorCode) && errorResponses.find(([code]) => code.test(errorCode));
  if (!row) throw new TypeError(`${errorCode} is neither ${connectionFaults.join(', ')} nor a known error code such as APIG.9999`);
  const [, status, errorMsg] = row;
  return { status, errorCode, errorMsg };
}
