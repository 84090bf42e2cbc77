import { Injectable } from '@nestjs/common';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpPrompt, McpResource, McpTool } from '../../../src/index.js';
import { ENVELOPE, type Json, WireSession, initialize, statelessHeaders } from '../../support/wire.js';
import { type Served, serve } from '../clients/served.js';
import { expectNoTrace, expectServing } from './raw.js';

const anything = z.looseObject({});

@Injectable()
class Targets {
  @McpTool({ input: anything })
  echo(input: Json): object {
    return input;
  }

  @McpResource('things://{id}')
  thing({ id }: { id: string }): string {
    return id;
  }

  @McpPrompt()
  hello(): string {
    return 'hello';
  }
}

const METHODS = [
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'resources/templates/list',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'logging/setLevel',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
  'tasks/get',
  '__proto__',
];

/** What parameters are called, and some that they are not. */
const KEYS = [
  'name',
  'uri',
  'arguments',
  'argument',
  'ref',
  'type',
  'value',
  'cursor',
  'level',
  'requestId',
  'requestState',
  'inputResponses',
  'notifications',
  'resourceSubscriptions',
  'progressToken',
  '_meta',
  'protocolVersion',
  'capabilities',
  'clientInfo',
  'context',
  'io.modelcontextprotocol/protocolVersion',
  'io.modelcontextprotocol/clientCapabilities',
  'io.modelcontextprotocol/logLevel',
  'toString',
  'constructor',
];

const LEAVES = [
  'echo',
  'hello',
  'things://1',
  'ref/prompt',
  'ref/resource',
  'debug',
  '2026-07-28',
  '2025-11-25',
  '2.0',
  '',
];

const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    fc.constantFrom<unknown>(...LEAVES, null, true, 0, -1, 1.5, 1e300, 2 ** 53),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string({ maxLength: 5 })), tie('value'), { maxKeys: 4 }),
  ),
}));

const method = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...METHODS) }, { weight: 1, arbitrary: fc.string() });
const params = fc.dictionary(fc.constantFrom(...KEYS), value, { maxKeys: 5 });

/** Nearly right messages, in which anything may be replaced or missing. */
const message = fc.record(
  {
    jsonrpc: fc.oneof({ weight: 9, arbitrary: fc.constant<unknown>('2.0') }, { weight: 1, arbitrary: value }),
    id: fc.oneof({ weight: 4, arbitrary: fc.integer() }, { weight: 1, arbitrary: value }),
    method: fc.oneof({ weight: 9, arbitrary: method }, { weight: 1, arbitrary: value }),
    params: fc.oneof({ weight: 5, arbitrary: params }, { weight: 1, arbitrary: value }),
    result: value,
    error: value,
  },
  { requiredKeys: ['jsonrpc', 'method', 'params'] },
);

/** A text with some characters cut, doubled or replaced. */
function mutated(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.nat(6),
    by: fc.oneof(
      fc.constantFrom('', '{', '}', '[', ']', '"', ',', ':', '\\', '\\u0000', '-', '1e9', 'null'),
      fc.string(),
    ),
  });
  return fc.tuple(text, fc.array(edit, { maxLength: 3 })).map(([original, edits]) =>
    edits.reduce((so, { at, length, by }) => {
      const from = Math.floor(at * so.length);
      return so.slice(0, from) + by + so.slice(from + length);
    }, original),
  );
}

/** What a header may hold at all: fetch itself refuses the rest. */
const headerText = fc.oneof(
  fc.constantFrom(
    '',
    '2026-07-28',
    '2025-11-25',
    '2025-03-26',
    '1',
    'tools/call',
    'echo',
    '=?base64?ZWNobw==?=',
    '=?base64?!?=',
  ),
  fc.string({ unit: fc.constantFrom(...'aZ09-_=?/.,;:"\\ \t*~é') }),
);
const HEADERS = [
  'accept',
  'content-type',
  'content-encoding',
  'origin',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'mcp-param-x',
  'mcp-session-id',
  'last-event-id',
  'traceparent',
];
/** Replaces, adds or (undefined) removes. */
const headerChanges = fc.dictionary(fc.constantFrom(...HEADERS), fc.option(headerText, { nil: undefined, freq: 4 }), {
  maxKeys: 3,
});

let served: Served;

beforeAll(async () => {
  served = await serve([Targets], { callTimeoutMs: 1_000, http: { streamAfterMs: 500 } });
});
afterEach(async () => {
  await expectServing(served.url);
  expect(served.errors).toEqual([]);
});
afterAll(() => served[Symbol.asyncDispose]());

