import { createHash, createHmac } from 'node:crypto';

/** A request as it will be sent. */
export interface SignableRequest {
  readonly method: string;
  /** The full URL, with its query. */
  readonly url: string;
  /** The headers to sign, without those that a client or a proxy adds later. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as text; `''` for none. */
  readonly body: string;
}

/** An access key; a temporary one has a security token. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly securityToken?: string | undefined;
}

/** A time, such as a `Date`: this module has no clock. */
export interface DateLike {
  toISOString(): string;
}

const algorithm = 'SDK-HMAC-SHA256';

/*
 * The algorithm is specified in Huawei Cloud's "API Request Signing Guide", chapter "AK/SK Signing and Authentication Algorithm".
 * The tests compare it with the signer of the vendor's own client core.
 */

/**
 * Returns the headers to add to `request` so that it is signed with `key`: `X-Sdk-Date`, `Authorization` and, for a temporary key,
 * `X-Security-Token`. All given headers and `host` are signed. The service rejects a `date` that differs from its clock by 15 minutes.
 * Throws a TypeError if `url` is invalid and a URIError if its path contains an invalid escape.
 */
export function signRequest(
  { headers, ...request }: SignableRequest,
  { accessKeyId, secretAccessKey, securityToken }: AccessKey,
  date: DateLike,
): Record<string, string> {
  const added = {
    'X-Sdk-Date': date.toISOString().replace(/[-:]|\.\d+/g, ''),
    ...(securityToken !== undefined && { 'X-Security-Token': securityToken }),
  };
  const signed = { host: new URL(request.url).host, ...lowerCaseKeys(headers), ...lowerCaseKeys(added) };
  const names = Object.keys(signed).sort();
  const signature = computeSignature({ ...request, headers: signed }, names, secretAccessKey);
  return { ...added, Authorization: `${algorithm} Access=${accessKeyId}, SignedHeaders=${names.join(';')}, Signature=${signature}` };
}

/**
 * Returns the signature, 64 hex digits, of a request whose headers include `X-Sdk-Date`. `names` are the signed headers in lower
 * case, sorted; a header that the request lacks counts as empty. Throws as `signRequest` does.
 */
export function computeSignature(request: SignableRequest, names: readonly string[], secret: string): string {
  const date = lowerCaseKeys(request.headers)['x-sdk-date'] ?? '';
  const stringToSign = [algorithm, date, sha256(canonicalRequest(request, names))].join('\n');
  return createHmac('sha256', secret).update(stringToSign).digest('hex');
}

/** Returns the canonical request that is signed; see `computeSignature` for `names` and the errors. */
export function canonicalRequest({ method, url, headers, body }: SignableRequest, names: readonly string[]): string {
  const { pathname, searchParams } = new URL(url);
  const values = lowerCaseKeys(headers);
  const path = pathname.split('/').map((segment) => encodeRfc3986(decodeURIComponent(segment)));
  const query = [...searchParams].map(([name, value]) => [encodeRfc3986(name), encodeRfc3986(value)] as const);
  return [
    method.toUpperCase(),
    path.join('/').replace(/\/?$/, '/'),
    query
      .sort(([name, value], [otherName, otherValue]) => compareCodeUnits(name, otherName) || compareCodeUnits(value, otherValue))
      .map((pair) => pair.join('='))
      .join('&'),
    names.map((name) => `${name}:${(values[name] ?? '').trim()}\n`).join(''),
    names.join(';'),
    sha256(body),
  ].join('\n');
}

function lowerCaseKeys(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function compareCodeUnits(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** Percent-encodes by RFC 3986, which leaves fewer characters unescaped than `encodeURIComponent`. */
function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
