import type { FastifyReply } from 'fastify';
import type { Delivery } from './course.ts';
import { halfOf } from './invalid-body.ts';

const type = { 'content-type': 'application/json' };

/** Gives a caller what becomes of the call. */
export function deliver(reply: FastifyReply, delivery: Delivery): FastifyReply {
  switch (delivery.kind) {
    case 'whole': {
      const { status, headers, text } = delivery.written;
      return reply
        .code(status)
        .headers({ ...type, ...headers })
        .send(text);
    }
    case 'half': {
      const { status, headers, text } = delivery.written;
      const { raw } = reply.hijack();
      raw.writeHead(status, { ...type, ...headers, 'content-length': Buffer.byteLength(text) });
      raw.write(halfOf(text), () => raw.destroy());
      return reply;
    }
    case 'cut':
      reply.hijack().raw.destroy();
      return reply;
    case 'hang':
      return reply.hijack();
  }
}
