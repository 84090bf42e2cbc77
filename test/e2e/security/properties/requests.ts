import fc from 'fast-check';
import { encodeHeaderValue } from '../../../../src/mcp/protocol/header-value.js';
import { ENVELOPE, type Json } from '../../../support/wire.js';
import { type GuardedServer, NAMES, type Name, type SessionRevision } from './guarded-server.js';

/** An argument that no answer may repeat, nor a log, nor the audit. */
export const ARGUMENT = 'planted-argument-c0ffee';

/** A right request of some era, before anything is done to it. */
export interface Plan {
  readonly who: Name;
  readonly era: 'stateless' | SessionRevision;
  readonly message: Json;
}

const secret = ARGUMENT;
const CALLS: readonly (readonly [name: string, args: Json])[] = [
  ['order', { region: 'eu', limit: 42, secret }],
  ['count', { quantity: 3, secret }],
  ['narrate', { secret }],
  ['ask', { secret }],
  ['crash', { secret }],
  ['seldom', { secret }],
  ['narrow', { secret }],
  ['ledger', { secret }],
  ['reset', { secret }],
  ['nothing', { secret }],
];

const REQUESTS: readonly (readonly [method: string, params: Json])[] = [
  ...CALLS.map(([name, args]) => ['tools/call', { name, arguments: args }] as const),
  [
    'tools/call',
    { name: 'ask', arguments: {}, requestState: 'x', inputResponses: { elicitation_1: { action: 'accept' } } },
  ],
  [
    'tools/call',
    { name: 'ask', arguments: {}, inputResponses: { elicitation_1: { action: 'accept', content: { name: 'x' } } } },
  ],
  ['tools/call', { name: 'wait', arguments: { secret } }],
  ['tools/list', {}],
  ['tools/list', { cursor: 'eyJhZnRlciI6ImNyYXNoIn0' }],
  ['resources/list', {}],
  ['resources/templates/list', {}],
  ['prompts/list', { cursor: 'x' }],
  ['resources/read', { uri: 'orders://all' }],
  ['resources/read', { uri: 'notes://alice' }],
  ['resources/read', { uri: 'notes://fixed/bob' }],
  ['prompts/get', { name: 'review', arguments: { language: 'go' } }],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'review' }, argument: { name: 'language', value: 'g' } }],
  [
    'completion/complete',
    { ref: { type: 'ref/resource', uri: 'notes://{owner}' }, argument: { name: 'owner', value: '' } },
  ],
  ['server/discover', {}],
  ['subscriptions/listen', { notifications: { toolsListChanged: true, resourceSubscriptions: ['notes://alice'] } }],
  ['ping', {}],
  ['logging/setLevel', { level: 'debug' }],
  ['resources/subscribe', { uri: 'notes://fixed/alice' }],
  ['resources/unsubscribe', { uri: 'notes://fixed/alice' }],
  ['initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } }],
  ['tasks/get', { taskId: 'x' }],
];

const NOTIFICATIONS: readonly Json[] = [
  { method: 'notifications/initialized' },
  { method: 'notifications/cancelled', params: { requestId: 1, reason: 'enough' } },
  { method: 'notifications/progress', params: { progressToken: 1, progress: 2 } },
  { method: 'notifications/roots/list_changed' },
  { id: 'elicitation/create:x', result: { action: 'accept', content: { name: secret } } },
  { id: 7, error: { code: -1, message: secret } },
];

const ids = fc.oneof(
  fc.integer(),
  fc.constantFrom<unknown>(0, -1, '', '1', 'a'.repeat(256), '\u0000', 'é', '__proto__', Number.MAX_SAFE_INTEGER),
);

const meta = fc.constantFrom<Json>({}, { progressToken: 'p' }, { progressToken: 1, traceparent: 'x' });

const request: fc.Arbitrary<Json> = fc
  .tuple(ids, fc.constantFrom(...REQUESTS), meta)
  .map(([id, [method, params], _meta]) => ({ jsonrpc: '2.0', id, method, params: { ...params, _meta } }));

const message: fc.Arbitrary<Json> = fc.oneof(
  { weight: 9, arbitrary: request },
  { weight: 1, arbitrary: fc.constantFrom(...NOTIFICATIONS).map((rest): Json => ({ jsonrpc: '2.0', ...rest })) },
);

const LOGGED = { 'io.modelcontextprotocol/logLevel': 'debug' };
const ASKABLE = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } } };

/** Right requests of all eras, by both callers. */
export const plans: fc.Arbitrary<Plan> = fc
  .record({
    who: fc.constantFrom(...NAMES),
    era: fc.constantFrom<Plan['era']>('stateless', 'stateless', '2025-03-26', '2025-11-25'),
    message,
  })
  .map((plan) => (plan.era === 'stateless' ? { ...plan, message: enveloped(plan.message) } : plan));

function enveloped(one: Json): Json {
  const params = (one['params'] ?? {}) as Json;
  return { ...one, params: { ...params, _meta: { ...(params['_meta'] as Json), ...ENVELOPE, ...LOGGED, ...ASKABLE } } };
}

export type HeaderLines = readonly (readonly [name: string, value: string])[];

/** The header lines that a client sends with a plan, but for those that frame the body. */
export async function headersFor(server: GuardedServer, { who, era, message: sent }: Plan): Promise<HeaderLines> {
  const common: HeaderLines = [
    ['Host', 'localhost'],
    ['Authorization', `Bearer ${server.tokens[who]}`],
    ['Content-Type', 'application/json'],
    ['Accept', 'application/json, text/event-stream'],
  ];
  if (era === 'stateless') return [...common, ...standardHeaders(sent)];
  if (sent['method'] === 'initialize') return common;
  const { id, revision } = await server.session(who, era);
  return [...common, ['Mcp-Session-Id', id], ['MCP-Protocol-Version', revision]];
}

function standardHeaders({ method, params = {} }: Json): HeaderLines {
  const { name, uri, arguments: given } = params as Json;
  const { region, limit } = (given ?? {}) as Json;
  const mirrored = name === 'order' ? { 'Mcp-Param-Region': region, 'Mcp-Param-Limit': limit } : {};
  const named = name ?? uri;
  return Object.entries({
    'MCP-Protocol-Version': '2026-07-28',
    'Mcp-Method': method,
    ...(typeof named === 'string' && { 'Mcp-Name': named }),
    ...mirrored,
  })
    .filter(([, text]) => text !== undefined)
    .map(([header, text]) => [header, encodeHeaderValue(String(text))] as const);
}

/** A request as bytes. */
export function bytesOf(verb: string, target: string, lines: HeaderLines, body?: Buffer): Buffer {
  const framed = body ? [...lines, ['Content-Length', String(body.length)] as const] : lines;
  const head = [`${verb} ${target} HTTP/1.1`, ...framed.map(([name, value]) => `${name}: ${value}`), '', ''];
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), body ?? Buffer.alloc(0)]);
}
