import type { FastifyReply } from 'fastify';
import type { Delivery } from './course.ts';
import { firstHalf } from './invalid-body.ts';

const contentType = { 'content-type': 'application/json' };

/** Gives a caller what becomes of the call. */
export function respondWith(reply: FastifyReply, delivery: Delivery): FastifyReply {
  switch (delivery.kind) {
    case 'whole': {
      const { status, headers, text } = delivery.response;
      return reply
        .code(status)
        .headers({ ...contentType, ...headers })
        .send(text);
    }
    case 'half': {
      const { status, headers, text } = delivery.response;
      const { raw } = reply.hijack();
      raw.writeHead(status, { ...contentType, ...headers, 'content-length': Buffer.byteLength(text) });
      raw.write(firstHalf(text), () => raw.destroy());
      return reply;
    }
    case 'cut':
      reply.hijack().raw.destroy();
      return reply;
    case 'hang':
      return reply.hijack();
  }
}
