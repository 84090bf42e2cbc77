import type { ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { RequestMethod } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { McpError } from '../../protocol/errors.js';
import { DirectRoute } from './direct/direct-route.js';
import { QuickResponse } from './quick-response.js';
import { sendError } from './replies.js';
import { keepTickShape } from './tick-shape.js';
import { refuseUnreadable } from './unreadable-requests.js';

/** Limits of the HTTP server itself, which hold before any route sees a request. */
export interface HttpServerOptions {
  /**
   * Milliseconds a client may take to send a request, its body included; the answer is not. Default 60,000.
   */
  readonly requestTimeoutMs?: number;
  /**
   * Milliseconds it may take for the headers, counted from the connection for the first request. At most
   * `requestTimeoutMs`. Default 10,000.
   */
  readonly headersTimeoutMs?: number;
  /**
   * Milliseconds a connection stays open for the next request. Default 75,000: longer than the 60 seconds for which
   * the usual balancers keep theirs, or else one would send a request just when the server closes, and answer 502.
   */
  readonly keepAliveTimeoutMs?: number;
  /** Bytes the request line and the headers may have. Default 16,384. */
  readonly maxHeaderBytes?: number;
  /**
   * Addresses of proxies, single (`10.0.0.7`) or in CIDR form (`10.0.0.0/8`), whose `X-Forwarded-*` headers are
   * believed. Default none: anyone can send such headers.
   */
  readonly trustedProxies?: readonly string[];
  /** Connections open at a time; further ones are closed at once. Default no limit but the system's. */
  readonly maxConnections?: number;
}

/** Milliseconds a timer can count. */
const MAX_MS = 2 ** 31 - 1;
/** Milliseconds between two looks for connections that are late, at most; Node's own 30 seconds would outlast the limits. */
const LOOK_EVERY_MS = 5_000;

/**
 * The Fastify adapter of Nest with limits that suit a server whose answers may be streams: a client must send within
 * bounds, while an answer may take its time. What Node's parser refuses is answered as the MCP endpoint answers, with
 * a JSON-RPC error.
 *
 * @throws Error naming the option that is wrong
 * @example
 * ```ts
 * const adapter = createHttpAdapter({ trustedProxies: ['10.0.0.0/8'] });
 * const app = await NestFactory.create<NestFastifyApplication>(AppModule, adapter);
 * ```
 */
export function createHttpAdapter(options: HttpServerOptions = {}): FastifyAdapter {
  keepTickShape();
  const { requestTimeoutMs = 60_000, headersTimeoutMs = 10_000, keepAliveTimeoutMs = 75_000 } = options;
  const { maxHeaderBytes = 16 * 1024, trustedProxies = [], maxConnections } = options;
  // Fastify takes 0 for its default or for no limit, as the case may be.
  requireInteger('requestTimeoutMs', requestTimeoutMs, MAX_MS);
  requireInteger('headersTimeoutMs', headersTimeoutMs, requestTimeoutMs);
  requireInteger('keepAliveTimeoutMs', keepAliveTimeoutMs, MAX_MS);
  requireInteger('maxHeaderBytes', maxHeaderBytes, 1024 * 1024);
  if (maxConnections !== undefined) requireInteger('maxConnections', maxConnections, MAX_MS);
  trustedProxies.forEach(requireAddress);

  const adapter = new DirectAdapter({
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (_error: unknown, _request: unknown, reply: FastifyReply) => refuseBadUrl(reply),
    http: {
      ServerResponse: QuickResponse as typeof ServerResponse,
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: Math.min(LOOK_EVERY_MS, Math.ceil(headersTimeoutMs / 2)),
      maxHeaderSize: maxHeaderBytes,
      insecureHTTPParser: false,
      requireHostHeader: true,
    },
  });
  // `maxHeadersCount` stays: what is beyond it is not refused but dropped, and with it what makes a request wrong.
  if (maxConnections !== undefined) adapter.getInstance<FastifyInstance>().server.maxConnections = maxConnections;
  return adapter;
}

/**
 * Nest's adapter, with a way past its hooks. What Nest itself may be told to do with requests goes through them; from
 * then on no request takes the other way.
 */
class DirectAdapter extends FastifyAdapter {
  private readonly direct: DirectRoute;
  private registersOwn = false;

  constructor(options: object) {
    super(options as never);
    const fastify = this.getInstance<FastifyInstance>();
    this.direct = new DirectRoute(fastify);
    this.direct.comesBefore(fastify.server);
  }

  override async init(): Promise<void> {
    this.registersOwn = true;
    const ready = super.init();
    // It has registered in this turn what it needs. What the application has registered before loads meanwhile.
    this.registersOwn = false;
    await ready;
    const fastify = this.getInstance<FastifyInstance & { use?: (...given: unknown[]) => unknown }>();
    const { use } = fastify;
    if (!use) return;
    fastify.use = (...given) => {
      this.direct.leaveToFastify();
      return use.apply(fastify, given);
    };
  }

  override register(
    ...[plugin, options]: Parameters<FastifyAdapter['register']>
  ): ReturnType<FastifyAdapter['register']> {
    // A hook that runs middleware: what counts is whether there is any.
    return super.register(this.registersOwn ? this.direct.oursBy(plugin) : plugin, options);
  }

  override use(...given: unknown[]): unknown {
    this.direct.leaveToFastify();
    return super.use(...given);
  }

  override createMiddlewareFactory(method: RequestMethod): ReturnType<FastifyAdapter['createMiddlewareFactory']> {
    this.direct.leaveToFastify();
    return super.createMiddlewareFactory(method);
  }

  override setOnRequestHook(hook: Parameters<FastifyAdapter['setOnRequestHook']>[0]): void {
    this.direct.leaveToFastify();
    super.setOnRequestHook(hook);
  }

  override setOnResponseHook(hook: Parameters<FastifyAdapter['setOnResponseHook']>[0]): void {
    this.direct.leaveToFastify();
    super.setOnResponseHook(hook);
  }

  override enableCors(options?: Parameters<FastifyAdapter['enableCors']>[0]): void {
    this.direct.leaveToFastify();
    super.enableCors(options);
  }

  override registerSecurityHook(hook: Parameters<FastifyAdapter['registerSecurityHook']>[0]): void {
    this.direct.leaveToFastify();
    super.registerSecurityHook(hook);
  }

  override beforeClose(): void {
    this.direct.close();
    super.beforeClose();
  }
}

/** An address that cannot be decoded has no route, so Fastify would answer it, and repeat it. */
function refuseBadUrl(reply: FastifyReply): void {
  sendError(reply, undefined, new McpError('INVALID_REQUEST', 'The address cannot be read.'));
}

function requireInteger(option: keyof HttpServerOptions, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw new Error(`${option} is ${value}. It must be a whole number from 1 to ${max}.`);
}

function requireAddress(entry: string): void {
  const [, address = '', prefix] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const version = isIP(address);
  const bits = version === 4 ? 32 : 128;
  // A prefix of 0 trusts everyone, and then anyone says where he comes from.
  if (version !== 0 && (prefix === undefined || (Number(prefix) >= 1 && Number(prefix) <= bits))) return;
  throw new Error(
    `trustedProxies: ${JSON.stringify(entry)} is no address. Use an IP address or a CIDR range that does not hold all addresses, as 10.0.0.0/8.`,
  );
}
