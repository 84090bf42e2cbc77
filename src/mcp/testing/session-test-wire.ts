import { setTimeout as delay } from 'node:timers/promises';
import type { LoggingLevel, SubscriptionFilter } from '@modelcontextprotocol/server';
import type { SessionRevision } from '../protocol/revisions.js';
import { type JsonObject, isJsonObject } from '../transport/json-rpc.js';
import { answerTo, postJson, receive, requireAccepted } from './http-exchange.js';
import { SessionListener } from './session-listener.js';
import type { Listening, TestWire, WireRequest, WireTarget } from './test-wire.js';

/** One request that runs, and how to end it. */
interface Exchange {
  readonly id: number;
  readonly method: string;
  readonly stop: AbortController;
  /** Ids of the server's requests that it has taken back. */
  readonly withdrawn: Set<unknown>;
}

const INTERNAL_ERROR = -32603;
/** Milliseconds before an answer that broke off is resumed, unless the server says how long. */
const DEFAULT_RETRY_MS = 1_000;
/** How often one answer is resumed. */
const MAX_RESUMES = 20;

/**
 * Revisions 2025-03-26 to 2025-11-25: the first request opens the session, the server's requests are answered by a POST
 * of their own, an answer that breaks off is resumed, and a notification cancels.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports
 */
export class SessionTestWire implements TestWire {
  private readonly closing = new AbortController();
  private readonly listener: SessionListener;
  private opening: Promise<Readonly<Record<string, string>>> | undefined;
  private lastId = 0;

  constructor(
    private readonly target: WireTarget,
    private readonly revision: SessionRevision,
  ) {
    this.listener = new SessionListener({
      closing: this.closing.signal,
      get: async (lastEventId, signal) => this.get(await this.open(), lastEventId, signal),
      request: (method, params) => this.request({ method, params }),
      hear: (message) => this.hear(message),
    });
  }

  async request({ logLevel, ...request }: WireRequest): Promise<JsonObject> {
    const session = await this.open();
    if (logLevel) await this.setLogLevel(logLevel);
    return this.run(session, request);
  }

  listen(filter: SubscriptionFilter): Promise<Listening> {
    return this.listener.listen(filter);
  }

  async setLogLevel(level: LoggingLevel): Promise<void> {
    await this.request({ method: 'logging/setLevel', params: { level } });
  }

  async close(): Promise<void> {
    const { opening } = this;
    this.closing.abort(new Error('The client was closed.'));
    await this.listener.close();
    const session = await opening?.catch(() => undefined);
    if (!session) return;
    const { url, headers } = this.target;
    await fetch(url, { method: 'DELETE', headers: { ...session, ...headers } })
      .then((response) => response.arrayBuffer())
      .catch(() => undefined);
  }

