import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { type OidcClient, OidcServer } from '../../support/oauth/oidc-server.js';
import { OAUTH_CLIENTS } from './oauth-clients.js';
import { freeResource, serveShop, SHOP_SCOPES } from './protected-shop.js';
import { stopWallClock } from './wall-clock.js';

const expireAccessTokens = stopWallClock();

/** A machine that everybody knows, and that may do everything. */
const NIGHTLY: OidcClient = {
  id: 'nightly',
  secret: 'nightly-secret',
  grantTypes: ['client_credentials'],
  claims: { tenant: 'acme', roles: ['auditor'] },
};

/** What the shop itself is to the authorization server: someone who may ask about tokens. */
const SHOP = { clientId: 'shop', clientSecret: 'shop-secret' };

/** A shop for this machine. */
async function openShop(machine: OidcClient) {
  const resource = await freeResource();
  const as = await OidcServer.start({
    resources: { [resource]: SHOP_SCOPES },
    clients: [machine, { id: SHOP.clientId, secret: SHOP.clientSecret, grantTypes: [] }],
  });
  const issuers = [{ issuer: as.issuer, tenantClaim: 'tenant', introspection: SHOP }];
  const shop = await serveShop(resource, { issuers, requiredScopes: ['orders:read'] });
  return {
    resource,
    issuer: as.issuer,
    [Symbol.asyncDispose]: async () => {
      await shop[Symbol.asyncDispose]();
      await as[Symbol.asyncDispose]();
    },
  };
}

function secretOf(issuer: string, scope: string) {
  return { clientId: 'nightly', clientSecret: 'nightly-secret', expectedIssuer: issuer, scope };
}

describe.each(OAUTH_CLIENTS)('$name, as a machine', ({ connect, withSecret, withKey }) => {
  it('gets a token with its secret, and calls in its own name', async () => {
    await using shop = await openShop(NIGHTLY);
    await using client = await connect(shop.resource, withSecret(secretOf(shop.issuer, 'orders:read')));

    const who = await client.call('whoami');

    expect(client.trace.slice(0, 5)).toEqual([
      'POST /mcp 401',
      'GET /.well-known/oauth-protected-resource/mcp 200',
      'GET /.well-known/oauth-authorization-server 200',
      'POST /token 200',
      'POST /mcp 200',
    ]);
    expect(JSON.parse(who)).toEqual({
      issuer: shop.issuer,
      subject: 'nightly',
      client: 'nightly',
      tenant: 'acme',
      scopes: ['orders:read'],
    });
  });

  it('gets a token with a key of its own', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const { secret: _, ...machine } = { ...NIGHTLY, publicKey: await exportJWK(publicKey) };
    await using shop = await openShop(machine);
    const provider = withKey({
      clientId: 'nightly',
      privateKey: { ...(await exportJWK(privateKey)) },
      algorithm: 'ES256',
      expectedIssuer: shop.issuer,
      scope: 'orders:read',
    });
    await using client = await connect(shop.resource, provider);

    expect(await client.call('orders')).toBe('ORD-001, ORD-002');
  });

  it('gets an opaque token, about which the shop has to ask', async () => {
    await using shop = await openShop({ ...NIGHTLY, opaqueTokens: true });
    const provider = withSecret(secretOf(shop.issuer, 'orders:read'));
    await using client = await connect(shop.resource, provider);

    const who = await client.call('whoami');

    expect((await provider.tokens())?.access_token).toMatch(/^[\w-]{40,}$/);
    expect(JSON.parse(who)).toEqual({
      issuer: shop.issuer,
      subject: 'nightly',
      client: 'nightly',
      tenant: 'acme',
      scopes: ['orders:read'],
    });
  });

  it('uses what its scopes and roles allow', async () => {
    await using shop = await openShop(NIGHTLY);
    await using client = await connect(shop.resource, withSecret(secretOf(shop.issuer, 'orders:read orders:refund')));

    const results = [await client.call('refund'), await client.call('ledger')];

    expect(results).toEqual(['refunded', 'all is well']);
    expect(await client.listTools()).toEqual(['ledger', 'orders', 'refund', 'session', 'whoami']);
  });

  it('is refused what it is not given a scope for, and does not ask for ever', async () => {
    await using shop = await openShop({ ...NIGHTLY, scopes: ['orders:read'] });
    await using client = await connect(shop.resource, withSecret(secretOf(shop.issuer, 'orders:read orders:refund')));
    client.trace.length = 0;

    await expect(client.call('refund')).rejects.toThrow(/403/);

    expect(client.trace.filter((line) => line === 'POST /mcp 403')).toHaveLength(2);
    expect(client.trace.filter((line) => line === 'POST /token 200')).toHaveLength(1);
  });

  it('gets another token when the first ends, and goes on with the same session', async () => {
    await using shop = await openShop(NIGHTLY);
    await using client = await connect(shop.resource, withSecret(secretOf(shop.issuer, 'orders:read')));
    const session = await client.call('session');
    client.trace.length = 0;

    expireAccessTokens();

    expect(await client.call('session')).toBe(session);
    expect(client.trace.filter((line) => line.startsWith('POST'))).toEqual([
      'POST /mcp 401',
      'POST /token 200',
      'POST /mcp 200',
    ]);
  });
});
