import { type JsonObject, isJsonObject } from '../transport/json-rpc.js';
import { McpTestError } from './mcp-test-error.js';
import { SseParser } from './sse-parser.js';

/** What a response carries, one piece at a time. */
export interface Received {
  readonly message?: JsonObject;
  readonly eventId?: string;
  readonly retryMs?: number;
}

/** A message that is the answer to a request, or neither. */
export type Answer = { readonly result: JsonObject } | undefined;

/** Characters of a body that is not JSON-RPC which an error repeats. */
const QUOTED = 200;

export function postJson(
  url: string,
  message: JsonObject,
  headers: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(message),
    ...(signal && { signal }),
  });
}

/** The JSON-RPC messages of a response, be it JSON or a stream. @throws Error when it is neither */
export async function* receive(response: Response): AsyncGenerator<Received> {
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('text/event-stream')) {
    const parser = new SseParser();
    for await (const bytes of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      for (const { data, id, retry } of parser.push(bytes)) {
        yield {
          ...(data !== '' && { message: parsed(data, response) }),
          ...(id !== undefined && { eventId: id }),
          ...(retry !== undefined && { retryMs: retry }),
        };
      }
    }
    return;
  }
  const text = await response.text();
  if (type.startsWith('application/json')) yield { message: parsed(text, response) };
  else if (!response.ok || text !== '') throw notJsonRpc(text, response);
}

/**
 * Takes a message for the answer to a request.
 * @returns undefined if it is a notification, a request, or another request's response
 * @throws McpTestError if it is an error; one without an id answers the whole HTTP request
 */
export function answerTo(id: number | string, message: JsonObject, status: number): Answer {
  if ('method' in message) return undefined;
  const { error, result } = message;
  const ours = message['id'] === id;
  if (isJsonObject(error) && (ours || message['id'] == null)) {
    throw new McpTestError(
      { code: Number(error['code']), message: String(error['message']), data: error['data'] },
      status,
    );
  }
  return ours && isJsonObject(result) ? { result } : undefined;
}

/** Reads a response that should say nothing but that it was accepted. @throws McpTestError when it was not */
export async function requireAccepted(response: Response): Promise<void> {
  for await (const { message } of receive(response)) if (message) answerTo('', message, response.status);
}

function parsed(text: string, response: Response): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw notJsonRpc(text, response);
  }
  if (!isJsonObject(value)) throw notJsonRpc(text, response);
  return value;
}

function notJsonRpc(text: string, { status, url }: Response): Error {
  return new Error(`${url} answered ${status} with something other than a JSON-RPC message: ${text.slice(0, QUOTED)}`);
}
