import { type Attributes, SpanStatusCode } from '@opentelemetry/api';
import { REVISIONS } from '../../protocol/revisions.js';
import { HTTP_METHODS, RESPONSE, shownMethod } from '../method-names.js';
import type { ObservedCapability, ObservedOperation, OperationEnd, OperationFailure } from '../server-observer.port.js';

/** The caller would have to act, not those who run the server (semconv, "Recording errors"). */
const FAULTS_OF_THE_CALLER: ReadonlySet<OperationFailure> = new Set([
  'invalid_arguments',
  'cancelled',
  'denied',
  'limited',
  'protocol_error',
]);

/** Whether a failure makes a span one that failed. */
export function statusOf(failure: OperationFailure): SpanStatusCode {
  return FAULTS_OF_THE_CALLER.has(failure) ? SpanStatusCode.UNSET : SpanStatusCode.ERROR;
}

/** `{mcp.method.name} {target}`. A URI is no part of a name (semconv, MCP server span). */
export function endName(name: string, { kind, key }: ObservedCapability): string {
  return kind === 'tool' || kind === 'prompt' ? `${name} ${key}` : name;
}

/** What samplers may go by: what is known before anything was looked up. */
export function beginAttributes(operation: ObservedOperation): Attributes {
  const { method, headers } = operation;
  const version = versionOf(operation);
  return {
    ...(HTTP_METHODS.has(method) && { 'http.request.method': method }),
    ...(!HTTP_METHODS.has(method) && method !== RESPONSE && { 'mcp.method.name': shownMethod(method) }),
    ...(method === 'tools/call' && { 'gen_ai.operation.name': 'execute_tool' }),
    ...(version !== undefined && { 'mcp.protocol.version': version }),
    ...(isEmpty(headers)
      ? { 'network.transport': 'pipe' }
      : { 'network.transport': 'tcp', 'network.protocol.name': 'http' }),
  };
}

export function endAttributes({ capability, failure, code }: OperationEnd): Attributes {
  return {
    ...(capability && capabilityAttributes(capability)),
    ...(failure !== undefined && { 'error.type': failure }),
    ...(code !== undefined && { 'rpc.response.status_code': String(code) }),
  };
}

/** Names as registered: what a caller wrote stands nowhere. */
export function capabilityAttributes({ kind, key }: ObservedCapability): Attributes {
  switch (kind) {
    case 'tool':
      return { 'gen_ai.tool.name': key };
    case 'prompt':
      return { 'gen_ai.prompt.name': key };
    case 'resource':
    case 'template':
      return { 'mcp.resource.uri': key };
    case 'completion': {
      // The key of a completion is that of its prompt or template, and the argument.
      const [of, name] = JSON.parse(key) as [of: 'prompt' | 'resource', name: string];
      return of === 'prompt' ? { 'gen_ai.prompt.name': name } : { 'mcp.resource.uri': name };
    }
  }
}

/** Only versions that the server speaks: any text can stand there. */
function versionOf({ era, method, params, headers }: ObservedOperation): string | undefined {
  if (era === 'stateless') return REVISIONS[0];
  const asked = method === 'initialize' ? params?.['protocolVersion'] : headers?.['mcp-protocol-version'];
  return REVISIONS.find((revision) => revision === asked);
}

/** Every HTTP request has headers, and nothing else does. */
function isEmpty(headers: ObservedOperation['headers'] = {}): boolean {
  for (const _name in headers) return false;
  return true;
}
