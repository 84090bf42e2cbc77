import { isUtf8 } from 'node:buffer';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { McpError } from '../../protocol/errors.js';
import { isSessionRevision } from '../../protocol/revisions.js';
import { claimedRevision } from '../envelope.js';
import { type JsonRpcMessage, idForError, isJsonObject, readMessage } from '../json-rpc.js';
import { nestingDepth } from '../json-text.js';
import { HostChecks, requestedHost } from './host-checks.js';
import { sendError } from './replies.js';
import type { SessionWire } from './session/session-wire.js';
import type { StatelessWire } from './stateless/stateless-wire.js';
import type { WireServices } from './wire-services.js';

/**
 * The one HTTP endpoint of both eras: a Fastify route, so that hooks, CORS and security headers of the application
 * apply to it, with a JSON-RPC error body for whatever is refused before a wire sees it.
 *
 * It decides, from the body first and the headers second, which wire a request belongs to.
 */
export class McpEndpoint {
  private readonly hostChecks: HostChecks;

  constructor(
    private readonly services: WireServices,
    private readonly stateless: StatelessWire,
    private readonly sessions: SessionWire,
  ) {
    this.hostChecks = new HostChecks(services.options.allowedHosts, services.options.allowedOrigins);
  }

  /** Adds the routes, in a scope of their own: the JSON parser of the application stays as it is. */
  register(fastify: FastifyInstance): void {
    const { path, maxBodyBytes } = this.services.options;
    void fastify.register((scope, _options, done) => {
      this.parseJsonWithin(scope);
      const errorHandler = (error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void =>
        this.refuse(error, reply);
      const onRequest = async (request: FastifyRequest): Promise<void> => this.admit(request);
      const common = { url: path, bodyLimit: maxBodyBytes, errorHandler, onRequest };
      scope.route({ ...common, method: 'POST', handler: (request, reply) => this.post(request, reply) });
      // HEAD must not open a stream, so Fastify is not to make it from GET.
      scope.route({
        ...common,
        method: 'GET',
        exposeHeadRoute: false,
        handler: (request, reply) => this.get(request, reply),
      });
      scope.route({ ...common, method: 'DELETE', handler: (request, reply) => this.delete(request, reply) });
      scope.route({
        ...common,
        method: ['PUT', 'PATCH', 'HEAD'],
        handler: async (_request, reply) => {
          void reply.header('allow', this.services.options.jsonOnly ? 'POST, DELETE' : 'GET, POST, DELETE');
          throw new McpError('METHOD_NOT_ALLOWED', 'Method not allowed.');
        },
      });
      done();
    });
  }

  private async post(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    // From here on, since credentials and session may have to be fetched before the call itself counts as running.
    const entry = this.services.calls.enter();
    try {
      await this.dispatch(request, reply);
      return reply;
    } finally {
      entry.leave();
    }
  }

  private async dispatch(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { body } = request;
    if (Array.isArray(body)) {
      if (body.some((element) => isStateless(element, request))) {
        throw new McpError('INVALID_REQUEST', 'Revision 2026-07-28 has no batches. Send one message a request.');
      }
      const messages = body.slice(0, this.services.options.maxBatch + 1).map(readMessage);
      return this.sessions.post(messages, true, request, reply);
    }
    const message = readMessage(body);
    if (isStateless(body, request)) return this.stateless.handle(message, request, reply);
    return this.postToSession(message, request, reply);
  }

  private async postToSession(message: JsonRpcMessage, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    try {
      await this.sessions.post([message], false, request, reply);
    } catch (error) {
      if (!(error instanceof McpError)) throw error;
      sendError(reply, idForError(message), error);
    }
  }

  private async get(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    await this.sessions.get(request, reply);
    return reply;
  }

  private async delete(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    await this.sessions.delete(request, reply);
    return reply;
  }

  /** @throws McpError */
  private admit({ headers, raw }: FastifyRequest): void {
    this.hostChecks.check(requestedHost(raw), headers.origin);
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      throw new McpError('UNSUPPORTED_MEDIA_TYPE', 'Send the body without content encoding.');
    }
  }

  private parseJsonWithin(scope: FastifyInstance): void {
    scope.removeAllContentTypeParsers();
    const parse = scope.getDefaultJsonParser('error', 'error');
    const { maxBodyDepth } = this.services.options;
    scope.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
      if (bytes.length === 0) return done(new McpError('PARSE_ERROR', 'The body is empty.'));
      // Decoding would put replacement characters for what is wrong, and the call would go on with other arguments.
      if (!isUtf8(bytes)) return done(new McpError('PARSE_ERROR', 'The body is not UTF-8.'));
      const text = bytes.toString();
      if (nestingDepth(text) > maxBodyDepth) {
        return done(new McpError('INVALID_REQUEST', `The body nests deeper than ${maxBodyDepth} levels.`));
      }
      void parse(request, text, done);
    });
  }

  /** Whatever goes wrong before or around the wires, in the form of a JSON-RPC error. */
  private refuse(error: FastifyError | McpError, reply: FastifyReply): void {
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    sendError(reply, undefined, error instanceof McpError ? error : this.translate(error));
  }

  private translate({ statusCode, stack }: FastifyError): McpError {
    const { maxBodyBytes } = this.services.options;
    if (statusCode === 413) return new McpError('PAYLOAD_TOO_LARGE', `The body is larger than ${maxBodyBytes} bytes.`);
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
function isStateless(body: unknown, { headers }: FastifyRequest): boolean {
  if (!isJsonObject(body)) return false;
  const claimed = claimedRevision(body['params']);
  if (claimed !== undefined) return !(typeof claimed === 'string' && isSessionRevision(claimed));
  if (body['method'] === 'initialize' || headers['mcp-session-id'] !== undefined) return false;
  const version = headers['mcp-protocol-version'];
  return version !== undefined && !isSessionRevision(String(version));
}
