import type { IncomingMessage } from 'node:http';
import type { Principal } from '../../../protocol/principal.js';
import { CALLER } from '../caller.js';
import type { HttpReply, HttpRequest } from '../exchange.js';
import type { QuickResponse } from '../quick-response.js';

/** A request on the direct route: what Fastify's has, and no more. */
export class DirectRequest implements HttpRequest {
  readonly method: string;
  readonly headers: HttpRequest['headers'];
  body: unknown = undefined;
  [CALLER]: Principal | null = null;

  constructor(readonly raw: IncomingMessage) {
    this.method = raw.method ?? '';
    this.headers = raw.headers;
  }
}

/** What the replies of a direct route have in common. */
export interface ReplyTerms {
  /** The head lines of an answer in JSON that has no header of its own. */
  readonly jsonLines: string;
  /** Headers of every answer to a request without `Origin`; those lines are in `jsonLines`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Answers with an error. */
  readonly refuse: (error: unknown, reply: DirectReply) => void;
}

/** A reply on the direct route. Most answers are a text in JSON and no header of their own: their heads are ready. */
export class DirectReply implements HttpReply {
  private status = 200;
  /** Those of this reply; undefined while it has none. */
  private own: Record<string, string> | undefined = undefined;
  sent = false;

  constructor(
    readonly raw: QuickResponse,
    private readonly terms: ReplyTerms,
  ) {}

  code(status: number): this {
    this.status = status;
    return this;
  }

  header(name: string, value: string): this {
    this.own ??= { ...this.terms.headers };
    this.own[name] = value;
    return this;
  }

  headers(values: Readonly<Record<string, string>>): this {
    // Those that every answer has.
    if (values === this.terms.headers) return this;
    this.own = { ...this.terms.headers, ...this.own, ...values };
    return this;
  }

  getHeaders(): ReturnType<HttpReply['getHeaders']> {
    return { ...(this.raw.getHeaders() as Record<string, string>), ...this.terms.headers, ...this.own };
  }

  hijack(): this {
    this.sent = true;
    return this;
  }

  send(payload?: unknown): this {
    if (payload instanceof Error || !isBody(payload)) {
      this.terms.refuse(payload, this);
      return this;
    }
    this.sent = true;
    this.raw.writeHead(this.status, { ...this.terms.headers, ...this.own, 'content-length': lengthOf(payload) });
    this.raw.end(payload);
    return this;
  }

  /**
   * Answers in JSON.
   * @param end bytes that follow the text
   */
  sendJson(status: number, json: string, end?: Buffer): void {
    if (this.own === undefined) {
      this.sent = true;
      this.raw.sendWhole(status, this.terms.jsonLines, json, end);
    } else {
      this.status = status;
      this.own['content-type'] = JSON_TYPE;
      this.own['cache-control'] = 'no-store';
      this.send(end ? Buffer.concat([Buffer.from(json), end]) : json);
    }
  }
}

export const JSON_TYPE = 'application/json; charset=utf-8';

function isBody(payload: unknown): payload is string | Buffer | undefined {
  return payload === undefined || typeof payload === 'string' || Buffer.isBuffer(payload);
}

function lengthOf(payload: string | Buffer | undefined): number {
  return payload === undefined ? 0 : Buffer.byteLength(payload);
}
