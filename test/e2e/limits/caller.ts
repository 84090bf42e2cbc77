import { expect } from 'vitest';
import type { McpTestApp } from '../../../src/testing.js';
import { CallLimits } from '../../../src/mcp/limits/call-limits.js';
import {
  TEST_PRINCIPAL_HEADER,
  type TestPrincipal,
  encodeTestPrincipal,
} from '../../../src/mcp/testing/test-principal.js';
import { type Json, initialize, post, responseOf, statelessRequest } from '../../support/wire.js';

export const ERAS = ['stateless', 'session'] as const;
export type Era = (typeof ERAS)[number];

export interface CallerOptions {
  readonly era: Era;
  readonly principal?: TestPrincipal;
  readonly scopes?: readonly string[];
  /** Of a session. */
  readonly revision?: string;
}

export interface RequestOptions {
  readonly id?: string | number;
  readonly meta?: Json;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** Somebody with a name who calls over bare HTTP, and sees the answers as they are. Opening a session is a call, too. */
export class Caller {
  private constructor(
    readonly url: string,
    /** Headers that say who it is and, in a session, which. */
    readonly headers: Readonly<Record<string, string>>,
    readonly era: Era,
  ) {}

  static async open(url: string, { era, principal, scopes = [], revision }: CallerOptions): Promise<Caller> {
    const identity = principal ? { [TEST_PRINCIPAL_HEADER]: encodeTestPrincipal(principal, scopes) } : {};
    if (era === 'stateless') return new Caller(url, identity, era);
    const version = revision ?? '2025-11-25';
    const opened = await post(url, JSON.stringify(initialize(version)), identity);
    await opened.text();
    const session = {
      'mcp-session-id': opened.headers.get('mcp-session-id') ?? '',
      'mcp-protocol-version': version,
    };
    return new Caller(url, { ...identity, ...session }, era);
  }

  request(method: string, params: Json = {}, options: RequestOptions = {}): Promise<Response> {
    const { id = 1, meta, signal } = options;
    const headers = { ...this.headers, ...options.headers };
    if (this.era === 'stateless') {
      return statelessRequest(this.url, method, params, {
        id,
        headers,
        ...(meta && { meta }),
        ...(signal && { signal }),
      });
    }
    const sent = meta ? { ...params, _meta: meta } : params;
    return post(this.url, JSON.stringify({ jsonrpc: '2.0', id, method, params: sent }), headers, signal);
  }

  call(name: string, args: Json = {}, options?: RequestOptions): Promise<Response> {
    return this.request('tools/call', { name, arguments: args }, options);
  }

  /** Posts a message, or an array of them, as it is. */
  post(message: unknown): Promise<Response> {
    return post(this.url, JSON.stringify(message), this.headers);
  }

  /** HTTP requests without a body: the stream of a session, and its end. */
  async send(method: 'GET' | 'DELETE', headers: Record<string, string> = {}): Promise<Response> {
    const accept = method === 'GET' ? { accept: 'text/event-stream' } : {};
    return fetch(this.url, { method, headers: { ...this.headers, ...accept, ...headers } });
  }

  /** What it calls costs in status codes, one after the other. */
  async statuses(times: number, name: string, args?: Json): Promise<number[]> {
    const statuses: number[] = [];
    for (let i = 0; i < times; i += 1) {
      const response = await this.call(name, args);
      await response.text();
      statuses.push(response.status);
    }
    return statuses;
  }
}

/** A refusal by a limit, and all that matters about it. */
export async function refusalOf(response: Response) {
  const body = await responseOf(response);
  const { code, data } = (body['error'] ?? {}) as { code?: number; data?: { limit: string; scope: string } };
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    type: response.headers.get('content-type'),
    id: body['id'],
    code,
    limit: data && `${data.limit}:${data.scope}`,
  };
}

/** What {@link refusalOf} gives for a request that a limit refuses. */
export function refusedBy(limit: string, id: string | number = 1): Json {
  return {
    status: 429,
    retryAfter: expect.stringMatching(/^[1-9]\d*$/) as unknown,
    type: 'application/json; charset=utf-8',
    id,
    code: 429,
    limit,
  };
}

/** The slots of an application. */
export function slotsOf(app: McpTestApp): CallLimits['bulkheads'] {
  return app.get(CallLimits).bulkheads;
}
