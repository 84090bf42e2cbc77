import { expect, it } from 'vitest';
import { acceptedHeader, readJwt } from './jwt-parts.js';
import { TokenRefusal } from './token-refusal.error.js';

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = (signature: string) => `${part({ alg: 'ES256' })}.${part({ iss: 'https://id.example' })}.${signature}`;
const header = (signature: string) => acceptedHeader(readJwt(token(signature))!, ['ES256']);

it('takes a signature in the one spelling that it has', () => {
  expect(header('AQ')).toEqual({ alg: 'ES256' });
});

it.each(['AR', 'AQB', 'A'])('refuses %s, which decodes to what has another spelling', (signature) => {
  expect(() => header(signature)).toThrow(TokenRefusal);
});
