import { describe, expect, it } from 'vitest';
import { McpError } from '../../protocol/errors.js';
import { ResultEncoder, errorOutcome } from './result-encoder.js';

const info = { name: 'shop', version: '1' };
const meta = { 'io.modelcontextprotocol/serverInfo': info };
const cache = { ttlMs: 5, scope: 'public' } as const;
const encoder = new ResultEncoder(info, 1_000);
const parsed = (outcome: unknown) => JSON.parse((outcome as { json: string }).json) as unknown;

describe('a result', () => {
  it('of the session era is the body and nothing else', () => {
    expect(encoder.complete('session', { content: [] }, cache)).toEqual({ kind: 'result', json: '{"content":[]}' });
  });

  it('of the stateless era has a type, a cache hint if it can have one, and the name of the server', () => {
    expect(parsed(encoder.complete('stateless', { contents: [] }, cache))).toEqual({
      resultType: 'complete',
      contents: [],
      ttlMs: 5,
      cacheScope: 'public',
      _meta: meta,
    });
    expect(parsed(encoder.complete('stateless', { content: [] }))).toEqual({
      resultType: 'complete',
      content: [],
      _meta: meta,
    });
  });

  it('keeps the _meta of a handler, but not its word on who the server is', () => {
    const _meta = { trace: 1, 'io.modelcontextprotocol/serverInfo': { name: 'other' } };

    expect(parsed(encoder.complete('stateless', { _meta }))).toMatchObject({ _meta: { trace: 1, ...meta } });
  });

  it('that waits for input says for what', () => {
    expect(parsed(encoder.inputRequired({ q: { method: 'roots/list' } }, 'sealed'))).toEqual({
      resultType: 'input_required',
      inputRequests: { q: { method: 'roots/list' } },
      requestState: 'sealed',
      _meta: meta,
    });
  });
});

describe('a list', () => {
  it.each([
    ['session', undefined, { tools: [1] }],
    ['session', 'c"', { tools: [1], nextCursor: 'c"' }],
    ['stateless', undefined, { resultType: 'complete', tools: [1], ttlMs: 5, cacheScope: 'public', _meta: meta }],
    [
      'stateless',
      'c',
      { resultType: 'complete', tools: [1], nextCursor: 'c', ttlMs: 5, cacheScope: 'public', _meta: meta },
    ],
  ] as const)('of the %s era, next %s', (era, nextCursor, expected) => {
    expect(parsed(encoder.list(era, 'tools', { entries: '[1]', nextCursor }, cache))).toEqual(expected);
  });
});

describe('the limit', () => {
  it('is in bytes, and exact', () => {
    const small = new ResultEncoder(info, 20);
    const frame = '{"t":""}'.length;

    expect(() => small.complete('session', { t: 'x'.repeat(20 - frame) })).not.toThrow();
    expect(() => small.complete('session', { t: '€'.repeat(4) })).not.toThrow();
    expect(() => small.complete('session', { t: 'x'.repeat(21 - frame) })).toThrow(
      expect.objectContaining({ name: 'ResultTooLargeError', bytes: 21, limit: 20 }),
    );
    expect(() => small.complete('session', { t: '€'.repeat(5) })).toThrow(expect.objectContaining({ bytes: 23 }));
  });
});

it('an error goes out without its cause', () => {
  const error = new McpError('INVALID_PARAMS', 'No.', undefined, { status: 400, cause: new Error('secret') });

  expect(errorOutcome(error)).toEqual({ kind: 'error', status: 400, error: { code: -32602, message: 'No.' } });
});
