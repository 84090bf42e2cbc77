import type { FastifyInstance } from 'fastify';
import { DirectRoute, type RequestWatch } from './direct/direct-route.js';

export type { RequestWatch };

/**
 * Has every request to an application watched, whichever way it takes. A hook of Fastify would do so as well, but
 * requests to the MCP endpoint would have to take the longer way. To be called before the server listens.
 */
export function watchRequests(fastify: FastifyInstance, watch: RequestWatch): void {
  addOurs(fastify, () => {
    const { began, run } = watch;
    fastify.addHook('onRequest', (request, { raw }, done) => {
      began(raw, request.routeOptions.url);
      if (run) run(raw, done);
      else done();
    });
    // What reads the body runs in a context of the connection, not of the request.
    if (run) fastify.addHook('preHandler', (_request, { raw }, done) => run(raw, done));
  });
  DirectRoute.of(fastify)?.watch(watch);
}

/** Adds hooks of which the direct route knows. */
export function addOurs(fastify: FastifyInstance, add: () => void): void {
  const route = DirectRoute.of(fastify);
  if (route) route.ours(add);
  else add();
}
