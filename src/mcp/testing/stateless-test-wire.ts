import type { LoggingLevel, SubscriptionFilter, Tool } from '@modelcontextprotocol/server';
import { encodeHeaderValue } from '../protocol/header-value.js';
import { type HeaderParam, headerParams } from '../schema/header-params.js';
import { type JsonObject, isJsonObject } from '../transport/json-rpc.js';
import { answerTo, postJson, receive } from './http-exchange.js';
import { McpTestError } from './mcp-test-error.js';
import type { Listening, TestWire, WireRequest, WireTarget } from './test-wire.js';

const REVISION = '2026-07-28';
const HEADER_MISMATCH = -32020;
const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
/** Where the value of `Mcp-Name` stands in the params. */
const NAMED: Readonly<Record<string, 'name' | 'uri'>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
};

/**
 * Revision 2026-07-28: every request carries its envelope and the headers that mirror it; closing the response cancels.
 *
 * Which arguments a tool mirrors into headers is looked up when the server refuses a call for want of them, as the
 * specification advises for a client that has not listed the tool.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export class StatelessTestWire implements TestWire {
  private readonly closing = new AbortController();
  private readonly mirrored = new Map<string, readonly HeaderParam[]>();
  private logLevel: LoggingLevel | undefined;
  private lastId = 0;

  constructor(private readonly target: WireTarget) {}

  async request(request: WireRequest): Promise<JsonObject> {
    try {
      return await this.exchange(request);
    } catch (error) {
      const refused = error instanceof McpTestError && error.code === HEADER_MISMATCH;
      if (!refused || request.method !== 'tools/call' || !(await this.learnMirrored(request))) throw error;
      return this.exchange(request);
    }
  }

  async listen(notifications: SubscriptionFilter): Promise<Listening> {
    const stop = new AbortController();
    const id = ++this.lastId;
    const request = { method: 'subscriptions/listen', params: { notifications } };
    const response = await this.post(id, request, stop.signal);
    const messages = receive(response);
    const first = await messages.next();
    const acknowledged = first.done ? undefined : first.value.message;
    if (acknowledged) answerTo(id, acknowledged, response.status);
    if (acknowledged?.['method'] !== ACKNOWLEDGED) {
      throw new Error(`subscriptions/listen must begin with ${ACKNOWLEDGED}, not ${JSON.stringify(acknowledged)}.`);
    }
    this.hear(acknowledged);
    const ended = this.follow(messages).catch((error: unknown) => {
      if (!stop.signal.aborted && !this.closing.signal.aborted) throw error;
    });
    ended.catch(() => undefined);
    return {
      ended,
      close: async () => {
        stop.abort();
        await ended.catch(() => undefined);
      },
    };
  }

  async setLogLevel(level: LoggingLevel): Promise<void> {
    this.logLevel = level;
  }

  async close(): Promise<void> {
    this.closing.abort(new Error('The client was closed.'));
  }

  private async exchange(request: WireRequest): Promise<JsonObject> {
    const id = ++this.lastId;
    const response = await this.post(id, request, request.signal);
    for await (const { message } of receive(response)) {
      if (!message) continue;
      const answer = answerTo(id, message, response.status);
      if (answer) return answer.result;
      this.hear(message);
    }
    throw new Error(
      `${request.method} was not answered: the response ended before its result (HTTP ${response.status}).`,
    );
  }

  private async post(id: number, request: WireRequest, signal: AbortSignal | undefined): Promise<Response> {
    const { url, headers } = this.target;
    const { method, params } = request;
    const body = { jsonrpc: '2.0', id, method, params: { ...params, _meta: this.envelope(request) } };
    return postJson(
      url,
      body,
      { ...this.mirrors(request), ...headers, ...request.headers },
      signal ? AbortSignal.any([signal, this.closing.signal]) : this.closing.signal,
    );
  }

  private envelope({ params, logLevel = this.logLevel }: WireRequest): JsonObject {
    return {
      'io.modelcontextprotocol/protocolVersion': REVISION,
      'io.modelcontextprotocol/clientInfo': this.target.clientInfo,
      'io.modelcontextprotocol/clientCapabilities': this.target.capabilities(),
      ...(logLevel && { 'io.modelcontextprotocol/logLevel': logLevel }),
      ...(isJsonObject(params['_meta']) && params['_meta']),
    };
  }

  /** The headers that repeat what the body says. */
  private mirrors({ method, params }: WireRequest): Record<string, string> {
    const headers: Record<string, string> = { 'mcp-protocol-version': REVISION, 'mcp-method': method };
    const name = NAMED[method] && params[NAMED[method]];
    if (typeof name !== 'string') return headers;
    headers['mcp-name'] = encodeHeaderValue(name);
    if (method !== 'tools/call') return headers;
    for (const { header, path } of this.mirrored.get(name) ?? []) {
      const value = path.reduce<unknown>((at, key) => (isJsonObject(at) ? at[key] : undefined), params['arguments']);
      if (['string', 'number', 'boolean'].includes(typeof value)) headers[header] = encodeHeaderValue(String(value));
    }
    return headers;
  }

  /** @returns false if the tool has nothing mirrored */
  private async learnMirrored({ params: { name }, signal, headers }: WireRequest): Promise<boolean> {
    let cursor: unknown;
    do {
      const page = await this.exchange({
        method: 'tools/list',
        params: cursor === undefined ? {} : { cursor },
        ...(signal && { signal }),
        ...(headers && { headers }),
      });
      for (const tool of page['tools'] as Tool[]) {
        this.mirrored.set(tool.name, headerParams(tool.inputSchema, `Tool ${tool.name}`));
      }
      cursor = page['nextCursor'];
    } while (cursor !== undefined);
    return (this.mirrored.get(String(name)) ?? []).length > 0;
  }

  private async follow(messages: ReturnType<typeof receive>): Promise<void> {
    for await (const { message } of messages) if (message) this.hear(message);
  }

  private hear({ method, params }: JsonObject): void {
    if (typeof method === 'string') this.target.heard(method, isJsonObject(params) ? params : {});
  }
}
