import type { FastifyInstance, FastifyRequest } from 'fastify';

/**
 * Keeps the bytes of the JSON bodies of requests with an `Authorization`: a signature goes over bytes. Returns how to get those of a
 * request, empty if it has none; they are gone when the request is.
 */
export function captureRawBodies(server: FastifyInstance): (request: FastifyRequest) => Buffer {
  const bodies = new WeakMap<FastifyRequest, Buffer>();
  const parse = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (request.headers.authorization !== undefined) bodies.set(request, body);
    void parse(request, body.toString(), done);
  });
  return (request) => bodies.get(request) ?? Buffer.alloc(0);
}
