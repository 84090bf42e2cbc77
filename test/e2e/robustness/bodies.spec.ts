import { Injectable } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpTool } from '../../../src/index.js';
import {
  ENVELOPE,
  type Json,
  WireSession,
  initialize,
  post,
  responseOf,
  statelessHeaders,
} from '../../support/wire.js';
import { type Served, serve } from '../clients/served.js';
import { exchange, expectRpcError, expectServing, postBytes } from './raw.js';

const anything = z.looseObject({ text: z.string().optional() });

@Injectable()
class EchoTools {
  @McpTool({ input: anything })
  echo(input: z.infer<typeof anything>): object {
    return { ...input };
  }
}

let served: Served;
let session: WireSession;

beforeAll(async () => {
  served = await serve([EchoTools], { http: { maxBodyBytes: 10_000 } });
  session = await WireSession.open(served.url);
});
afterEach(() => expectServing(served.url));
afterAll(async () => {
  expect(served.errors).toEqual([]);
  await served[Symbol.asyncDispose]();
});

interface EraCase {
  readonly era: string;
  /** The headers of a right request. */
  headers(): Record<string, string | undefined>;
  /** A right call of `echo`, less its end. */
  call(args: string, id?: string): string;
}

const ERAS: readonly EraCase[] = [
  {
    era: 'stateless',
    headers: () => statelessHeaders('tools/call', { name: 'echo' }),
    call: (args, id = '1') =>
      `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"echo","arguments":${args},"_meta":${JSON.stringify(ENVELOPE)}}}`,
  },
  {
    era: 'session',
    headers: () => ({ ...session.headers() }),
    call: (args, id = '1') =>
      `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"echo","arguments":${args}}}`,
  },
];

/** Levels of arrays around nothing. */
const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

