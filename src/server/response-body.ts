import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { constants, createGunzip, gunzip, gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toJson } from '../model/visible.ts';
import { lendPlain } from './plain-forms.ts';

/**
 * The body of an answer. It is kept compressed, so that any number of clients that do not read it share a small buffer; for a client that does not
 * take gzip it is unpacked when it is sent.
 */
export interface ResponseBody {
  readonly type: string;
  readonly gzip: Buffer;
  /** The number of bytes before compression. */
  readonly length: number;
  readonly etag: string;
}

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Returns the body with these bytes; compression runs beside the event loop. */
export async function createBody(type: string, bytes: Buffer): Promise<ResponseBody> {
  // Weak: the same tag stands for the compressed and the plain form.
  const etag = `W/"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { type, length: bytes.length, gzip: await compress(bytes), etag };
}

/** Returns the body with this document as JSON. */
export function createJsonBody(document: unknown): Promise<ResponseBody> {
  return createBody('application/json; charset=utf-8', Buffer.from(toJson(document)));
}

/** Answers with a body, or with 304 if the client has it already. */
export async function sendBody({ method, headers }: FastifyRequest, reply: FastifyReply, body: ResponseBody): Promise<FastifyReply> {
  reply.headers({ etag: body.etag, vary: 'accept-encoding', 'cache-control': 'private, no-cache' });
  if (isKnown(headers['if-none-match'], body.etag)) return reply.code(304).send();
  reply.type(body.type);
  if (acceptsGzip(headers['accept-encoding'])) return reply.header('content-encoding', 'gzip').send(body.gzip);
  reply.header('content-length', body.length);
  return reply.send(method === 'HEAD' ? Readable.from([]) : await plainForm(body, reply.raw));
}

/** Returns the plain form of a body, or a stream of it if clients that do not read hold too much already. */
async function plainForm(body: ResponseBody, response: ServerResponse): Promise<Buffer | Readable> {
  // A client that is gone already does not close its connection any more.
  if (response.destroyed) return Readable.from([]);
  const lent = lendPlain(body, ({ gzip, length }) => decompress(gzip, { chunkSize: Math.max(constants.Z_MIN_CHUNK, length) }));
  if (lent) {
    response.once('close', lent.giveBack);
    return lent.bytes;
  }
  const plain = createGunzip();
  plain.end(body.gzip);
  return plain;
}

function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag.replace(/^W\//, ''));
}

/** Returns whether a client takes gzip, by its header `Accept-Encoding`. */
export function acceptsGzip(acceptEncoding: string | readonly string[] | undefined): boolean {
  const offers = String(acceptEncoding ?? '').split(',');
  return offers.some((offer) => {
    const [coding = '', ...parameters] = offer.toLowerCase().split(';');
    return coding.trim() === 'gzip' && !parameters.some((parameter) => /^\s*q=0(?:\.0*)?\s*$/.test(parameter));
  });
}
