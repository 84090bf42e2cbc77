import { createSign, generateKeyPairSync } from 'node:crypto';
import { scratchFile } from './scratch.js';

/** What a server needs to verify RS256 tokens, and the headers of a caller who has one. */
export function withToken(env: Record<string, string> = {}) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keyFile = scratchFile('issuer.pem', publicKey.export({ type: 'spki', format: 'pem' }));
  const now = Math.floor(Date.now() / 1_000);
  const signed = [
    { alg: 'RS256', typ: 'at+jwt' },
    {
      iss: 'https://idp.example.com/',
      aud: 'https://mcp.example.com/mcp',
      sub: 'user-1',
      client_id: 'bench',
      scope: 'mcp',
      iat: now,
      exp: now + 7_200,
    },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = createSign('RSA-SHA256').update(signed).sign(privateKey).toString('base64url');
  return {
    env: { ...env, TOKENS_KEY_FILE: keyFile },
    headers: { authorization: `Bearer ${signed}.${signature}` },
  };
}
