import { Agent, type IncomingMessage, request } from 'node:http';

/** A connection for each request, so that each goes where the balancer wants it. */
const agent = new Agent({ keepAlive: false });

export interface HttpMessage {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends a request, and resolves with the head of its answer. Not `fetch`: that takes a chunked body which broke off
 * for one that has ended, if the connection was not to be kept.
 *
 * @throws Error when there is no answer
 */
export function sendHttp(url: URL, { method, headers, body, signal }: HttpMessage): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const sent = request(
      url,
      { agent, method, headers: { ...headers, ...length }, ...(signal && { signal }) },
      resolve,
    );
    sent.once('error', reject);
    // An answer that breaks says so to whoever reads it; the request does so too.
    sent.on('error', () => undefined);
    sent.end(body);
  });
}
