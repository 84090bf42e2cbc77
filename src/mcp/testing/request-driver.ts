import type { Progress } from '@modelcontextprotocol/server';
import { type JsonObject, isJsonObject } from '../transport/json-rpc.js';
import type { ClientHandlers } from './client-handlers.js';
import type { McpTestRequestOptions, ProgressHandler } from './client-options.js';
import { withoutEnvelope } from './results.js';
import { type RunningCall, startCall } from './running-call.js';
import type { TestWire } from './test-wire.js';

/** How often one call may ask for input. */
const MAX_ROUNDS = 10;

/** Takes requests from their beginning to their end: what is asked on the way, progress, pages, cancellation. */
export class RequestDriver {
  /** Hears of the progress of every call; being there, it asks for it. */
  onProgress: ProgressHandler | undefined;
  private readonly progress = new Map<unknown, ProgressHandler>();
  private readonly running = new Set<{ readonly call?: Promise<unknown> }>();
  private lastToken = 0;

  constructor(
    private readonly wire: TestWire,
    private readonly handlers: ClientHandlers,
  ) {}

  /** Sends a request a single time and resolves with its result as it came. */
  once(method: string, params: JsonObject, options: McpTestRequestOptions): RunningCall<JsonObject> {
    return this.start(options, (signal) => this.send(method, params, { ...options, signal }));
  }

  /** Repeats a request with the answers to what it asks, until it asks nothing more. */
  drive<T>(method: string, params: JsonObject, options: McpTestRequestOptions): RunningCall<T> {
    return this.start(options, async (signal) => {
      let answers: JsonObject = {};
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const result = await this.send(method, { ...params, ...answers }, { ...options, signal });
        if (result['resultType'] !== 'input_required') return withoutEnvelope(result) as T;
        answers = await this.answersTo(result);
      }
      throw new Error(`${method} asks for input still, after ${MAX_ROUNDS} rounds.`);
    });
  }

  private async answersTo({ inputRequests = {}, requestState }: JsonObject): Promise<JsonObject> {
    const asked = Object.entries(inputRequests as Record<string, { method: string; params?: JsonObject }>);
    const answered = await Promise.all(
      asked.map(async ([key, { method, params = {} }]) => [key, await this.handlers.answer(method, params)] as const),
    );
    return {
      inputResponses: Object.fromEntries(answered),
      ...(requestState !== undefined && { requestState }),
    };
  }

  private start<T>({ signal }: McpTestRequestOptions, run: (signal: AbortSignal) => Promise<T>): RunningCall<T> {
    // Not by `call.finally`: that would be a second promise, which nobody handles when the call fails.
    const entry: { call?: Promise<unknown> } = {};
    this.running.add(entry);
    const call = startCall(signal, async (either) => {
      try {
        return await run(either);
      } finally {
        this.running.delete(entry);
      }
    });
    entry.call = call;
    return call;
  }

  private async send(method: string, params: JsonObject, options: McpTestRequestOptions): Promise<JsonObject> {
    const { meta, logLevel, signal, headers, onProgress } = options;
    const hears = onProgress ?? this.onProgress;
    const token = meta?.['progressToken'] ?? (hears && `progress-${++this.lastToken}`);
    const ownMeta = { ...(isJsonObject(params['_meta']) && params['_meta']), ...meta };
    const fullMeta = token === undefined ? ownMeta : { ...ownMeta, progressToken: token };
    if (onProgress) this.progress.set(token, onProgress);
    try {
      return await this.wire.request({
        method,
        params: Object.keys(fullMeta).length > 0 ? { ...params, _meta: fullMeta } : params,
        ...(logLevel && { logLevel }),
        ...(signal && { signal }),
        ...(headers && { headers }),
      });
    } finally {
      this.progress.delete(token);
    }
  }

  /** All pages of a list. */
  async list<T>(method: string, field: string): Promise<T[]> {
    const entries: T[] = [];
    const seen = new Set<unknown>();
    let cursor: unknown;
    do {
      const page = await this.once(method, cursor === undefined ? {} : { cursor }, {});
      entries.push(...(page[field] as T[]));
      cursor = page['nextCursor'];
      if (seen.has(cursor)) throw new Error(`${method} does not end: it gave the cursor ${String(cursor)} twice.`);
      seen.add(cursor);
    } while (cursor !== undefined);
    return entries;
  }

  heardProgress({ progressToken, ...progress }: JsonObject): void {
    this.progress.get(progressToken)?.(progress as Progress);
    this.onProgress?.(progress as Progress);
  }

  /** Whoever awaits what still runs hears how it ends; a test that leaves it behind need not. */
  abandon(): void {
    for (const { call } of this.running) call?.catch(() => undefined);
  }
}
