import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { Operation } from '../../dispatch/operation.js';
import { McpError } from '../../protocol/errors.js';
import type { NowOrLater } from '../../protocol/now-or-later.js';
import type { Principal } from '../../protocol/principal.js';
import { isSessionRevision } from '../../protocol/revisions.js';
import { claimedRevision } from '../envelope.js';
import { idForError, isJsonObject, readMessage } from '../json-rpc.js';
import { provideCaller, setCaller } from './caller.js';
import { CorsPolicy } from './cors.js';
import { DirectRoute } from './direct/direct-route.js';
import type { HttpReply, HttpRequest } from './exchange.js';
import { HostChecks, requestedHost } from './host-checks.js';
import { parseJsonWithin } from './json-body.js';
import { registerLoadShedding } from './load-shedding.js';
import { requireLoopback } from './loopback-only.js';
import { checkRequestHead } from './repeated-headers.js';
import { sendError } from './replies.js';
import type { SessionWire } from './session/session-wire.js';
import type { StatelessWire } from './stateless/stateless-wire.js';
import { keepTickShape } from './tick-shape.js';
import type { WireServices } from './wire-services.js';

/**
 * The one HTTP endpoint of both eras: a Fastify route, so that hooks of the application apply to it, and a direct route
 * where there are none. Whatever is refused before a wire sees it is answered with a JSON-RPC error.
 *
 * It lets a request in (head, host, origin, load, caller) before its body is read, and decides, from the body first and
 * the headers second, which wire it belongs to.
 */
export class McpEndpoint {
  private readonly hostChecks: HostChecks;
  private readonly cors: CorsPolicy;

  constructor(
    private readonly services: WireServices,
    private readonly stateless: StatelessWire,
    private readonly sessions: SessionWire,
  ) {
    this.hostChecks = new HostChecks(services.options.allowedHosts, services.options.allowedOrigins);
    this.cors = new CorsPolicy((origin) => this.hostChecks.allowsOrigin(origin));
  }

  /** Adds the routes, in a scope of their own: the JSON parser of the application stays as it is. */
  register(fastify: FastifyInstance): void {
    keepTickShape();
    const { path, maxEventLoopDelayMs } = this.services.options;
    const direct = DirectRoute.of(fastify);
    void fastify.register((scope, _options, done) => {
      direct?.oursIn(scope);
      const readJson = parseJsonWithin(scope, this.services.options);
      provideCaller(scope);
      scope.setErrorHandler((error: FastifyError, _request, reply) => this.refuse(error, reply));
      scope.addHook('onRequest', (request, reply, next) => {
        this.admit(request, reply);
        next();
      });
      const checkLoad = registerLoadShedding(scope, maxEventLoopDelayMs, this.services.logger);
      // In a scope within, so that the hook that asks who is calling comes after the one that sheds load.
      void scope.register((routes, _inner, ready) => {
        routes.addHook('onRequest', (request, _reply, next) => {
          const identified = this.identify(request);
          if (identified) identified.then(() => next(), next);
          else next();
        });
        routes.route({ url: path, method: 'POST', handler: (request, reply) => this.post(request, reply) });
        // HEAD must not open a stream, so Fastify is not to make it from GET.
        const exposeHeadRoute = false;
        routes.route({
          url: path,
          method: 'GET',
          exposeHeadRoute,
          handler: (request, reply) => this.get(request, reply),
        });
        routes.route({ url: path, method: 'DELETE', handler: (request, reply) => this.delete(request, reply) });
        routes.route({
          url: path,
          method: ['PUT', 'PATCH', 'HEAD'],
          handler: async (_request, reply) => {
            void reply.header('allow', this.services.options.jsonOnly ? 'POST, DELETE' : 'GET, POST, DELETE');
            throw new McpError('METHOD_NOT_ALLOWED', 'Method not allowed.');
          },
        });
        ready();
      });
      scope.route({
        url: path,
        method: 'OPTIONS',
        handler: async (request, reply) => this.preflight(request, reply),
      });
      direct?.open({
        path,
        headers: this.cors.headersFor(undefined),
        admit: (request, reply) => {
          this.admit(request, reply);
          checkLoad(request);
          return this.identify(request);
        },
        readBody: (request, read) => readJson(request, request.raw, read),
        post: (request, reply) => this.post(request, reply),
        get: (request, reply) => this.get(request, reply),
        refuse: (error, reply) => this.refuse(error, reply),
      });
      done();
    });
  }

  /** Answers in the turn in which the request was read, if nothing has to be waited for. */
  private post(request: HttpRequest, reply: HttpReply): void {
    const answered = this.dispatch(request, reply);
    if (!answered) return;
    // From here on, since the session may have to be fetched before the call itself counts as running.
    const entry = this.services.calls.enter();
    void answered
      .catch((error: unknown) => this.fail(error, reply))
      .finally(() => {
        entry.leave();
      });
  }

  private dispatch(request: HttpRequest, reply: HttpReply): Promise<void> | void {
    const { body } = request;
    if (Array.isArray(body)) {
      if (body.some((element) => isStateless(element, request))) {
        throw new McpError('INVALID_REQUEST', 'Revision 2026-07-28 has no batches. Send one message a request.');
      }
      const messages = body.slice(0, this.services.options.maxBatch + 1).map(readMessage);
      return this.sessions.postBatch(messages, request, reply);
    }
    const message = readMessage(body);
    if (isStateless(body, request)) return this.stateless.handle(message, request, reply);
    const refused = (error: unknown): void => {
      if (!(error instanceof McpError)) throw error;
      sendError(reply, idForError(message), error);
    };
    try {
      return this.sessions.post(message, request, reply)?.catch(refused);
    } catch (error) {
      refused(error);
    }
  }

