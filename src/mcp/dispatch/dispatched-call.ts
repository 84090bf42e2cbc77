import type { CreateMessageRequestParams, CreateMessageResult, LoggingLevel, Root } from '@modelcontextprotocol/server';
import { ToolError } from '../protocol/errors.js';
import {
  type AskOptions,
  type ClientAsk,
  type ElicitAnswer,
  McpCall,
  type TraceContext,
} from '../protocol/mcp-call.js';
import type { SchemaOutput, SchemaSource } from '../protocol/schema-source.js';
import type { AnswerSchemas } from './answer-schemas.js';
import type { CallOrigin, ClientRequest } from './call-origin.js';
import type { ClientAsks, ClientResult } from './client-asks.js';
import { reaches } from './log-levels.js';
import { ProgressReports } from './progress-reports.js';
import { samplingParams } from './sampling-params.js';
import type { RoundTripState } from './round-trip-asks.js';
import { traceOf } from './trace-context.js';

/** What each thing to ask for looks like to whoever checks capabilities. */
const ASKS: Readonly<Record<ClientAsk, ClientRequest>> = {
  elicit: { method: 'elicitation/create', params: { mode: 'form' } },
  elicitUrl: { method: 'elicitation/create', params: { mode: 'url' } },
  sample: { method: 'sampling/createMessage', params: {} },
  roots: { method: 'roots/list', params: {} },
};

/** The parts of a request that its context is made from. */
export interface CallRequest {
  readonly method: string;
  readonly target: string;
  readonly meta: Readonly<Record<string, unknown>>;
}

/** Knows how a call asks its client, and is asked once at most: by a call that asks. */
export interface AsksSource {
  asks(): ClientAsks;
}

/** The context of one call, in either era: the differences lie in its origin and in how it asks. */
export class DispatchedCall extends McpCall {
  readonly method: string;
  readonly target: string;
  readonly meta: Readonly<Record<string, unknown>>;
  /** What earlier rounds of this call have left behind, where calls run in rounds. */
  round: RoundTripState | undefined;
  private controller: AbortController | undefined;
  /** Why the call was aborted. */
  private interruption: Error | undefined;
  private onAbort: ((reason: Error) => void) | undefined;
  private reports: ProgressReports | undefined;
  private ended = false;
  // Behind these are the request and its credentials, which who looks into a call, or logs one, must not find.
  readonly #origin: CallOrigin;
  #source!: AsksSource;
  #asks: ClientAsks | undefined;

  constructor(
    request: CallRequest,
    origin: CallOrigin,
    private readonly schemas: AnswerSchemas,
  ) {
    super();
    this.#origin = origin;
    this.method = request.method;
    this.target = request.target;
    this.meta = request.meta;
  }

  /** Says how this call asks its client; to be called before the handler runs. */
  askThrough(source: AsksSource): void {
    this.#source = source;
  }

