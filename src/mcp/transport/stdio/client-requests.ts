import { randomUUID } from 'node:crypto';
import type { ClientRequest } from '../../dispatch/call-origin.js';
import type { ClientAnswer } from '../../session/mailbox.port.js';
import { resultOf } from '../client-answer.js';
import { type JsonObject, type RequestId, notificationFrame, requestFrame } from '../json-rpc.js';
import type { LineWriter } from './line-writer.js';

/** The requests of the server that its client has not answered yet. Session revisions only. */
export class ClientRequests {
  private readonly pending = new Map<RequestId, (answer: ClientAnswer) => void>();

  constructor(private readonly writer: LineWriter) {}

  /**
   * Sends a request to the client and resolves with its result.
   * @throws ToolError when the client answers with an error
   * @throws the signal's reason when that aborts
   */
  async ask({ method, params }: ClientRequest, signal: AbortSignal): Promise<JsonObject> {
    signal.throwIfAborted();
    const id = randomUUID();
    let abandon = (): void => undefined;
    try {
      const answer = await new Promise<ClientAnswer>((resolve, reject) => {
        abandon = () => {
          this.writer.write(notificationFrame('notifications/cancelled', { requestId: id }));
          reject(signal.reason);
        };
        signal.addEventListener('abort', abandon, { once: true });
        this.pending.set(id, resolve);
        this.writer.write(requestFrame(id, method, params));
      });
      return resultOf(answer);
    } finally {
      signal.removeEventListener('abort', abandon);
      this.pending.delete(id);
    }
  }

  /** Takes a response of the client; one that nobody waits for (any more) is ignored. */
  answer(id: RequestId, answer: ClientAnswer): void {
    this.pending.get(id)?.(answer);
  }
}