  private async get<R extends HttpReply>(request: HttpRequest, reply: R): Promise<R> {
    try {
      await this.sessions.get(request, reply);
    } catch (error) {
      if (!reply.sent) throw error;
      this.breakOff(error, reply);
    }
    return reply;
  }

  private async delete<R extends HttpReply>(request: HttpRequest, reply: R): Promise<R> {
    await this.sessions.delete(request, reply);
    return reply;
  }

  private preflight(request: HttpRequest, reply: FastifyReply): FastifyReply {
    const { status, headers } = this.cors.preflight(request.headers);
    return reply.code(status).headers(headers).send();
  }

  /** What a request must have in order whoever sends it. @throws McpError */
  private admit({ headers, raw, method }: HttpRequest, reply: HttpReply): void {
    const { loopbackOnly } = this.services;
    // First of all, so that a page may read why it was refused.
    if (method !== 'OPTIONS') void reply.headers(this.cors.headersFor(headers.origin));
    if (loopbackOnly) requireLoopback(raw);
    checkRequestHead(raw);
    this.hostChecks.check(requestedHost(raw), headers.origin);
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      throw new McpError('UNSUPPORTED_MEDIA_TYPE', 'Send the body without content encoding.');
    }
  }

  /** Asks who is calling, before the body is read: strangers are not to cost more than that. */
  private identify(request: HttpRequest): NowOrLater<void> {
    let principal: NowOrLater<Principal>;
    try {
      principal = this.services.authenticator.authenticate(request);
      if (!(principal instanceof Promise)) return this.letIn(request, principal);
    } catch (error) {
      return this.refuseCaller(request, error);
    }
    // A server that stops waits for it.
    const entry = this.services.calls.enter();
    return principal
      .then((late) => this.letIn(request, late))
      .catch((error: unknown) => this.refuseCaller(request, error))
      .finally(() => {
        entry.leave();
      });
  }

  /** @throws McpError where there is nothing for strangers: a client learns at once that it has to log in */
  private letIn(request: HttpRequest, principal: Principal): void {
    const { access, registry } = this.services;
    if (!access.letsIn(principal, registry)) throw access.refuseStranger();
    setCaller(request, principal);
  }

  /** Puts it on record. @throws McpError */
  private refuseCaller({ method, headers }: HttpRequest, error: unknown): Promise<never> {
    return this.services.operations.watch(new Operation({ method, headers }), () => {
      throw this.identificationError(error);
    });
  }

  /** What a caller hears of why it could not be identified; whoever runs the server hears the rest. */
  private identificationError(error: unknown): McpError {
    const { logger } = this.services;
    if (!(error instanceof McpError)) {
      logger.error('The Authenticator failed. It is to throw McpErrors; whatever else it throws is masked.', error);
      return new McpError('INTERNAL_ERROR', 'Internal error.', undefined, { status: 500 });
    }
    if (error.reason === 'UNAVAILABLE' && error.cause !== undefined) {
      logger.warn('A caller could not be identified, and was told to come again.', error.cause);
    }
    return error;
  }

  /** What comes too late to be thrown. */
  private fail(error: unknown, reply: HttpReply): void {
    if (reply.sent) this.breakOff(error, reply);
    else reply.send(error);
  }

  /** Fastify does not handle errors of a reply that has become a stream. */
  private breakOff(error: unknown, reply: HttpReply): void {
    this.services.logger.error('A stream that had begun was broken off.', error);
    reply.raw.destroy();
  }

  /** Whatever goes wrong before or around the wires, in the form of a JSON-RPC error. */
  private refuse(error: unknown, reply: HttpReply): void {
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    try {
      sendError(reply, undefined, error instanceof McpError ? error : this.translate(error));
    } catch (cause) {
      this.services.logger.error('A request could not be refused as it should; its connection was closed.', cause);
      reply.raw.destroy();
    }
  }

  private translate(error: unknown): McpError {
    // Whatever is thrown, `null` included.
    const { statusCode, stack } = Object(error) as Partial<FastifyError>;
    if (statusCode === 415) {
      return new McpError('UNSUPPORTED_MEDIA_TYPE', 'The Content-Type must be application/json.');
    }
    if (statusCode === 400) return new McpError('PARSE_ERROR', 'The body is not valid JSON.');
    this.services.logger.error('The MCP endpoint failed; this is a defect of Rookery or of a Fastify hook.', stack);
    return new McpError('INTERNAL_ERROR', 'Internal error.', undefined, { status: 500 });
  }
}

/**
 * Whether a message belongs to the era without sessions: it says so in its body, or, saying nothing there, names a
 * revision in its header that is no session's. `initialize` opens a session unless its body says otherwise, and what
 * carries a session id belongs to that session.
 */
function isStateless(body: unknown, { headers }: HttpRequest): boolean {
  if (!isJsonObject(body)) return false;
  const claimed = claimedRevision(body['params']);
  if (claimed !== undefined) return !(typeof claimed === 'string' && isSessionRevision(claimed));
  if (body['method'] === 'initialize' || headers['mcp-session-id'] !== undefined) return false;
  const version = headers['mcp-protocol-version'];
  return version !== undefined && !isSessionRevision(String(version));
}