  /** Opens the session, once. @returns the headers that belong to it */
  private open(): Promise<Readonly<Record<string, string>>> {
    this.opening ??= this.initialize().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  private async initialize(): Promise<Readonly<Record<string, string>>> {
    const id = ++this.lastId;
    const { clientInfo } = this.target;
    const params = { protocolVersion: this.revision, capabilities: this.target.capabilities(), clientInfo };
    const response = await this.post({ jsonrpc: '2.0', id, method: 'initialize', params }, {});
    let version: unknown;
    for await (const { message } of receive(response)) {
      version ??= message && answerTo(id, message, response.status)?.result['protocolVersion'];
    }
    if (version !== this.revision) {
      throw new Error(`The server answered initialize with revision ${String(version)}, not ${this.revision}.`);
    }
    const sessionId = response.headers.get('mcp-session-id');
    const session = {
      ...(sessionId !== null && { 'mcp-session-id': sessionId }),
      // The header came with 2025-06-18 (basic/transports, "Protocol Version Header").
      ...(this.revision >= '2025-06-18' && { 'mcp-protocol-version': this.revision }),
    };
    await requireAccepted(await this.post({ jsonrpc: '2.0', method: 'notifications/initialized' }, session));
    return session;
  }

  private async run(session: Readonly<Record<string, string>>, request: WireRequest): Promise<JsonObject> {
    const { method, params, signal, headers } = request;
    signal?.throwIfAborted();
    const running: Exchange = { id: ++this.lastId, method, stop: new AbortController(), withdrawn: new Set() };
    const onAbort = (): void => void this.cancel(session, running, signal?.reason);
    signal?.addEventListener('abort', onAbort);
    try {
      const body = { jsonrpc: '2.0', id: running.id, method, params };
      const response = await this.post(body, { ...session, ...headers }, running.stop.signal);
      const result = await this.readAnswer(session, running, response);
      signal?.throwIfAborted();
      if (result) return result;
      throw new Error(`${method} was not answered: the response ended before its result (HTTP ${response.status}).`);
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Reads a response to its result; what breaks off before that is resumed. */
  private async readAnswer(
    session: Readonly<Record<string, string>>,
    running: Exchange,
    response: Response,
  ): Promise<JsonObject | undefined> {
    let current = response;
    let lastEventId: string | undefined;
    let retry = DEFAULT_RETRY_MS;
    for (let resumed = 0; resumed <= MAX_RESUMES; resumed++) {
      for await (const { message, eventId, retryMs = retry } of receive(current)) {
        lastEventId = eventId ?? lastEventId;
        retry = retryMs;
        const answer = message && answerTo(running.id, message, current.status);
        if (answer) return answer.result;
        if (message) this.take(session, running, message);
      }
      if (lastEventId === undefined) return undefined;
      await delay(retry, undefined, { signal: this.until(running.stop.signal) });
      current = await this.get(session, lastEventId, running.stop.signal);
    }
    return undefined;
  }

  private take(session: Readonly<Record<string, string>>, running: Exchange, message: JsonObject): void {
    if (message['id'] !== undefined && 'method' in message) void this.reply(session, running, message);
    else this.hear(message, running);
  }

  /** Answers a request of the server. A handler that throws, or an answer that is refused, fails the call. */
  private async reply(session: Readonly<Record<string, string>>, running: Exchange, asked: JsonObject): Promise<void> {
    const { id, method, params } = asked;
    const answered = await this.target.answer(String(method), isJsonObject(params) ? params : {}).then(
      (result) => ({ body: { result }, failure: undefined }),
      (failure: unknown) => ({ body: { error: { code: INTERNAL_ERROR, message: String(failure) } }, failure }),
    );
    try {
      await requireAccepted(await this.post({ jsonrpc: '2.0', id, ...answered.body }, session));
    } catch (error) {
      if (!running.withdrawn.has(id)) running.stop.abort(answered.failure ?? error);
    }
    if (answered.failure !== undefined) running.stop.abort(answered.failure);
  }

  private async cancel(
    session: Readonly<Record<string, string>>,
    { id, stop }: Exchange,
    reason: unknown,
  ): Promise<void> {
    const why = reason instanceof Error ? { reason: reason.message } : {};
    const body = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id, ...why } };
    try {
      await requireAccepted(await this.post(body, session));
      stop.abort(reason);
    } catch (error) {
      stop.abort(error);
    }
  }

  private hear({ method, params }: JsonObject, running?: Exchange): void {
    if (typeof method !== 'string') return;
    const body = isJsonObject(params) ? params : {};
    if (method === 'notifications/cancelled') running?.withdrawn.add(body['requestId']);
    this.target.heard(method, body);
  }

  private post(body: JsonObject, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Response> {
    return postJson(this.target.url, body, { ...this.target.headers, ...headers }, this.until(signal));
  }

  private get(
    session: Readonly<Record<string, string>>,
    lastEventId: string | undefined,
    signal: AbortSignal,
  ): Promise<Response> {
    const resume = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    return fetch(this.target.url, {
      headers: { accept: 'text/event-stream', ...session, ...this.target.headers, ...resume },
      signal: this.until(signal),
    });
  }

  private until(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.closing.signal]) : this.closing.signal;
  }
}
