import type { ClientCapabilities } from '@modelcontextprotocol/server';
import { ToolError } from '../protocol/errors.js';
import type { CallOrigin, ClientRequest } from './call-origin.js';
import type { AnswerCheck, ClientAsks, ClientResult } from './client-asks.js';
import { hasClientCapability, negotiatedCapabilities, requireClientCapability } from './client-capability.js';
import { Effects, requireOutsideEffect } from './effects.js';

/** Sessions era: a question is a request on the call's stream, and the call waits for its answer. */
export class LiveAsks implements ClientAsks {
  private readonly effects = new Effects({});

  constructor(
    private readonly origin: CallOrigin,
    private readonly signal: () => AbortSignal,
    private readonly clock: { pause(): void; resume(): void },
  ) {}

  async ask(request: ClientRequest, _key: string | undefined, accepts: AnswerCheck): Promise<ClientResult> {
    requireOutsideEffect();
    if (!this.origin.ask) {
      throw new ToolError('This needs an answer from the user, which this connection cannot ask for.');
    }
    this.requireCapability(request);
    this.clock.pause();
    try {
      const answer = await this.origin.ask(request, this.signal());
      if (await accepts(answer)) return answer;
      throw new ToolError('The answer from the client does not have the requested form. Ask again.');
    } finally {
      this.clock.resume();
    }
  }

  can(request: ClientRequest): boolean {
    return this.origin.ask !== undefined && hasClientCapability(request, this.capabilities);
  }

  private get capabilities(): ClientCapabilities {
    return negotiatedCapabilities(this.origin.revision, this.origin.client.capabilities);
  }

  /** These revisions have no error code for it, so the model is told. */
  private requireCapability(request: ClientRequest): void {
    try {
      requireClientCapability(request, this.capabilities);
    } catch (error) {
      throw new ToolError((error as Error).message);
    }
  }

  once<T>(name: string, effect: () => T | Promise<T>): Promise<T> {
    return this.effects.once(name, effect);
  }
}
