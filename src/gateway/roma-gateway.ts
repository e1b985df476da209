import createClient, { type Client } from 'openapi-fetch';
import type { paths } from '../../generated/roma-connect.d.ts';
import { markedRemark } from '../core/marker.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Change } from '../core/plan.ts';
import type { Admit, Gateway, GatewayReader, Read, Sending } from '../core/ports.ts';
import type { GatewayIdentity, GatewaySettings, PublicationNames } from '../core/publication.ts';
import type { ListedVersion } from '../core/resolve.ts';
import { admitted } from './admitted.ts';
import { type Answers, answeredBody } from './answer.ts';
import { classify } from './classify.ts';
import { type Credentials, stopped, type tokenHeader } from './credentials.ts';
import { GatewayError, InvalidAnswerError, RefusedError } from './gateway-error.ts';
import { outcomeOf, readFailureOf } from './outcome-of.ts';
import { readable } from './readable.ts';
import { openTransport, type Transport, type TransportMode } from './transport.ts';

export interface GatewayOptions {
  /** Default: every request may leave at once. */
  readonly admit?: Admit;
}

/** Opens the gateway for a dry run: it has no way to send a change, and its transport lets nothing leave but GET. */
export function openGatewayReader(settings: GatewaySettings, credentials: Credentials, { admit }: GatewayOptions = {}): GatewayReader {
  return Object.freeze(readerOver(new Caller(settings, credentials, admit, 'reads')));
}

/** Opens the gateway. No call is made before the first `send` or `versions`. */
export function openGateway(settings: GatewaySettings, credentials: Credentials, { admit }: GatewayOptions = {}): Gateway {
  const caller = new Caller(settings, credentials, admit, 'everything');
  async function send(change: Change, { marker, isWanted }: Sending, signal: AbortSignal): Promise<Outcome> {
    let isDropped = false;
    try {
      const { version_id: versionId, publish_id: publishId } = await caller.call(signal, (client, one) => {
        isDropped = signal.aborted || !isWanted();
        if (isDropped) throw stopped();
        return post(client, one, change, marker);
      });
      return { kind: 'succeeded', versionId: versionId || null, publishId: publishId || null };
    } catch (error) {
      return isDropped ? { kind: 'dropped' } : outcomeOf(error, change.action);
    }
  }
  const credentialsChanged = (): boolean => credentials.changed();
  const retryCredentials = (): void => credentials.forgive();
  return Object.freeze({ ...readerOver(caller), send, credentialsChanged, retryCredentials });
}

function readerOver(caller: Caller): GatewayReader {
  type Names = Pick<PublicationNames, 'apiId' | 'environmentId'>;
  async function versions(of: Names, signal: AbortSignal): Promise<Read<readonly ListedVersion[]>> {
    try {
      const listed = await caller.call(signal, (client, one) => list(client, { ...one, signal }, of));
      return { kind: 'read', value: listed };
    } catch (error) {
      return readFailureOf(error) ?? { kind: 'read', value: [] };
    }
  }
  return { identity: caller.identity, close: () => caller.close(), versions };
}

/** openapi-fetch for one request, with what it needs besides its own parameters. */
interface OneRequest {
  readonly path: { readonly project_id: string; readonly instance_id: string };
  readonly fetch: Transport['fetch'];
  /** Ends a request under way; left out for a change, which is let finish. */
  readonly signal?: AbortSignal;
  readonly secrets: readonly string[];
}

type RomaClient = Client<paths>;

/** Makes requests: inside the limit, with a proof, and once more with a new proof where the first was refused. */
class Caller {
  readonly identity: GatewayIdentity;
  readonly #credentials: Credentials;
  readonly #admit: Admit | undefined;
  readonly #transport: Transport;
  readonly #client: RomaClient;

  constructor(
    { endpoint, project, instance, limit, timeoutMs }: GatewaySettings,
    credentials: Credentials,
    admit: Admit | undefined,
    mode: TransportMode,
  ) {
    this.identity = { endpoint, project, instance };
    this.#credentials = credentials;
    this.#admit = admit;
    this.#transport = openTransport({ mode, connections: limit.concurrency, timeoutMs });
    this.#client = createClient<paths>({ ...this.#transport, baseUrl: endpoint });
  }

