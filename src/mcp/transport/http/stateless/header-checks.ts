import { McpError } from '../../../protocol/errors.js';
import { decodeHeaderValue } from '../../../protocol/header-value.js';
import type { ToolCapability } from '../../../registry/capability.js';
import { type JsonRpcRequest, isJsonObject } from '../../json-rpc.js';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Where the value of `Mcp-Name` stands in the body (2026-07-28 basic/transports/streamable-http, "Standard Request Headers"). */
const NAME_SOURCE: ReadonlyMap<string, 'name' | 'uri'> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
]);

/** Other forms that `Number` reads, such as hexadecimal, mean something else to an intermediary ("Value Encoding"). */
const DECIMAL = /^-?\d+(?:\.\d+)?$/;

/** @throws McpError `HEADER_MISMATCH` */
export function checkVersionHeader(headers: Headers, version: string): void {
  checkPlain(headers, 'mcp-protocol-version', version);
}

/** @throws McpError `HEADER_MISMATCH` */
export function checkRequestHeaders(headers: Headers, { method, params }: JsonRpcRequest): void {
  checkPlain(headers, 'mcp-method', method);
  const source = NAME_SOURCE.get(method);
  const name = source && params[source];
  // A body without the name is refused for its params, not for its headers.
  if (typeof name === 'string') checkEncoded(headers, 'mcp-name', name);
}

/**
 * Compares each `Mcp-Param-*` header that a tool declares with the argument it mirrors.
 * @throws McpError `HEADER_MISMATCH`
 */
export function checkParamHeaders(headers: Headers, declared: ToolCapability['headerParams'], args: unknown): void {
  for (const param of declared) {
    const value = valueAt(args, param.path);
    const header = headers[param.header];
    if (value === undefined || value === null) {
      if (header !== undefined) throw mismatch(`Mcp-Param-${param.name} is sent, but the argument has no value`);
    } else if (param.type === 'integer' && typeof value === 'number') {
      const sent = decoded(header, `Mcp-Param-${param.name}`);
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
        throw mismatch(`Mcp-Param-${param.name} mirrors ${value}, which is beyond what every party reads alike`);
      }
      // "42.0" and "42" are the same integer ("Server Validation").
      if (!DECIMAL.test(sent) || Number(sent) !== value)
        throw disagreement(`Mcp-Param-${param.name}`, sent, String(value));
    } else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      checkEncoded(headers, param.header, String(value), `Mcp-Param-${param.name}`);
    }
  }
}

function checkPlain(headers: Headers, name: string, expected: string): void {
  const sent = headers[name];
  if (sent === undefined) throw mismatch(`the ${name} header is required`);
  if (sent !== expected) throw disagreement(name, String(sent), expected);
}

function checkEncoded(headers: Headers, name: string, expected: string, label = name): void {
  const sent = decoded(headers[name], label);
  if (sent !== expected) throw disagreement(label, sent, expected);
}

function decoded(header: string | string[] | undefined, label: string): string {
  if (header === undefined) throw mismatch(`the ${label} header is required`);
  const value = typeof header === 'string' ? decodeHeaderValue(header) : undefined;
  if (value === undefined) throw mismatch(`the ${label} header is not a valid value`);
  return value;
}

function valueAt(args: unknown, path: readonly string[]): unknown {
  let value = args;
  for (const key of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

function disagreement(label: string, sent: string, expected: string): McpError {
  return mismatch(`the ${label} header says ${quoted(sent)}, the body says ${quoted(expected)}`);
}

/** Short enough to echo. */
function quoted(value: string): string {
  return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
}

function mismatch(why: string): McpError {
  return new McpError('HEADER_MISMATCH', `Header mismatch: ${why}.`);
}
