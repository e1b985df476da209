import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { parse } from 'node:querystring';

/** A request as it came from the wire. */
export interface ReceivedHttpRequest {
  readonly method: string;
  /** What stood in the request's first line: path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** What the header `Authorization` of a signed request says. */
export interface SignatureHeader {
  readonly access: string;
  /** The signed headers in the order in which they were signed. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const headerPattern = /^SDK-HMAC-SHA256 Access=([^,\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})$/;

/** Returns what a header `Authorization` says, or `null` if it is not of the form of a signature. */
export function parseAuthorization(text: string): SignatureHeader | null {
  const [, access, names, signature] = headerPattern.exec(text) ?? [];
  return access && names && signature ? { access, signedHeaders: names.toLowerCase().split(';'), signature } : null;
}

/** Returns the milliseconds since 1970 of an `X-Sdk-Date` such as `20230629T080000Z`; NaN for any other text. */
export function parseSdkDateMs(text: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  return parts ? Date.parse(text.replace(/^(....)(..)(..T..)(..)/, '$1-$2-$3:$4:')) : Number.NaN;
}

/**
 * Returns whether a request was signed with `secret`, over what came from the wire. By Huawei Cloud's "API Request Signing Guide",
 * written without a look at edict's own signer, which it is there to check. `host` and `x-sdk-date` must be signed.
 */
export function isSignatureValid(request: ReceivedHttpRequest, { signedHeaders, signature }: SignatureHeader, secret: string): boolean {
  if (!['host', 'x-sdk-date'].every((name) => signedHeaders.includes(name))) return false;
  const [path = '', query = ''] = request.url.split(/\?(.*)/s);
  const uri = path.split('/').map((segment) => percentEncode(decodeOrKeep(segment)));
  const canonical = [
    request.method,
    path.endsWith('/') ? uri.join('/') : `${uri.join('/')}/`,
    canonicalQuery(query),
    ...signedHeaders.map((name) => `${name}:${String(request.headers[name] ?? '').trim()}`),
    '',
    signedHeaders.join(';'),
    createHash('sha256').update(request.body).digest('hex'),
  ].join('\n');
  const hash = createHash('sha256').update(canonical).digest('hex');
  const expected = createHmac('sha256', secret).update(`SDK-HMAC-SHA256\n${request.headers['x-sdk-date']}\n${hash}`).digest();
  return timingSafeEqual(expected, Buffer.from(signature, 'hex'));
}

/** Names sorted, and under one name its values. */
function canonicalQuery(query: string): string {
  const given = parse(query);
  const byName = Object.keys(given).map((name) => [percentEncode(name), [given[name] ?? ''].flat().map(percentEncode).sort()] as const);
  byName.sort(([one], [other]) => (one < other ? -1 : 1));
  return byName.flatMap(([name, values]) => values.map((value) => `${name}=${value}`)).join('&');
}

/** What cannot be decoded stands for itself. */
function decodeOrKeep(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** RFC 3986: only letters, digits and `-._~` stand for themselves. */
function percentEncode(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => (/[\w.~-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : percentHex(byte)))
    .join('');
}

function percentHex(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