interface Sent {
  readonly method: string;
  readonly body?: string;
  readonly headers: Record<string, string | undefined>;
}

/** The rule for whatever is sent: an answer within the time, never a 500, an error in JSON-RPC, never a trace. */
async function expectGoodAnswer({ method: verb, body, headers }: Sent): Promise<void> {
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(new Error('The server did not answer in time.')), 5_000);
  const given = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
  try {
    const response = await fetch(served.url, {
      method: verb,
      headers: given,
      signal: stop.signal,
      ...(body !== undefined && { body }),
    });
    expect(response.status).not.toBe(500);
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
    // A stream of changes has no end; that it began is its answer.
    if (isStream) return;
    const text = await response.text();
    expectNoTrace(text);
    if (response.status === 202 || response.status === 204) expect(text).toBe('');
    else expectJsonRpc(JSON.parse(text), response.status);
  } finally {
    clearTimeout(late);
    stop.abort();
  }
}

function expectJsonRpc(answer: unknown, status: number): void {
  for (const one of Array.isArray(answer) ? (answer as Json[]) : [answer as Json]) {
    expect(one).toMatchObject({ jsonrpc: '2.0' });
    expect(Object.keys(one).filter((key) => key === 'result' || key === 'error')).toHaveLength(1);
    if (status >= 400) expect(one).toMatchObject({ error: { code: expect.any(Number), message: expect.any(String) } });
  }
}

const RUNS = { numRuns: 400, endOnFailure: true } as const;

describe('whatever is posted', () => {
  it('to the stateless era: mutated requests', async () => {
    const body = fc
      .record({ method, params, id: fc.integer() })
      .map((request) => JSON.stringify({ jsonrpc: '2.0', ...request, params: { ...request.params, _meta: ENVELOPE } }));

    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...METHODS), mutated(body), headerChanges, (named, text, changes) =>
        expectGoodAnswer({
          method: 'POST',
          body: text,
          headers: { ...statelessHeaders(named, { name: 'echo' }), ...changes },
        }),
      ),
      RUNS,
    );
  });

  it('to the stateless era: right requests with odd params', async () => {
    const known = METHODS.filter((name) => name !== '__proto__');
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...known), params, (named, odd) => {
        const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: named, params: { ...odd, _meta: ENVELOPE } });
        return expectGoodAnswer({ method: 'POST', body, headers: plain(statelessHeaders(named, odd)) });
      }),
      RUNS,
    );
  });

  it('to a session', async () => {
    const session = await WireSession.open(served.url);
    const body = mutated(message.map((one) => JSON.stringify(one)));

    await fc.assert(
      fc.asyncProperty(body, headerChanges, (text, changes) =>
        expectGoodAnswer({
          method: 'POST',
          body: text,
          headers: {
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            ...session.headers(),
            ...changes,
          },
        }),
      ),
      RUNS,
    );
  });

  it('to a session of 2025-03-26, in batches', async () => {
    const session = await WireSession.open(served.url, '2025-03-26');
    const body = fc.array(message, { maxLength: 4 }).map((batch) => JSON.stringify(batch));

    await fc.assert(
      fc.asyncProperty(body, (text) =>
        expectGoodAnswer({
          method: 'POST',
          body: text,
          headers: { 'content-type': 'application/json', accept: '*/*', ...session.headers() },
        }),
      ),
      RUNS,
    );
  });

  it('as initialize', async () => {
    const right = initialize('2025-11-25');
    const body = mutated(
      params.map((odd) => JSON.stringify({ ...right, params: { ...(right['params'] as Json), ...odd } })),
    );

    await fc.assert(
      fc.asyncProperty(body, headerChanges, (text, changes) =>
        expectGoodAnswer({
          method: 'POST',
          body: text,
          headers: { 'content-type': 'application/json', accept: '*/*', ...changes },
        }),
      ),
      RUNS,
    );
  });
});

it('whatever the headers of a GET or DELETE say', async () => {
  const session = await WireSession.open(served.url);

  await fc.assert(
    fc.asyncProperty(fc.constantFrom('GET', 'DELETE'), headerChanges, (verb, changes) =>
      expectGoodAnswer({
        method: verb,
        headers: {
          accept: 'text/event-stream',
          // Deleting the one session there is would make the rest of the runs dull.
          ...(verb === 'GET' && session.headers()),
          ...changes,
        },
      }),
    ),
    RUNS,
  );
});

/** Without those that fetch would not send. */
function plain(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([, text]) => /^[\t\x20-\x7e\x80-\xff]*$/.test(text)));
}