  get requestId() {
    return this.#origin.requestId;
  }
  get era() {
    return this.#origin.era;
  }
  get revision() {
    return this.#origin.revision;
  }
  get principal() {
    return this.#origin.principal;
  }
  get client() {
    return this.#origin.client;
  }
  get headers() {
    return this.#origin.headers;
  }
  get sessionId() {
    return this.#origin.sessionId;
  }
  get trace(): TraceContext {
    return traceOf(this.meta, this.#origin.headers);
  }
  /** Made for those who look at it: most handlers do not. */
  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.interruption) this.controller.abort(this.interruption);
    }
    return this.controller.signal;
  }

  /** Whether there is nothing left to abort. */
  get isOver(): boolean {
    return this.ended;
  }

  /** Does nothing once the call has ended. */
  abort(reason: Error): void {
    if (this.ended) return;
    // Listeners run within abort(), and what they report is not for the client any more.
    this.ended = true;
    this.interruption = reason;
    this.controller?.abort(reason);
    this.onAbort?.(reason);
  }

  /** Calls back when the call is aborted, or at once if it was. One listener; what it starts comes after the signal. */
  whenAborted(listener: (reason: Error) => void): void {
    if (this.interruption) listener(this.interruption);
    else this.onAbort = listener;
  }

  /** @throws why the call was aborted, if it was */
  throwIfAborted(): void {
    if (this.interruption) throw this.interruption;
  }

  /** After this nothing more is sent: a notification must not follow the response. */
  end(): void {
    this.ended = true;
  }

  private get asks(): ClientAsks {
    return (this.#asks ??= this.#source.asks());
  }

  progress(progress: number, total?: number, message?: string): void {
    if (this.ended) return;
    const reports = (this.reports ??= new ProgressReports(this.meta['progressToken']));
    const params = reports.next(progress, total, message);
    if (params !== undefined) this.#origin.notify('notifications/progress', params);
  }

  log(level: LoggingLevel, data: unknown, logger?: string): void {
    if (this.ended || !reaches(level, this.#origin.logLevel)) return;
    const params = { level, ...(logger !== undefined && { logger }), data: data ?? null };
    this.#origin.notify('notifications/message', JSON.stringify(params));
  }

  can(ask: ClientAsk): boolean {
    return this.asks.can(ASKS[ask]);
  }

  elicit<S extends SchemaSource>(schema: S, message: string, options?: AskOptions): Promise<SchemaOutput<S>> {
    return handled(this.requireAnswer(schema, message, options));
  }

  ask<S extends SchemaSource>(
    schema: S,
    message: string,
    options?: AskOptions,
  ): Promise<ElicitAnswer<SchemaOutput<S>>> {
    return handled(this.askForm(schema, message, options));
  }

  elicitUrl(url: string, message: string, options?: AskOptions): Promise<'accept' | 'decline' | 'cancel'> {
    return handled(this.askForVisit(url, message, options));
  }

  sample(params: CreateMessageRequestParams, options?: AskOptions): Promise<CreateMessageResult> {
    const usable = (answer: ClientResult): boolean =>
      typeof answer['model'] === 'string' && typeof answer['content'] === 'object' && answer['content'] !== null;
    const ask = async (): Promise<ClientResult> => {
      const sent = samplingParams(params, this.revision, this.client.capabilities);
      return this.asks.ask({ method: 'sampling/createMessage', params: sent }, options?.key, usable);
    };
    return handled(ask() as Promise<unknown> as Promise<CreateMessageResult>);
  }

  roots(options?: AskOptions): Promise<Root[]> {
    const asked = this.asks.ask({ method: 'roots/list', params: {} }, options?.key, ({ roots }) => isRootList(roots));
    return handled(asked.then(({ roots }) => roots as Root[]));
  }

  once<T>(name: string, effect: () => T | Promise<T>): Promise<T> {
    return handled(this.asks.once(name, effect));
  }

  releaseConnection(): void {
    this.#origin.releaseConnection?.();
  }

  private async requireAnswer<S extends SchemaSource>(
    schema: S,
    message: string,
    options: AskOptions | undefined,
  ): Promise<SchemaOutput<S>> {
    const answer = await this.askForm(schema, message, options);
    if (answer.action === 'accept') return answer.content;
    throw new ToolError(
      answer.action === 'decline'
        ? 'The user declined to answer.'
        : 'The user dismissed the question without an answer.',
    );
  }

  private async askForm<S extends SchemaSource>(
    schema: S,
    message: string,
    options: AskOptions | undefined,
  ): Promise<ElicitAnswer<SchemaOutput<S>>> {
    const { compiled, requested } = this.schemas.for(schema, this.target);
    // Revisions before 2025-11-25 know no mode; a form is what they mean.
    const mode = this.revision >= '2025-11-25' ? { mode: 'form' } : {};
    let content: unknown;
    const answer = await this.asks.ask(
      { method: 'elicitation/create', params: { ...mode, message, requestedSchema: requested } },
      options?.key,
      async (candidate) => {
        if (candidate['action'] !== 'accept') return isRefusal(candidate['action']);
        const checked = await compiled.validate(candidate['content'] ?? {});
        if (checked.ok) content = checked.value;
        return checked.ok;
      },
    );
    const action = answer['action'];
    return isRefusal(action) ? { action } : { action: 'accept', content: content as SchemaOutput<S> };
  }

  private async askForVisit(
    url: string,
    message: string,
    options: AskOptions | undefined,
  ): Promise<'accept' | 'decline' | 'cancel'> {
    requireSafeUrl(url);
    // 2025-11-25 wants an id to correlate with notifications/elicitation/complete; 2026-07-28 has neither.
    const id = this.era === 'session' ? { elicitationId: crypto.randomUUID() } : {};
    const answer = await this.asks.ask(
      { method: 'elicitation/create', params: { mode: 'url', message, url, ...id } },
      options?.key,
      (candidate) => candidate['action'] === 'accept' || isRefusal(candidate['action']),
    );
    return answer['action'] as 'accept' | 'decline' | 'cancel';
  }
}

/** Users are sent to https; http is for development, on the same machine (client/elicitation, "Safe URL Handling"). */
function requireSafeUrl(url: string): void {
  const { protocol, hostname } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '' };
  if (protocol === 'https:' || (protocol === 'http:' && LOOPBACK_HOSTS.has(hostname))) return;
  throw new TypeError(`elicitUrl needs an absolute https URL (http for localhost only), not "${url}".`);
}

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** A question that a handler does not wait for may fail without anybody looking; that must not end the process. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

function isRootList(roots: unknown): boolean {
  const hasUri = (root: unknown): boolean => typeof (root as { uri?: unknown } | null)?.uri === 'string';
  return Array.isArray(roots) && roots.every(hasUri);
}

function isRefusal(action: unknown): action is 'decline' | 'cancel' {
  return action === 'decline' || action === 'cancel';
}
