import { createRequire } from 'node:module';
import type { Emulator } from '../../src/emulator/emulator.ts';

interface VendorKey {
  readonly access: string;
  readonly secret: string;
  readonly securityToken?: string;
}

interface VendorRequest {
  readonly method: string;
  readonly url: string;
  readonly queryParams?: Record<string, unknown>;
  readonly data?: Record<string, unknown>;
}

// The part of the core of the vendor that is used here, typed by hand: its own types do not compile.
interface VendorCredentials {
  withAk(access: string): this;
  withSk(secret: string): this;
  withProjectId(project: string): this;
  withSecurityToken(token: string): this;
}

interface VendorClient {
  sendRequest(request: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>>;
}

interface VendorBuilder {
  withEndpoint(url: string): this;
  withCredential(credentials: VendorCredentials): this;
  withOptions(options: { readonly customUserAgent: string }): this;
  build(): VendorClient;
}

const require = createRequire(import.meta.url);
const { BasicCredentials } = require('@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials') as {
  BasicCredentials: new () => VendorCredentials;
};
const { ClientBuilder } = require('@huaweicloud/huaweicloud-sdk-core/ClientBuilder') as {
  ClientBuilder: new (init: (core: VendorClient) => VendorClient) => VendorBuilder;
};

/**
 * Sends a request through the client core of the vendor, which signs it with `key`. Resolves to the status and the fields of the response;
 * rejects with the error of the vendor, which has `httpStatusCode`, `errorCode` and `errorMsg`.
 */
export async function sendByVendor(
  { url: endpoint }: Emulator,
  { access, secret, securityToken }: VendorKey,
  { method, url, queryParams = {}, data }: VendorRequest,
): Promise<Record<string, unknown>> {
  const credentials = new BasicCredentials().withAk(access).withSk(secret).withProjectId('p');
  if (securityToken !== undefined) credentials.withSecurityToken(securityToken);
  const builder = new ClientBuilder((core) => core).withEndpoint(endpoint).withCredential(credentials);
  // Without a user agent it would generate one and write it to the home folder.
  const client = builder.withOptions({ customUserAgent: 'edict' }).build();
  const contentType = data ? 'application/json' : '';
  return client.sendRequest({ method, url, contentType, queryParams, pathParams: {}, headers: {}, ...(data && { data }) });
}
