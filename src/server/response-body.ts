import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGunzip, gunzip, gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';

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
  return createBody('application/json; charset=utf-8', Buffer.from(JSON.stringify(document)));
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

/** The plain forms that clients read at the moment. They share them too, up to this size in all. */
const plainForms = new Map<ResponseBody, { readonly bytes: Promise<Buffer>; readers: number }>();
const maxPlainBytes = 32 * 1024 * 1024;

/** The smallest piece into which zlib unpacks, in bytes. */
const minChunkSize = 64;

/** Returns the plain form of a body, or a stream of it if clients that do not read hold too much already. */
async function plainForm(body: ResponseBody, response: ServerResponse): Promise<Buffer | Readable> {
  const others = [...plainForms.keys()].reduce((sum, other) => sum + (other === body ? 0 : other.length), 0);
  if (others > 0 && others + body.length > maxPlainBytes) {
    const plain = createGunzip();
    plain.end(body.gzip);
    return plain;
  }
  // A client that is gone already does not close its connection any more.
  if (response.destroyed) return Readable.from([]);
  const form = plainForms.get(body) ?? { bytes: decompress(body.gzip, { chunkSize: Math.max(minChunkSize, body.length) }), readers: 0 };
  plainForms.set(body, form);
  form.readers += 1;
  response.once('close', () => {
    form.readers -= 1;
    if (form.readers === 0) plainForms.delete(body);
  });
  return form.bytes;
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
