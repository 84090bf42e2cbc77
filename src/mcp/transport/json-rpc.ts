import type { McpError, WireError } from '../protocol/errors.js';
import type { Outcome } from '../dispatch/outcome.js';

export type RequestId = string | number;
export type JsonObject = Readonly<Record<string, unknown>>;

export interface JsonRpcRequest {
  readonly id: RequestId;
  readonly method: string;
  readonly params: JsonObject;
}

export interface JsonRpcNotification {
  readonly method: string;
  readonly params: JsonObject;
}

export type JsonRpcMessage =
  | ({ readonly kind: 'request' } & JsonRpcRequest)
  | ({ readonly kind: 'notification' } & JsonRpcNotification)
  | {
      readonly kind: 'response';
      readonly id: RequestId;
      readonly answer: { result: JsonObject } | { error: WireError };
    }
  /** `id` is there if it could be read, so that the error can carry it. */
  | { readonly kind: 'invalid'; readonly id: RequestId | undefined; readonly why: string };

/** Characters a string id may have; ids are kept per running request and come back in every message about it. */
const MAX_ID_LENGTH = 256;

/**
 * The method of nearly all requests. A text that has just been parsed is hashed whenever it is looked up somewhere for
 * the first time; this one has been.
 */
const USUAL = 'tools/call';

/** The id under which an error about a message is sent; one about a response would look like an answer to ourselves. */
export function idForError(message: JsonRpcMessage): RequestId | undefined {
  return message.kind === 'request' || message.kind === 'invalid' ? message.id : undefined;
}

/** Reads one JSON-RPC message. Never throws: what is wrong with it is part of the answer. */
export function readMessage(value: unknown): JsonRpcMessage {
  if (!isJsonObject(value)) return invalid(undefined, 'A JSON-RPC message must be an object.');
  const id = isRequestId(value['id']) ? value['id'] : undefined;
  if (value['jsonrpc'] !== '2.0') return invalid(id, 'jsonrpc must be "2.0".');
  if (id === undefined && 'id' in value) {
    return invalid(undefined, `id must be an integer or a string of at most ${MAX_ID_LENGTH} characters.`);
  }
  return value['method'] === undefined ? readResponse(value, id) : readCall(value, id);
}

function readCall(value: JsonObject, id: RequestId | undefined): JsonRpcMessage {
  const { method, params = {} } = value;
  if (typeof method !== 'string' || method === '') return invalid(id, 'method must be a string.');
  if (!isJsonObject(params)) return invalid(id, 'params must be an object.');
  return id === undefined
    ? { kind: 'notification', method, params }
    : { kind: 'request', id, method: method === USUAL ? USUAL : method, params };
}

function readResponse(value: JsonObject, id: RequestId | undefined): JsonRpcMessage {
  const { result, error } = value;
  if (id !== undefined && isJsonObject(result) && error === undefined)
    return { kind: 'response', id, answer: { result } };
  if (id !== undefined && isWireError(error) && result === undefined)
    return { kind: 'response', id, answer: { error } };
  return invalid(id, 'A message must have a method, or an id with either a result or an error.');
}

function invalid(id: RequestId | undefined, why: string): JsonRpcMessage {
  return { kind: 'invalid', id, why };
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRequestId(value: unknown): value is RequestId {
  return typeof value === 'string' ? value.length <= MAX_ID_LENGTH : Number.isSafeInteger(value);
}

function isWireError(value: unknown): value is WireError {
  return isJsonObject(value) && Number.isInteger(value['code']) && typeof value['message'] === 'string';
}

/** The response that carries an outcome. Results come serialised, so the frame is put around them as text. */
export function responseFrame(id: RequestId, outcome: Exclude<Outcome, { kind: 'cancelled' }>): string {
  return outcome.kind === 'result' ? `${resultHead(id)}${outcome.json}}` : errorFrame(id, outcome.error);
}

/** The response that carries a result, up to the result: what follows is `frameEnd` of a `ResultOutcome`. */
export function resultHead(id: RequestId): string {
  // A safe integer is the same text everywhere.
  return `{"jsonrpc":"2.0","id":${typeof id === 'number' ? id : JSON.stringify(id)},"result":`;
}

/** An error response. An id that could not be read is left out (2026-07-28 basic/index, "Error Responses"). */
export function errorFrame(id: RequestId | undefined, error: WireError | McpError): string {
  const { code, message, data } = error;
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, data } });
}

export function notificationFrame(method: string, params: JsonObject): string {
  return notificationOf(method, JSON.stringify(params));
}

/** A notification of one of our methods whose parameters are serialised. */
export function notificationOf(method: string, params: string): string {
  return `{"jsonrpc":"2.0","method":"${method}","params":${params}}`;
}

export function requestFrame(id: RequestId, method: string, params: JsonObject): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}
