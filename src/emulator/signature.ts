import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { parse } from 'node:querystring';

/** A request as received, before parsing. */
export interface ReceivedHttpRequest {
  readonly method: string;
  /** Path and query of the request line, unchanged. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** The parsed `Authorization` header of a signed request. */
export interface SignatureHeader {
  readonly access: string;
  /** The names of the signed headers, in the order of signing. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const headerPattern = /^SDK-HMAC-SHA256 Access=([^,\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})$/;

/** Parses an `Authorization` header; `null` if it is not a signature. */
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
 * Returns whether a request, as received, was signed with `secret`. It follows Huawei Cloud's "API Request Signing Guide" and is written
 * independently of edict's own signer, so that it can verify it. `host` and `x-sdk-date` must be signed.
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

/** Sorts the query by name, then by value. */
function canonicalQuery(query: string): string {
  const given = parse(query);
  const byName = Object.keys(given).map((name) => [percentEncode(name), [given[name] ?? ''].flat().map(percentEncode).sort()] as const);
  byName.sort(([one], [other]) => (one < other ? -1 : 1));
  return byName.flatMap(([name, values]) => values.map((value) => `${name}=${value}`)).join('&');
}

/** Decodes a segment; a malformed one is kept unchanged. */
function decodeOrKeep(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Percent-encodes all but letters, digits and `-._~`, as in RFC 3986. */
function percentEncode(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => (/[\w.~-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : percentHex(byte)))
    .join('');
}

function percentHex(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