describe.each(ERAS)('a body in the $era era', ({ call, headers }) => {
  const send = async (body: string, more: Record<string, string | undefined> = {}) => {
    const response = await post(served.url, body, { ...headers(), ...more });
    return { status: response.status, text: await response.text() };
  };

  it.each([
    ['is no JSON', 'tools/list please'],
    ['breaks off', '{"jsonrpc":"2.0","id":1,"method":"tools/li'],
    ['has a trailing comma', '{"jsonrpc":"2.0","id":1,}'],
    ['has something behind it', '{"jsonrpc":"2.0","id":1,"method":"ping"} {}'],
    ['uses NaN', '{"jsonrpc":"2.0","id":NaN,"method":"ping"}'],
    ['uses Infinity', '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":Infinity}}'],
    ['uses a hexadecimal number', '{"jsonrpc":"2.0","id":0x10,"method":"ping"}'],
    ['uses single quotes', "{'jsonrpc':'2.0'}"],
    ['is white space', '   \n\t '],
    ['is a byte order mark', '\ufeff\ufeff{}'],
    ['has a comment', '/* hi */ {"jsonrpc":"2.0"}'],
    ['has a control character in a string', '{"jsonrpc":"2.0\u0001"}'],
  ])('that %s is a parse error', async (_what, body) => {
    const { status, text } = await send(body);

    expect(status).toBe(400);
    expectRpcError(text, -32700);
  });

  it('that is empty is a parse error', async () => {
    const { status, text } = await send('');

    expect(status).toBe(400);
    expectRpcError(text, -32700);
  });

  it.each([
    ['null', 'null'],
    ['a number', '42'],
    ['a string', '"tools/list"'],
    ['a boolean', 'true'],
    ['an empty object', '{}'],
    ['an empty array', '[]'],
    ['an array of numbers', '[1,2,3]'],
    ['an array of arrays', '[[],[]]'],
    ['an object without version', '{"id":1,"method":"ping"}'],
    ['an object with another version', '{"jsonrpc":"1.0","method":"ping"}'],
    ['an empty method', '{"jsonrpc":"2.0","method":""}'],
    ['a method that is a number', '{"jsonrpc":"2.0","method":7}'],
    ['params in an array', '{"jsonrpc":"2.0","method":"ping","params":[1]}'],
    ['params of null', '{"jsonrpc":"2.0","method":"ping","params":null}'],
    ['an id of null', '{"jsonrpc":"2.0","id":null,"method":"ping"}'],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"ping"}'],
    ['a fractional id', '{"jsonrpc":"2.0","id":1.5,"method":"ping"}'],
    ['an id beyond the safe integers', '{"jsonrpc":"2.0","id":1e300,"method":"ping"}'],
    ['an infinite id', '{"jsonrpc":"2.0","id":1e999,"method":"ping"}'],
    ['an id of 257 characters', `{"jsonrpc":"2.0","id":"${'x'.repeat(257)}","method":"ping"}`],
    ['a result and an error', '{"jsonrpc":"2.0","method":null,"result":{},"error":{"code":1,"message":"x"}}'],
  ])('of %s is an invalid request', async (_what, body) => {
    const { status, text } = await send(body);

    expect(status).toBe(400);
    expectRpcError(text, -32600, body.includes('"id":1,') ? 1 : undefined);
  });

  it('that a good id could be read from is refused under that id', async () => {
    const { status, text } = await send('{"jsonrpc":"2.0","id":"seven","method":7}');

    expect(status).toBe(400);
    expectRpcError(text, -32600, 'seven');
  });

  it('nested 64 levels deep is read, and 65 is not', async () => {
    // The message, its params and the arguments are three levels of their own.
    const read = await send(call(`{"deep":${nested(61)}}`));
    const refused = await send(call(`{"deep":${nested(62)}}`));

    expect(read.status).toBe(200);
    expect(read.text).toContain(nested(61));
    expect(refused.status).toBe(400);
    expectRpcError(refused.text, -32600);
  });

  it('with brackets inside of strings is not nested', async () => {
    const { status } = await send(call(JSON.stringify({ text: nested(200) })));

    expect(status).toBe(200);
  });

  it.each(['{"__proto__":{"polluted":true}}', '{"a":{"__proto__":null}}', '{"constructor":{"prototype":{"x":1}}}'])(
    'that reaches for a prototype is refused: %s',
    async (args) => {
      const { status, text } = await send(call(args));

      expect(status).toBe(400);
      expectRpcError(text, -32700);
      expect(({} as Json)['polluted']).toBeUndefined();
    },
  );

  it('of exactly the limit is read, and one byte more is not', async () => {
    const frame = Buffer.byteLength(call('{"text":""}'));
    const read = await send(call(`{"text":"${'x'.repeat(10_000 - frame)}"}`));
    const refused = await send(call(`{"text":"${'x'.repeat(10_001 - frame)}"}`));

    expect(read.status).toBe(200);
    expect(refused.status).toBe(413);
    expectRpcError(refused.text, 413);
  });

  it('counts bytes, not characters', async () => {
    const { status } = await send(call(`{"text":"${'€'.repeat(3_400)}"}`));

    expect(status).toBe(413);
  });

  it('with a string id of 256 characters is answered under it', async () => {
    const id = 'ü'.repeat(256);
    const { status, text } = await send(call('{}', JSON.stringify(id)));

    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ id });
  });

  it.each(['-1', '0', '9007199254740991', '-0', '1e2'])('with the id %s is answered under that number', async (id) => {
    const { status, text } = await send(call('{}', id));

    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ id: Number(id) + 0 });
  });

  it('takes the last of duplicate keys, everywhere', async () => {
    const body = call('{"text":"first","text":"second"}');
    const { text } = await send(body.replace('"id":1', '"id":1,"id":2'));

    expect(JSON.parse(text)).toMatchObject({ id: 2, result: { content: [{ text: '{"text":"second"}' }] } });
  });

  it.each([
    ['text/plain', 'text/plain'],
    ['a form', 'application/x-www-form-urlencoded'],
    ['an upload', 'multipart/form-data; boundary=x'],
    ['XML', 'application/xml'],
    ['a type that only begins alike', 'application/jsonp'],
    ['nonsense', 'application'],
  ])('declared as %s is refused', async (_what, type) => {
    const { status, text } = await send(call('{}'), { 'content-type': type });

    expect(status).toBe(415);
    expectRpcError(text, 415);
  });

  it.each(['application/json; charset=utf-8', 'application/json;charset="UTF-8"', 'APPLICATION/JSON'])(
    'declared as %s is read',
    async (type) => {
      const { status } = await send(call('{}'), { 'content-type': type });

      expect(status).toBe(200);
    },
  );

  it.each(['gzip', 'br', 'deflate', 'gzip, identity', 'x-unknown'])('encoded with %s is refused', async (encoding) => {
    const { status, text } = await send(call('{}'), { 'content-encoding': encoding });

    expect(status).toBe(415);
    expectRpcError(text, 415);
  });

  it.each([
    ['a byte that never occurs', [0xff]],
    ['an overlong form', [0xc0, 0x80]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['half a character', [0xe2, 0x82]],
    ['Latin-1', [0xfc]],
  ])('that is not UTF-8 is a parse error: %s', async (_what, wrong) => {
    const [before = '', after = ''] = call('{"text":"~"}').split('~');
    const bytes = Buffer.concat([Buffer.from(before), Buffer.from(wrong), Buffer.from(after)]);
    const lines = { 'content-type': 'application/json', accept: '*/*', ...headers() };
    const [response] = await exchange(
      served.port,
      postBytes(
        bytes,
        Object.entries(lines).map(([name, value]) => `${name}: ${value}`),
      ),
    );

    expect(response?.status).toBe(400);
    expectRpcError(response?.body ?? '', -32700);
  });
});

