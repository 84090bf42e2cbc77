import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { FastifyPluginAsync } from 'fastify';
import helmet, { type HelmetOptions } from 'helmet';
import { DirectRoute } from './direct/direct-route.js';
import { ConstantHeaders, QuickResponse } from './quick-response.js';
import { addOurs } from './watch-requests.js';

/**
 * Puts the security headers of helmet on every response. They are the same for each, so helmet is asked once, when the
 * application starts; `@fastify/helmet` runs its 13 middlewares with every request. Use that one for what differs by
 * request or by route, such as nonces. A header that is set on a response wins over the one of helmet.
 *
 * @throws Error for a directive that is a function, since it would be asked once only
 * @example
 * ```ts
 * const app = await NestFactory.create<NestFastifyApplication>(AppModule, createHttpAdapter());
 * await app.register(securityHeaders, { frameguard: { action: 'deny' } });
 * ```
 */
export const securityHeaders: FastifyPluginAsync<HelmetOptions> = async (fastify, options) => {
  const headers = headersOf(options);
  const constant = new ConstantHeaders(headers);
  DirectRoute.of(fastify)?.addConstantHeaders(constant);
  addOurs(fastify, () => {
    fastify.addHook('onRequest', (_request, { raw }, next) => {
      // On Node's own response, as helmet does it: what a handler writes past Fastify has them as well.
      if (raw instanceof QuickResponse && QuickResponse.takesConstantHeaders) raw.constantHeaders = constant;
      else setOn(raw, headers);
      next();
    });
  });
};
// For all of the application, not for a scope of its own (what `fastify-plugin` does).
Object.assign(securityHeaders, { [Symbol.for('skip-override')]: true });

function setOn(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const name in headers) response.setHeader(name, headers[name] as string);
}

/** What helmet says to a request, whichever it is. */
function headersOf(options: HelmetOptions): Readonly<Record<string, string>> {
  requireStatic(options);
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  helmet(options)(request, response, () => undefined);
  return Object.fromEntries(Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]));
}

function requireStatic({ contentSecurityPolicy: policy }: HelmetOptions): void {
  if (typeof policy !== 'object') return;
  for (const [name, values] of Object.entries(policy.directives ?? {})) {
    if (values === null || typeof values === 'symbol' || ![...values].some((each) => typeof each === 'function'))
      continue;
    throw new Error(
      `securityHeaders: the directive ${name} is a function, but the headers are made once. Use @fastify/helmet.`,
    );
  }
}
