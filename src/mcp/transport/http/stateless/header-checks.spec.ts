import { describe, expect, it } from 'vitest';
import { checkParamHeaders, checkRequestHeaders, checkVersionHeader } from './header-checks.js';

const mismatch = (part: string) =>
  expect.objectContaining({ reason: 'HEADER_MISMATCH', code: -32020, message: expect.stringContaining(part) });
const request = (method: string, params = {}) => ({ id: 1, method, params });

describe('MCP-Protocol-Version', () => {
  it('must be there and say what the body says', () => {
    expect(() => checkVersionHeader({ 'mcp-protocol-version': '2026-07-28' }, '2026-07-28')).not.toThrow();
    expect(() => checkVersionHeader({}, '2026-07-28')).toThrow(mismatch('required'));
    expect(() => checkVersionHeader({ 'mcp-protocol-version': '2025-11-25' }, '2026-07-28')).toThrow(
      mismatch('"2025-11-25"'),
    );
  });
});

describe('Mcp-Method and Mcp-Name', () => {
  it('must say what the body says', () => {
    const headers = { 'mcp-method': 'tools/call', 'mcp-name': 'echo' };

    expect(() => checkRequestHeaders(headers, request('tools/call', { name: 'echo' }))).not.toThrow();
    expect(() => checkRequestHeaders(headers, request('tools/call', { name: 'Echo' }))).toThrow(mismatch('"Echo"'));
    expect(() => checkRequestHeaders(headers, request('tools/list'))).toThrow(mismatch('"tools/list"'));
    expect(() => checkRequestHeaders({ 'mcp-name': 'echo' }, request('tools/call', { name: 'echo' }))).toThrow(
      mismatch('mcp-method header is required'),
    );
    expect(() => checkRequestHeaders({ 'mcp-method': 'tools/call' }, request('tools/call', { name: 'echo' }))).toThrow(
      mismatch('mcp-name header is required'),
    );
  });

  it('name a resource by its URI', () => {
    const headers = { 'mcp-method': 'resources/read', 'mcp-name': 'a://b' };

    expect(() => checkRequestHeaders(headers, request('resources/read', { uri: 'a://b' }))).not.toThrow();
  });

  it('can be encoded', () => {
    const encoded = (name: string) => ({ 'mcp-method': 'tools/call', 'mcp-name': name });

    expect(() => checkRequestHeaders(encoded('=?base64?w7w=?='), request('tools/call', { name: 'ü' }))).not.toThrow();
    expect(() => checkRequestHeaders(encoded('=?base64?w7w?='), request('tools/call', { name: 'ü' }))).toThrow(
      mismatch('not a valid value'),
    );
  });

  it('leave a body without name to the check of its params', () => {
    expect(() => checkRequestHeaders({ 'mcp-method': 'tools/call' }, request('tools/call', { name: 7 }))).not.toThrow();
  });

  it('are not echoed at length', () => {
    const name = 'x'.repeat(5_000);
    try {
      checkRequestHeaders({ 'mcp-method': 'tools/call', 'mcp-name': name }, request('tools/call', { name: 'a' }));
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message.length).toBeLessThan(300);
    }
  });
});

describe('Mcp-Param-*', () => {
  const param = (type: 'string' | 'integer' | 'boolean') =>
    [{ name: 'X', header: 'mcp-param-x', path: ['a', 'b'], type }] as const;
  const check = (type: 'string' | 'integer' | 'boolean', sent: string | undefined, value?: unknown) => () =>
    checkParamHeaders(sent === undefined ? {} : { 'mcp-param-x': sent }, param(type), { a: { b: value } });

  it.each([
    ['string', 'hi', 'hi'],
    ['string', '=?base64?aGk=?=', 'hi'],
    ['string', '', ''],
    ['boolean', 'true', true],
    ['integer', '42', 42],
    ['integer', '42.0', 42],
    ['integer', '-7', -7],
  ] as const)('%s: %j fits %j', (type, sent, value) => {
    expect(check(type, sent, value)).not.toThrow();
  });

  it.each([
    ['string', 'hi', 'ho'],
    ['string', undefined, 'hi'],
    ['string', 'hi', undefined],
    ['string', '', null],
    ['boolean', 'TRUE', true],
    ['boolean', '1', true],
    ['integer', '42.5', 42],
    ['integer', '0x2a', 42],
    ['integer', '4.2e1', 42],
    ['integer', '', 0],
    ['integer', ' ', 0],
    ['integer', '+42', 42],
  ] as const)('%s: %j does not fit %j', (type, sent, value) => {
    expect(check(type, sent, value)).toThrow(mismatch('Mcp-Param-X'));
  });

  it('of an argument that is not there must not be there either, and a prototype is no argument', () => {
    const own = [{ name: 'X', header: 'mcp-param-x', path: ['constructor', 'name'], type: 'string' }] as const;

    expect(() => checkParamHeaders({}, own, {})).not.toThrow();
    expect(() => checkParamHeaders({ 'mcp-param-x': 'Object' }, own, {})).toThrow(mismatch('has no value'));
  });
});
