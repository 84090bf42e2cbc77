import { type NowOrLater } from '../protocol/now-or-later.js';
import { principalKey } from '../protocol/principal.js';
import { McpError } from '../protocol/errors.js';
import { CallSuspended } from '../protocol/interruptions.js';
import { isThenable } from '../protocol/thenable.js';
import type { AnyCapability } from '../registry/capability.js';
import { CallClock } from './call-clock.js';
import type { CallOrigin } from './call-origin.js';
import type { ClientAsks } from './client-asks.js';
import { runInCall } from './current-call.js';
import type { DispatchServices } from './dispatch-services.js';
import type { AsksSource, DispatchedCall } from './dispatched-call.js';
import { isAsyncIterable } from './encode/content.js';
import { LiveAsks } from './live-asks.js';
import type { Outcome } from './outcome.js';
import { requestBinding } from './request-binding.js';
import { RoundTripAsks, type RoundTripState, type Suspension } from './round-trip-asks.js';
import { collectStream } from './stream-result.js';

type Params = Readonly<Record<string, unknown>>;

/** A call that is about to run. */
export interface HandlerCall {
  readonly capability: AnyCapability;
  readonly input: unknown;
  readonly params: Params;
  readonly call: DispatchedCall;
  readonly origin: CallOrigin;
}

/** Methods whose result may be `input_required` (2026-07-28 basic/patterns/mrtr, "Supported Requests"). */
const MULTI_ROUND_TRIP: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read']);

/**
 * Runs a handler within its time limit, until it ends, is aborted, or waits for the client. A handler that returns no
 * promise is answered at once.
 *
 * @param encode turns the returned value into the outcome
 * @throws whatever the handler throws; CallCancelled; CallTimedOut
 */
export function runHandler(
  services: DispatchServices,
  request: HandlerCall,
  encode: (value: unknown) => NowOrLater<Outcome>,
): NowOrLater<Outcome> {
  return new HandlerRun(services, request, encode).start();
}

/** One run of a handler. What only few handlers need is made when they need it: a clock, a way to ask the client. */
class HandlerRun implements AsksSource {
  private clock: CallClock | undefined;
  private suspension: Suspension | undefined;
  private over = false;

  constructor(
    private readonly services: DispatchServices,
    private readonly request: HandlerCall,
    private readonly encode: (value: unknown) => NowOrLater<Outcome>,
  ) {}

  start(): NowOrLater<Outcome> {
    const { call, origin, params } = this.request;
    call.throwIfAborted();
    call.askThrough(this);
    // What is wrong with them is said even if the handler asks for nothing.
    if (params['inputResponses'] !== undefined && runsInRounds(call, origin)) inputResponses(params);
    let value: unknown;
    try {
      value = runInCall(call, this);
    } catch (error) {
      this.end();
      throw error;
    }
    if (isThenable(value)) return this.until(value);
    this.end();
    return this.encode(value);
  }

  /** Within the call. */
  run(): unknown {
    const { telemetry } = this.services;
    const { capability } = this.request;
    if (!telemetry.hearsHandlers) return this.collected(this.invoke());
    return telemetry.handler(capability.observed, async () => this.collected(await this.invoke()));
  }

  /** How the call asks its client: in rounds, or while it waits. */
  asks(): ClientAsks {
    const { call, origin, params } = this.request;
    if (!runsInRounds(call, origin)) return new LiveAsks(origin, () => call.signal, this.startClock());
    return new RoundTripAsks(call.round, inputResponses(params), origin.client.capabilities, (suspension) => {
      this.suspension = suspension;
      call.abort(new CallSuspended());
    });
  }

  private invoke(): unknown {
    const { capability, input, call } = this.request;
    return capability.invoke(input, call);
  }

  /** Until the handler has ended, or the call has been aborted. */
  private until(value: PromiseLike<unknown>): Promise<Outcome> {
    this.startClock();
    return new Promise((resolve, reject) => {
      const failed = (error: unknown): void => {
        if (this.over) return;
        this.end();
        if (this.suspension) resolve(this.suspend(this.suspension));
        else reject(error);
      };
      this.request.call.whenAborted(failed);
      value.then((late) => {
        if (isAsyncIterable(late)) this.collectWithin(late).then(done, failed);
        else done(late);
      }, failed);
      const done = (settled: unknown): void => {
        if (this.over) return;
        this.end();
        try {
          resolve(this.encode(settled));
        } catch (error) {
          reject(error);
        }
      };
    });
  }

  /** What a handler streams counts as one value. */
  private collected(value: unknown): unknown {
    return isAsyncIterable(value) ? this.collect(value) : value;
  }

  /** What a handler streams that has promised to: the generator runs now, and belongs to the call as well. */
  private collectWithin(pieces: AsyncIterable<unknown>): Promise<unknown> {
    return runInCall(this.request.call, { run: () => this.collect(pieces) });
  }

  private async collect(pieces: AsyncIterable<unknown>): Promise<unknown> {
    const { capability, call } = this.request;
    if (capability.kind !== 'tool') throw new TypeError(`${capability.origin} streams, which only a tool can.`);
    const content = await collectStream(pieces, call, this.services.encoder.maxResultBytes);
    return content.length > 0 ? { content } : undefined;
  }

  private startClock(): CallClock {
    const { capability, call } = this.request;
    const limitMs = capability.timeoutMs ?? this.services.callTimeoutMs;
    this.clock ??= new CallClock(limitMs, (reason) => call.abort(reason));
    // Somebody may hold on to a call that has ended, and ask.
    if (this.over) this.clock.stop();
    return this.clock;
  }

  private end(): void {
    this.over = true;
    this.clock?.stop();
    this.request.call.end();
  }

  private async suspend({ inputRequests, state }: Suspension): Promise<Outcome> {
    const { params, call, origin } = this.request;
    const { sealer, encoder } = this.services;
    return encoder.inputRequired(inputRequests, await sealer.seal(state, bindingOf(params, call, origin)));
  }
}

/**
 * Opens what earlier rounds of a call have left behind, if it is a further one, and gives it to the call.
 * @returns what proves that there were earlier rounds
 * @throws McpError `INVALID_PARAMS` when it was altered, has expired or belongs to another call
 */
export function openRound(
  services: DispatchServices,
  params: Params,
  call: DispatchedCall,
  origin: CallOrigin,
): NowOrLater<string | undefined> {
  const sealed = params['requestState'];
  if (sealed === undefined || !runsInRounds(call, origin)) return undefined;
  if (typeof sealed !== 'string') throw new McpError('INVALID_PARAMS', 'requestState must be a string.');
  return services.sealer.open<RoundTripState>(sealed, bindingOf(params, call, origin)).then((round) => {
    call.round = round;
    return sealed;
  });
}

function runsInRounds({ method }: DispatchedCall, { era }: CallOrigin): boolean {
  return era === 'stateless' && MULTI_ROUND_TRIP.has(method);
}

function bindingOf(params: Params, { method }: DispatchedCall, { principal }: CallOrigin): string {
  return requestBinding(principalKey(principal), method, params);
}

function inputResponses(params: Params): Readonly<Record<string, unknown>> {
  const responses = params['inputResponses'] ?? {};
  if (typeof responses === 'object' && !Array.isArray(responses)) return responses as Record<string, unknown>;
  throw new McpError('INVALID_PARAMS', 'inputResponses must be an object.');
}
