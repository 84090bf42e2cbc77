import { principalKey } from '../protocol/principal.js';
import { McpError } from '../protocol/errors.js';
import type { AnyCapability } from '../registry/capability.js';
import { CallClock } from './call-clock.js';
import type { CallOrigin } from './call-origin.js';
import type { ClientAsks } from './client-asks.js';
import { runInCall } from './current-call.js';
import type { DispatchServices } from './dispatch-services.js';
import type { DispatchedCall } from './dispatched-call.js';
import { isAsyncIterable } from './encode/content.js';
import { CallSuspended } from '../protocol/interruptions.js';
import { LiveAsks } from './live-asks.js';
import type { Outcome } from './outcome.js';
import { requestBinding } from './request-binding.js';
import { RoundTripAsks, type RoundTripState, type Suspension } from './round-trip-asks.js';
import { collectStream } from './stream-result.js';

/** A call that is about to run. */
export interface HandlerRun {
  readonly capability: AnyCapability;
  readonly input: unknown;
  readonly params: Readonly<Record<string, unknown>>;
  readonly call: DispatchedCall;
  readonly origin: CallOrigin;
}

type Ended = { readonly value: unknown } | { readonly suspension: Suspension };

/** Methods whose result may be `input_required` (2026-07-28 basic/patterns/mrtr, "Supported Requests"). */
const MULTI_ROUND_TRIP: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read']);

/**
 * Runs a handler within its time limit, until it ends, is aborted, or waits for the client.
 *
 * @param encode turns the returned value into the outcome
 * @throws whatever the handler throws; CallCancelled; CallTimedOut
 */
export async function runHandler(
  services: DispatchServices,
  run: HandlerRun,
  encode: (value: unknown) => Outcome | Promise<Outcome>,
): Promise<Outcome> {
  const { params, call, origin } = run;
  const ended = await untilEnded(services, run);
  if ('value' in ended) return encode(ended.value);
  const sealed = await services.sealer.seal(ended.suspension.state, bindingOf(params, call, origin));
  return services.encoder.inputRequired(ended.suspension.inputRequests, sealed);
}

function untilEnded(
  services: DispatchServices,
  { capability, input, params, call, origin }: HandlerRun,
): Promise<Ended> {
  const clock = new CallClock(capability.timeoutMs ?? services.callTimeoutMs, (reason) => call.abort(reason));
  return new Promise<Ended>((resolve, reject) => {
    call.signal.addEventListener('abort', () => reject(call.signal.reason as Error), { once: true });
    if (call.signal.aborted) return reject(call.signal.reason as Error);

    const asks: ClientAsks = runsInRounds(call, origin)
      ? new RoundTripAsks(call.round, inputResponses(params), origin.client.capabilities, (suspension) => {
          resolve({ suspension });
          call.abort(new CallSuspended());
        })
      : new LiveAsks(origin, () => call.signal, clock);
    call.askThrough(asks);

    const work = async (): Promise<unknown> => {
      const value = await capability.invoke(input, call);
      if (!isAsyncIterable(value)) return value;
      if (capability.kind !== 'tool') throw new TypeError(`${capability.origin} streams, which only a tool can.`);
      const content = await collectStream(value, call, services.encoder.maxResultBytes);
      return content.length > 0 ? { content } : undefined;
    };
    runInCall(call, () => services.telemetry.handler(capability.observed, work)).then(
      (value) => resolve({ value }),
      reject,
    );
  }).finally(() => {
    clock.stop();
    call.end();
  });
}

/**
 * Opens what earlier rounds of a call have left behind, if it is a further one, and gives it to the call.
 * @returns what proves that there were earlier rounds
 * @throws McpError `INVALID_PARAMS` when it was altered, has expired or belongs to another call
 */
export async function openRound(
  services: DispatchServices,
  params: Readonly<Record<string, unknown>>,
  call: DispatchedCall,
  origin: CallOrigin,
): Promise<string | undefined> {
  const sealed = params['requestState'];
  if (sealed === undefined || !runsInRounds(call, origin)) return undefined;
  if (typeof sealed !== 'string') throw new McpError('INVALID_PARAMS', 'requestState must be a string.');
  call.round = await services.sealer.open<RoundTripState>(sealed, bindingOf(params, call, origin));
  return sealed;
}

function runsInRounds({ method }: DispatchedCall, { era }: CallOrigin): boolean {
  return era === 'stateless' && MULTI_ROUND_TRIP.has(method);
}

function bindingOf(
  params: Readonly<Record<string, unknown>>,
  { method }: DispatchedCall,
  { principal }: CallOrigin,
): string {
  return requestBinding(principalKey(principal), method, params);
}

function inputResponses(params: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const responses = params['inputResponses'] ?? {};
  if (typeof responses === 'object' && !Array.isArray(responses)) return responses as Record<string, unknown>;
  throw new McpError('INVALID_PARAMS', 'inputResponses must be an object.');
}
