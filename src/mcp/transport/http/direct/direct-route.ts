import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { NowOrLater } from '../../../protocol/now-or-later.js';
import type { HttpReply, HttpRequest } from '../exchange.js';
import { type ConstantHeaders, NO_HEADERS, QuickResponse } from '../quick-response.js';
import { DirectReply, DirectRequest, JSON_TYPE, type ReplyTerms } from './direct-reply.js';
import { HooksOfOthers } from './hooks-of-others.js';

/** What the platform does with every request of its own accord, on whichever way it comes. */
export interface RequestWatch {
  /**
   * A request has come.
   * @param response what it will be answered with; the request is its `req`
   * @param route undefined for what nobody serves
   */
  readonly began: (response: ServerResponse, route: string | undefined) => void;
  /** Runs what is done for it: once when its head is there, and again when its body is. Default: just so. */
  readonly run?: (response: ServerResponse, work: () => void) => void;
}

/** The MCP endpoint, as the direct route uses it. */
export interface DirectEndpoint {
  readonly path: string;
  /** Headers of every answer to a request without `Origin`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Lets a request in, by its head. @throws McpError */
  admit(request: HttpRequest, reply: HttpReply): NowOrLater<void>;
  /** Reads a body as JSON. */
  readBody(request: HttpRequest, done: (error: Error | null, body?: unknown) => void): void;
  /** @throws McpError */
  post(request: HttpRequest, reply: HttpReply): void;
  /** Rejects with what the request is refused with. */
  get(request: HttpRequest, reply: HttpReply): Promise<unknown>;
  /** Answers with an error. */
  refuse(error: unknown, reply: HttpReply): void;
}

/** Other ways to write it are Fastify's to understand. */
const JSON_TYPES: ReadonlySet<string | undefined> = new Set(['application/json', JSON_TYPE]);

/**
 * The way from Node's server straight to the MCP endpoint, past the router and the hooks of Fastify and Nest, which
 * cost as much as the work itself. It is taken where it makes no difference: if the application has no hook, middleware
 * or plugin that would see the request on its way through Fastify, and the request is as clients send them. All others
 * go through Fastify, to the same endpoint.
 */
export class DirectRoute {
  private readonly others: HooksOfOthers;
  private readonly watches: RequestWatch[] = [];
  private readonly runs: NonNullable<RequestWatch['run']>[] = [];
  private constants: ConstantHeaders = NO_HEADERS;
  private endpoint: DirectEndpoint | undefined;
  private terms: ReplyTerms | undefined;

  /** @param fastify on which nobody but Nest has done anything yet */
  constructor(fastify: FastifyInstance) {
    this.others = new HooksOfOthers(fastify);
    // Scopes inherit it.
    Object.assign(fastify, { [ROUTE]: this });
    fastify.addHook('onReady', (done) => {
      if (this.endpoint && this.others.serve(this.endpoint.path)) this.leaveToFastify();
      done();
    });
    fastify.addHook('preClose', (done) => {
      this.close();
      done();
    });
  }

