import { setTimeout as delay } from 'node:timers/promises';
import type { Ledger, SentRequest } from '../ledger.js';
import { Exchange, type HttpRequest, RequestFailed } from './exchange.js';

type Body = ConstructorParameters<typeof Response>[0];

/** How often something is tried that failed, where a client of flesh would try again. */
const ATTEMPTS = 5;
const AGAIN_MS = 200;

/** Sends requests of one client through the balancer, and enters each of them in the ledger. */
export class Meter {
  /** The last `tools/call` that was sent by {@link fetch}. */
  lastCall: SentRequest | undefined;

  constructor(
    private readonly url: string,
    private readonly ledger: Ledger,
    readonly client: string,
  ) {}

  /** @throws RequestFailed */
  send(what: string, http: HttpRequest): Promise<Exchange> {
    return Exchange.begin(this.url, this.ledger.begin(this.client, what), http, this.ledger);
  }

  /** For clients that do their own HTTP; it rejects for a status that is wrong. */
  readonly fetch = async (_url: string | URL, init: RequestInit = {}): Promise<Response> => {
    const method = (init.method ?? 'GET') as HttpRequest['method'];
    const headers = Object.fromEntries(new Headers(init.headers));
    const body = typeof init.body === 'string' ? init.body : undefined;
    const what = body === undefined ? method : methodOf(body);
    const request = this.ledger.begin(this.client, what);
    if (what === 'tools/call') this.lastCall = request;
    if (headers['last-event-id'] !== undefined) this.ledger.count('resumed');
    const http = { method, headers, ...(body !== undefined && { body }), signal: init.signal ?? undefined };
    const exchange = await Exchange.begin(this.url, request, http, this.ledger);
    const { statusCode: status = 0, headers: answered } = exchange.response;
    const answer = exchange.isStream ? ReadableStream.from(exchange.chunks()) : exchange.text;
    const singles = Object.entries(answered).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    return new Response(status === 204 ? null : (answer as Body), { status, headers: singles });
  };
}

/** What is sent, in a word. */
function methodOf(body: string): string {
  return (JSON.parse(body) as { method?: string }).method ?? 'answer';
}

/** Sends again what was refused while Redis is away, when the server asks for it. @throws RequestFailed */
export async function untilTaken<T>(send: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send(attempt);
    } catch (error) {
      if (!(error instanceof RequestFailed) || error.outcome !== 'refused') throw error;
      await delay(error.retryAfterMs);
    }
  }
}

/** Sends again, besides, what failed: each failure has been counted. @throws RequestFailed after some attempts */
export async function persistently<T>(send: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await untilTaken(send);
    } catch (error) {
      if (!(error instanceof RequestFailed) || error.outcome === 'cut' || attempt === ATTEMPTS) throw error;
      await delay(AGAIN_MS);
    }
  }
}
