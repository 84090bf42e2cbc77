import type { FastifyError, FastifyInstance } from 'fastify';
import type { ProtectedResourceMetadata } from '../../auth/protected-resource.js';
import { McpError } from '../../protocol/errors.js';
import { PUBLIC_CORS } from './cors.js';
import { DirectRoute } from './direct/direct-route.js';
import { HostChecks, requestedHost } from './host-checks.js';
import type { HttpOptions } from './http-options.js';
import { checkRequestHead } from './repeated-headers.js';
import { sendError } from './replies.js';

/** Seconds that anyone may keep the document: it is the same for all. */
const MAX_AGE_SECONDS = 300;

/** Serves the document by which clients find the authorization servers (RFC 9728, section 3), to anyone. */
export function registerMetadata(
  fastify: FastifyInstance,
  { path, rootPath, body }: ProtectedResourceMetadata,
  { allowedHosts }: Pick<HttpOptions, 'allowedHosts'>,
): void {
  const json = JSON.stringify(body);
  // Pages of any origin may read it.
  const hosts = new HostChecks(allowedHosts, []);
  void fastify.register((scope, _options, done) => {
    DirectRoute.of(fastify)?.oursIn(scope);
    // Nobody has anything to send here; a body that comes all the same is not looked at.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, parsed) => {
      payload.resume();
      parsed(null);
    });
    scope.setErrorHandler((error: FastifyError | McpError, _request, reply) => {
      sendError(reply, undefined, error instanceof McpError ? error : translated(error));
    });
    scope.addHook('onRequest', async ({ raw }, reply) => {
      void reply.headers(PUBLIC_CORS);
      checkRequestHead(raw);
      hosts.check(requestedHost(raw), undefined);
    });
    for (const url of new Set([path, rootPath])) {
      scope.route({
        url,
        method: 'GET',
        handler: async (_request, reply) =>
          reply
            .header('content-type', 'application/json; charset=utf-8')
            .header('cache-control', `public, max-age=${MAX_AGE_SECONDS}`)
            .send(json),
      });
      scope.route({ url, method: 'OPTIONS', handler: async (_request, reply) => reply.code(204).send() });
    }
    done();
  });
}

function translated({ statusCode = 500 }: FastifyError): McpError {
  return statusCode < 500
    ? new McpError('INVALID_REQUEST', 'The request cannot be read.', undefined, { status: statusCode })
    : new McpError('INTERNAL_ERROR', 'Internal error.', undefined, { status: 500 });
}