  /** Has the requests to a server come here first. What was there to hear of them gets those that are not taken. */
  comesBefore(server: Server): void {
    const [handle, ...more] = server.listeners('request');
    // Fastify has one. If there are others, who is to serve requests is not ours to say.
    if (!handle || more.length > 0) return;
    server.removeListener('request', handle as RequestListener);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (!this.takes(request, response)) handle.call(server, request, response);
    });
  }

  /** That of the application an instance belongs to; undefined if its adapter is not ours. */
  static of(fastify: FastifyInstance): DirectRoute | undefined {
    return (fastify as Partial<Record<typeof ROUTE, DirectRoute>>)[ROUTE];
  }

  /** To be called before the server listens. */
  open(endpoint: DirectEndpoint): void {
    this.endpoint = endpoint;
  }

  /** Requests that still come go through Fastify, which knows how a server that closes answers. */
  close(): void {
    this.endpoint = undefined;
  }

  /** The application does something with requests that only those see that go through Fastify. */
  leaveToFastify(): void {
    this.others.add();
  }

  /** Whether requests to the endpoint go through Fastify because of what the application does with them. */
  get isLeftToFastify(): boolean {
    return this.others.exist;
  }

  watch(watch: RequestWatch): void {
    this.watches.push(watch);
    if (watch.run) this.runs.push(watch.run);
  }

  /** Headers of every response. */
  addConstantHeaders(constants: ConstantHeaders): void {
    this.constants = constants;
  }

  /** Adds hooks that are the platform's own: what they do is done here as well. */
  ours<T>(work: () => T): T {
    return this.others.notCounting(work);
  }

  /** A plugin whose hooks are the platform's own. */
  oursBy<P>(plugin: P): P {
    if (typeof plugin !== 'function') return plugin;
    const run = (...given: unknown[]): unknown => this.ours(() => Reflect.apply(plugin, undefined, given) as unknown);
    // With what it says of itself: whether it has a scope of its own.
    return Object.assign(run, plugin);
  }

  /** A scope whose hooks are the platform's own. */
  oursIn(scope: FastifyInstance): void {
    this.others.notCountingIn(scope);
  }

  private takes(raw: IncomingMessage, response: ServerResponse): boolean {
    const { endpoint } = this;
    if (endpoint === undefined || raw.url !== endpoint.path || this.others.exist) return false;
    const { method, headers } = raw;
    if (method === 'POST' ? !JSON_TYPES.has(headers['content-type']) : method !== 'GET' || hasBody(headers)) {
      return false;
    }
    if (!(response instanceof QuickResponse) || !QuickResponse.takesConstantHeaders) return false;
    this.serve(endpoint, new DirectRequest(raw), response);
    return true;
  }

  private serve(endpoint: DirectEndpoint, request: DirectRequest, response: QuickResponse): void {
    response.constantHeaders = this.constants;
    const reply = new DirectReply(response, (this.terms ??= this.termsOf(endpoint)));
    try {
      for (const watch of this.watches) watch.began(response, endpoint.path);
    } catch (error) {
      return endpoint.refuse(error, reply);
    }
    if (this.runs.length === 0) return letIn(endpoint, request, reply);
    const around: Around = (work) => this.run(response, work);
    refusing(endpoint, reply, () => around(() => letIn(endpoint, request, reply, around)));
  }

  /** Within all who want to be around it. */
  private run(response: ServerResponse, work: () => void): void {
    this.runs.reduceRight<() => void>((inner, run) => () => run(response, inner), work)();
  }

  private termsOf(endpoint: DirectEndpoint): ReplyTerms {
    const json = { ...endpoint.headers, 'content-type': JSON_TYPE, 'cache-control': 'no-store' };
    const lines = Object.entries(json).map(([name, value]) => `${name}: ${value}\r\n`);
    return {
      jsonLines: this.constants.linesBeside(json) + lines.join(''),
      headers: endpoint.headers,
      refuse: (error, reply) => endpoint.refuse(error, reply),
    };
  }
}

type Around = (work: () => void) => void;

function letIn(endpoint: DirectEndpoint, request: DirectRequest, reply: DirectReply, around?: Around): void {
  const refuse = (error: unknown): void => endpoint.refuse(error, reply);
  try {
    const admitted = endpoint.admit(request, reply);
    if (!(admitted instanceof Promise)) return handle(endpoint, request, reply, around);
    admitted.then(() => handle(endpoint, request, reply, around)).catch(refuse);
  } catch (error) {
    refuse(error);
  }
}

function handle(endpoint: DirectEndpoint, request: DirectRequest, reply: DirectReply, around?: Around): void {
  if (request.method === 'GET') {
    // Within what is around its admission already.
    endpoint.get(request, reply).catch((error: unknown) => endpoint.refuse(error, reply));
    return;
  }
  endpoint.readBody(request, (error, body) => {
    const answer = (): void => {
      // As Fastify does it: more of the body may come, however much there is of it.
      if (error) return endpoint.refuse(error, reply.header('connection', 'close'));
      request.body = body;
      post(endpoint, request, reply);
    };
    if (around) refusing(endpoint, reply, () => around(answer));
    else answer();
  });
}

/** A watch may throw, as a hook may. */
function refusing(endpoint: DirectEndpoint, reply: DirectReply, work: () => void): void {
  try {
    work();
  } catch (error) {
    endpoint.refuse(error, reply);
  }
}

function post(endpoint: DirectEndpoint, request: DirectRequest, reply: DirectReply): void {
  try {
    endpoint.post(request, reply);
  } catch (error) {
    endpoint.refuse(error, reply);
  }
}

function hasBody(headers: IncomingMessage['headers']): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

const ROUTE = Symbol('direct route');