  /** Resolves to what `request` makes of the answer. Rejects with a GatewayError. */
  async call<T>(signal: AbortSignal, request: (client: RomaClient, one: OneRequest) => Promise<T>): Promise<T> {
    const first = await this.#try(signal, request);
    if ('value' in first) return first.value;
    if (!first.isWorthAnother) throw first.error;
    const second = await this.#try(signal, request);
    if ('value' in second) return second.value;
    throw second.error;
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  async #try<T>(
    signal: AbortSignal,
    request: (client: RomaClient, one: OneRequest) => Promise<T>,
  ): Promise<{ readonly value: T } | { readonly error: unknown; readonly isWorthAnother: boolean }> {
    const proof = await this.#credentials.proof(signal);
    const { project: project_id, instance: instance_id } = this.identity;
    const one: OneRequest = { path: { project_id, instance_id }, fetch: this.#transport.fetchWith(proof), secrets: proof.secrets };
    try {
      const value = await admitted(this.#admit, signal, () => request(this.#client, one));
      this.#credentials.tried(proof, 'taken');
      return { value };
    } catch (error) {
      return { error, isWorthAnother: this.#credentials.tried(proof, resultOf(error)) };
    }
  }
}

/** Only an answer in the gateway's own words says anything of the credentials. */
function resultOf(error: unknown): 'taken' | 'refused' | 'untold' {
  if (error instanceof GatewayError && classify(error.code, error.status, 'read').verdict === 'renew credentials') return 'refused';
  return error instanceof RefusedError && error.errorCode !== null ? 'taken' : 'untold';
}

/** The proof adds to a request what the specification asks for here, once it is whole. */
const proven = {} as Record<typeof tokenHeader, string>;

/** Makes the one call there is. Returns the body of a 201 that is about this change. */
async function post(
  client: RomaClient,
  { path, secrets, ...one }: OneRequest,
  change: Change,
  marker: string | null,
): Promise<Answers['changePublication']> {
  const { action, apiId, environmentId } = change;
  const remark = marker === null ? change.remark : markedRemark(change.remark, marker);
  const answer = await client.POST('/v2/{project_id}/apic/instances/{instance_id}/apis/action', {
    params: { path, header: proven },
    body: { action, api_id: apiId, env_id: environmentId, ...(remark === null ? {} : { remark }) },
    parseAs: 'text',
    ...one,
  });
  const body = answeredBody('changePublication', answer, secrets, Date.now());
  const clean = (id: string | undefined): string => readable(id ?? '', secrets, 128);
  if (body.api_id === apiId && body.env_id === environmentId) {
    return { ...body, version_id: clean(body.version_id), publish_id: clean(body.publish_id) };
  }
  throw new InvalidAnswerError(`answered 201 about API ${clean(body.api_id)} in environment ${clean(body.env_id)}, which was not asked`, {
    status: 201,
  });
}

/** Ten versions are kept in an environment, so one page of the largest size holds all of an API. */
const pageSize = 500;

async function list(
  client: RomaClient,
  { path, secrets, ...one }: OneRequest,
  of: Pick<PublicationNames, 'apiId' | 'environmentId'>,
): Promise<ListedVersion[]> {
  const answer = await client.GET('/v2/{project_id}/apic/instances/{instance_id}/apis/publish/{api_id}', {
    params: { path: { ...path, api_id: of.apiId }, query: { env_id: of.environmentId, limit: pageSize }, header: proven },
    parseAs: 'text',
    ...one,
  });
  const { total, api_versions: versions } = answeredBody('listVersions', answer, secrets, Date.now());
  if (total > versions.length) {
    throw new InvalidAnswerError(`listed ${versions.length} of ${total} versions, more than the gateway keeps`, { status: 200 });
  }
  return versions
    .filter(({ env_id: environment }) => environment === of.environmentId)
    .map(({ version_id: versionId, remark = '', status }) => ({
      versionId: readable(versionId, secrets, 128),
      remark,
      isEffective: status === 1,
    }));
}
