import { describe, expect, it } from 'vitest';
import { claimedRevision, isImplementation, readEnvelope, requireStatelessRevision } from './envelope.js';

const VERSION = 'io.modelcontextprotocol/protocolVersion';
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
const INFO = 'io.modelcontextprotocol/clientInfo';
const LOG_LEVEL = 'io.modelcontextprotocol/logLevel';
const right = { [VERSION]: '2026-07-28', [CAPABILITIES]: {} };

describe('readEnvelope', () => {
  it('reads what a request says of itself', () => {
    const _meta = { ...right, [INFO]: { name: 'c', version: '1' }, [LOG_LEVEL]: 'debug', other: 1 };

    expect(readEnvelope({ _meta })).toEqual({
      version: '2026-07-28',
      client: { capabilities: {}, info: { name: 'c', version: '1' } },
      logLevel: 'debug',
    });
  });

  it('does with version and capabilities alone', () => {
    expect(readEnvelope({ _meta: right })).toEqual({
      version: '2026-07-28',
      client: { capabilities: {} },
      logLevel: undefined,
    });
  });

  it.each([
    [{}],
    [{ _meta: null }],
    [{ _meta: [] }],
    [{ _meta: { [CAPABILITIES]: {} } }],
    [{ _meta: { ...right, [VERSION]: 20260728 } }],
    [{ _meta: { [VERSION]: '2026-07-28' } }],
    [{ _meta: { ...right, [CAPABILITIES]: [] } }],
    [{ _meta: { ...right, [INFO]: { name: 'c' } } }],
    [{ _meta: { ...right, [INFO]: null } }],
    [{ _meta: { ...right, [LOG_LEVEL]: 'loud' } }],
  ])('answers 400 to %j', (params) => {
    expect(() => readEnvelope(params)).toThrow(expect.objectContaining({ reason: 'INVALID_PARAMS', status: 400 }));
  });
});

it('claimedRevision is whatever stands there, or nothing', () => {
  expect(claimedRevision({ _meta: { [VERSION]: 7 } })).toBe(7);
  expect([undefined, null, [], {}, { _meta: 'x' }, { _meta: {} }].map(claimedRevision)).toEqual(
    Array(6).fill(undefined),
  );
});

it('another revision is refused with those that are spoken', () => {
  expect(() => requireStatelessRevision('2026-07-28')).not.toThrow();
  expect(() => requireStatelessRevision('2099-01-01')).toThrow(
    expect.objectContaining({
      code: -32022,
      status: 400,
      data: { supported: ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26'], requested: '2099-01-01' },
    }),
  );
});

it('an implementation has a name and a version, both strings', () => {
  expect(isImplementation({ name: 'a', version: '1', title: 'A' })).toBe(true);
  expect([{ name: 'a' }, { name: 'a', version: 1 }, null, []].some(isImplementation)).toBe(false);
});
