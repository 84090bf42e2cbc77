import { describe, expect, it } from 'vitest';
import { checkTokenForm, readBearerToken } from './bearer-token.js';

describe('readBearerToken', () => {
  it('reads the token, whatever the case of the scheme', () => {
    expect(readBearerToken('bEARER  a.b-c_d~e+f/g==')).toEqual({ kind: 'token', token: 'a.b-c_d~e+f/g==' });
    expect(readBearerToken(`Bearer ${'a'.repeat(16_384)}`)).toMatchObject({ kind: 'token' });
    expect(() => checkTokenForm('a.b-c_d~e+f/g==')).not.toThrow();
  });

  it('tells no header from another scheme', () => {
    expect(readBearerToken(undefined)).toEqual({ kind: 'none' });
    expect(readBearerToken('Basic abc')).toEqual({ kind: 'other-scheme' });
    expect(readBearerToken('Bearerabc')).toEqual({ kind: 'other-scheme' });
  });

  it.each([
    '',
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer a,b',
    'Bearer a\tb',
    'Bearer a\u0000',
    'Bearer a\u007f',
    'Bearer ä',
    'Bearer =a',
    'Bearer a, Bearer b',
    `Bearer ${'a'.repeat(16_385)}`,
    [['Bearer a', 'Bearer b']],
    [['Bearer a']],
  ])('refuses %j', (header) => {
    const read = (): void => {
      const credential = readBearerToken(header as string);
      if (credential.kind === 'token') checkTokenForm(credential.token);
    };
    expect(read).toThrow('holds no well-formed bearer token');
  });
});
