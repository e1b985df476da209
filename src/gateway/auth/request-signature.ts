import { createHash, createHmac } from 'node:crypto';

/** A request as it will be sent. */
export interface SignableRequest {
  readonly method: string;
  /** The whole address, with its query. */
  readonly url: string;
  /** The headers to sign; those that a client or a proxy adds on the way must not stand here. */
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

/** A moment, such as a `Date`: the core has no clock of its own. */
export interface DateLike {
  toISOString(): string;
}

const algorithm = 'SDK-HMAC-SHA256';

/*
 * The algorithm is that of Huawei Cloud's "API Request Signing Guide", chapter "AK/SK Signing and Authentication Algorithm".
 * The tests compare it with the signer of the vendor's own client core.
 */

/**
 * Returns the headers to add to `request` so that it is signed with `key`: `X-Sdk-Date`, `Authorization` and, for a temporary key,
 * `X-Security-Token`. Every given header is signed, and `host` with them. The service refuses a `date` that is 15 minutes off its own.
 * Throws a TypeError if `url` is no address and a URIError if its path holds a broken escape.
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
 * Returns the signature, 64 hex digits, of a request that has its `X-Sdk-Date` among its headers. `names` are the signed headers in
 * lower case, sorted; one that the request lacks counts as empty. Throws as `signRequest` does.
 */
export function computeSignature(request: SignableRequest, names: readonly string[], secret: string): string {
  const date = lowerCaseKeys(request.headers)['x-sdk-date'] ?? '';
  const toSign = [algorithm, date, sha256(canonicalRequest(request, names))].join('\n');
  return createHmac('sha256', secret).update(toSign).digest('hex');
}

/** Returns the text that stands for a request in its signature; see `signatureOf` for `names` and what is thrown. */
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

/** RFC 3986 keeps fewer characters than `encodeURIComponent` does. */
function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
