import { createHash } from 'node:crypto';
import type { ClientCapabilities } from '@modelcontextprotocol/server';
import type { ClientRequest } from './call-origin.js';
import type { AnswerCheck, ClientAsks, ClientResult } from './client-asks.js';
import { hasClientCapability, requireClientCapability } from './client-capability.js';
import { Effects, requireOutsideEffect } from './effects.js';
import { CallSuspended } from '../protocol/interruptions.js';

interface Answered {
  /** Digest of the question; absent if the client answered before it was asked, and so meant the key alone. */
  readonly digest?: string;
  readonly answer: ClientResult;
}

/** What has to survive between the rounds of a call; it travels, sealed, in `requestState`. */
export interface RoundTripState {
  /** Digest of each question asked in the last round, by key. */
  readonly asked: Readonly<Record<string, string>>;
  /** Questions answered in earlier rounds, by key. */
  readonly answers: Readonly<Record<string, Answered>>;
  /** Values of `once`. */
  readonly effects: Readonly<Record<string, unknown>>;
}

/** The call ends here: the client answers the questions and calls again. */
export interface Suspension {
  readonly inputRequests: Readonly<Record<string, ClientRequest>>;
  readonly state: RoundTripState;
}

interface Pending {
  readonly request: ClientRequest;
  readonly digest: string;
  readonly reject: (error: Error) => void;
}

const SHORT_NAMES = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
} as const satisfies Record<ClientRequest['method'], string>;

/**
 * Stateless era: a question without an answer ends the call. Questions asked in the same turn of the event loop travel
 * together; the handler then runs again from its beginning and finds the answers in place.
 *
 * An answer belongs to the very question that was asked: if the handler asks something else under the same key when it
 * runs again, it is asked, not answered with what was said to another question.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
export class RoundTripAsks implements ClientAsks {
  private readonly effects: Effects;
  private readonly answered: Record<string, Answered>;
  private readonly pending = new Map<string, Pending>();
  private readonly counts = new Map<string, number>();
  private suspended = false;

  /**
   * @param state of the earlier rounds, or undefined if there were none
   * @param responses `inputResponses` of this round, as sent; what nobody asks for is ignored
   * @param onSuspend is called once, when the call has to end
   */
  constructor(
    state: RoundTripState | undefined,
    responses: Readonly<Record<string, unknown>>,
    private readonly capabilities: ClientCapabilities,
    private readonly onSuspend: (suspension: Suspension) => void,
  ) {
    this.effects = new Effects({ ...state?.effects });
    this.answered = { ...state?.answers };
    for (const [key, answer] of Object.entries(responses)) {
      if (!isObject(answer)) continue;
      if (!state) this.answered[key] = { answer };
      else if (Object.hasOwn(state.asked, key)) this.answered[key] = { digest: state.asked[key] as string, answer };
    }
  }

  async ask(request: ClientRequest, key: string | undefined, accepts: AnswerCheck): Promise<ClientResult> {
    requireOutsideEffect();
    if (this.suspended) throw new CallSuspended();
    requireClientCapability(request, this.capabilities);
    const name = key ?? this.nextKey(request);
    const digest = digestOf(request);
    const known = Object.hasOwn(this.answered, name) ? this.answered[name] : undefined;
    if (known && (known.digest ?? digest) === digest && (await accepts(known.answer))) {
      this.answered[name] = { digest, answer: known.answer };
      return known.answer;
    }

    if (this.pending.has(name)) {
      throw new Error(`Two questions of one call have the key "${name}". Give each its own.`);
    }
    delete this.answered[name];
    if (this.suspended) throw new CallSuspended();
    return new Promise((_resolve, reject) => {
      if (this.pending.size === 0) setImmediate(() => void this.suspend());
      this.pending.set(name, { request, digest, reject });
    });
  }

  can(request: ClientRequest): boolean {
    return hasClientCapability(request, this.capabilities);
  }

  once<T>(name: string, effect: () => T | Promise<T>): Promise<T> {
    return this.effects.once(name, effect);
  }

  private nextKey({ method }: ClientRequest): string {
    const count = (this.counts.get(method) ?? 0) + 1;
    this.counts.set(method, count);
    return `${SHORT_NAMES[method]}_${count}`;
  }

  private async suspend(): Promise<void> {
    await this.effects.close();
    this.suspended = true;
    const asked: Record<string, string> = {};
    const inputRequests: Record<string, ClientRequest> = {};
    for (const [key, { request, digest }] of this.pending) {
      asked[key] = digest;
      inputRequests[key] = request;
    }
    this.onSuspend({ inputRequests, state: { asked, answers: this.answered, effects: this.effects.values } });
    const suspended = new CallSuspended();
    for (const { reject } of this.pending.values()) reject(suspended);
  }
}

function digestOf(request: ClientRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([request.method, request.params]))
    .digest('base64url')
    .slice(0, 22);
}

function isObject(value: unknown): value is ClientResult {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