describe('initialize', () => {
  it.each([
    ['without params', {}],
    ['without version', { capabilities: {}, clientInfo: { name: 'x', version: '1' } }],
    [
      'with a version that is a number',
      { protocolVersion: 2025, capabilities: {}, clientInfo: { name: 'x', version: '1' } },
    ],
    [
      'with capabilities in an array',
      { protocolVersion: '2025-11-25', capabilities: [], clientInfo: { name: 'x', version: '1' } },
    ],
    ['without client', { protocolVersion: '2025-11-25', capabilities: {} }],
  ])('%s opens no session', async (_what, params) => {
    const response = await post(served.url, JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'initialize', params }));

    expect(response.headers.get('mcp-session-id')).toBeNull();
    expectRpcError(await response.text(), -32602, 5);
  });

  it('as a notification opens no session', async () => {
    const { id: _id, ...notification } = initialize('2025-11-25');
    const response = await post(served.url, JSON.stringify(notification));

    expect(response.status).toBe(400);
    expect(response.headers.get('mcp-session-id')).toBeNull();
  });

  it('inside a batch opens no session', async () => {
    const response = await post(served.url, JSON.stringify([initialize('2025-03-26')]));

    expect(response.status).toBe(400);
    expectRpcError(await response.text(), -32600);
  });
});

describe('a batch', () => {
  it('of more messages than allowed is refused as a whole', async () => {
    const old = await WireSession.open(served.url, '2025-03-26');
    const ping = (id: number): Json => ({ jsonrpc: '2.0', id, method: 'ping' });

    const allowed = await old.post(Array.from({ length: 50 }, (_, id) => ping(id)));
    const refused = await old.post(Array.from({ length: 51 }, (_, id) => ping(id)));

    expect(await allowed.json()).toHaveLength(50);
    expect(refused.status).toBe(400);
    expectRpcError(await refused.text(), -32600);
    await old.delete();
  });

  it('with one wrong message is refused as a whole', async () => {
    const old = await WireSession.open(served.url, '2025-03-26');

    const response = await old.post([{ jsonrpc: '2.0', id: 1, method: 'ping' }, 7]);

    expect(response.status).toBe(400);
    expectRpcError(await response.text(), -32600);
    expect(await responseOf(await old.request('ping'))).toMatchObject({ result: {} });
    await old.delete();
  });
});
