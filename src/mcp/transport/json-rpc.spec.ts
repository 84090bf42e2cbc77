import { describe, expect, it } from 'vitest';
import { McpError } from '../protocol/errors.js';
import {
  errorFrame,
  idForError,
  isJsonObject,
  notificationFrame,
  readMessage,
  requestFrame,
  responseFrame,
  resultHead,
} from './json-rpc.js';

describe('readMessage', () => {
  it('reads a request, a notification and both kinds of response', () => {
    expect(readMessage({ jsonrpc: '2.0', id: 0, method: 'ping' })).toEqual({
      kind: 'request',
      id: 0,
      method: 'ping',
      params: {},
    });
    expect(readMessage({ jsonrpc: '2.0', method: 'hello', params: { a: 1 } })).toEqual({
      kind: 'notification',
      method: 'hello',
      params: { a: 1 },
    });
    expect(readMessage({ jsonrpc: '2.0', id: 'a', result: {} })).toEqual({
      kind: 'response',
      id: 'a',
      answer: { result: {} },
    });
    expect(readMessage({ jsonrpc: '2.0', id: 'a', error: { code: -1, message: 'no' } })).toEqual({
      kind: 'response',
      id: 'a',
      answer: { error: { code: -1, message: 'no' } },
    });
  });

  it.each([null, undefined, 1, 'text', true, [], [{ jsonrpc: '2.0', id: 1, method: 'ping' }]])(
    'takes %j for no message',
    (value) => {
      expect(readMessage(value)).toMatchObject({ kind: 'invalid', id: undefined });
    },
  );

  it.each([null, {}, [], true, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 'x'.repeat(257)])(
    'refuses the id %j rather than take the message for a notification',
    (id) => {
      expect(readMessage({ jsonrpc: '2.0', id, method: 'ping' })).toMatchObject({ kind: 'invalid', id: undefined });
    },
  );

  it.each(['', 'x'.repeat(256), 2 ** 53 - 1, -(2 ** 53 - 1)])('takes the id %j', (id) => {
    expect(readMessage({ jsonrpc: '2.0', id, method: 'ping' })).toMatchObject({ kind: 'request', id });
  });

  it.each([
    { jsonrpc: '1.0', id: 7, method: 'ping' },
    { id: 7, method: 'ping' },
    { jsonrpc: '2.0', id: 7, method: '' },
    { jsonrpc: '2.0', id: 7, method: null },
    { jsonrpc: '2.0', id: 7, method: 'ping', params: [] },
    { jsonrpc: '2.0', id: 7, method: 'ping', params: null },
    { jsonrpc: '2.0', id: 7 },
    { jsonrpc: '2.0', id: 7, result: [] },
    { jsonrpc: '2.0', id: 7, result: {}, error: { code: 1, message: '' } },
    { jsonrpc: '2.0', id: 7, error: { code: 'x', message: '' } },
    { jsonrpc: '2.0', id: 7, error: { code: 1 } },
  ])('keeps the id of what else is wrong: %j', (value) => {
    expect(readMessage(value)).toMatchObject({ kind: 'invalid', id: 7 });
  });

  it('takes a response without id for invalid', () => {
    expect(readMessage({ jsonrpc: '2.0', result: {} })).toMatchObject({ kind: 'invalid', id: undefined });
  });
});

describe('frames', () => {
  it('put a serialised result between its brackets, as it is', () => {
    expect(responseFrame('a"b', { kind: 'result', json: '{"x":1}' })).toBe(
      '{"jsonrpc":"2.0","id":"a\\"b","result":{"x":1}}',
    );
  });

  it('have a head that the rest of a kept result follows', () => {
    expect(resultHead('a"') + '{"tools":[]}}').toBe('{"jsonrpc":"2.0","id":"a\\"","result":{"tools":[]}}');
  });

  it('carry an error without its stack, its status or its cause', () => {
    const error = new McpError('INVALID_PARAMS', 'No.', { why: 'so' }, { cause: new Error('secret') });

    expect(errorFrame(1, error)).toBe(
      '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"No.","data":{"why":"so"}}}',
    );
    expect(responseFrame(1, { kind: 'error', error: error.toWire(), status: 200 })).toBe(errorFrame(1, error));
  });

  it('leave out an id that is not known', () => {
    expect(errorFrame(undefined, { code: 1, message: 'x' })).toBe('{"jsonrpc":"2.0","error":{"code":1,"message":"x"}}');
  });

  it('carry notifications and requests', () => {
    expect(notificationFrame('n', { a: 1 })).toBe('{"jsonrpc":"2.0","method":"n","params":{"a":1}}');
    expect(requestFrame('id', 'r', {})).toBe('{"jsonrpc":"2.0","id":"id","method":"r","params":{}}');
  });
});

it('an error about a response goes under no id, since it would answer ourselves', () => {
  expect(idForError({ kind: 'response', id: 'ours', answer: { result: {} } })).toBeUndefined();
  expect(idForError({ kind: 'notification', method: 'n', params: {} })).toBeUndefined();
  expect(idForError({ kind: 'request', id: 3, method: 'm', params: {} })).toBe(3);
  expect(idForError({ kind: 'invalid', id: 4, why: '' })).toBe(4);
});

it('null and arrays are no JSON objects', () => {
  expect([{}, null, [], 'x', undefined].map(isJsonObject)).toEqual([true, false, false, false, false]);
});
