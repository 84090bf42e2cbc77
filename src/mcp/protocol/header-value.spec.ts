import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHeaderValue, encodeHeaderValue } from './header-value.js';

describe('header values (2026-07-28 basic/transports/streamable-http, "Value Encoding")', () => {
  it.each([
    ['us-west1', 'us-west1'],
    ['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
    [' padded ', '=?base64?IHBhZGRlZCA=?='],
    ['line1\nline2', '=?base64?bGluZTEKbGluZTI=?='],
    ['=?base64?literal?=', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?='],
    ['a\tb c~!', 'a\tb c~!'],
    ['\tindented', '=?base64?CWluZGVudGVk?='],
    ['=?base64?=', '=?base64?PT9iYXNlNjQ/PQ==?='],
    ['=?base64?open', '=?base64?open'],
    ['', ''],
  ])('encodes %j as %j and back', (value, header) => {
    expect(encodeHeaderValue(value)).toBe(header);
    expect(decodeHeaderValue(header)).toBe(value);
  });

  it.each([
    ['an empty value', '=?base64??=', ''],
    ['a plain value that had no need of it', '=?base64?YWJj?=', 'abc'],
    ['a byte order mark, which is part of the value', '=?base64?77u/YQ==?=', '\ufeffa'],
    ['sentinels in another case, which are none', '=?BASE64?YWJj?=', '=?BASE64?YWJj?='],
    ['a prefix alone, which is no sentinel', '=?base64?YWJj', '=?base64?YWJj'],
    ['a suffix alone, which is no sentinel', 'YWJj?=', 'YWJj?='],
  ])('decodes %s', (_, header, value) => {
    expect(decodeHeaderValue(header)).toBe(value);
  });

  it.each([
    ['no padding', '=?base64?YQ?='],
    ['too much padding', '=?base64?YWJj====?='],
    ['bits to spare that are not zero', '=?base64?YR==?='],
    ['the URL-safe alphabet', '=?base64?77-_?='],
    ['white space', '=?base64?YW Jj?='],
    ['a character outside the alphabet', '=?base64?YW!j?='],
    ['bytes that are not UTF-8', '=?base64?/w==?='],
    ['half a surrogate pair', '=?base64?7aC9?='],
    ['sentinels that overlap', '=?base64?='],
    ['a control character', 'a\u0000b'],
    ['a line break', 'a\r\nb'],
    ['a line break at the end', 'a\n'],
    ['delete', 'a\u007f'],
    ['a character outside ASCII', 'é'],
  ])('refuses %s', (_, header) => {
    expect(decodeHeaderValue(header)).toBeUndefined();
  });

  it('refuses to encode half a surrogate pair', () => {
    expect(() => encodeHeaderValue('\ud83d')).toThrow(RangeError);
  });

  it('decodes whatever it encodes, in visible ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const header = encodeHeaderValue(value);
        expect(header).toMatch(/^[\t\x20-\x7e]*$/);
        expect(decodeHeaderValue(header)).toBe(value);
      }),
    );
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String()), (text) => {
        decodeHeaderValue(text);
        decodeHeaderValue(`=?base64?${text}?=`);
      }),
    );
  });
});
