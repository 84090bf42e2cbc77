import { describe, expect, it } from 'vitest';
import { eventually } from '../../../test/support/eventually.js';
import { TestIssuer } from '../../../test/support/oauth/test-issuer.js';
import { IssuerHttp } from './issuer-http.js';
import { IssuerUnavailable } from './issuer-unavailable.error.js';

describe('IssuerHttp', () => {
  it('gives the body and its type', async () => {
    await using issuer = await TestIssuer.start({ algs: ['ES256'] });
    const response = await new IssuerHttp(5_000).fetch(issuer.jwksUri);
    expect(response.headers.get('content-type')).toBe('application/json');
    await expect(response.json()).resolves.toMatchObject({ keys: [{ alg: 'ES256' }] });
  });

  it.each([
    [503, 'it answered with status 503'],
    ['huge', 'its answer is longer than 524288 bytes'],
    [{ redirect: '/elsewhere' }, 'it answered with status 302'],
    ['hang', 'no answer in time'],
  ] as const)('has no use for an answer with %j', async (fault, reason) => {
    await using issuer = await TestIssuer.start({ algs: ['ES256'] });
    issuer.fault('jwks', fault);
    await expect(new IssuerHttp(300).fetch(issuer.jwksUri)).rejects.toThrow(`${issuer.jwksUri}: ${reason}`);
  });

  it('shows no query in its errors', async () => {
    await using issuer = await TestIssuer.start({ algs: ['ES256'] });
    await issuer.pause();
    await expect(new IssuerHttp(300).fetch(`${issuer.jwksUri}?key=hush`)).rejects.toThrow(
      new IssuerUnavailable(`${issuer.jwksUri}: ECONNREFUSED`),
    );
  });

  it('ends what is under way when it is closed, and starts nothing more', async () => {
    await using issuer = await TestIssuer.start({ algs: ['ES256'] });
    issuer.fault('jwks', 'hang');
    const http = new IssuerHttp(60_000);
    const fetched = expect(http.fetch(issuer.jwksUri)).rejects.toThrow('this server is closing');
    await eventually(() => expect(issuer.jwksFetches).toBe(1));
    http.close();
    await fetched;
    await expect(http.fetch(issuer.jwksUri)).rejects.toThrow('this server is closing');
    expect(issuer.jwksFetches).toBe(1);
  });
});
