import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Keeps the bytes of bodies, over which a signature goes. Returns how to get those of a request; they are gone when it is. */
export function keepRawBodies(server: FastifyInstance): (request: FastifyRequest) => Buffer {
  const bodies = new WeakMap<FastifyRequest, Buffer>();
  const parse = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    bodies.set(request, body);
    void parse(request, body.toString(), done);
  });
  return (request) => bodies.get(request) ?? Buffer.alloc(0);
}
